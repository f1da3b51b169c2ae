import type { Language } from "../api.generated";
import { localeOf, say } from "../i18n/catalogue";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter costs more than using it a thousand times. */
function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = localeOf(language);
  const key = locale + JSON.stringify(options);
  const kept = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, kept);
  return kept;
}

/** A number, in the digits of the language. */
export function number(language: Language, of: number): string {
  return new Intl.NumberFormat(localeOf(language)).format(of);
}

/** `1.4 megabytes`: bytes as people read them, the unit in full. */
export function bytes(language: Language, of: number): string {
  const [unit, value] = of < 1e6 ? (["kilobyte", of / 1e3] as const) : of < 1e9 ? (["megabyte", of / 1e6] as const) : (["gigabyte", of / 1e9] as const);
  return new Intl.NumberFormat(localeOf(language), { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

/** `9:41 ص`, `9:41 am`: the one style of time. */
export function time(language: Language, at: number): string {
  return format(language, { hour: "numeric", minute: "2-digit", hourCycle: "h12" }).format(at);
}

/** `21 نوفمبر 2026`, the year left out where it is this one. */
export function date(language: Language, at: number, now: number): string {
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return format(language, { day: "numeric", month: "long", ...(sameYear ? {} : { year: "numeric" }) }).format(at);
}

/** Month and year, for what lies further back. */
export function month(language: Language, at: number): string {
  return format(language, { month: "short", year: "numeric" }).format(at);
}

/** How many midnights lie between two moments, on this computer's calendar. */
export function daysBetween(earlier: number, later: number): number {
  const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0);
  return Math.round((midnight(later) - midnight(earlier)) / DAY);
}

/** The words on a day divider: today, yesterday, a weekday of the last six days, a date. */
export function day(language: Language, at: number, now: number): string {
  const days = daysBetween(at, now);
  if (days === 0) return say(language, "day-today");
  if (days === 1) return say(language, "day-yesterday");
  if (days > 1 && days < 7) return format(language, { weekday: "long" }).format(at);
  return date(language, at, now);
}

/** A day by its whole date, so that it is found by its number and by its month's name. */
export function fullDay(language: Language, at: number, now: number): string {
  const days = daysBetween(at, now);
  const whole = format(language, { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(at);
  return days < 2 ? `${day(language, at, now)} · ${whole}` : whole;
}

/** How far back each day can be chosen; before that, the first of each month. */
const EACH_DAY = 366;

/** The midnights from now back to the day of the first moment. */
export function daysBack(first: number, now: number): number[] {
  const [days, at] = [[] as number[], new Date(now)];
  at.setHours(0, 0, 0, 0);
  const begin = new Date(first).setHours(0, 0, 0, 0);
  while (at.getTime() >= begin && days.length < EACH_DAY + 120) {
    days.push(at.getTime());
    if (days.length < EACH_DAY) at.setDate(at.getDate() - 1);
    else at.setMonth(at.getMonth() - (at.getDate() === 1 ? 1 : 0), 1);
  }
  return days;
}

/** The time in a row of the list: the hour today, the day before that. */
export function when(language: Language, at: number, now: number): string {
  return daysBetween(at, now) === 0 ? time(language, at) : day(language, at, now);
}

/** Day and time together, the day left out where it is today. */
export function moment(language: Language, at: number, now: number): string {
  const hour = time(language, at);
  return daysBetween(at, now) === 0 ? hour : say(language, "moment", { day: day(language, at, now), time: hour });
}

/** `23 ساعة`, `22 دقيقة`: hours while there are any, minutes then; never less than a minute while something is left. */
export function left(language: Language, milliseconds: number): string {
  if (milliseconds >= HOUR) return say(language, "hours", { count: Math.floor(milliseconds / HOUR) });
  return say(language, "minutes", { count: Math.max(1, Math.floor(milliseconds / MINUTE)) });
}

/** `21 نوفمبر 2026، 9:41:07 ص`: what stands behind a time, to the second. */
export function exactly(language: Language, at: number): string {
  const day = format(language, { day: "numeric", month: "long", year: "numeric" }).format(at);
  const time = format(language, { hour: "numeric", minute: "2-digit", second: "2-digit", hourCycle: "h12" }).format(at);
  return say(language, "moment", { day, time });
}
