import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeHost } from "../fixtures/host";
import { NOW, row, scene, type Scene } from "../fixtures/scenes";
import { type Chosen, List, namesakes } from "../src/inbox/list.svelte";
import type { Counts } from "../src/lib/api.generated";
import { CallFailure } from "../src/lib/host";

let host: FakeHost;
let list: List;
const ids = (): string[] => list.rows.map(({ conversation }) => conversation);

beforeEach(async () => {
  vi.useFakeTimers();
  host = new FakeHost({ ...scene("crowded"), rows: ["a", "b", "c"].map((id, index) => row(id, { at: NOW - index * 1000 })) });
  list = new List(host, "me", new Map());
  list.choose("mine");
  await list.refresh();
});
afterEach(() => void vi.useRealTimers());

/** A citizen writes: in an old conversation, or in a new one. */
async function writes(id: string, preview: string): Promise<void> {
  const others = host.scene.rows.filter(({ conversation }) => conversation !== id);
  host.scene.rows = [row(id, { at: NOW + 1000, preview }), ...others];
  await list.refresh();
}

describe("The list", () => {
  test("moves when nobody is in it", async () => {
    await writes("c", "جديد");
    expect(ids()).toEqual(["c", "a", "b"]);
    expect(list.gathered).toBe(0);
  });

  test.each(["pointer", "keyboard", "scroll"] as const)("never moves under what holds it (%s): what is new gathers, and comes once it is left", async (by) => {
    list.hold(by, true);
    await writes("c", "جديد");
    await writes("d", "أول مرة");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ids()).toEqual(["a", "b", "c"]);
    expect(list.rows[2]?.preview, "It says what is new in its place").toBe("جديد");
    expect(list.gathered).toBe(2);
    list.hold(by, false);
    expect(ids()).toEqual(["d", "c", "a", "b"]);
    expect(list.gathered).toBe(0);
  });

  test("counts what came in the same second too, by its entry", async () => {
    list.hold("pointer", true);
    host.scene.rows = ["c", "d", "a", "b"].map((id, index) => row(id, { at: NOW - 2000, seq: 9 - index }));
    await list.refresh();
    expect(ids()).toEqual(["a", "b", "c"]);
    expect(list.gathered, "c has moved up, d is new").toBe(2);
  });

  test("is held until the last that holds it lets go", async () => {
    list.hold("pointer", true);
    list.hold("keyboard", true);
    await writes("d", "أول مرة");
    list.hold("pointer", false);
    expect(ids()).toEqual(["a", "b", "c"]);
    list.hold("keyboard", false);
    expect(ids()).toEqual(["d", "a", "b", "c"]);
  });

  test("moves once when its person asks, and is held again after", async () => {
    list.hold("pointer", true);
    await writes("d", "أول مرة");
    list.settle();
    expect(ids()).toEqual(["d", "a", "b", "c"]);
    await writes("e", "بعدها");
    expect(ids()).toEqual(["d", "a", "b", "c"]);
    expect(list.gathered).toBe(1);
  });

  test("keeps a row in its place that left the filter while the pointer is there", async () => {
    list.hold("pointer", true);
    host.scene.rows = host.scene.rows.filter(({ conversation }) => conversation !== "b");
    await list.refresh();
    expect(ids()).toEqual(["a", "b", "c"]);
    list.hold("pointer", false);
    expect(ids()).toEqual(["a", "c"]);
  });

  test("is held by a selection, which forgets rows that went away", async () => {
    list.toggle("b");
    list.toggle("c");
    host.scene.rows = host.scene.rows.filter(({ conversation }) => conversation !== "b");
    await writes("d", "أول مرة");
    expect(ids()).toEqual(["a", "b", "c"]);
    list.settle();
    expect(ids()).toEqual(["d", "a", "c"]);
    expect([...list.selected]).toEqual(["c"]);
    list.clear();
    await writes("e", "بعدها");
    expect(ids()).toEqual(["e", "d", "a", "c"]);
  });

  test("is selected in one reach from the last row chosen, back and forth", () => {
    list.reach("c", "b");
    expect([...list.selected]).toEqual(["b", "c"]);
    list.reach("a", "c");
    expect([...list.selected]).toEqual(["a", "b"]);
    list.selectAll();
    expect(list.selected.size).toBe(3);
    list.choose("unassigned");
    expect(list.selected.size, "Another filter has other rows").toBe(0);
  });

  test("of another filter is asked for at once, and a late answer for the old one is dropped", async () => {
    let done = (): void => undefined;
    host.held.set("conversations", new Promise<void>((resolve) => (done = resolve)));
    const late = list.refresh();
    list.choose("unassigned");
    expect(list.rows).toEqual([]);
    expect(list.loaded).toBe(false);
    host.scene.rows = [row("x", { owner: null })];
    done();
    await late;
    await vi.waitFor(() => expect(ids()).toEqual(["x"]));
  });

  test("stands by the longest wait where its person chose that, also the next time", async () => {
    host.scene.rows = [row("new", { at: NOW, waiting: true, waiting_since: NOW }), row("old", { at: NOW - 1000, waiting: true, waiting_since: NOW - 9000 }), row("calm", { at: NOW + 1000 })];
    await list.refresh();
    list.turnAround();
    await vi.waitFor(() => expect(ids()).toEqual(["old", "new", "calm"]));
    // Who begins to wait comes below those who wait, and moves nothing above the selection.
    list.hold("pointer", true);
    host.scene.rows = host.scene.rows.map((each) => (each.conversation === "calm" ? { ...each, waiting: true, waiting_since: NOW - 5000 } : each));
    await list.refresh();
    expect(ids()).toEqual(["old", "new", "calm"]);
    expect(list.gathered).toBe(1);
    list.hold("pointer", false);
    expect(ids()).toEqual(["old", "calm", "new"]);
    expect(new List(host, "me", new Map()).order).toBe("longest");
    list.turnAround();
  });

  test("of ten thousand rows asks again for the first of them only", async () => {
    host.scene.rows = Array.from({ length: 10_000 }, (_, index) => row(`r${index}`, { at: NOW - index * 1000 }));
    await list.refresh();
    list.hold("scroll", true);
    while (list.more) await list.grow();
    expect(new Set(ids()).size).toBe(10_000);
    host.scene.rows.unshift(row("fresh", { at: NOW + 1000 }));
    await list.refresh();
    expect(host.last("conversations")).toMatchObject({ skip: 0, limit: 300 });
    expect([list.rows.length, list.gathered]).toEqual([10_000, 1]);
    list.settle();
    expect([ids()[0], list.rows.length]).toEqual(["fresh", 10_001]);
  });

  test("far down asks for what is in sight there too, and what left the filter there is gone once it may move", async () => {
    host.scene.rows = Array.from({ length: 1000 }, (_, index) => row(`r${index}`, { at: NOW - index * 1000 }));
    await list.refresh();
    list.hold("scroll", true);
    while (list.more) await list.grow();
    list.look({ first: 700, last: 710 });
    host.scene.rows[705] = row("r705", { at: NOW - 705_000, preview: "جديد" });
    host.scene.rows.splice(707, 1);
    host.scene.rows.splice(3, 0, row("fresh", { at: NOW - 2500 }));
    await list.refresh();
    expect(list.rows[705]?.preview).toBe("جديد");
    expect([ids()[707], list.rows.length, list.gathered]).toEqual(["r707", 1000, 1]);
    list.settle();
    expect([ids().includes("r707"), list.rows.length, ids()[3]]).toEqual([false, 1000, "fresh"]);
  });

  test("at its top lets go of what was loaded far down, and loads it again", async () => {
    host.scene.rows = Array.from({ length: 1000 }, (_, index) => row(`r${index}`, { at: NOW - index * 1000 }));
    await list.refresh();
    list.hold("scroll", true);
    while (list.more) await list.grow();
    list.hold("scroll", false);
    await list.refresh();
    expect([list.rows.length, list.more]).toEqual([300, true]);
    list.hold("scroll", true);
    while (list.more) await list.grow();
    expect(new Set(ids()).size).toBe(1000);
  });

  test("shows none that is just being opened below the others", async () => {
    await list.refresh();
    list.hold("pointer", true);
    host.scene.rows.push(row("opened", { at: 0, seq: 0 }));
    await list.refresh();
    expect([ids(), list.gathered]).toEqual([["a", "b", "c"], 0]);
    host.scene.rows.pop();
    host.scene.rows.unshift(row("opened", { at: NOW + 1000 }));
    await list.refresh();
    expect([ids(), list.gathered]).toEqual([["a", "b", "c"], 1]);
  });

  test("grows by a page at its end", async () => {
    host.scene.rows = Array.from({ length: 250 }, (_, index) => row(`r${index}`, { at: NOW - index * 1000 }));
    await list.refresh();
    expect(list.rows).toHaveLength(50);
    list.hold("scroll", true);
    void list.grow();
    void list.grow();
    await vi.waitFor(() => expect(list.rows).toHaveLength(100));
    expect(list.gathered).toBe(0);
    expect(list.more).toBe(true);
  });

  test("keeps what it shows when the desk does not answer", async () => {
    host.failing.set("conversations", new CallFailure({ code: "failed", message: "" }));
    await list.refresh();
    expect(list.error).toBe("failed");
    expect(ids()).toEqual(["a", "b", "c"]);
  });
});

