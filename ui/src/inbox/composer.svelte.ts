import type { ConversationId, ConversationPage, Drafts, ErrorCode, Item, MessageItem, Mode } from "../lib/api.generated";
import { CallFailure, type Host } from "../lib/host";
import { length, LONGEST } from "../lib/format/text";
import { replyAfter } from "./items";

/** A draft is at the desk at most this long after the first key that is not there yet; promised are 300 ms. */
const SOON = 200;

/** What the composer needs of its conversation. */
interface Surroundings {
  readonly id: ConversationId;
  readonly items: Item[];
  readonly page: ConversationPage | null;
  refresh(): Promise<void>;
}

/** What is being written in one conversation. The desk keeps it as a draft; here it is only on its way there. */
export class Composer {
  /** Never changes by itself: only a click on the other mode, or taking back what was written there. */
  mode: Mode = $state("reply");
  texts: Drafts = $state({ reply: "", note: "" });
  /** Whether what stands here is with the desk. */
  saved = $state(false);
  sending = $state(false);
  error: ErrorCode | null = $state(null);
  readonly #host: Host;
  readonly #around: Surroundings;
  /** The colleague's reply of which this person was told before sending: who sends again means it. */
  warned: string | null = $state(null);
  /** What stood last in the conversation when this reply was begun. */
  #begun = $state(Infinity);
  /** Nothing was typed here since the last reply was sent: then what is to be undone is that. */
  untouched = $state(true);
  #unsaved = new Set<Mode>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Saves go one after another, and nothing is sent before the last one is done: a late save would bring a sent draft back. */
  #saving: Promise<void> = Promise.resolve();

  constructor(host: Host, around: Surroundings) {
    this.#host = host;
    this.#around = around;
  }

  get text(): string {
    return this.texts[this.mode];
  }

  get length(): number {
    return length(this.text);
  }

  /** What a colleague has answered while this reply was being written. */
  get overtaken(): MessageItem | null {
    return this.mode === "reply" && this.text.trim() !== "" ? replyAfter(this.#around.items, this.#begun) : null;
  }

  get sendable(): boolean {
    return !this.sending && this.text.trim() !== "" && this.length <= LONGEST;
  }

  /** Takes the drafts that the desk kept, unless something was typed meanwhile. */
  open(drafts: Drafts): void {
    for (const mode of ["reply", "note"] as const) {
      if (this.texts[mode] === "") this.texts[mode] = drafts[mode];
    }
    this.#begin();
    this.saved = this.text !== "" && this.#unsaved.size === 0;
  }

  turn(mode: Mode): void {
    if (mode === this.mode) return;
    void this.flush();
    this.mode = mode;
    this.error = null;
    this.saved = this.text !== "";
  }

  type(text: string): void {
    this.#write(this.mode, text);
  }

  /** Saves what is not at the desk yet: on blur, switch and hide, and soon after a key. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const mode of this.#unsaved) this.#save(mode);
    this.#unsaved.clear();
    return this.#saving;
  }

  /** Queues what is written. The text stands until the desk has it: nothing is lost by an error. */
  async send(): Promise<boolean> {
    const { mode, page } = { mode: this.mode, page: this.#around.page };
    if (!this.sendable || page === null) return false;
    const overtaken = this.overtaken?.message ?? null;
    if (overtaken !== null && overtaken !== this.warned) {
      this.warned = overtaken;
      return false;
    }
    const written = this.text;
    const text = written.trim();
    this.sending = true;
    this.error = null;
    await this.flush();
    try {
      const at = { conversation: this.#around.id, case: page.case.case, text };
      await (mode === "reply" ? this.#host.call("send_reply", { ...at, seen: page.seen }) : this.#host.call("add_note", at));
      // What came meanwhile, a reply that was taken back, stays.
      const rest = this.texts[mode].slice(written.length).trimStart();
      this.texts[mode] = "";
      this.saved = false;
      if (rest !== "") this.#write(mode, rest);
      this.untouched ||= mode === "reply";
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
      return false;
    } finally {
      this.sending = false;
    }
    await this.#around.refresh();
    return true;
  }

  /** What was taken back from the outbox stands in the composer again, above what was being written there. */
  takenBack(drafts: Drafts, mode: Mode): void {
    const written = this.texts[mode].trim();
    this.texts = drafts;
    this.mode = mode;
    this.saved = true;
    this.error = null;
    if (written !== "" && !drafts[mode].includes(written)) this.type(`${drafts[mode]}\n${written}`);
  }

  /** What was written here became something else, or is here again; the desk knows already. */
  replace(mode: Mode, text: string): void {
    this.#unsaved.delete(mode);
    this.texts[mode] = text;
    this.saved = text !== "" && this.mode === mode;
  }

  /** Puts a reply's text that will not arrive below the reply that is being written. Whoever writes a note goes on with it. */
  again(text: string): void {
    const { reply } = this.texts;
    this.#write("reply", reply.trim() === "" ? text : `${reply}\n${text}`);
  }

  #begin(): void {
    this.#begun = this.#around.page?.last ?? Infinity;
  }

  #write(mode: Mode, text: string): void {
    if (mode === "reply") {
      if (this.texts.reply.trim() === "") this.#begin();
      this.untouched = false;
    }
    this.texts[mode] = text;
    if (mode === this.mode) this.saved = false;
    this.#unsaved.add(mode);
    this.#timer ??= setTimeout(() => void this.flush(), SOON);
  }

  #save(mode: Mode): void {
    const text = this.texts[mode];
    this.#saving = this.#saving.then(async () => {
      try {
        await this.#host.call("save_draft", { conversation: this.#around.id, mode, text });
        if (this.mode === mode && this.texts[mode] === text) this.saved = text !== "";
      } catch (thrown) {
        this.#unsaved.add(mode);
        this.error = CallFailure.of(thrown).code;
      }
    });
  }
}
