import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeHost } from "../fixtures/host";
import { message, scene } from "../fixtures/scenes";
import { Conversation } from "../src/inbox/conversation.svelte";
import type { Delivery } from "../src/lib/api.generated";
import { CallFailure } from "../src/lib/host";

let host: FakeHost;

async function opened(id = "fatima"): Promise<Conversation> {
  const conversation = new Conversation(host, id);
  await conversation.refresh();
  return conversation;
}

beforeEach(() => {
  vi.useFakeTimers();
  host = new FakeHost(scene("crowded"));
});
afterEach(() => void vi.useRealTimers());

describe("A reply that is taken back", () => {
  async function undone(delivery: Delivery): Promise<Conversation> {
    const open = await opened();
    open.composer.type("أرسلت بالخطأ");
    await open.composer.send();
    const sent = host.scene.pages.get("fatima")?.items.at(-1);
    if (sent?.item !== "message") throw new Error("Nothing was sent");
    sent.delivery = "queued";
    await open.undo(sent.message);
    await open.undo(sent.message);
    expect(host.times("take_back"), "Two keystrokes are one").toBe(1);
    expect(open.composer.text, "It may go yet").toBe("");
    sent.delivery = delivery;
    await open.refresh();
    return open;
  }

  test("is in the composer again at once where it never left, above what was written since", async () => {
    const open = await opened();
    open.composer.type("أرسلت بالخطأ");
    await open.composer.send();
    const sent = host.scene.pages.get("fatima")?.items.at(-1);
    if (sent?.item !== "message") throw new Error("Nothing was sent");
    open.composer.type("وأيضًا");
    await open.undo(sent.message);
    expect(open.composer.text).toBe("أرسلت بالخطأ\nوأيضًا");
    expect(open.items.map(({ item }) => item).length, "And no bubble is left of it").toBe(3);
    await open.refresh();
    expect(open.composer.text, "Once").toBe("أرسلت بالخطأ\nوأيضًا");
  });

  test("is in the composer again once it is sure that it does not go", async () => {
    const open = await undone("recalled");
    expect(open.composer.text).toBe("أرسلت بالخطأ");
    await open.refresh();
    expect(open.composer.text, "Once").toBe("أرسلت بالخطأ");
  });

  test("too late is not written a second time", async () => {
    expect((await undone("sent")).composer.text).toBe("");
  });
});

describe("A colleague's answer that comes while I write", () => {
  test("is shown before mine goes, and mine goes when I send again", async () => {
    const { composer, refresh } = await opened();
    composer.type("الموعد يوم الأحد");
    expect(composer.overtaken).toBeNull();
    const page = host.scene.pages.get("fatima");
    const answer = message({ seq: 900, from: "colleague", text: "الموعد غدًا" });
    page?.items.push(answer);
    if (page !== undefined) Object.assign(page, { seen: 900, last: 900 });
    await refresh();
    expect(composer.overtaken?.text).toBe("الموعد غدًا");
    expect(await composer.send()).toBe(false);
    expect(host.times("send_reply")).toBe(0);
    expect(await composer.send()).toBe(true);
    expect(host.last("send_reply")).toMatchObject({ text: "الموعد يوم الأحد", seen: 900 });
    composer.type("وشكرًا");
    expect(composer.overtaken, "What is begun after it is no double answer").toBeNull();
  });

  test("stops no note, and nothing that stood before the draft was begun", async () => {
    host.scene.pages.get("fatima")?.items.push(message({ seq: 5, from: "colleague", text: "قديم" }));
    const { composer, refresh } = await opened();
    composer.type("رد");
    expect(composer.overtaken).toBeNull();
    composer.turn("note");
    composer.type("ملاحظة");
    host.scene.pages.get("fatima")?.items.push(message({ seq: 901, from: "colleague", text: "رد زميل" }));
    await refresh();
    expect(composer.overtaken).toBeNull();
    expect(await composer.send()).toBe(true);
  });
});

describe("A reply that was taken back", () => {
  test("stands below the reply that is being written, and whoever writes a note goes on with it", async () => {
    const { composer } = await opened();
    composer.turn("note");
    composer.type("ملاحظة");
    composer.again("لم يصل");
    expect([composer.mode, composer.text]).toEqual(["note", "ملاحظة"]);
    composer.type("ملاحظة طويلة");
    expect(await composer.send()).toBe(true);
    expect(host.last("add_note")?.text).toBe("ملاحظة طويلة");
    composer.turn("reply");
    expect(composer.text).toContain("لم يصل");
    expect(host.asked.some(({ name, request }) => name === "save_draft" && JSON.stringify(request).includes("لم يصل"))).toBe(true);
  });

  test("is not lost when it comes while another one is sent", async () => {
    const { composer } = await opened();
    composer.type("الأول");
    let done = (): void => undefined;
    host.held.set("send_reply", new Promise((resolve) => (done = resolve)));
    const sent = composer.send();
    composer.again("الثاني");
    done();
    host.held.delete("send_reply");
    expect(await sent).toBe(true);
    expect(composer.text).toBe("الثاني");
    await composer.flush();
    expect(host.last("save_draft")?.text).toBe("الثاني");
  });

  test("is no longer what is to be undone once something else was typed", async () => {
    const { composer } = await opened();
    composer.type("الأول");
    expect(composer.untouched).toBe(false);
    expect(await composer.send()).toBe(true);
    expect(composer.untouched).toBe(true);
    composer.type("غيره");
    composer.type("");
    expect(composer.untouched).toBe(false);
  });
});

