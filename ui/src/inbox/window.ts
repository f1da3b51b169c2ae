import type { ConversationPage, Language, Mode } from "../lib/api.generated";
import { left } from "../lib/format/time";

/** From here on the end of WhatsApp's window is close enough to be amber. */
const CLOSE = 2 * 60 * 60_000;

/** How much is left of WhatsApp's 24 hours, and whether that is little; `null` when nothing is. */
export function windowLeft(language: Language, ends: number | null, now: number): { left: string; close: boolean } | null {
  if (ends === null || now >= ends) return null;
  return { left: left(language, ends - now), close: ends - now < CLOSE };
}

/** Why nothing can be written here now, or `null`: WhatsApp's window and a closed case stop replies, never notes. */
export function lockOf(page: ConversationPage, mode: Mode, now: number): "closed" | "never" | "window" | null {
  if (mode === "note") return null;
  if (page.case.state === "closed") return "closed";
  if (page.row.window_ends === null) return "never";
  return now >= page.row.window_ends ? "window" : null;
}
