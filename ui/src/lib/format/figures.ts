import { clean } from "../copy";

/** A number in a text for which another system may ask: a telephone, a civil ID, a case number. */
export interface Figure {
  /** As it was written. */
  figure: string;
  /** As another system takes it. */
  clean: string;
}

const DIGIT = "[0-9\\u0660-\\u0669\\u06f0-\\u06f9]";
const MARKS = "[\\u061c\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]*";
const CHUNK = `${DIGIT}(?:${MARKS}${DIGIT})*`;
const HYPHEN = "[-\\u2010-\\u2013]";
/** `MEW-2026-000184`. */
const NUMBERED = `[A-Za-z]{2,8}(?:${MARKS}${HYPHEN}${MARKS}${CHUNK})+`;
const DIALLED = `\\+?${MARKS}${CHUNK}(?:${MARKS}(?:${HYPHEN}|[ \\u00a0\\u202f])?${MARKS}${CHUNK})*`;
/** Not within a word or an amount. */
const WHOLE = new RegExp(`(?<![A-Za-z_@]|${DIGIT}|${DIGIT}[.\\u066b])(?:${NUMBERED}|${DIALLED})(?![A-Za-z_@]|${MARKS}${DIGIT}|[.\\u066b]${DIGIT})`, "gu");
const CHUNKS = new RegExp(CHUNK, "gu");
/** A day, whichever way round. */
const DAY = /^(?:\d{1,2}-\d{1,2}-\d{4}|\d{4}-\d{1,2}-\d{1,2})$/u;
/** What has fewer digits is read in a moment and typed as fast. */
const FEWEST = 5;
/** A telephone number has at most so many (ITU E.164), after the two zeros. */
const MOST = 17;
/** Digits that stand in groups stand in small ones. */
const GROUP = 5;

/** The numbers in a text, with where each begins. */
export function figures(text: string): { at: number; figure: Figure }[] {
  return Array.from(text.matchAll(WHOLE)).flatMap(({ 0: match, index }) => {
    const parts = /^[A-Za-z]/u.test(match) ? [{ at: 0, text: match }] : apart(match);
    return parts.flatMap((part) => {
      const bare = bareOf(part.text);
      return bare === null ? [] : [{ at: index + part.at, figure: { figure: part.text, clean: bare } }];
    });
  });
}

/** What several numbers beside each other are: groups of one number, or numbers each of its own. */
function apart(match: string): { at: number; text: string }[] {
  const found: { from: number; to: number; digits: number; last: number }[] = [];
  for (const { 0: chunk, index } of match.matchAll(CHUNKS)) {
    const digits = clean(chunk).length;
    const before = found.at(-1);
    const between = before === undefined ? "" : clean(match.slice(before.to, index));
    const grouped = before !== undefined && before.digits + digits <= MOST && (between !== "" || (before.last <= GROUP && digits <= GROUP) || isCode(match.slice(before.from, before.to)));
    if (grouped) Object.assign(before, { to: index + chunk.length, digits: before.digits + digits, last: digits });
    else found.push({ from: found.length === 0 ? 0 : index, to: index + chunk.length, digits, last: digits });
  }
  return found.map(({ from, to }) => ({ at: from, text: match.slice(from, to) }));
}

/** Whether a telephone number goes on after it, in however large groups. */
function isCode(text: string): boolean {
  return /^(?:\+\d{1,3}|00\d{1,3}|965)$/u.test(clean(text));
}

function bareOf(text: string): string | null {
  const bare = clean(text).replace(/[\u2010-\u2013]/gu, "-");
  const digits = bare.replace(/\D/gu, "").length;
  if (digits < FEWEST || DAY.test(bare)) return null;
  return /[A-Za-z]/u.test(bare) ? bare.toUpperCase() : bare.replace(/[ -]/gu, "");
}
