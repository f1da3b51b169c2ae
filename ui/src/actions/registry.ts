import type { ConversationRow } from "../lib/api.generated";
import { clean } from "../lib/copy";
import { clock } from "../lib/clock.svelte";
import type { Figure } from "../lib/format/figures";
import { type Link, written } from "../lib/format/links";
import { type Pick, pieces } from "../lib/format/pieces";
import { daysBack as back, fullDay } from "../lib/format/time";
import { named, spoken, t } from "../lib/i18n";
import { type CaseAct, mayOn } from "../inbox/may";
import type { Inbox } from "../inbox/inbox.svelte";
import { FILTERS } from "../inbox/list.svelte";
import type { Session } from "../session/session.svelte";
import { SECTIONS } from "../settings/sections";
import type { Actions } from "./actions.svelte";
import { alt, ctrl, type Shortcut, sign, single } from "./shortcut";

/** In the order in which palette and sheet show them. */
export const GROUPS = ["case", "conversation", "list", "window"] as const;

/** Something to choose before an action is done: a person, an outcome, a theme. */
export interface Choice {
  key: string;
  words: string;
  /** It is so already. */
  now?: boolean;
  run: () => unknown;
}

/** Something that can be done by keyboard. Its words are `do-` and its id in the catalogues. */
export interface Action {
  id: string;
  group: (typeof GROUPS)[number];
  shortcuts: Shortcut[];
  /** It may be held down. */
  again?: boolean;
  /** Whether it can be done now; what cannot is not offered. */
  applies: () => boolean;
  run?: () => unknown;
  /** What is to be chosen first; `null` where that cannot be had now. */
  choices?: () => Choice[] | null | Promise<Choice[] | null>;
  /** Where there is one choice alone, it is taken without asking. */
  sole?: boolean;
}

const THEMES = ["system", "light", "dark"] as const;
const DENSITIES = ["comfortable", "normal", "compact"] as const;
export const SIZES = ["normal", "large", "larger", "largest"] as const;

/** The days of the open conversation to which one can go, latest first. */
function daysBack(desk: Inbox): number[] {
  const page = desk.conversation?.page;
  if (page == null) return [];
  return back(Math.min(page.case.opened_at, ...page.earlier.map(({ opened_at }) => opened_at)), clock.now);
}

/** What can be picked out of the texts of the open conversation, the latest first, each once. */
function picks<Of extends Pick>(desk: Inbox, of: (pick: Pick) => pick is Of, name: (pick: Of) => string, actions: Actions): Choice[] {
  const items = desk.conversation?.items.toReversed() ?? [];
  const all = items.flatMap((item) => (item.item === "event" || item.text === null ? [] : pieces(item.text)));
  const found = new Map(all.flatMap((piece) => ("text" in piece || !of(piece) ? [] : [[name(piece), piece] as const])));
  return Array.from(found, ([name, pick]) => ({ key: name, words: name, run: () => actions.pick(pick) }));
}

const isLink = (pick: Pick): pick is Link => "host" in pick;
const isFigure = (pick: Pick): pick is Figure => "figure" in pick;

