import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, test, vi } from "vitest";
import { FakeHost } from "../fixtures/host";
import { NOW, row, type Scene, scene } from "../fixtures/scenes";
import App from "../src/App.svelte";
import { BEGINNING } from "../src/lib/appearance";
import { CallFailure } from "../src/lib/host";

function shown(change: (scene: Scene) => Scene = (same) => same, name = "crowded"): FakeHost {
  const host = new FakeHost(change(scene(name)));
  render(App, { host });
  return host;
}

const rowOf = async (id: string): Promise<HTMLElement> => {
  const rows = await screen.findAllByTestId("conversation-row");
  return rows.find((row) => row.dataset.conversation === id) ?? expect.unreachable(`No row ${id}`);
};

async function open(id: string): Promise<void> {
  await fireEvent.click(await rowOf(id));
  await screen.findByTestId("messages");
}

const type = async (text: string): Promise<void> => {
  await fireEvent.input(screen.getByTestId("composer-text"), { target: { value: text } });
};

describe("The list", () => {
  test("shows the filters with their counts, and what a row has to say", async () => {
    shown();
    expect((await screen.findByTestId("count-mine")).textContent).toBe("10");
    const fatima = await rowOf("fatima");
    expect(fatima.dataset.waiting).toBe("true");
    expect(within(fatima).getByTestId("unread-badge").textContent).toBe("2");
    const khalid = await rowOf("khalid");
    expect(within(khalid).getByTestId("draft-badge").textContent).toContain("مسودة");
    expect(khalid.textContent).toContain("أنت:");
    expect((await rowOf("maryam")).textContent).toContain("صورة");
  });

  test("asks by the filter that is chosen, and says what to do where there is nothing", async () => {
    const host = shown((same) => ({ ...same, rows: [], counts: { ...same.counts, unassigned: 3 } }));
    expect((await screen.findByTestId("list-empty")).textContent).toContain("لا محادثات لديك الآن");
    await fireEvent.click(screen.getByTestId("empty-act"));
    await waitFor(() => expect(host.last("conversations")?.filter).toBe("unassigned"));
    expect(screen.getByTestId("filter-unassigned").getAttribute("aria-pressed")).toBe("true");
  });

  test("tells how far a first sync has come", async () => {
    shown(undefined, "first-sync");
    const far = await screen.findByTestId("first-sync");
    expect(far.textContent).toContain("12,408");
    expect(screen.getByRole("progressbar").getAttribute("value")).toBe("41");
    expect(screen.getByTestId("first-sync-left").textContent.replace(/[\u2066-\u2069]/gu, "")).toBe("بقي نحو دقيقة واحدة");
  });

  test("says that what was done to a row failed, where no conversation is open", async () => {
    const host = shown();
    const fatima = await rowOf("fatima");
    host.failing.set("release", new CallFailure({ code: "failed", message: "" }));
    await fireEvent.click(fatima, { ctrlKey: true });
    await fireEvent.click(await screen.findByTestId("selected-release"));
    expect((await screen.findByTestId("list-act-error")).dataset.code).toBe("failed");
  });

  test("tells no more of a first sync than the desk knows", async () => {
    shown((same) => ({ ...same, status: { ...same.status, receiving: { entries: 7, percent: null, left: null } } }), "first-sync");
    expect((await screen.findByTestId("first-sync")).textContent).toContain("7");
    expect(screen.queryByRole("progressbar")).toBeNull();
    expect(screen.queryByTestId("first-sync-left")).toBeNull();
  });

  test("is walked with the arrow keys, one row in the order of Tab", async () => {
    shown();
    const first = await rowOf("fatima");
    first.focus();
    await fireEvent.keyDown(first, { key: "ArrowDown" });
    expect((document.activeElement as HTMLElement).dataset.conversation).toBe("khalid");
    await fireEvent.keyDown(document.activeElement ?? first, { key: "End" });
    expect((document.activeElement as HTMLElement).dataset.conversation).toBe("yousef");
    expect(screen.getAllByTestId("conversation-row").filter((row) => row.tabIndex === 0)).toHaveLength(1);
  });
});

