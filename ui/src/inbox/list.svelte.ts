import type { ConversationRow, Counts, ErrorCode, Filter, StaffId } from "../lib/api.generated";
import { coalesce } from "../lib/coalesce";
import { CallFailure, type Host } from "../lib/host";

const PAGE = 100;
/** How long after the last movement in the list a row may not move from under the pointer. */
const STILL = 1500;

/** Where a day begins: with what is one's own, else with what waits for somebody, else with everything. */
const FIRST = ["mine", "unassigned", "open"] as const;

/** Which filter each person chose last, for as long as the window lives: to lock it is no reason to begin anew. */
export type Chosen = Map<StaffId, Filter>;

/** The rows of the list under one filter. */
export class List {
  filter: Filter = $state("mine");
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

  readonly refresh: () => Promise<void>;
  readonly #host: Host;
  readonly #staff: StaffId;
  readonly #chosen: Chosen;
  /** Until its person has chosen a filter, or it has something to show, the list finds its filter by itself. */
  #begun: boolean;
  #latest: ConversationRow[] = [];
  /** The time by which each row on screen got its place. */
  #placed = new Map<string, number>();
  #limit = PAGE;
  #scrolled = false;
  #touched = -Infinity;
  #settle: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host, staff: StaffId, chosen: Chosen) {
    this.#host = host;
    this.#staff = staff;
    this.#chosen = chosen;
    this.filter = chosen.get(staff) ?? "mine";
    this.#begun = chosen.has(staff);
    this.refresh = coalesce(() => this.#ask());
  }

  choose(filter: Filter): void {
    this.#begun = true;
    this.#chosen.set(this.#staff, filter);
    if (filter !== this.filter) this.#turn(filter);
  }

  #turn(filter: Filter): void {
    this.filter = filter;
    this.#limit = PAGE;
    this.#latest = [];
    this.rows = [];
    this.loaded = false;
    this.settle();
    void this.refresh();
  }

  /** Asks for more rows, once the last ones come into sight. */
  grow(): void {
    if (!this.more) return;
    this.more = false;
    this.#limit += PAGE;
    void this.refresh();
  }

  /** The pointer or the keyboard moves in the list: it holds still for a moment. */
  touch(): void {
    this.#touched = performance.now();
  }

  /** The list is scrolled away from its top, and holds still until it is back. */
  scrolled(away: boolean): void {
    this.#scrolled = away;
    if (!away) this.#show();
  }

  /** Lets the list move: its own person asked for it. */
  settle(): void {
    this.#touched = -Infinity;
    this.#scrolled = false;
    this.#show();
  }

  async #ask(): Promise<void> {
    const { filter } = this;
    try {
      const list = await this.#host.call("conversations", { filter, limit: this.#limit });
      if (filter !== this.filter) return;
      const { counts } = list;
      this.counts = counts;
      const wanted = this.#begun ? filter : (FIRST.find((filter) => counts[filter] > 0) ?? "open");
      this.#begun ||= list.rows.length > 0;
      if (wanted !== filter) {
        this.#turn(wanted);
        return;
      }
      this.more = list.more;
      this.#latest = list.rows;
      this.loaded = true;
      this.error = null;
      this.#show();
    } catch (thrown) {
      if (filter === this.filter) this.error = CallFailure.of(thrown).code;
    }
  }

  /** Shows the latest rows, or keeps those on screen in their places and counts what waits. */
  #show(): void {
    clearTimeout(this.#settle);
    const still = this.#touched + STILL - performance.now();
    if (this.rows.length === 0 || (!this.#scrolled && still <= 0)) {
      this.rows = this.#latest;
      this.#placed = new Map(this.rows.map(({ conversation, at }) => [conversation, at]));
      this.gathered = 0;
      return;
    }
    if (!this.#scrolled) this.#settle = setTimeout(() => this.#show(), still);

    const latest = new Map(this.#latest.map((row) => [row.conversation, row]));
    const last = Math.min(...this.#placed.values());
    this.gathered = this.#latest.filter(({ conversation, at }) => at > (this.#placed.get(conversation) ?? last)).length;
    // A row that left the filter keeps its place until the list may move; older rows that were asked for come below.
    const below = this.#latest.filter(({ conversation, at }) => !this.#placed.has(conversation) && at <= last);
    for (const { conversation, at } of below) this.#placed.set(conversation, at);
    this.rows = [...this.rows.map((row) => latest.get(row.conversation) ?? row), ...below];
  }
}
