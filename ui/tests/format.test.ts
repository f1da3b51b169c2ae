import { describe, expect, test } from "vitest";
import { direction } from "../src/lib/format/direction";
import { ground, initial, isSpaced, length } from "../src/lib/format/text";
import { date, day, daysBetween, left, moment, time, when } from "../src/lib/format/time";

const plain = (text: string): string => text.replace(/[\u2068\u2069\u200f]/g, "");
const at = (...when: [number, number, number, number?, number?]): number => new Date(...when).getTime();
const NOW = at(2026, 10, 22, 9, 41);

describe("Times", () => {
  test("are of twelve hours in both languages, with Western digits", () => {
    expect(time("ar", NOW)).toBe("9:41 ص");
    expect(time("ar", at(2026, 10, 22, 17, 10))).toBe("5:10 م");
    expect(time("ar", at(2026, 10, 22, 0, 5))).toBe("12:05 ص");
    expect(time("en", NOW)).toBe("9:41 am");
    expect(time("en", at(2026, 10, 22, 12, 0))).toBe("12:00 pm");
  });

  test("in the list are the hour today, and the day before that", () => {
    expect(when("ar", at(2026, 10, 22, 0, 0), NOW)).toBe("12:00 ص");
    expect(when("ar", at(2026, 10, 21, 23, 59), NOW)).toBe("أمس");
    expect(when("en", at(2026, 10, 20, 9), NOW)).toBe("Friday");
    expect(when("ar", at(2026, 10, 16, 9), NOW)).toBe("الاثنين");
    expect(when("ar", at(2026, 10, 15, 9), NOW)).toBe("15 نوفمبر");
    expect(when("en", at(2025, 11, 30, 9), NOW)).toBe("30 December 2025");
  });

  test("on day dividers count midnights, not hours", () => {
    expect(daysBetween(at(2026, 10, 21, 23, 59), at(2026, 10, 22, 0, 1))).toBe(1);
    expect(day("ar", NOW, NOW)).toBe("اليوم");
    expect(day("en", at(2026, 10, 21), NOW)).toBe("Yesterday");
    expect(day("ar", at(2026, 10, 23), NOW), "A clock that runs ahead").toBe("23 نوفمبر");
    expect(date("ar", at(2024, 1, 29), NOW)).toBe("29 فبراير 2024");
    expect(plain(moment("ar", at(2026, 10, 21, 17, 10), NOW))).toBe("أمس، 5:10 م");
    expect(moment("en", NOW, NOW)).toBe("9:41 am");
    // Else a sentence that it stands in would show the hour before the day.
    expect(moment("ar", at(2026, 10, 21, 17, 10), NOW)).toMatch(/^\u200f/);
  });

  test("that are left of a window are hours, then minutes, and never nothing while something is left", () => {
    const say = (language: "ar" | "en", minutes: number): string => plain(left(language, minutes * 60_000));
    expect(say("ar", 23 * 60 + 59)).toBe("23 ساعة");
    expect(say("ar", 120)).toBe("ساعتان");
    expect(say("ar", 60)).toBe("ساعة واحدة");
    expect(say("ar", 59)).toBe("59 دقيقة");
    expect(say("ar", 22)).toBe("22 دقيقة");
    expect(say("ar", 5)).toBe("5 دقائق");
    expect(say("en", 61)).toBe("1 hour");
    expect(say("en", 0.2)).toBe("1 minute");
  });
});

describe("Direction", () => {
  test.each([
    ["السلام عليكم", "rtl"],
    ["Hello", "ltr"],
    ["MEW-2026-000184 رقم بلاغكم، ونشكر لكم تواصلكم", "rtl"],
    ["Hello يا", "ltr"],
    ["+965 6604 1187", undefined],
    ["👍", undefined],
    ["", undefined],
    ["سلام abcd", "rtl"],
  ])("of %j is %s", (text, expected) => {
    expect(direction(text)).toBe(expected);
  });
});

describe("spaces of a text's own", () => {
  test("are told from gaps between words", () => {
    for (const text of ["الاسم  الرقم", "1.\n  أ", "a\tb"]) expect(isSpaced(text)).toBe(true);
    for (const text of ["", "السلام عليكم، متى ترجع الكهرباء؟", "سطر\nثان"]) expect(isSpaced(text)).toBe(false);
  });
});

describe("Texts", () => {
  test("are counted in Unicode scalar values", () => {
    expect(length("سلام")).toBe(4);
    expect(length("👍")).toBe(1);
    expect(length("👨‍👩‍👧")).toBe(5);
  });

  test("give an initial that says something", () => {
    expect(initial("خالد المطيري")).toBe("خ");
    expect(initial("المطيري")).toBe("م");
    expect(initial("layla")).toBe("L");
    expect(initial("🌸 أم علي")).toBe("أ");
    expect(initial("🌸")).toBeNull();
  });

  test("give the same ground for the same name, within bounds", () => {
    const grounds = Array.from({ length: 200 }, (_, index) => ground(`name ${index}`, 6));
    expect(new Set(grounds)).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    expect(ground("خالد", 6)).toBe(ground("خالد", 6));
  });
});