describe("A list of which a part is drawn", () => {
  const rows = Array.from({ length: 45 }, (_, index) => row(`r${index}`, { at: NOW - index * 1000 }));
  const here = (): string[] => screen.getAllByTestId("conversation-row").map(({ dataset }) => dataset.conversation ?? "");

  test("is walked by keyboard to its end and back, and keeps the row with the keyboard wherever one scrolls", async () => {
    shown((same) => ({ ...same, rows }));
    const first = await rowOf("r0");
    expect(here().length).toBeLessThan(rows.length);
    first.focus();
    await fireEvent.keyDown(first, { key: "End" });
    expect((document.activeElement as HTMLElement).dataset.conversation).toBe("r44");
    expect(document.activeElement?.closest("li")?.getAttribute("aria-posinset")).toBe("45");
    const box = screen.getByTestId("conversation-list").parentElement ?? expect.unreachable();
    box.scrollTop = 0;
    await fireEvent.scroll(box);
    expect([here().includes("r0"), here().at(-1)]).toEqual([true, "r44"]);
    expect((document.activeElement as HTMLElement).dataset.conversation).toBe("r44");
    await fireEvent.keyDown(document.activeElement ?? box, { key: "ArrowUp" });
    expect((document.activeElement as HTMLElement).dataset.conversation).toBe("r43");
    await fireEvent.keyDown(document.activeElement ?? box, { key: "Home" });
    expect((document.activeElement as HTMLElement).dataset.conversation).toBe("r0");
  });
});

describe("A conversation", () => {
  test("shows each kind of item as what it is", async () => {
    const host = shown();
    await open("khalid");
    expect(screen.getByTestId("not-shown").textContent).toContain("موقع");
    expect(screen.getAllByTestId("note")[0]?.textContent).toContain("أنت");
    expect(screen.getAllByTestId("event").map(({ dataset }) => dataset.what)).toEqual(["opened", "assigned"]);
    const messages = screen.getAllByTestId("message");
    expect(messages.at(-1)?.dataset.delivery).toBe("waiting");
    // A tick tells since when, to the second, where that is known.
    const ticks = messages.map((each) => each.querySelector<HTMLElement>(".ticks")?.title.replace(/[\u200f\u2066-\u2069]/gu, "")).filter((title) => title !== undefined);
    expect([ticks[0], ticks.at(-1)]).toEqual([expect.stringMatching(/^قُرئت \(22 نوفمبر 2026، \d+:\d\d:45 ص\)$/u), "لم تُرسل بعد"]);
    expect(messages.filter(({ textContent }) => textContent.includes("قُرئت")).length).toBeGreaterThan(0);
    expect(screen.getAllByTestId("day-divider")).toHaveLength(2);
    expect(host.last("showing")).toMatchObject({ conversation: "khalid" });
  });

  test("names a type that nobody knows yet by WhatsApp's word", async () => {
    shown((same) => {
      const page = same.pages.get("fatima");
      const first = page?.items[0];
      if (first?.item === "message") Object.assign(first, { type: "hologram", text: null });
      return same;
    });
    await open("fatima");
    expect(screen.getByTestId("not-shown").textContent).toContain("hologram");
  });

  test("says why something is stuck, and offers what can be done", async () => {
    const host = shown();
    await open("stuck");
    const [failed, uncertain, stuck] = screen.getAllByTestId("trouble");
    if (failed === undefined || uncertain === undefined || stuck === undefined) return expect.unreachable();
    expect(failed.textContent).toContain("رقمه ليس على واتساب");
    expect(stuck.textContent).toContain("سبقك زميل");
    await fireEvent.click(within(uncertain).getByTestId("was-sent"));
    const uncertainId = uncertain.closest<HTMLElement>("[data-message]")?.dataset.message;
    await waitFor(() => expect(host.last("discard")).toEqual({ id: uncertainId }));
    await waitFor(() => expect(within(stuck).getByTestId<HTMLButtonElement>("take-back").disabled).toBe(false));
    await fireEvent.click(within(stuck).getByTestId("take-back"));
    await waitFor(() => expect(screen.getByTestId<HTMLTextAreaElement>("composer-text").value).toBe("هل يناسبكم هذا الموعد؟"));
  });

  test("asks again when the desk says that it changed, and not for others", async () => {
    const host = shown();
    await open("fatima");
    const before = host.times("conversation");
    host.say({ event: "changed", conversations: ["khalid"], all: false });
    host.say({ event: "changed", conversations: ["fatima"], all: false });
    host.say({ event: "changed", conversations: ["fatima"], all: false });
    await waitFor(() => expect(host.times("conversation")).toBe(before + 1));
    await new Promise((later) => setTimeout(later, 150));
    expect(host.times("conversation")).toBe(before + 1);
  });

  test("is opened by a notification", async () => {
    const host = shown();
    await rowOf("fatima");
    host.say({ event: "open", conversation: "stuck" });
    await waitFor(() => expect(screen.getByTestId("conversation").dataset.conversation).toBe("stuck"));
  });

  test("is closed by Escape, and what was written stays", async () => {
    const host = shown();
    await open("fatima");
    await type("نصف جملة");
    await fireEvent.keyDown(screen.getByTestId("messages"), { key: "Escape" });
    await screen.findByTestId("nothing-open");
    await waitFor(() => expect(host.scene.pages.get("fatima")?.draft.reply).toBe("نصف جملة"));
  });
});

