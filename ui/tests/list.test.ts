import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeHost } from "../fixtures/host";
import { NOW, row, scene } from "../fixtures/scenes";
import { List } from "../src/inbox/list.svelte";
import { CallFailure } from "../src/lib/host";

let host: FakeHost;
let list: List;
const ids = (): string[] => list.rows.map(({ conversation }) => conversation);

beforeEach(async () => {
  vi.useFakeTimers();
  host = new FakeHost({ ...scene("crowded"), rows: ["a", "b", "c"].map((id, index) => row(id, { at: NOW - index * 1000 })) });
  list = new List(host);
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

  test("never moves under the pointer: what is new gathers, and comes once the pointer rests", async () => {
    list.touch();
    await writes("c", "جديد");
    await writes("d", "أول مرة");
    expect(ids()).toEqual(["a", "b", "c"]);
    expect(list.rows[2]?.preview, "It says what is new in its place").toBe("جديد");
    expect(list.gathered).toBe(2);
    await vi.advanceTimersByTimeAsync(1600);
    expect(ids()).toEqual(["d", "c", "a", "b"]);
    expect(list.gathered).toBe(0);
  });

  test("holds still while it is scrolled, however long, until its person asks", async () => {
    list.scrolled(true);
    await writes("d", "أول مرة");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ids()).toEqual(["a", "b", "c"]);
    expect(list.gathered).toBe(1);
    list.settle();
    expect(ids()).toEqual(["d", "a", "b", "c"]);
  });

  test("keeps a row in its place that left the filter while the pointer is there", async () => {
    list.touch();
    host.scene.rows = host.scene.rows.filter(({ conversation }) => conversation !== "b");
    await list.refresh();
    expect(ids()).toEqual(["a", "b", "c"]);
    await vi.advanceTimersByTimeAsync(1600);
    expect(ids()).toEqual(["a", "c"]);
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

  test("grows by a page at its end", async () => {
    host.scene.rows = Array.from({ length: 250 }, (_, index) => row(`r${index}`, { at: NOW - index * 1000 }));
    await list.refresh();
    expect(list.rows).toHaveLength(100);
    list.scrolled(true);
    list.grow();
    list.grow();
    await vi.waitFor(() => expect(list.rows).toHaveLength(200));
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
