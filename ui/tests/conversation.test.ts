import { beforeEach, describe, expect, test, vi } from "vitest";
import { FakeHost } from "../fixtures/host";
import { message, NOW, page, row, scene } from "../fixtures/scenes";
import { Conversation, MOST } from "../src/inbox/conversation.svelte";
import { inReadingOrder, joined, keyOf, lastRead, leads, seenIn } from "../src/inbox/items";
import { lockOf, windowLeft } from "../src/inbox/window";
import type { ConversationPage, Item } from "../src/lib/api.generated";

let host: FakeHost;
const texts = (items: Item[]): (string | null)[] => items.map((item) => (item.item === "message" ? item.text : null));
const HOUR = 3_600_000;

beforeEach(() => {
  host = new FakeHost(scene("crowded"));
});

function conversation(items: Item[], change: Partial<ConversationPage> = {}): Conversation {
  host.scene.pages.set("c", page(row("c"), items, change));
  return new Conversation(host, "c");
}

function opened(of: string, seq: number, place: number): Item {
  return { item: "event", what: "opened", case: of, seq, place, number: "MEW-2026-000001", by: null, to: null, outcome: null };
}

describe("A long conversation", () => {
  const items = Array.from({ length: 150 }, (_, index) => message({ seq: index + 1, place: NOW - (150 - index) * 60_000, text: `${index + 1}` }));

  test("comes in pages, older ones as one goes up", async () => {
    const open = conversation(items);
    await open.refresh();
    expect(texts(open.items)).toEqual(texts(items.slice(90)));
    await open.older();
    await open.older();
    expect(texts(open.items)).toEqual(texts(items));
    expect(open.more).toBe(false);
    await open.older();
    expect(host.times("conversation")).toBe(3);
  });

  test("begins where what is new begins, however far back, and comes down to the latest", async () => {
    const at = items[20];
    const open = conversation(items, { seen: 150, first_new: { place: at?.place ?? 0, seq: 21 }, row: row("c", { unread: 130 }) });
    await open.refresh();
    expect([texts(open.items)[30], open.items.length, open.more, open.later]).toEqual(["31", 50, false, true]);
    expect(open.firstNew?.seq).toBe(21);
    open.watch(true);
    expect(host.times("seen_up_to")).toBe(0);
    await open.newer();
    await open.newer();
    expect([texts(open.items).at(-1), open.later]).toEqual(["150", false]);
    open.watch(true);
    expect(host.last("seen_up_to")?.seq).toBe(150);
  });

  test("stays as long as it is when something new comes", async () => {
    const open = conversation(items);
    await open.refresh();
    await open.older();
    host.scene.pages.get("c")?.items.push(message({ seq: 151, text: "جديد" }));
    await open.refresh();
    expect(open.items.length).toBeGreaterThanOrEqual(120);
    expect(texts(open.items).slice(-2)).toEqual(["150", "جديد"]);
    expect(new Set(open.items.map(keyOf)).size).toBe(open.items.length);
    expect(open.more).toBe(true);
  });

  test("holds some hundreds at most, and asks again for what it let go", async () => {
    const all = Array.from({ length: 50_000 }, (_, index) => message({ seq: index + 1, place: NOW - (50_000 - index) * 60_000, text: `${index + 1}` }));
    const open = conversation(all, { seen: 50_000 });
    await open.refresh();
    open.watch(true);
    for (let page = 0; page < 20; page += 1) await open.older();
    expect(open.items).toHaveLength(MOST);
    expect([texts(open.items)[0], open.later, open.more]).toEqual(["48741", true, true]);
    open.watch(true);
    expect(host.times("seen_up_to"), "Once when it was opened; now the end is not before one's eyes").toBe(1);
    // What changes is asked for where one reads.
    const shown = texts(open.items);
    all.push(message({ seq: 50_001, place: NOW, text: "جديد" }));
    await open.refresh();
    expect(texts(open.items)).toEqual(shown);
    while (open.later) await open.newer();
    expect(texts(open.items)).toEqual(texts(all.slice(-open.items.length)));
    expect(open.items.length).toBeLessThanOrEqual(MOST);
  });

  test("goes to a moment far back, and from there to the latest", async () => {
    const open = conversation(items.slice(0, 150), { seen: 150 });
    await open.refresh();
    const at = items[10] as Extract<Item, { item: "message" }>;
    await open.goTo({ place: at.place, seq: 0 });
    expect(open.goal).toBe(at.message);
    expect([open.more, open.later, texts(open.items).at(-1)]).toEqual([false, true, "40"]);
    expect(open.page?.seen, "What was on screen stays seen").toBe(150);
    open.goal = null;
    await open.goTo({ place: at.place, seq: at.seq });
    expect(open.goal, "What is here need not be asked for").toBe(at.message);
    expect(host.times("conversation")).toBe(2);
    await open.toLatest();
    expect([open.later, texts(open.items).at(-1)]).toEqual([false, "150"]);
  });

  test("goes where one wanted to go last, whichever answer comes last", async () => {
    const open = conversation(items);
    await open.refresh();
    const near = open.items[20];
    let done = (): void => undefined;
    host.held.set("conversation", new Promise((resolve) => (done = resolve)));
    const far = open.goTo({ place: items[0]?.place ?? 0, seq: 1 });
    host.held.delete("conversation");
    await open.goTo({ place: near?.place ?? 0, seq: near?.seq ?? 0 });
    const goal = near === undefined ? "" : keyOf(near);
    expect(open.goal).toBe(goal);
    done();
    await far;
    expect([open.goal, texts(open.items)[20], open.loading]).toEqual([goal, near?.item === "message" ? near.text : null, null]);
  });

  test("asks again for what came while one went elsewhere", async () => {
    const open = conversation(items);
    await open.refresh();
    await open.goTo({ place: items[0]?.place ?? 0, seq: 1 });
    await open.toLatest();
    let done = (): void => undefined;
    host.held.set("conversation", new Promise((resolve) => (done = resolve)));
    const refreshed = open.refresh();
    host.held.delete("conversation");
    await open.goTo({ place: items[0]?.place ?? 0, seq: 1 });
    const times = host.times("conversation");
    done();
    await refreshed;
    await vi.waitFor(() => expect(host.times("conversation")).toBe(times + 1));
    expect(host.last("conversation")?.part, "Where one is now").toEqual({ part: "from", place: items[0]?.place, seq: 1 });
  });

  test("takes no answer that belongs to where one was before", async () => {
    const open = conversation(items);
    await open.refresh();
    let done = (): void => undefined;
    host.held.set("conversation", new Promise((resolve) => (done = resolve)));
    const older = open.older();
    host.held.delete("conversation");
    await open.goTo({ place: items[0]?.place ?? 0, seq: 1 });
    done();
    await older;
    expect([texts(open.items)[0], open.more], "One is at the beginning, and the answer says that there is more").toEqual(["1", false]);
    expect(open.loading).toBeNull();
    await open.newer();
    const all = texts(open.items).map(Number);
    expect(all).toEqual(all.map((_, index) => index + 1));
    host.held.set("conversation", new Promise((resolve) => (done = resolve)));
    const newer = open.newer();
    host.held.delete("conversation");
    await open.toLatest();
    done();
    await newer;
    expect(texts(open.items), "The answer goes on from where one was").toEqual(texts(items.slice(-60)));
    expect([open.later, open.loading]).toEqual([false, null]);
  });

  test("beyond what is asked for again keeps the older part", () => {
    const shown = items.slice(0, 120);
    const again = [...items.slice(100), message({ seq: 151, text: "جديد" })];
    expect(texts(joined(shown, again))).toEqual([...texts(items), "جديد"]);
  });
});

