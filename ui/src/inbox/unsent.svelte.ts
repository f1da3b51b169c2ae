import type { ConversationId, Mode, Unsent, UnsentAct, UnsentDraft } from "../lib/api.generated";
import { coalesce } from "../lib/coalesce";
import { copy } from "../lib/copy";
import type { Host } from "../lib/host";
import { t } from "../lib/i18n";
import type { Inbox } from "./inbox.svelte";

/** Something that was dropped and can be put back. */
type Dropped = { act: string } | { draft: UnsentDraft };

/** What has not reached the gateway, as the page shows it. */
export class UnsentList {
  /** The desk's last answer. */
  all: Unsent | null = $state.raw(null);
  /** What was dropped last, for as long as the page is open. */
  dropped: Dropped | null = $state.raw(null);
  readonly refresh: () => Promise<void>;
  readonly #host: Host;
  readonly #desk: Inbox;

  constructor(host: Host, desk: Inbox) {
    this.#host = host;
    this.#desk = desk;
    this.refresh = coalesce(async () => {
      this.all = await this.#desk.acts.ask(() => this.#host.call("unsent", {}));
    });
  }

  show(): void {
    this.dropped = null;
    // What is half written is a draft too.
    void (this.#desk.conversation?.composer.flush() ?? Promise.resolve()).then(() => this.refresh());
    this.#desk.actions.show("unsent");
  }

  open(conversation: ConversationId, mode?: Mode): void {
    this.#desk.actions.close();
    this.#desk.open(conversation, true, mode);
  }

  retry = (act: UnsentAct) => this.#do(() => this.#host.call("retry", { id: act.id, seen: 0 }));

  /** Takes a reply or note back into the composer, and goes there. */
  edit = (act: UnsentAct) =>
    this.#do(async () => {
      const conversation = act.about?.conversation;
      const mode: Mode = act.kind === "reply" ? "reply" : "note";
      const { drafts } = await this.#host.call("take_back", { id: act.id });
      if (conversation === undefined) return;
      if (drafts !== null && this.#desk.conversation?.id === conversation) this.#desk.conversation.composer.takenBack(drafts, mode);
      this.open(conversation, mode);
    });

  drop = (act: UnsentAct) =>
    this.#do(async () => {
      await this.#host.call("discard", { id: act.id });
      this.dropped = { act: act.id };
    });

  dropDraft = (draft: UnsentDraft) =>
    this.#do(async () => {
      await this.#save(draft, "");
      this.dropped = { draft };
    });

  leaveAsNote = ({ conversation, mode }: UnsentDraft) =>
    this.#do(async () => {
      await this.#host.call("leave_as_note", { conversation, mode });
      this.#written(conversation, mode, "");
    });

  /** Puts back what was dropped last. */
  undo = () =>
    this.#do(async () => {
      const { dropped } = this;
      this.dropped = null;
      if (dropped === null) return;
      if ("act" in dropped) await this.#host.call("put_back", { id: dropped.act });
      else await this.#save(dropped.draft, dropped.draft.text);
    });

  async copy(text: string): Promise<void> {
    try {
      await copy(text);
      this.#desk.actions.say(t("copied-text"));
    } catch (thrown) {
      console.error("Copying:", thrown);
      this.#desk.actions.say(t("copied-not"));
    }
  }

  async #save({ conversation, mode }: UnsentDraft, text: string): Promise<void> {
    await this.#host.call("save_draft", { conversation, mode, text });
    this.#written(conversation, mode, text);
  }

  #written(conversation: ConversationId, mode: Mode, text: string): void {
    if (this.#desk.conversation?.id === conversation) this.#desk.conversation.composer.replace(mode, text);
  }

  async #do(act: () => Promise<unknown>): Promise<void> {
    await this.#desk.acts.ask(act);
    await Promise.all([this.refresh(), this.#desk.acted()]);
  }
}
