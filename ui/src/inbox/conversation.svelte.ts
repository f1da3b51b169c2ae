import type { ConversationId, ConversationPage, ErrorCode, Item } from "../lib/api.generated";
import { coalesce } from "../lib/coalesce";
import { CallFailure, type Host } from "../lib/host";
import { Composer } from "./composer.svelte";
import { joined, seenIn } from "./items";

const PAGE = 60;
/** A page is asked for again as long as what is loaded, up to here; what lies further back hardly changes. */
const AGAIN = 300;

/** One open conversation: what is loaded of it, and what is written in it. */
export class Conversation {
  /** The last answer of the desk: row, case, earlier cases. */
  page: ConversationPage | null = $state.raw(null);
  /** Oldest first. */
  items: Item[] = $state.raw([]);
  /** Whether the desk has older ones. */
  more = $state(false);
  loadingOlder = $state(false);
  /** The first item that was new when the conversation was opened. */
  firstNew: number | null = $state(null);
  error: ErrorCode | null = $state(null);
  readonly composer: Composer;
  readonly refresh: () => Promise<void>;
  readonly id: ConversationId;
  readonly #host: Host;
  #seen: number | null = null;
  #watched = false;

  constructor(host: Host, id: ConversationId) {
    this.#host = host;
    this.id = id;
    this.composer = new Composer(host, this);
    this.refresh = coalesce(() => this.#ask());
  }

  /** Loads the items before the first that is here. */
  async older(): Promise<void> {
    const first = this.items.find(({ seq }) => seq !== 0);
    if (!this.more || this.loadingOlder || first === undefined) return;
    this.loadingOlder = true;
    try {
      const part = { part: "before", place: first.place, seq: first.seq } as const;
      const page = await this.#host.call("conversation", { conversation: this.id, part, limit: PAGE });
      this.items = joined(page.items, this.items);
      this.more = page.more;
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
    } finally {
      this.loadingOlder = false;
    }
  }

  /** Says whether the newest items are before the person's eyes; if so, they are seen. */
  watch(watched: boolean): void {
    this.#watched = watched;
    if (watched) this.#tellSeen();
  }

  async #ask(): Promise<void> {
    const limit = Math.min(Math.max(PAGE, this.items.length), AGAIN);
    try {
      const page = await this.#host.call("conversation", { conversation: this.id, part: { part: "latest" }, limit });
      const opened = this.page === null;
      const whole = page.items.length < limit || !page.more;
      this.items = whole ? page.items : joined(this.items, page.items);
      if (this.items.length === page.items.length) this.more = page.more;
      this.firstNew ??= page.first_new;
      this.page = page;
      this.error = null;
      if (opened) {
        this.composer.open(page.draft);
        this.#seen = page.row.unread === 0 && page.first_new === null ? page.seen : (page.first_new ?? 1) - 1;
      }
      if (this.#watched) this.#tellSeen();
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
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
