import type { ConversationId, ConversationPage, ErrorCode, Item, MessageId, Part, Position } from "../lib/api.generated";
import { coalesce } from "../lib/coalesce";
import { CallFailure, type Host } from "../lib/host";
import { Composer } from "./composer.svelte";
import { fate, inReadingOrder, isFrom, joined, keyOf, latestOf, seenIn } from "./items";

const PAGE = 60;
/** A page is asked for again as long as what is loaded, up to here; what lies further back hardly changes. */
const AGAIN = 300;
/** At most so many items are held: beyond it, what is furthest from the reader goes, to be asked for again. */
export const MOST = 480;

/**
 * One open conversation: the section of it that is loaded, and what is written in it. Of fifty thousand messages a few
 * hundred are here at a time. The section ends with the latest item, or somewhere before (`later`).
 */
export class Conversation {
  /** The last answer of the desk: row, case, earlier cases. */
  page: ConversationPage | null = $state.raw(null);
  /** Oldest first. */
  items: Item[] = $state.raw([]);
  /** Whether the desk has older ones. */
  more = $state(false);
  /** Whether the desk has newer ones. */
  later = $state(false);
  loading: "older" | "newer" | null = $state(null);
  /** The key of the item to which the view is to go. */
  goal: string | null = $state(null);
  /** Where the first item stands that was new when the conversation was opened. */
  firstNew: Position | null = $state.raw(null);
  error: ErrorCode | null = $state(null);
  readonly composer: Composer;
  readonly refresh: () => Promise<void>;
  readonly id: ConversationId;
  readonly #host: Host;
  #after: Promise<void> | undefined;
  #seen: number | null = null;
  #watched = false;
  /** Counts the sections: what was asked for before a jump belongs to another one. */
  #section = 0;
  /** Counts where one wanted to go: only the last counts. */
  #jumps = 0;
  /** Replies of mine that are being taken back: their text is written anew once that is sure. */
  #undone = new Map<MessageId, string>();

