import type { ConversationId, ConversationList, ConversationRow, Counts, ErrorCode, Filter, Order, StaffId } from "../lib/api.generated";
import { coalesce } from "../lib/coalesce";
import { folded } from "../lib/format/fold";
import { CallFailure, type Host } from "../lib/host";

/** Enough for what is in sight and three windows more: each row more is laid out before the first is seen. */
const PAGE = 50;
/** So many rows from the top are asked for again whenever something changes; those below hardly do. */
const AGAIN = 300;

/** In the order in which they are shown. */
export const FILTERS = ["mine", "unassigned", "team", "open", "waiting", "closing", "closed"] as const satisfies Filter[];

/** Where a day begins: with what is one's own, else with what waits for somebody, else with everything. */
const FIRST = ["mine", "unassigned", "open"] as const;

/** Which filter each person chose last, for as long as the window lives: to lock it is no reason to begin anew. */
export type Chosen = Map<StaffId, Filter>;

/** Where a row stands. WhatsApp tells times by the second, so the entry says which of two is later. */
type Place = Pick<ConversationRow, "at" | "seq" | "waiting_since">;
const isAfter = (a: Place, b: Place): boolean => a.at > b.at || (a.at === b.at && a.seq > b.seq);
/** Whether a row stands above another one in this order. */
const isAbove: Record<Order, (a: Place, b: Place) => boolean> = {
  latest: isAfter,
  longest: (a, b) => {
    const [since, other] = [a.waiting_since ?? Infinity, b.waiting_since ?? Infinity];
    return since < other || (since === other && isAfter(a, b));
  },
};

/** The order that a person chose stays theirs on this workstation. */
const orderOf = (staff: StaffId): Order => (localStorage.getItem(`order:${staff}`) === "longest" ? "longest" : "latest");

/** What holds the list still: the pointer over it, the keyboard in it, or being away from its top. */
export type Hold = "pointer" | "keyboard" | "scroll";

/**
 * The rows of the list under one filter. They never move under the pointer or the selection: while something holds the
 * list, what is new or has moved up gathers, and comes in when its person asks or leaves the list.
 */
export class List {
  filter: Filter = $state("mine");
  order: Order = $state("latest");
  /** The figures on the filters, once the desk has told them. */
  counts: Counts | null = $state.raw(null);
  /** What is on screen. */
  rows: ConversationRow[] = $state.raw([]);
  /** Rows that are new or have moved up, and wait until the list may move. */
  gathered = $state(0);
  more = $state(false);
  /** Whether the desk has answered for this filter. */
  loaded = $state(false);
  error: ErrorCode | null = $state(null);
  /** Rows that are chosen for an act on all of them. */
  selected: ReadonlySet<ConversationId> = $state.raw(new Set());

  readonly refresh: () => Promise<void>;
  readonly #host: Host;
  readonly #staff: StaffId;
  readonly #chosen: Chosen;
  /** Until its person has chosen a filter, or it has something to show, the list finds its filter by itself. */
  #begun: boolean;
  #latest: ConversationRow[] = [];
  /** What gave each row on screen its place. */
  #placed = new Map<string, Place>();
  #growing = false;
  /** Which of the rows are in sight. */
  #sight = { first: 0, last: 0 };
  #holds = new Set<Hold>();
  /** From where a selection reaches to a further row. */
  #anchor: ConversationId | null = null;

