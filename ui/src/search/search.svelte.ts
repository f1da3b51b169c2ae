import type { Found } from "../lib/api.generated";
import { coalesce } from "../lib/coalesce";
import type { ErrorCode } from "../lib/api.generated";
import { CallFailure, type Host } from "../lib/host";

/** So many messages and notes are shown at first, and more of them when one goes on. */
const PAGE = 30;

/** What is looked for on the whole machine, and what was found. */
export class Search {
  text = $state("");
  /** What belongs to the text that was asked for last; `null` while nothing is asked for. */
  found: Found | null = $state.raw(null);
  recent: string[] = $state.raw([]);
  error: ErrorCode | null = $state(null);
  growing = $state(false);
  /** The text to which `found` belongs. */
  #asked = $state("");
  readonly #host: Host;
  readonly #ask: () => Promise<void>;

  constructor(host: Host) {
    this.#host = host;
    this.#ask = coalesce(() => this.#search());
  }

  /** The answer to what is typed is under way: what is shown belongs to a text typed before, or nothing was found yet. */
  get stale(): boolean {
    return this.text !== this.#asked || (this.growing && this.#isBare());
  }

  /** It is opened again: what was found may be another by now. */
  async again(): Promise<void> {
    await Promise.all([this.#ask(), this.#recent()]);
  }

  /** Each letter asks anew; what is asked while an answer is under way is asked once. */
  type(text: string): void {
    this.text = text;
    void this.#ask();
  }

  /** The next of what was found. A page on which nothing fits is no end: it goes on until something does. */
  async more(): Promise<void> {
    if (this.growing) return;
    this.growing = true;
    try {
      for (let wanting = true; wanting && this.found?.more != null; ) {
        const { found } = this;
        const next = await this.#host.call("search", { text: this.#asked, below: found.more, limit: PAGE });
        if (this.found === found) {
          this.found = { ...found, texts: [...found.texts, ...next.texts], more: next.more };
          wanting = next.texts.length === 0;
        } else {
          wanting = this.#isBare();
        }
      }
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
    } finally {
      this.growing = false;
    }
  }

  /** Whether no message and no note is there yet. */
  #isBare(): boolean {
    return this.found?.texts.length === 0;
  }

  /** Something of it was opened: it is worth keeping. */
  keep(): void {
    this.#host.call("keep_search", { text: this.text }).catch((thrown: unknown) => console.error("Keeping a search:", CallFailure.of(thrown).code));
  }

  async forget(): Promise<void> {
    try {
      await this.#host.call("forget_searches", {});
      this.recent = [];
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
    }
  }

  async #search(): Promise<void> {
    const { text } = this;
    if (text.trim() === "") {
      this.found = null;
      this.#asked = text;
      return;
    }
    try {
      const found = await this.#host.call("search", { text, below: null, limit: PAGE });
      this.error = null;
      // What was emptied meanwhile stays empty.
      if (this.text.trim() === "") return;
      this.found = found;
      this.#asked = text;
      if (this.#isBare()) void this.more();
    } catch (thrown) {
      this.found = null;
      this.#asked = text;
      this.error = CallFailure.of(thrown).code;
    }
  }

  async #recent(): Promise<void> {
    try {
      this.recent = (await this.#host.call("recent_searches", {})).texts;
    } catch (thrown) {
      console.error("Asking for recent searches:", CallFailure.of(thrown).code);
    }
  }
}
