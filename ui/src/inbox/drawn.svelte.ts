import type { ConversationId, ConversationRow } from "../lib/api.generated";

/** So many windows above and below what is in sight are drawn too: WebKit shows what was scrolled to before a script hears of it. */
const AHEAD = 2;
/** So many rows are drawn at least, as long as nobody knows how high the list stands. */
const LEAST = 20;
/** How high a row is taken to be until one was measured, in pixels. */
const GUESS = 64;

/** A row in sight, and how far below the top of all rows it stood when it was looked at, in pixels. */
type Seen = { id: ConversationId; top: number };

/**
 * Which rows of a long list are drawn, and where each stands. Of ten thousand some dozens are in the page at a time: those
 * in sight, and some windows of them above and below. A row stands where the heights of those above it put it: measured
 * where one was drawn before, and guessed elsewhere. What turns out otherwise moves nothing that is in sight (`moved`).
 */
export class Drawn {
  readonly #rows: () => ConversationRow[];
  /** In pixels. A map does not tell of itself, so what holds it is new whenever something was measured. */
  #heights = $state.raw({ of: new Map<ConversationId, number>() });
  #from = $state(0);
  #to = $state(LEAST);
  #seen: Seen[] = [];
  readonly #places = $derived.by(() => new Map(this.#rows().map((row, index) => [row.conversation, index])));
  /** Where each row begins, and after them where the last one ends. */
  readonly #tops = $derived.by(() => {
    const rows = this.#rows();
    const tops = new Float64Array(rows.length + 1);
    const heights = this.#heights.of;
    let top = 0;
    for (const [index, { conversation }] of rows.entries()) {
      tops[index] = top;
      top += heights.get(conversation) ?? GUESS;
    }
    tops[rows.length] = top;
    return tops;
  });

  constructor(rows: () => ConversationRow[]) {
    this.#rows = rows;
  }

  /** The rows to be drawn, in their order; `kept` (the one that has the keyboard, say) is one of them wherever it stands. */
  part(kept: ConversationId | undefined): ConversationRow[] {
    const rows = this.#rows();
    const part = rows.slice(this.#from, this.#to);
    const at = kept === undefined ? undefined : this.#places.get(kept);
    const row = at === undefined ? undefined : rows[at];
    if (at === undefined || row === undefined || (at >= this.#from && at < this.#to)) return part;
    return at < this.#from ? [row, ...part] : [...part, row];
  }

  /** The place of a row among all, from 0; -1 where it is not among them. */
  place(id: ConversationId | null | undefined): number {
    return id == null ? -1 : (this.#places.get(id) ?? -1);
  }

  /** How far below the top of all rows one begins, in pixels. */
  top(id: ConversationId): number {
    return this.#tops[this.place(id)] ?? 0;
  }

  /** How high all rows are together, in pixels. */
  get height(): number {
    return this.#tops.at(-1) ?? 0;
  }

  /** What is in sight now: from `top` pixels below the top of all rows, `height` pixels of them. Tells the first and the last row of it. */
  look(top: number, height: number): { first: number; last: number } {
    const rows = this.#rows();
    const [first, last] = [this.#at(top), this.#at(top + height)];
    this.#from = this.#at(top - AHEAD * height);
    this.#to = Math.min(rows.length, Math.max(this.#at(top + (1 + AHEAD) * height) + 1, this.#from + LEAST));
    this.#seen = rows.slice(first, last + 1).map(({ conversation: id }) => ({ id, top: this.top(id) }));
    return { first, last };
  }

  /**
   * How far to scroll, in pixels, now that rows stand elsewhere, so that what one sees stays: the row with the keyboard if
   * it is in sight, else whichever was moved least. What went away, or up to the top, takes nothing else with it.
   */
  moved(keyboard: ConversationId | null): number {
    const still = this.#seen.filter(({ id }) => this.place(id) >= 0);
    const chosen = still.find(({ id }) => id === keyboard);
    const moves = (chosen === undefined ? still : [chosen]).map(({ id, top }) => this.top(id) - top);
    this.#seen = still.map(({ id }) => ({ id, top: this.top(id) }));
    return moves.reduce((least, move) => (Math.abs(move) < Math.abs(least) ? move : least), moves[0] ?? 0);
  }

  /** A row that was drawn is so high, in pixels. */
  measure(id: ConversationId, height: number): void {
    // One that just went away is of no height.
    const { of } = this.#heights;
    if (height === 0 || of.get(id) === height) return;
    of.set(id, height);
    this.#heights = { of };
  }

  /** The row that stands so far below the top. */
  #at(top: number): number {
    let [low, high] = [0, this.#tops.length - 2];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= top) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }
}
