import { beforeEach, describe, expect, test } from "vitest";
import { row } from "../fixtures/scenes";
import { Drawn } from "../src/inbox/drawn.svelte";
import type { ConversationRow } from "../src/lib/api.generated";

/** What a row is taken to be high, and what the window shows of the list, in pixels. */
const [GUESS, WINDOW] = [64, 640];

const named = (ids: string[]): ConversationRow[] => ids.map((id) => row(id, {}));
const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `r${index}`);
let rows: ConversationRow[] = $state.raw([]);
let drawn: Drawn;
const part = (kept?: string): string[] => drawn.part(kept).map(({ conversation }) => conversation);

beforeEach(() => {
  rows = named(many(10_000));
  drawn = new Drawn(() => rows);
});

describe("Of ten thousand rows", () => {
  test("some dozens are drawn, wherever one stands: those in sight, and two windows on either side", () => {
    expect(drawn.height).toBe(10_000 * GUESS);
    drawn.look(0, WINDOW);
    expect(part()).toEqual(many(31));
    expect(drawn.look(5000 * GUESS, WINDOW)).toEqual({ first: 5000, last: 5010 });
    expect([part()[0], part().at(-1), part().length]).toEqual(["r4980", "r5030", 51]);
    drawn.look(10_000 * GUESS - WINDOW, WINDOW);
    expect(part().at(-1)).toBe("r9999");
  });

  test("some are drawn before anybody knows how high the window is", () => {
    expect(part()).toHaveLength(20);
    drawn.look(0, 0);
    expect(part()).toHaveLength(20);
  });

  test("the one with the keyboard stays, in its order, however far one scrolls", () => {
    drawn.look(5000 * GUESS, WINDOW);
    expect(part("r3")).toEqual(["r3", ...part()]);
    expect(part("r9000")).toEqual([...part(), "r9000"]);
    expect(part("r5000")).toEqual(part());
    expect(part("gone")).toEqual(part());
  });

  test("a part is drawn also of rows that have become few", () => {
    drawn.look(5000 * GUESS, WINDOW);
    rows = named(["a", "b"]);
    drawn.look(0, WINDOW);
    expect(part()).toEqual(["a", "b"]);
    rows = [];
    expect([part(), drawn.height, drawn.look(0, WINDOW)]).toEqual([[], 0, { first: 0, last: 0 }]);
  });
});

describe("What is in sight", () => {
  beforeEach(() => void drawn.look(5000 * GUESS, WINDOW));

  test("stays when what stands above turns out higher, and when it is asked again it has stayed", () => {
    drawn.measure("r4990", 100);
    drawn.measure("r4991", 80);
    expect(drawn.top("r5000")).toBe(5000 * GUESS + 36 + 16);
    expect(drawn.moved(null)).toBe(36 + 16);
    expect(drawn.moved(null)).toBe(0);
  });

  test("gives room to what grows among it", () => {
    drawn.measure("r5003", 100);
    expect(drawn.moved(null)).toBe(0);
    expect(drawn.top("r5004")).toBe(5004 * GUESS + 36);
  });

  test("keeps the row with the keyboard where it is, whatever grows above that", () => {
    drawn.measure("r5003", 100);
    expect(drawn.moved("r5007")).toBe(36);
  });

  test("is not taken along by a row that goes to the top, or away", () => {
    rows = named(["r5004", ...many(10_000).filter((id) => id !== "r5004")]);
    expect(drawn.moved(null), "what stood below it stands there still").toBe(0);
    rows = rows.filter(({ conversation }) => !["r10", "r11", "r5000"].includes(conversation));
    drawn.look(5000 * GUESS, WINDOW);
    rows = rows.filter(({ conversation }) => conversation !== "r20");
    expect(drawn.moved(null)).toBe(-GUESS);
  });

  test("is told nothing by a row that was taken away before it was measured", () => {
    drawn.measure("r4990", 0);
    expect(drawn.moved(null)).toBe(0);
  });
});