describe("The composer", () => {
  test("sends with Enter, makes a line with Shift, and leaves composing alone", async () => {
    const host = shown();
    await open("fatima");
    await type("السلام");
    const area = screen.getByTestId<HTMLTextAreaElement>("composer-text");
    await fireEvent.keyDown(area, { key: "Enter", shiftKey: true });
    await fireEvent.keyDown(area, { key: "Enter", isComposing: true });
    expect(host.times("send_reply")).toBe(0);
    await fireEvent.keyDown(area, { key: "Enter" });
    await waitFor(() => expect(host.times("send_reply")).toBe(1));
    await waitFor(() => expect(area.value).toBe(""));
    await waitFor(() => expect(screen.getAllByTestId("message").at(-1)?.textContent).toContain("السلام"));
  });

  test("keeps the text when the desk refuses, and says what to do", async () => {
    const host = shown();
    await open("fatima");
    await type("السلام");
    host.failing.set("send_reply", new CallFailure({ code: "failed", message: "Disk full" }));
    await fireEvent.click(screen.getByTestId("send"));
    expect((await screen.findByTestId("composer-error")).textContent).toContain("لم يضع شيء");
    expect(screen.getByTestId<HTMLTextAreaElement>("composer-text").value).toBe("السلام");
  });

  test("has what was written there a moment ago, though it is still on its way to the desk", async () => {
    const host = shown();
    await open("khalid");
    let done = (): void => undefined;
    host.held.set("save_draft", new Promise((resolve) => (done = resolve)));
    await type("نصف جملة");
    await fireEvent.click(await rowOf("fatima"));
    await waitFor(() => expect(host.times("save_draft")).toBe(1));
    await fireEvent.click(await rowOf("khalid"));
    host.held.delete("save_draft");
    await waitFor(() => expect(screen.getByTestId("conversation").dataset.conversation).toBe("khalid"));
    expect(screen.queryByTestId("composer-text"), "Not before it is known what stands there").toBeNull();
    done();
    await waitFor(() => expect(screen.getByTestId<HTMLTextAreaElement>("composer-text").value).toBe("نصف جملة"));
  });

  test("is locked when WhatsApp's window has passed by the gateway's clock, and takes notes all the same", async () => {
    // This computer's clock stands two years after the fixtures; the gateway's does not.
    const host = shown((same) => ({ ...same, status: { ...same.status, clock_offset: same.now - Date.now() } }));
    await open("fatima");
    await waitFor(() => expect(screen.queryByTestId("composer-lock")).toBeNull());
    host.scene.status = { ...host.scene.status, clock_offset: host.scene.status.clock_offset + 25 * 3_600_000 };
    host.say({ event: "status" });
    expect((await screen.findByTestId("composer-lock")).dataset.lock).toBe("window");
    expect(screen.queryByTestId("send")).toBeNull();
    await fireEvent.click(screen.getByTestId("mode-note"));
    expect(screen.queryByTestId("composer-lock")).toBeNull();
    expect(screen.getByTestId("composer").dataset.mode).toBe("note");
  });

  test("locks when the 24 hours are over, and leads to a note and to the number", async () => {
    const wrote = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve());
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(wrote);
    shown((same) => {
      const page = same.pages.get("fatima") ?? expect.unreachable();
      page.row.window_ends = NOW - 1;
      return same;
    });
    await open("fatima");
    expect((await screen.findByTestId("composer-lock")).dataset.lock).toBe("window");
    await fireEvent.click(screen.getByTestId("lock-copy"));
    expect(wrote).toHaveBeenCalledWith("+96599112030");
    await fireEvent.click(screen.getByTestId("lock-note"));
    expect(screen.queryByTestId("composer-lock")).toBeNull();
    expect(screen.getByTestId<HTMLTextAreaElement>("composer-text").readOnly).toBe(false);
    await type("يُتصل به غداً");
    await fireEvent.click(screen.getByTestId("send"));
    await screen.findByText("يُتصل به غداً");
  });

  test("lets what stands beside the text be selected, and keeps the focus in it otherwise", async () => {
    shown();
    await open("khalid");
    const composer = screen.getByTestId("composer-text").closest("section") ?? expect.unreachable();
    const said = document.createElement("p");
    composer.append(said);
    const goesOn = await Promise.all([said, screen.getByTestId("composer-text"), composer, screen.getByTestId("send")].map((on) => fireEvent.mouseDown(on)));
    expect(goesOn).toEqual([true, true, false, false]);
  });
});