describe("A draft", () => {
  test("is at the desk within 300 ms of the last key, also while one goes on typing", async () => {
    const { composer } = await opened();
    for (let key = 1; key <= 20; key += 1) {
      composer.type("س".repeat(key));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(host.times("save_draft"), "Typing for two seconds").toBeGreaterThanOrEqual(6);
    composer.type("السلام عليكم");
    expect(composer.saved).toBe(false);
    await vi.advanceTimersByTimeAsync(300);
    expect(host.last("save_draft")).toEqual({ conversation: "fatima", mode: "reply", text: "السلام عليكم" });
    expect(composer.saved).toBe(true);
  });

  test("is saved at once on leaving, where it was written", async () => {
    const first = await opened();
    first.composer.type("لفاطمة");
    void first.composer.flush();
    const second = await opened("khalid");
    await vi.advanceTimersByTimeAsync(1000);
    expect(host.asked.filter(({ name }) => name === "save_draft").map(({ request }) => request)).toEqual([{ conversation: "fatima", mode: "reply", text: "لفاطمة" }]);
    expect(second.composer.text).toBe("وسنوافيكم بالمستجدات أولاً بأول");
  });

  test("of a reply and of a note are two, and turning the mode saves the one that is left", async () => {
    const { composer } = await opened();
    composer.type("رد");
    composer.turn("note");
    expect(composer.text).toBe("");
    composer.type("ملاحظة");
    await composer.flush();
    expect(host.scene.pages.get("fatima")?.draft).toEqual({ reply: "رد", note: "ملاحظة" });
    expect(composer.mode).toBe("note");
  });

  test("that could not be saved is tried again, and the error is told", async () => {
    const { composer } = await opened();
    host.failing.set("save_draft", new CallFailure({ code: "failed", message: "Disk full" }));
    composer.type("نص");
    await vi.advanceTimersByTimeAsync(300);
    expect(composer.error).toBe("failed");
    expect(composer.saved).toBe(false);
    await composer.flush();
    expect(host.scene.pages.get("fatima")?.draft.reply).toBe("نص");
  });

  test("typed before the page came is not overwritten by it", async () => {
    const conversation = new Conversation(host, "khalid");
    conversation.composer.type("أسرع");
    await conversation.refresh();
    expect(conversation.composer.text).toBe("أسرع");
  });
});

describe("Sending", () => {
  test("clears the composer once the desk has it, and the pending message is on screen", async () => {
    const conversation = await opened();
    const { composer } = conversation;
    composer.type("  وعليكم السلام  ");
    await composer.send();
    expect(host.last("send_reply")).toEqual({ conversation: "fatima", case: "case-fatima", text: "وعليكم السلام", seen: conversation.page?.seen });
    expect(composer.text).toBe("");
    expect(conversation.items.at(-1)).toMatchObject({ text: "وعليكم السلام", delivery: "waiting" });
    await vi.advanceTimersByTimeAsync(1000);
    expect(host.scene.pages.get("fatima")?.draft.reply, "A late save brings it back").toBe("");
  });

  test("waits for the save that is under way, so that it cannot bring the draft back", async () => {
    const { composer } = await opened();
    let done = (): void => undefined;
    host.held.set("save_draft", new Promise<void>((resolve) => (done = resolve)));
    composer.type("نص");
    await vi.advanceTimersByTimeAsync(250);
    const sent = composer.send();
    await vi.advanceTimersByTimeAsync(50);
    expect(host.times("send_reply")).toBe(0);
    done();
    await sent;
    expect(host.asked.map(({ name }) => name).filter((name) => name === "save_draft" || name === "send_reply")).toEqual(["save_draft", "send_reply"]);
  });

  test("that fails loses nothing, and says why", async () => {
    const { composer } = await opened();
    host.failing.set("send_reply", new CallFailure({ code: "failed", message: "Disk full" }));
    composer.type("نص طويل كُتب بعناية");
    expect(await composer.send()).toBe(false);
    expect(composer.text).toBe("نص طويل كُتب بعناية");
    expect(composer.error).toBe("failed");
    expect(composer.sending).toBe(false);
    expect(await composer.send()).toBe(true);
    expect(composer.error).toBeNull();
  });

  test("of nothing, of too much, and twice at once is not done", async () => {
    const { composer } = await opened();
    composer.type("   \n ");
    expect(await composer.send()).toBe(false);
    composer.type("😀".repeat(4097));
    expect(composer.sendable).toBe(false);
    composer.type("😀".repeat(4096));
    expect(composer.sendable).toBe(true);
    await Promise.all([composer.send(), composer.send()]);
    expect(host.times("send_reply")).toBe(1);
  });

  test("in note mode adds a note and stays in note mode", async () => {
    const { composer } = await opened();
    composer.turn("note");
    composer.type("للزملاء فقط");
    await composer.send();
    expect(host.times("send_reply")).toBe(0);
    expect(host.last("add_note")).toEqual({ conversation: "fatima", case: "case-fatima", text: "للزملاء فقط" });
    expect(composer.mode).toBe("note");
  });
});

describe("What is taken back", () => {
  test("stands in the composer, above what was being written", async () => {
    const { composer } = await opened();
    composer.type("جديد");
    composer.takenBack({ reply: "قديم", note: "" }, "reply");
    expect(composer.text).toBe("قديم\nجديد");
    await composer.flush();
    expect(host.scene.pages.get("fatima")?.draft.reply).toBe("قديم\nجديد");
  });
});
