import type { CaseId, Colleague, ConversationId, DeskStatus, InCase, Me, MessageId, Mode, Outcome, Person, Position, Signal, Storage } from "../lib/api.generated";
import { chime } from "../lib/chime";
import { clock } from "../lib/clock.svelte";
import { coalesce, oncePerFrame } from "../lib/coalesce";
import { type Link, written } from "../lib/format/links";
import { CallFailure, type Host } from "../lib/host";
import { t } from "../lib/i18n";
import { Actions } from "../actions/actions.svelte";
import type { Session } from "../session/session.svelte";
import { Acts } from "./acts.svelte";
import { Finding } from "../search/finding.svelte";
import { Search } from "../search/search.svelte";
import { Conversation } from "./conversation.svelte";
import { First } from "./first.svelte";
import { type Chosen, List } from "./list.svelte";
import { UnsentList } from "./unsent.svelte";

/** Everything the main window shows of one person's desk, from signing in to signing out. */
export class Inbox {
  readonly list: List;
  readonly acts: Acts;
  readonly unsent: UnsentList;
  readonly actions: Actions;
  readonly first: First;
  me: Me = $state.raw() as Me;
  conversation: Conversation | null = $state.raw(null);
  status: DeskStatus | null = $state.raw(null);
  /** Who else reads or writes now. */
  present: InCase[] = $state.raw([]);
  /** What is looked for in the open conversation. */
  finding: Finding | null = $state.raw(null);
  /** Whether the person looks at this window. */
  focused = $state(document.hasFocus());
  /** Whether the open conversation was chosen with the keyboard: then the keyboard goes on in it. */
  byKeyboard = false;
  readonly #host: Host;
  readonly #askStatus: () => Promise<void>;
  readonly #askPresent: () => Promise<void>;
  readonly #work: () => void;
  /** What was being written where one has just been, on its way to the desk. */
  readonly #leaving = new Map<ConversationId, Promise<void>>();
  #search: Search | null = null;
  #due = { list: false, page: false, status: false };

  constructor(host: Host, me: Me, chosen: Chosen, session: Session) {
    this.#host = host;
    this.me = me;
    this.list = new List(host, me.staff, chosen);
    this.acts = new Acts(host, this);
    this.unsent = new UnsentList(host, this);
    this.actions = new Actions(this, session);
    this.first = new First(host, () => this.actions.say(t("first-answered", { keys: this.actions.keysOf("keys") })));
    this.#askStatus = coalesce(() => this.#status());
    this.#askPresent = coalesce(() => this.#present());
    this.#work = oncePerFrame(() => this.#catchUp());
  }

  begin(): void {
    this.#want({ list: true, page: true, status: true });
    void this.#askPresent();
    void this.first.refresh();
  }

  /** What the desk says without being asked. A burst is answered once a frame. */
  heard(signal: Signal): void {
    switch (signal.event) {
      case "changed":
        this.#want({ list: true, page: signal.all || (this.conversation !== null && signal.conversations.includes(this.conversation.id)) });
        break;
      case "status":
        this.#want({ status: true });
        break;
      case "colleagues":
        void this.#askPresent();
        break;
      case "open":
        this.actions.close();
        if (this.conversation?.id === signal.conversation) void this.conversation.showLatest();
        else this.open(signal.conversation);
        break;
      case "sound":
        void chime(signal.sound);
        break;
      case "session":
        break;
    }
  }