describe("Items", () => {
  test("of one row keep their key from pending to read", () => {
    const pending = message({ message: "same", seq: 0, delivery: "waiting", from: "me" });
    const read = message({ message: "same", seq: 40, delivery: "read", from: "me" });
    expect(keyOf(pending)).toBe(keyOf(read));
    expect(joined([pending], [read])).toEqual([read]);
  });

  test("have dividers by day, one 'new' marker, and turns of one person", () => {
    const items = [
      message({ seq: 1, place: NOW - 26 * HOUR }),
      message({ seq: 2, place: NOW - 2000 }),
      message({ seq: 3, place: NOW - 1000 }),
      message({ seq: 4, place: NOW, from: "me" }),
      message({ seq: 0, place: NOW, from: "me" }),
    ];
    expect(leads(items, { place: NOW - 1000, seq: 3 })).toEqual([
      { day: true, fresh: false, marked: false, follows: false },
      { day: true, fresh: false, marked: false, follows: false },
      { day: false, fresh: true, marked: true, follows: false },
      { day: false, fresh: false, marked: false, follows: false },
      { day: false, fresh: false, marked: false, follows: true },
    ]);
    expect(leads(items, null).some(({ fresh }) => fresh)).toBe(false);
  });

  test("are not marked as new where all of them are", () => {
    const items = [opened("x", 1, NOW - 3000), message({ seq: 2, place: NOW - 2000 }), message({ seq: 3, place: NOW - 1000 })];
    expect(leads(items, { place: NOW - 2000, seq: 2 }).map(({ fresh, marked }) => [fresh, marked])).toEqual([[false, false], [true, false], [false, false]]);
  });

  test("are read from a case's opening on, though its first message was sent before", () => {
    const before = message({ seq: 1, case: "old", place: NOW - 9000 });
    const first = message({ seq: 4, case: "x", place: NOW - HOUR });
    const second = message({ seq: 5, case: "x", place: NOW - 1000 });
    const order = inReadingOrder([before, first, opened("x", 3, NOW - 2000), second], true);
    expect(order.map(({ seq }) => seq)).toEqual([1, 3, 4, 5]);
    expect(order[1]?.place, "At the time of its first message").toBe(first.place);
    const already = [opened("x", 3, first.place - 1), first, second];
    expect(inReadingOrder(already, true)).toBe(already);
    const older = [opened("old", 9, NOW), message({ seq: 10, case: "old" }), first, opened("x", 3, NOW)];
    expect(inReadingOrder(older, false).map(({ seq }) => seq), "Each case for itself").toEqual([9, 10, 3, 4]);
  });

  test("tell of a case's opening only where its first message is among them: what stands above may be of the same case", () => {
    const [one, two, three] = [1, 2, 3].map((n) => message({ seq: n + 10, case: "x", place: NOW - HOUR + n }));
    const opening = opened("x", 10, NOW);
    const middle = [two, opening, three] as Item[];
    expect(inReadingOrder(middle, true).map(({ seq }) => seq)).toEqual([12, 13]);
    expect(inReadingOrder([one as Item, ...middle], false).map(({ seq }) => seq)).toEqual([10, 11, 12, 13]);
    const known = message({ seq: 1, case: "old", place: NOW - 2 * HOUR });
    expect(inReadingOrder([known, one as Item, opening], true).map(({ seq }) => seq), "Another case stands above").toEqual([1, 10, 11]);
  });

  test("say 'read' in a word at the last one only", () => {
    const items = [message({ message: "a", delivery: "read", from: "me" }), message({ message: "b", delivery: "read", from: "me" }), message({ message: "c", delivery: "sent", from: "me" })];
    expect(lastRead(items)).toBe("b");
    expect(lastRead([])).toBeNull();
  });

  test("are seen case by case", () => {
    const items = [message({ seq: 5, case: "x" }), message({ seq: 6, case: "y" }), message({ seq: 7, case: "x" }), message({ seq: 0, case: "x" })];
    expect([...seenIn(items, 5)]).toEqual([["y", 6], ["x", 7]]);
  });
});