describe("Contacts of one name", () => {
  const named = (id: string, name: string | null, code: string) => row(id, { contact: { name, phone: null, short_code: code } });

  test("are found however it is spelt, and one contact in two conversations is one", () => {
    const rows = [named("a", "أحمد الخالدي", "A"), named("b", "احمد الخالدى", "B"), named("c", "فاطمة", "C"), named("d", "فاطمة", "C"), named("e", null, "D"), named("f", null, "E")];
    expect([...namesakes(rows)]).toEqual(["a", "b"]);
  });
});

describe("A list at its beginning", () => {
  const OTHER = { staff: "other", name: "يوسف" };
  const NONE: Counts = { mine: 0, unassigned: 0, team: 0, closing: 0, open: 0, closed: 0, waiting: 0 };
  let chosen: Chosen;

  /** A person who never chose a filter in this window, and these figures on the filters. */
  async function begin(rows: Scene["rows"], counts: Partial<Counts>): Promise<List> {
    host.scene = { ...host.scene, rows, counts: { ...NONE, ...counts } };
    chosen = new Map();
    const fresh = new List(host, host.scene.me.staff, chosen);
    await fresh.refresh();
    await vi.waitFor(() => expect(fresh.loaded).toBe(true));
    return fresh;
  }

  test("shows one's own, else what waits for somebody, else everything", async () => {
    const waiting = row("w", { owner: null });
    const others = row("o", { owner: OTHER });
    expect((await begin([row("m"), waiting], { mine: 1, unassigned: 1, open: 2 })).filter).toBe("mine");
    expect((await begin([waiting, others], { unassigned: 1, open: 2 })).filter).toBe("unassigned");
    expect((await begin([others], { open: 1 })).filter).toBe("open");
  });

  test("goes where the first conversation comes, and stays once it has shown something", async () => {
    const fresh = await begin([], {});
    expect(fresh.filter).toBe("open");
    host.scene = { ...host.scene, rows: [row("w", { owner: null })], counts: { ...NONE, unassigned: 1, open: 1 } };
    await fresh.refresh();
    await vi.waitFor(() => expect(fresh.rows).toHaveLength(1));
    const shown = fresh.filter;
    host.scene = { ...host.scene, rows: [row("m")], counts: { ...NONE, mine: 1, open: 1 } };
    await fresh.refresh();
    expect(fresh.filter).toBe(shown);
  });

  test("never moves from the filter that was chosen, and finds it again", async () => {
    const fresh = await begin([row("w", { owner: null })], { unassigned: 1, open: 1 });
    fresh.choose("closed");
    await fresh.refresh();
    expect(fresh.filter).toBe("closed");
    const again = new List(host, host.scene.me.staff, chosen);
    await again.refresh();
    expect(again.filter).toBe("closed");
  });
});