  /** It begins once `after` is done: what was written here before may still be on its way to the desk. */
  constructor(host: Host, id: ConversationId, after?: Promise<void>) {
    this.#host = host;
    this.id = id;
    this.#after = after;
    this.composer = new Composer(host, this);
    this.refresh = coalesce(() => this.#ask());
  }

  /** Loads the items before the first that is here. */
  async older(): Promise<void> {
    const first = this.items.find(({ seq }) => seq !== 0);
    if (!this.more || first === undefined) return;
    await this.#load("older", { part: "before", place: first.place, seq: first.seq }, (page) => {
      const items = joined(page.items, this.items);
      this.more = page.more;
      this.later ||= items.length > MOST;
      this.items = items.slice(0, MOST);
    });
  }

  /** Loads the items after the last that is here. */
  async newer(): Promise<void> {
    const last = this.items.findLast(({ seq }) => seq !== 0);
    if (!this.later || last === undefined) return;
    await this.#load("newer", { part: "from", place: last.place, seq: last.seq + 1 }, (page) => {
      const items = [...this.items.filter(({ seq }) => seq !== 0), ...page.items];
      this.later = page.later;
      this.more ||= items.length > MOST;
      this.items = items.slice(-MOST);
    });
  }

  /** Goes to where this stands, loaded or not: a message, or the first moment of a day. */
  async goTo({ place, seq }: Position): Promise<void> {
    const here = this.items.find((item) => item.place === place && item.seq === seq);
    if (here !== undefined) {
      // Where one wanted to go before, and what is still asked for, is no longer meant.
      this.#jumps += 1;
      this.goal = keyOf(here);
      return;
    }
    await this.#jump({ part: "around", place, seq }, (items) => items.find((item) => isFrom(item, { place, seq })) ?? items.at(-1));
  }

  /** Goes to the latest, loaded or not. */
  async toLatest(): Promise<void> {
    if (this.later) await this.#jump({ part: "latest" }, latestOf);
  }

  /** Goes to the latest that the desk has, wherever in the conversation one is. */
  async showLatest(): Promise<void> {
    await this.refresh();
    const last = latestOf(this.items);
    if (this.later) await this.toLatest();
    else if (last !== undefined) this.goal = keyOf(last);
  }

  /** Says whether the newest items are before the person's eyes; if so, they are seen. */
  watch(watched: boolean): void {
    this.#watched = watched && !this.later;
    if (this.#watched) this.#tellSeen();
  }

  /** Takes a reply of mine back. Its text is in the composer again once it is sure that it does not go: at once where it never left. */
  async undo(message: MessageId): Promise<void> {
    const item = this.items.find((item) => item.item === "message" && item.message === message);
    if (item?.item !== "message" || this.#undone.has(message)) return;
    this.#undone.set(message, item.text ?? "");
    try {
      await this.composer.flush();
      const { drafts } = await this.#host.call("take_back", { id: message });
      if (drafts !== null) {
        this.#undone.delete(message);
        this.composer.takenBack(drafts, "reply");
      }
    } catch (thrown) {
      this.#undone.delete(message);
      this.error = CallFailure.of(thrown).code;
    }
    await this.refresh();
  }

  async #jump(part: Part, goal: (items: Item[]) => Item | undefined): Promise<void> {
    this.#section += 1;
    this.#jumps += 1;
    const jump = this.#jumps;
    this.loading = null;
    await this.#load("newer", part, (page) => {
      if (jump !== this.#jumps) return;
      this.items = page.items;
      this.more = page.more;
      this.later = page.later;
      const item = goal(inReadingOrder(page.items, page.more));
      this.goal = item === undefined ? null : keyOf(item);
    });
  }

  async #load(what: "older" | "newer", part: Part, take: (page: ConversationPage) => void): Promise<void> {
    if (this.loading !== null) return;
    const section = this.#section;
    this.loading = what;
    try {
      const page = await this.#host.call("conversation", { conversation: this.id, part, limit: PAGE });
      if (section !== this.#section) return;
      take(page);
      if (this.page !== null) this.page = { ...this.page, seen: Math.max(page.seen, this.page.seen) };
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
    } finally {
      if (section === this.#section) this.loading = null;
    }
  }

  async #ask(): Promise<void> {
    const [section, shown] = [this.#section, this.items];
    const first = this.later ? this.items.find(({ seq }) => seq !== 0) : undefined;
    const limit = Math.min(Math.max(PAGE, this.items.length), first === undefined ? AGAIN : MOST);
    const opens = this.page === null;
    const part: Part = opens ? { part: "start" } : first === undefined ? { part: "latest" } : { part: "from", place: first.place, seq: first.seq };
    try {
      if (this.#after !== undefined) await this.#after;
      this.#after = undefined;
      const page = await this.#host.call("conversation", { conversation: this.id, part, limit });
      // What was on screen once stays seen, wherever the person looks now.
      this.page = { ...page, seen: Math.max(page.seen, this.page?.seen ?? 0) };
      if (section !== this.#section) {
        // Of the section where one is now it tells nothing, and something may have changed there too.
        void this.refresh();
      } else if (first === undefined || shown === this.items) {
        // Otherwise what was loaded meanwhile is fresh, and this answer does not cover it.
        this.#take(page, first === undefined, limit);
      }
      this.error = null;
      if (opens) {
        this.firstNew = page.first_new;
        this.composer.open(page.draft);
        // Where nothing is new it is told too: what was answered before one ever looked is new to nobody who has looked.
        this.#seen = page.first_new === null ? 0 : page.first_new.seq - 1;
      }
      this.#undoing();
      if (this.#watched) this.#tellSeen();
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
    }
  }

  #take(page: ConversationPage, latest: boolean, limit: number): void {
    if (!latest) {
      this.items = page.items;
      this.later = page.later;
      return;
    }
    // The person has gone up meanwhile, so far that the latest are not held any more.
    if (this.later) return;
    this.later = page.later;
    const whole = page.items.length < limit || !page.more;
    const items = whole ? page.items : joined(this.items, page.items);
    if (items.length === page.items.length) this.more = page.more;
    this.more ||= this.#watched && items.length > MOST;
    this.items = this.#watched ? items.slice(-MOST) : items;
  }

  #undoing(): void {
    for (const [message, text] of this.#undone) {
      const end = fate(this.items, message);
      if (end === "under way") continue;
      this.#undone.delete(message);
      if (end === "recalled") this.composer.again(text);
    }
  }

  #tellSeen(): void {
    if (this.#seen === null) return;
    const cases = seenIn(this.items, this.#seen);
    for (const [of, seq] of cases) {
      this.#seen = Math.max(this.#seen, seq);
      this.#host.call("seen_up_to", { case: of, seq }).catch((thrown: unknown) => {
        console.error("Saying what was seen:", CallFailure.of(thrown).code);
      });
    }
  }
}