describe("What is seen", () => {
  test("is told only while it is before one's eyes, and once", async () => {
    const items = [message({ seq: 5 }), message({ seq: 6 })];
    const open = conversation(items, { row: row("c", { unread: 1 }), first_new: { place: NOW, seq: 6 } });
    await open.refresh();
    expect(host.times("seen_up_to")).toBe(0);
    open.watch(true);
    expect(host.last("seen_up_to")).toEqual({ case: "case-khalid", seq: 6 });
    open.watch(true);
    await open.refresh();
    expect(host.times("seen_up_to")).toBe(1);

    host.scene.pages.get("c")?.items.push(message({ seq: 9 }));
    await open.refresh();
    expect(host.last("seen_up_to")).toEqual({ case: "case-khalid", seq: 9 });
    open.watch(false);
    host.scene.pages.get("c")?.items.push(message({ seq: 12 }));
    await open.refresh();
    expect(host.times("seen_up_to")).toBe(2);
  });

  test("is told once where nothing was new: what comes from now on is", async () => {
    const open = conversation([message({ seq: 5 })]);
    open.watch(true);
    await open.refresh();
    await open.refresh();
    expect(host.last("seen_up_to")?.seq).toBe(5);
    expect(host.times("seen_up_to")).toBe(1);
  });
});

describe("WhatsApp's window", () => {
  const of = (change: Parameters<typeof row>[1], state: "open" | "closed" = "open"): ConversationPage => {
    const shown = row("c", { ...change, state });
    return page(shown, []);
  };

  test("locks replies by the very millisecond, and never notes", () => {
    const open = of({ window_ends: NOW + 1 });
    expect(lockOf(open, "reply", NOW)).toBeNull();
    expect(lockOf(open, "reply", NOW + 1)).toBe("window");
    expect(lockOf(open, "note", NOW + 1)).toBeNull();
    expect(lockOf(of({ window_ends: null }), "reply", NOW)).toBe("never");
    expect(lockOf(of({}, "closed"), "reply", NOW)).toBe("closed");
    expect(lockOf(of({}, "closed"), "note", NOW)).toBeNull();
  });

  test("is close from two hours on", () => {
    expect(windowLeft("en", NOW + 2 * HOUR, NOW)?.close).toBe(false);
    expect(windowLeft("en", NOW + 2 * HOUR - 1, NOW)?.close).toBe(true);
    expect(windowLeft("en", NOW, NOW)).toBeNull();
    expect(windowLeft("en", null, NOW)).toBeNull();
  });
});
