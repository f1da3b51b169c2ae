import { untrack } from "svelte";
import type { ConversationId, ConversationRow, Mode, Parting } from "../lib/api.generated";
import { copy } from "../lib/copy";
import type { Link } from "../lib/format/links";
import type { Pick } from "../lib/format/pieces";
import { t } from "../lib/i18n";
import type { Inbox } from "../inbox/inbox.svelte";
import type { Session } from "../session/session.svelte";
import { type Action, registry } from "./registry";
import { caps, inText, isSingle, matches, type Shortcut, spelled } from "./shortcut";

/** What lies over the window; one thing at a time. */
export type Panel = "palette" | "search" | "keys" | "settings" | "sign-out" | "unsent" | "leave";

/** What a part of the window lends to the keyboard for as long as it stands there. */
export type Hand = "list" | "gather" | "composer" | "latest" | "first-new" | "trouble" | "details" | "shut" | "find";

/** How long it is said that something was done. */
const SAID = 4000;

/** Everything that can be done by keyboard, and what it is done to. */
export class Actions {
  panel: Panel | null = $state(null);
  /** The action for which the palette asks what to choose. */
  asking: Action | null = $state.raw(null);
  /** The link for which the person has to agree where it leads. */
  leaving: Link | null = $state.raw(null);
  /** Which section of the settings was shown last. */
  section = $state("words");
  /** The row on which the keyboard stands in the list. */
  cursor: ConversationId | null = $state(null);
  /** What was just done, in words. */
  said = $state("");
  readonly all: Action[];
  readonly #desk: Inbox;
  readonly #session: Session;
  #hands = $state.raw(new Map<Hand, () => void>());
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: Inbox, session: Session) {
    this.#desk = desk;
    this.#session = session;
    this.all = registry(this, desk, session);
  }

  /** What an action acts on: the selected rows, else the one on which the keyboard stands, else the open conversation. */
  get targets(): ConversationRow[] {
    const { list, conversation } = this.#desk;
    if (list.selected.size > 0) return list.rows.filter((row) => list.selected.has(row.conversation));
    const cursor = list.rows.find((row) => row.conversation === this.cursor);
    if (cursor !== undefined) return [cursor];
    const page = conversation?.page;
    return page == null ? [] : [{ ...page.row, case: page.case.case, state: page.case.state, owner: page.case.owner }];
  }

  get(id: string): Action {
    const found = this.all.find((action) => action.id === id);
    if (found === undefined) throw new Error(`No action ${id}`);
    return found;
  }

  /** What can be done now. */
  get offered(): Action[] {
    return this.all.filter((action) => action.applies());
  }

  /** The shortcuts of an action that work with the chosen settings. */
  shortcuts({ shortcuts }: Action): Shortcut[] {
    return shortcuts.filter((shortcut) => this.#session.settings.single_keys || !isSingle(shortcut));
  }

  /** The keys of an action, as one says them. */
  keysOf(id: string): string {
    const [first] = this.shortcuts(this.get(id));
    return first === undefined ? "" : caps(first).join("+");
  }

  /** For a button that does the same: what it says when pointed at, and how it is done by keyboard. */
  tip(id: string, words = t(`do-${id}`)): { title: string; "aria-keyshortcuts": string | undefined } {
    const shortcuts = this.shortcuts(this.get(id));
    const first = shortcuts[0];
    return {
      title: first === undefined ? words : t("tip", { words, keys: caps(first).join("+") }),
      "aria-keyshortcuts": shortcuts.length === 0 ? undefined : shortcuts.map(spelled).join(" "),
    };
  }

  /** Does it, or asks first for what has to be chosen. */
  async do(action: Action): Promise<void> {
    if (!action.applies()) return;
    if (action.choices !== undefined) {
      const sole = action.sole === true ? await action.choices() : null;
      if (sole?.length === 1) {
        this.close();
        await sole[0]?.run();
        return;
      }
      this.asking = action;
      this.panel = "palette";
      return;
    }
    this.close();
    await action.run?.();
  }

  /** A key anywhere in the window. */
  press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing) return;
    const busy = inText(event.target);
    const action = this.all.find((each) => this.shortcuts(each).some((shortcut) => !(busy && isSingle(shortcut)) && matches(shortcut, event)));
    if (action === undefined || (this.panel !== null && action.group !== "window")) return;
    event.preventDefault();
    if (event.repeat && action.again !== true) return;
    void this.do(action);
  }

  show(panel: Panel): void {
    this.asking = null;
    this.panel = panel;
  }

  close(): void {
    this.panel = null;
    this.asking = null;
    this.leaving = null;
  }

  /** Lends something until the returned function is called. Whoever lends must not be asked again because another did. */
  lend(name: Hand, hand: () => void): () => void {
    this.#change((hands) => hands.set(name, hand));
    return () => {
      this.#change((hands) => hands.get(name) === hand && hands.delete(name));
    };
  }

  #change(change: (hands: Map<Hand, () => void>) => unknown): void {
    const hands = new Map(untrack(() => this.#hands));
    change(hands);
    this.#hands = hands;
  }

  can(name: Hand): boolean {
    return this.#hands.has(name);
  }

  call(name: Hand): void {
    this.#hands.get(name)?.();
  }

  /** Goes to the composer, in one of its modes. */
  write(mode: Mode): void {
    this.#desk.conversation?.composer.turn(mode);
    this.call("composer");
  }

  shut(): void {
    this.#desk.close();
    this.call("list");
  }

  /** What was picked out of a message: a number is copied, a link is opened, where it is doubtful once the person agrees. */
  async pick(pick: Pick): Promise<void> {
    if ("figure" in pick) {
      await this.copy("figure", pick.clean);
    } else if (pick.doubtful) {
      this.show("leave");
      this.leaving = pick;
    } else {
      await this.follow(pick);
    }
  }

  /** Has the system's browser open a link. */
  async follow(link: Link): Promise<void> {
    this.close();
    if (await this.#desk.openLink(link)) this.say(t("link-opened", { host: link.target }));
  }

  async copy(what: "number" | "phone" | "figure", text: string): Promise<void> {
    try {
      await copy(text);
      this.say(t(`copied-${what}`, { text }));
    } catch (thrown) {
      console.error("Copying:", thrown);
      this.say(t("copied-not"));
    }
  }

  say(words: string): void {
    this.said = words;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => (this.said = ""), SAID);
  }

  async lock(): Promise<void> {
    await this.#desk.end();
    await this.#session.lock();
  }

  async signOut(parting: Parting): Promise<void> {
    this.close();
    await this.#desk.end();
    await this.#session.signOut(parting);
  }
}