  /** Shows a conversation, its note paper if told so; what was written in the one before is kept first. */
  open(id: ConversationId, byKeyboard = false, mode?: Mode): void {
    this.byKeyboard = byKeyboard;
    if (this.conversation?.id === id) {
      void this.conversation.refresh();
      if (mode !== undefined) this.conversation.composer.turn(mode);
      return;
    }
    this.#leave();
    this.conversation = new Conversation(this.#host, id, this.#leaving.get(id));
    if (mode !== undefined) this.conversation.composer.turn(mode);
    this.acts.clear();
    void this.conversation.refresh();
    this.#tellShowing();
  }

  /** The colleagues who read or write in the open conversation, writers first. */
  get colleagues(): Colleague[] {
    const of = this.conversation?.page?.case.case;
    const here = this.present.find((each) => each.case === of)?.colleagues ?? [];
    return here.filter(({ person }) => person.staff !== this.me.staff).toSorted((a, b) => Number(b.typing) - Number(a.typing));
  }

  /** Shows a conversation at this place, or as it is opened otherwise. */
  openAt(id: ConversationId, position?: Position, mode?: Mode): void {
    this.open(id, true, mode);
    if (position !== undefined) void this.conversation?.goTo(position);
  }

  /** What was looked for last stands there again. */
  search(): Search {
    this.#search ??= new Search(this.#host);
    void this.#search.again();
    return this.#search;
  }

  /** Looks for something in the open conversation; once more: something else. */
  find(): void {
    if (this.finding !== null) this.actions.call("find");
    else if (this.conversation !== null) this.finding = new Finding(this.#host, this.conversation);
  }

  unfind(): void {
    this.finding = null;
    this.actions.call(this.actions.can("composer") ? "composer" : "list");
  }

  /** My last reply in the open conversation, as long as it has not gone to WhatsApp: it can be taken back. */
  get waitingReply(): MessageId | null {
    const last = this.conversation?.items.findLast((item) => item.item === "message" && item.from === "me");
    return last?.item === "message" && (last.delivery === "waiting" || last.delivery === "queued") ? last.message : null;
  }

  /** Opens the conversation below or above the open one in the list. */
  step(by: 1 | -1): void {
    const { rows } = this.list;
    const at = rows.findIndex(({ conversation }) => conversation === this.conversation?.id);
    const to = rows[at < 0 ? 0 : Math.max(0, Math.min(at + by, rows.length - 1))];
    if (to !== undefined) this.open(to.conversation, true);
  }

  /** Opens the next conversation in which a citizen waits, from the top again after the last. */
  stepToWaiting(): void {
    const { rows } = this.list;
    const at = rows.findIndex(({ conversation }) => conversation === this.conversation?.id);
    const next = [...rows.slice(at + 1), ...rows.slice(0, Math.max(at, 0))].find(({ waiting }) => waiting);
    if (next !== undefined) this.open(next.conversation, true);
  }

  close(): void {
    this.#leave();
    this.conversation = null;
    this.#tellShowing();
  }

  focus(focused: boolean): void {
    this.focused = focused;
    if (!focused) void this.conversation?.composer.flush();
    clock.tick();
    this.#tellShowing();
  }

  /** The person goes: what is half written is kept, and nothing is watched any more. */
  async end(): Promise<void> {
    this.conversation?.watch(false);
    await this.conversation?.composer.flush();
  }

  /** With what a case may be closed, or `null` where the desk does not say. */
  async outcomes(): Promise<Outcome[] | null> {
    return (await this.acts.ask(() => this.#host.call("outcomes", {})))?.outcomes ?? null;
  }

  /** To whom all of these cases may be given, or `null` where the desk does not say. */
  async assignable(cases: CaseId[]): Promise<Person[] | null> {
    const asked = await this.acts.ask(() => Promise.all(cases.map((of) => this.#host.call("assignable", { case: of }))));
    const [first, ...others] = asked ?? [];
    return first?.people.filter(({ staff }) => others.every(({ people }) => people.some((person) => person.staff === staff))) ?? null;
  }

  /** Has the system's browser open a link that somebody wrote. Tells whether it does. */
  async openLink(link: Link): Promise<boolean> {
    return (await this.acts.ask(() => this.#host.call("open_link", { link: written(link), host: link.target }))) !== null;
  }

  /** What is kept on this computer, or `null` where the desk does not say. */
  storage(): Promise<Storage | null> {
    return this.acts.ask(() => this.#host.call("storage", {}));
  }

  /** Has the desk throw away what it can have again. Tells whether it does. */
  async clearCache(): Promise<boolean> {
    return (await this.acts.ask(() => this.#host.call("clear_cache", {}))) !== null;
  }

  /** The person has read that files were put in order. */
  async mendedRead(): Promise<void> {
    await this.acts.ask(() => this.#host.call("mended_read", {}));
    await this.#askStatus();
  }

  /** After an act of the person's own: the desk has it in its outbox, so everything it touches is asked for again. */
  async acted(): Promise<void> {
    await Promise.all([this.conversation?.refresh(), this.list.refresh(), this.#askStatus()]);
    this.list.settle();
  }

  #want(due: Partial<{ list: boolean; page: boolean; status: boolean }>): void {
    if (due.list === true) this.#due.list = true;
    if (due.page === true) this.#due.page = true;
    if (due.status === true) this.#due.status = true;
    this.#work();
  }

  #catchUp(): void {
    const due = this.#due;
    this.#due = { list: false, page: false, status: false };
    if (due.list) void this.list.refresh();
    if (due.list && this.first.todo.length > 0) void this.first.refresh();
    if (due.page) void this.conversation?.refresh();
    if (due.status) void this.#askStatus();
    if (this.actions.panel === "unsent") void this.unsent.refresh();
  }

  #leave(): void {
    this.finding = null;
    const { conversation } = this;
    if (conversation === null) return;
    conversation.watch(false);
    const done = conversation.composer.flush().finally(() => {
      if (this.#leaving.get(conversation.id) === done) this.#leaving.delete(conversation.id);
    });
    this.#leaving.set(conversation.id, done);
  }

  async #present(): Promise<void> {
    try {
      this.present = (await this.#host.call("colleagues", {})).cases;
    } catch (thrown) {
      console.error("Asking who is here:", thrown);
    }
  }

  async #status(): Promise<void> {
    try {
      this.status = await this.#host.call("status", {});
      clock.offset = this.status.clock_offset;
    } catch (thrown) {
      // Who signs out meanwhile has none.
      if (CallFailure.of(thrown).code !== "not_signed_in") console.error("Asking for the status:", thrown);
    }
  }

  #tellShowing(): void {
    this.#host.call("showing", { conversation: this.conversation?.id ?? null, focused: this.focused }).catch((thrown: unknown) => {
      console.error("Saying what is shown:", thrown);
    });
  }
}