describe("The case", () => {
  test("is claimed where nobody has it, and closed with an outcome", async () => {
    const host = shown();
    await open("fatima");
    await fireEvent.click(screen.getByTestId("claim"));
    await waitFor(() => expect(host.last("claim")).toEqual({ case: "case-fatima" }));
    expect(screen.queryByTestId("release")).toBeNull();
    await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("close").disabled).toBe(false));
    await fireEvent.click(screen.getByTestId("close"));
    const menu = await screen.findByTestId("close-menu");
    await fireEvent.click(within(menu).getByText("أُجيب"));
    await waitFor(() => expect(host.last("close_case")).toEqual({ case: "case-fatima", outcome: "answered" }));
  });

  test("is assigned by a lead, and not offered to an agent", async () => {
    const host = shown();
    await open("khalid");
    expect(screen.queryByTestId("claim")).toBeNull();
    expect(screen.getByTestId("release")).toBeTruthy();
    await fireEvent.click(screen.getByTestId("assign"));
    await fireEvent.click(within(await screen.findByTestId("assign-menu")).getByText("بدر العازمي"));
    await waitFor(() => expect(host.last("assign")).toEqual({ case: "case-khalid", staff: "s2" }));
  });

  test("offers an agent nothing that would be refused", async () => {
    shown(undefined, "agent");
    await open("khalid");
    expect(screen.queryByTestId("assign")).toBeNull();
    expect(screen.getByTestId("release")).toBeTruthy();
    expect(screen.getByTestId("close")).toBeTruthy();
  });

  test("that is closed is reopened, from the panel and from the composer", async () => {
    const host = shown((same) => ({ ...same, rows: same.rows.map((row) => (row.conversation === "emoji" ? { ...row, state: "closed" as const } : row)) }));
    await fireEvent.click(await screen.findByTestId("filter-closed"));
    await open("emoji");
    expect(screen.getByTestId("case-state").textContent).toContain("أُجيب");
    expect(screen.queryByTestId("close")).toBeNull();
    await fireEvent.click(screen.getByTestId("lock-reopen"));
    await waitFor(() => expect(host.last("reopen_case")).toEqual({ case: "case-emoji" }));
    expect(screen.getByTestId("reopen")).toBeTruthy();
  });
});

