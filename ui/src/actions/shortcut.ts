/**
 * A combination of keys. With a modifier, and for letters, the *physical* key counts (`code`), so that it works on an
 * Arabic layout, where the key K types «ن». Signs count by what they type (`signs`): the physical / types «ظ» there.
 * Ctrl+Shift and Alt+Shift are the system's, which turns direction and layout with them: no shortcut has either.
 */
export interface Shortcut {
  with?: "Ctrl" | "Alt";
  code?: string;
  signs?: readonly string[];
}

export const ctrl = (code: string): Shortcut => ({ with: "Ctrl", code });
export const alt = (code: string): Shortcut => ({ with: "Alt", code });
export const single = (code: string): Shortcut => ({ code });
export const sign = (...signs: string[]): Shortcut => ({ signs });

/** Whether it is one key alone, which in a text is only a letter. */
export function isSingle(shortcut: Shortcut): boolean {
  return shortcut.with === undefined;
}

type Press = Pick<KeyboardEvent, "code" | "key" | "ctrlKey" | "altKey" | "shiftKey" | "metaKey"> & { getModifierState?: (key: string) => boolean };

export function matches(shortcut: Shortcut, press: Press): boolean {
  // AltGr comes as Ctrl and Alt together, or as a modifier of its own, and types.
  const third = (press.ctrlKey && press.altKey) || (shortcut.with !== "Alt" && press.getModifierState?.("AltGraph") === true);
  if (press.metaKey || third) return false;
  if (press.ctrlKey !== (shortcut.with === "Ctrl") || press.altKey !== (shortcut.with === "Alt")) return false;
  // A sign is typed with Shift or without it, as the layout has it.
  if (shortcut.signs !== undefined) return shortcut.signs.includes(press.key);
  return !press.shiftKey && press.code === shortcut.code;
}

const NAMES: Record<string, string> = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  Slash: "/",
  Comma: ",",
  Equal: "+",
  Minus: "−",
};

/** What stands on the keys. */
export function caps(shortcut: Shortcut): string[] {
  const code = shortcut.code ?? "";
  const key = shortcut.signs?.[0] ?? NAMES[code] ?? code.replace(/^(?:Key|Digit)/u, "");
  return shortcut.with === undefined ? [key] : [shortcut.with, key];
}

/** As `aria-keyshortcuts` writes it. */
export function spelled(shortcut: Shortcut): string {
  const code = shortcut.code ?? "";
  const key = shortcut.signs?.[0] ?? { Slash: "/", Comma: ",", Equal: "=", Minus: "-" }[code] ?? code.replace(/^(?:Key|Digit)/u, "");
  return shortcut.with === undefined ? key : `${shortcut.with === "Ctrl" ? "Control" : "Alt"}+${key}`;
}

/** Whether a key pressed there is meant for a text, or for a control that takes letters itself. */
export function inText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.closest("input, textarea, select, [role=menu], [role=listbox], dialog") !== null;
}