/** Every action there is: buttons' tooltips, palette, sheet and keys all take from here. */
export function registry(actions: Actions, desk: Inbox, session: Session): Action[] {
  const { acts, list } = desk;
  const rows = (): ConversationRow[] => actions.targets;
  const fitting = (act: CaseAct): ConversationRow[] => rows().filter((row) => mayOn(desk.me, row)[act]);
  const open = (): boolean => desk.conversation?.page != null;
  const set = session.set.bind(session);
  const size = (step: number): (typeof SIZES)[number] | undefined => SIZES[SIZES.indexOf(session.settings.text_size) + step];
  const go = (step: 1 | -1) => () => desk.step(step);
  const figures = (): Choice[] => picks(desk, isFigure, ({ clean }) => clean, actions);
  const links = (): Choice[] => picks(desk, isLink, (link) => (link.real === null ? written(link) : `${written(link)} → ${link.real}`), actions);

  return [
    // ── What is done with a case ──
    {
      id: "claim",
      group: "case",
      shortcuts: [alt("KeyC"), single("KeyC")],
      applies: () => fitting("claim").length > 0,
      run: () => acts.each(fitting("claim"), (row) => acts.claiming(row.case)),
    },
    {
      id: "assign",
      group: "case",
      shortcuts: [alt("KeyA"), single("KeyA")],
      applies: () => fitting("assign").length > 0,
      choices: async () => {
        const chosen = fitting("assign");
        const people = await desk.assignable(chosen.map((row) => row.case));
        return people?.map(({ staff, name }) => ({
          key: staff,
          words: staff === desk.me.staff ? t("you-after", { name }) : name,
          now: chosen.every(({ owner }) => owner?.staff === staff),
          run: () => acts.each(chosen, (row) => acts.assigning(row.case, staff)),
        })) ?? null;
      },
    },
    {
      id: "release",
      group: "case",
      shortcuts: [alt("KeyU"), single("KeyU")],
      applies: () => fitting("release").length > 0,
      run: () => acts.each(fitting("release"), (row) => acts.releasing(row.case)),
    },
    {
      id: "close",
      group: "case",
      shortcuts: [alt("KeyE"), single("KeyE")],
      applies: () => fitting("close").length > 0,
      choices: async () => {
        const chosen = fitting("close");
        const outcomes = await desk.outcomes();
        return outcomes?.map(({ slug, name }) => ({ key: slug, words: named(name), run: () => acts.each(chosen, (row) => acts.closing(row.case, slug)) })) ?? null;
      },
    },
    {
      id: "reopen",
      group: "case",
      shortcuts: [alt("KeyO"), single("KeyO")],
      applies: () => fitting("reopen").length > 0,
      run: () => acts.each(fitting("reopen"), (row) => acts.reopening(row.case)),
    },
    {
      id: "copy-number",
      group: "case",
      shortcuts: [alt("KeyQ"), single("KeyQ")],
      applies: open,
      run: () => actions.copy("number", clean(desk.conversation?.page?.case.number ?? "")),
    },
    {
      id: "copy-phone",
      group: "case",
      shortcuts: [alt("KeyP"), single("KeyP")],
      applies: () => rows().length === 1 && rows()[0]?.contact.phone != null,
      run: () => actions.copy("phone", clean(rows()[0]?.contact.phone ?? "").replaceAll(" ", "")),
    },

    // ── The conversation ──
    { id: "reply", group: "conversation", shortcuts: [alt("KeyR"), single("KeyR")], applies: () => open() && desk.me.can.answer, run: () => actions.write("reply") },
    { id: "note", group: "conversation", shortcuts: [alt("KeyN"), single("KeyN")], applies: () => open() && desk.me.can.answer, run: () => actions.write("note") },
    { id: "next", group: "conversation", shortcuts: [alt("ArrowDown"), single("KeyJ")], again: true, applies: () => list.rows.length > 0, run: go(1) },
    { id: "previous", group: "conversation", shortcuts: [alt("ArrowUp"), single("KeyK")], again: true, applies: () => list.rows.length > 0, run: go(-1) },
    { id: "next-waiting", group: "conversation", shortcuts: [alt("KeyW"), single("KeyW")], applies: () => list.rows.some(({ waiting }) => waiting), run: () => desk.stepToWaiting() },
    { id: "find", group: "conversation", shortcuts: [ctrl("KeyF")], applies: open, run: () => desk.find() },
    { id: "latest", group: "conversation", shortcuts: [alt("End")], applies: () => actions.can("latest"), run: () => actions.call("latest") },
    { id: "first-new", group: "conversation", shortcuts: [alt("Home")], applies: () => actions.can("first-new"), run: () => actions.call("first-new") },
    {
      id: "date",
      group: "conversation",
      shortcuts: [alt("KeyB"), single("KeyB")],
      applies: open,
      choices: () => daysBack(desk).map((at) => ({ key: String(at), words: fullDay(spoken(), at, clock.now), run: () => desk.conversation?.goTo({ place: at, seq: 0 }) })),
    },
    { id: "copy-figure", group: "conversation", shortcuts: [alt("KeyM"), single("KeyM")], sole: true, applies: () => figures().length > 0, choices: figures },
    { id: "link", group: "conversation", shortcuts: [alt("KeyH"), single("KeyH")], sole: true, applies: () => links().length > 0, choices: links },
    { id: "trouble", group: "conversation", shortcuts: [alt("KeyT"), single("KeyT")], applies: () => actions.can("trouble"), run: () => actions.call("trouble") },
    { id: "recall", group: "conversation", shortcuts: [alt("KeyZ"), single("KeyZ")], applies: () => desk.waitingReply !== null, run: () => desk.waitingReply !== null && desk.conversation?.undo(desk.waitingReply) },
    { id: "details", group: "conversation", shortcuts: [alt("KeyD"), single("KeyD")], applies: () => actions.can("details"), run: () => actions.call("details") },
    { id: "shut", group: "conversation", shortcuts: [], applies: () => desk.conversation !== null, run: () => actions.shut() },

    // ── The list ──
    { id: "list", group: "list", shortcuts: [alt("KeyI"), single("KeyI")], applies: () => list.rows.length > 0, run: () => actions.call("list") },
    { id: "gathered", group: "list", shortcuts: [alt("KeyG"), single("KeyG")], applies: () => list.gathered > 0, run: () => actions.call("gather") },
    { id: "select", group: "list", shortcuts: [alt("KeyX"), single("KeyX")], applies: () => actions.cursor !== null, run: () => actions.cursor !== null && list.toggle(actions.cursor) },
    { id: "select-all", group: "list", shortcuts: [], applies: () => list.rows.length > 0, run: () => list.selectAll() },
    { id: "select-none", group: "list", shortcuts: [], applies: () => list.selected.size > 0, run: () => list.clear() },
    ...(FILTERS).map(
      (filter, index): Action => ({ id: `filter-${filter}`, group: "list", shortcuts: [ctrl(`Digit${index + 1}`)], applies: () => true, run: () => list.choose(filter) }),
    ),

    { id: "order", group: "list", shortcuts: [alt("KeyV"), single("KeyV")], applies: () => true, run: () => list.turnAround() },

    // ── The window ──
    { id: "search", group: "window", shortcuts: [sign("/"), alt("KeyF")], applies: () => true, run: () => actions.show("search") },
    { id: "palette", group: "window", shortcuts: [ctrl("KeyK")], applies: () => true, run: () => actions.show("palette") },
    { id: "keys", group: "window", shortcuts: [ctrl("Slash"), sign("?", "؟")], applies: () => true, run: () => actions.show("keys") },
    { id: "settings", group: "window", shortcuts: [ctrl("Comma")], applies: () => true, run: () => actions.show("settings") },
    ...SECTIONS.map(
      ({ id }): Action => ({
        id: `settings-${id}`,
        group: "window",
        shortcuts: [],
        applies: () => true,
        run: () => {
          actions.section = id;
          actions.show("settings");
        },
      }),
    ),
    { id: "try-notification", group: "window", shortcuts: [], applies: () => true, run: () => session.system.tryNotification() },
    {
      id: "private",
      group: "window",
      shortcuts: [],
      applies: () => true,
      run: () => set({ private_notifications: !session.settings.private_notifications }),
    },
    { id: "language", group: "window", shortcuts: [ctrl("KeyL")], applies: () => true, run: () => set({ language: session.settings.language === "ar" ? "en" : "ar" }) },
    {
      id: "theme",
      group: "window",
      shortcuts: [],
      applies: () => true,
      choices: () => THEMES.map((theme) => ({ key: theme, words: t(`theme-${theme}`), now: session.settings.theme === theme, run: () => set({ theme }) })),
    },
    { id: "contrast", group: "window", shortcuts: [], applies: () => true, run: () => set({ contrast: session.settings.contrast === "more" ? "system" : "more" }) },
    {
      id: "density",
      group: "window",
      shortcuts: [],
      applies: () => true,
      choices: () => DENSITIES.map((density) => ({ key: density, words: t(`density-${density}`), now: session.settings.density === density, run: () => set({ density }) })),
    },
    { id: "larger", group: "window", shortcuts: [ctrl("Equal")], again: true, applies: () => size(1) !== undefined, run: () => set({ text_size: size(1) ?? "largest" }) },
    { id: "smaller", group: "window", shortcuts: [ctrl("Minus")], again: true, applies: () => size(-1) !== undefined, run: () => set({ text_size: size(-1) ?? "normal" }) },
    { id: "usual-size", group: "window", shortcuts: [ctrl("Digit0")], applies: () => session.settings.text_size !== "normal", run: () => set({ text_size: "normal" }) },
    { id: "unsent", group: "window", shortcuts: [alt("KeyS")], applies: () => true, run: () => desk.unsent.show() },
    { id: "lock", group: "window", shortcuts: [alt("KeyL")], applies: () => true, run: () => actions.lock() },
    { id: "sign-out", group: "window", shortcuts: [], applies: () => true, run: () => actions.show("sign-out") },
  ];
}

/** What the sheet shows besides: keys that belong to a place and not to an action. */
export const HABITS: { id: string; group: (typeof GROUPS)[number]; keys: string[][] }[] = [
  { id: "arrows", group: "list", keys: [["↑"], ["↓"]] },
  { id: "ends", group: "list", keys: [["Home"], ["End"]] },
  { id: "enter", group: "list", keys: [["Enter"]] },
  { id: "more", group: "list", keys: [["Shift", "↑"], ["Shift", "↓"]] },
  { id: "all", group: "list", keys: [["Ctrl", "A"]] },
  { id: "escape", group: "window", keys: [["Esc"]] },
];