describe("The foot", () => {
  test("says that one is off line, since when, what waits and what is stuck", async () => {
    shown(undefined, "offline");
    expect((await screen.findByTestId("foot-waiting")).dataset.count).toBe("3");
    expect(screen.getByTestId("foot-status").textContent).toContain("دون اتصال منذ");
    expect(screen.getByTestId("foot-stuck").dataset.count).toBe("2");
  });

  test("leads to the password where the gateway has ended the session", async () => {
    const host = shown(undefined, "signed-out");
    await fireEvent.click(await screen.findByTestId("foot-sign-in"));
    await screen.findByTestId("unlock-form");
    expect(host.times("lock")).toBe(1);
  });
});

describe("What is not sent", () => {
  test("is not tried again from its list where somebody has to look first, nor what is held behind it", async () => {
    const stuck = (id: string, code: string): Scene["unsent"]["acts"][number] => ({
      ...(scene("offline").unsent.acts[0] ?? expect.unreachable()),
      id,
      text: code,
      problem: { code, error: null },
    });
    const codes = ["stale", "behind", "owned"];
    shown((same) => ({ ...same, unsent: { acts: codes.map((code) => stuck(code, code)), drafts: [] } }), "offline");
    await fireEvent.click(await screen.findByTestId("foot-stuck"));
    const acts = await screen.findAllByTestId("unsent-act");
    expect(acts.map((act) => [within(act).queryByTestId("unsent-open") !== null, within(act).queryByTestId("unsent-retry") !== null])).toEqual([[true, false], [true, false], [true, true]]);
  });
});

describe("Language and theme", () => {
  test("change the whole window at once", async () => {
    const host = shown();
    await rowOf("fatima");
    await fireEvent.click(screen.getByTestId("language-switch"));
    expect(document.documentElement.dir).toBe("ltr");
    expect(screen.getByTestId("filter-mine").textContent).toContain("Mine");
    expect(host.last("set_settings")).toEqual({ ...BEGINNING, language: "en", theme: "light" });
    await fireEvent.click(screen.getByTestId("settings-open"));
    await fireEvent.click(await screen.findByTestId("section-look"));
    await fireEvent.click(await screen.findByTestId("set-theme-dark"));
    expect(document.documentElement.dataset.theme).toBe("dark");
  });

  test("go back when the desk does not keep them", async () => {
    const host = shown();
    await rowOf("fatima");
    host.failing.set("set_settings", new CallFailure({ code: "failed", message: "" }));
    await fireEvent.click(screen.getByTestId("language-switch"));
    await waitFor(() => expect(document.documentElement.dir).toBe("rtl"));
    // And it is said, here and in the settings.
    expect(screen.getByTestId("list-act-error").dataset.code).toBe("failed");
    await fireEvent.click(screen.getByTestId("settings-open"));
    expect((await screen.findByTestId("settings-error")).dataset.code).toBe("failed");
    await fireEvent.click(within(screen.getByTestId("settings-error")).getByRole("button"));
    await fireEvent.click(screen.getByTestId("settings-close"));
    expect(screen.queryByTestId("list-act-error")).toBeNull();
  });
});
