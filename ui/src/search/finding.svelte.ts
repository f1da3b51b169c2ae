import type { ErrorCode, FoundIn, Spot } from "../lib/api.generated";
import { coalesce } from "../lib/coalesce";
import { CallFailure, type Host } from "../lib/host";
import type { Conversation } from "../inbox/conversation.svelte";

/** What is looked for in one conversation. */
export class Finding {
  text = $state("");
  /** The text to which `found` belongs. */
  asked = $state("");
  found: FoundIn = $state.raw({ spots: [], more: false });
  /** Which of the spots one looks at; the newest is the first. */
  at = $state(0);
  error: ErrorCode | null = $state(null);
  readonly #host: Host;
  readonly #conversation: Conversation;
  readonly #ask: () => Promise<void>;

  constructor(host: Host, conversation: Conversation) {
    this.#host = host;
    this.#conversation = conversation;
    this.#ask = coalesce(() => this.#search());
  }

  get spot(): Spot | undefined {
    return this.found.spots[this.at];
  }

  type(text: string): void {
    this.text = text;
    void this.#ask();
  }

  /** To the next older spot, or the next newer; around at the ends. Before the answer to what was typed there is none. */
  step(by: 1 | -1): void {
    const { length } = this.found.spots;
    if (length === 0 || this.text !== this.asked) return;
    this.at = (this.at + by + length) % length;
    this.#go();
  }

  #go(): void {
    if (this.spot !== undefined) void this.#conversation.goTo(this.spot.position);
  }

  async #search(): Promise<void> {
    const { text } = this;
    try {
      this.found = await this.#host.call("search_in", { conversation: this.#conversation.id, text });
      this.error = null;
    } catch (thrown) {
      this.found = { spots: [], more: false };
      this.error = CallFailure.of(thrown).code;
    }
    this.asked = text;
    this.at = 0;
    this.#go();
  }
}