  constructor(host: Host, staff: StaffId, chosen: Chosen) {
    this.#host = host;
    this.#staff = staff;
    this.#chosen = chosen;
    this.filter = chosen.get(staff) ?? "mine";
    this.order = orderOf(staff);
    this.#begun = chosen.has(staff);
    this.refresh = coalesce(() => this.#ask());
  }

  choose(filter: Filter): void {
    this.#begun = true;
    this.#chosen.set(this.#staff, filter);
    if (filter !== this.filter) this.#turn(filter);
  }

  /** What was written into last comes first, or who has waited longest. */
  turnAround(): void {
    this.order = this.order === "latest" ? "longest" : "latest";
    localStorage.setItem(`order:${this.#staff}`, this.order);
    this.#turn(this.filter);
  }

  #turn(filter: Filter): void {
    this.filter = filter;
    this.more = false;
    this.#latest = [];
    this.rows = [];
    this.loaded = false;
    this.#holds.delete("scroll");
    this.clear();
    this.settle();
    void this.refresh();
  }

  /** Asks for more rows, once the last ones come into sight. */
  async grow(): Promise<void> {
    if (!this.more || this.#growing) return;
    this.#growing = true;
    try {
      // Who has come far goes on: the further, the more at a time.
      const list = await this.#page(this.#latest.length, Math.min(Math.max(PAGE, this.#latest.length >> 1), AGAIN));
      if (list === null) return;
      const here = new Set(this.#latest.map(({ conversation }) => conversation));
      this.#latest = [...this.#latest, ...list.rows.filter(({ conversation }) => !here.has(conversation))];
      this.more = list.more;
      this.#show();
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
    } finally {
      this.#growing = false;
    }
  }

  /** Something begins or ceases to hold the list still. */
  hold(by: Hold, held: boolean): void {
    if (held) this.#holds.add(by);
    else if (this.#holds.delete(by)) this.#show();
  }

  get held(): boolean {
    return this.#holds.size > 0 || this.selected.size > 0;
  }

  /** The rows from `first` to `last` are in sight now: what changes in them is to be seen. */
  look(sight: { first: number; last: number }): void {
    this.#sight = sight;
  }

  /** Lets the list move once: its own person asked for it. */
  settle(): void {
    this.#show(true);
  }

  /** Adds a row to the selection, or takes it out. */
  toggle(id: ConversationId): void {
    const selected = new Set(this.selected);
    if (!selected.delete(id)) selected.add(id);
    this.#anchor = id;
    this.#select(selected);
  }

  /** Selects everything from the row that was chosen last (or `from`, where none was) to this one. */
  reach(id: ConversationId, from: ConversationId | null): void {
    const place = (of: ConversationId | null): number => this.rows.findIndex(({ conversation }) => conversation === of);
    if (this.#anchor === null || place(this.#anchor) < 0) this.#anchor = from ?? id;
    const [a, b] = [place(this.#anchor), place(id)].sort((x, y) => x - y) as [number, number];
    if (b >= 0) this.#select(new Set(this.rows.slice(Math.max(a, 0), b + 1).map(({ conversation }) => conversation)));
  }

  selectAll(): void {
    this.#select(new Set(this.rows.map(({ conversation }) => conversation)));
  }

  clear(): void {
    this.#anchor = null;
    if (this.selected.size > 0) this.#select(new Set());
  }

  #select(selected: ReadonlySet<ConversationId>): void {
    this.selected = selected;
    if (!this.held) this.#show();
  }

  async #ask(): Promise<void> {
    const { filter } = this;
    try {
      const limit = Math.min(Math.max(PAGE, this.#latest.length), AGAIN);
      const list = await this.#page(0, limit);
      if (list === null) return;
      const { counts } = list;
      this.counts = counts;
      const wanted = this.#begun ? filter : (FIRST.find((filter) => counts[filter] > 0) ?? "open");
      this.#begun ||= list.rows.length > 0;
      if (wanted !== filter) {
        this.#turn(wanted);
        return;
      }
      // Who stands at the top has no need of what was loaded further down: it is asked for again.
      const below = list.more && this.held ? this.#latest : [];
      this.#latest = this.#joined(below, list.rows, true);
      if (this.#latest.length === list.rows.length) this.more = list.more;
      if (!(await this.#askFar(limit))) return;
      this.loaded = true;
      this.error = null;
      this.#show();
    } catch (thrown) {
      if (filter === this.filter) this.error = CallFailure.of(thrown).code;
    }
  }

  /** Asks for the rows in sight, where they stand below so many that were asked for already. Tells whether they are of this filter still. */
  async #askFar(asked: number): Promise<boolean> {
    const { first, last } = this.#sight;
    const place = this.#latest.findIndex(({ conversation }) => conversation === this.rows[first]?.conversation);
    const skip = place < 0 ? first : place;
    if (!this.held || skip + last - first < asked) return true;
    const list = await this.#page(skip, last - first + 1);
    if (list !== null) this.#latest = this.#joined(this.#latest, list.rows, false);
    return list !== null;
  }

  /** So many rows from this place on as the desk has them, or `null` where another filter or order was chosen meanwhile. */
  async #page(skip: number, limit: number): Promise<ConversationList | null> {
    const { filter, order } = this;
    const list = await this.#host.call("conversations", { filter, order, skip, limit });
    return filter === this.filter && order === this.order ? list : null;
  }

  /** These rows with a page of the desk's in its place, which may be their top: what is not in it has left the filter, or stands elsewhere. */
  #joined(rows: ConversationRow[], page: ConversationRow[], top: boolean): ConversationRow[] {
    const [first, last] = [page[0], page.at(-1)];
    if (first === undefined || last === undefined) return top ? [] : rows;
    const above = isAbove[this.order];
    const fresh = new Set(page.map(({ conversation }) => conversation));
    const others = rows.filter(({ conversation }) => !fresh.has(conversation));
    return [...(top ? [] : others.filter((row) => above(row, first))), ...page, ...others.filter((row) => above(last, row))];
  }

  /** Shows the latest rows, or keeps those on screen in their places and counts what waits. */
  #show(now = false): void {
    if (now || this.rows.length === 0 || !this.held) {
      this.rows = this.#latest;
      this.#placed = new Map(this.rows.map((row) => [row.conversation, row]));
      this.gathered = 0;
      const left = [...this.selected].filter((id) => this.#placed.has(id));
      if (left.length < this.selected.size) this.selected = new Set(left);
      return;
    }
    const above = isAbove[this.order];
    const latest = new Map(this.#latest.map((row) => [row.conversation, row]));
    const last = [...this.#placed.values()].reduce((last, place) => (above(last, place) ? place : last));
    this.gathered = this.#latest.filter((row) => above(row, this.#placed.get(row.conversation) ?? last)).length;
    // A row that left the filter keeps its place until the list may move; older rows that were asked for come below. One
    // in which nothing was said yet is just being opened: its first message puts it above.
    const below = this.#latest.filter((row) => row.at > 0 && !this.#placed.has(row.conversation) && !above(row, last));
    for (const row of below) this.#placed.set(row.conversation, row);
    this.rows = [...this.rows.map((row) => latest.get(row.conversation) ?? row), ...below];
  }
}

/** A row's name as it is compared; of ten thousand rows few are new at a time. */
const compared = new WeakMap<ConversationRow, string>();
function comparedOf(row: ConversationRow, name: string): string {
  let key = compared.get(row);
  if (key === undefined) compared.set(row, (key = folded(name).trim()));
  return key;
}

/** The conversations of contacts whose name another one in the list bears too. */
export function namesakes(rows: ConversationRow[]): ReadonlySet<ConversationId> {
  const by = new Map<string, ConversationRow[]>();
  for (const row of rows) {
    const { name } = row.contact;
    if (name === null) continue;
    const key = comparedOf(row, name);
    const alike = by.get(key);
    if (alike === undefined) by.set(key, [row]);
    else alike.push(row);
  }
  // One contact may write to several lines: their code is the same in all.
  const several = [...by.values()].filter((of) => new Set(of.map(({ contact }) => contact.short_code)).size > 1);
  return new Set(several.flat().map(({ conversation }) => conversation));
}
