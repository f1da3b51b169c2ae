import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clean } from "../src/lib/copy";
import { fit, folded } from "../src/lib/format/fold";
import { pieces } from "../src/lib/format/links";
import { writing } from "../src/lib/format/direction";
import { isLong } from "../src/lib/format/text";

describe("Folded", () => {
  // The same table holds the folding of the search index, in Rust.
  const table = JSON.parse(readFileSync("../crates/records/src/search/folding.json", "utf8")) as { folded: [string, string][]; apart: [string, string][] };

  test.each(table.folded)("%s is %s", (text, wanted) => {
    expect(folded(text)).toBe(wanted);
    expect(folded(wanted)).toBe(wanted);
  });

  test.each(table.apart)("%s stays other than %s", (a, b) => {
    expect(folded(a)).not.toBe(folded(b));
  });

  test("finds an act by its words in either language, in any order, and by half of one", () => {
    const assign = ["إسناد إلى موظف", "Assign to somebody"];
    for (const query of ["اسناد", "الإسناد", "موظف اسناد", "assign", "SOMEB", "موظ"]) expect(fit(query, assign), query).not.toBeNull();
    for (const query of ["إغلاق", "close", "اسناد close"]) expect(fit(query, assign), query).toBeNull();
  });

  test("sets the beginning before the middle", () => {
    expect(fit("كتاب", ["كتابة رد"])).toBeLessThan(fit("كتاب", ["فتح الكتابة"]) ?? 99);
    expect(fit("رد", ["كتابة رد"])).toBeLessThan(fit("رد", ["مفردة"]) ?? 99);
  });
});

test("A copied field has Western digits and no mark that cannot be seen", () => {
  expect(clean("\u2068MEW-٢٠٢٦-000184\u2069")).toBe("MEW-2026-000184");
  expect(clean("\u200e+965\u00a06604\u202f1187 ")).toBe("+965 6604 1187");
});

describe("Addresses in a text", () => {
  const host = (text: string) => pieces(text).flatMap((piece) => ("host" in piece ? [[piece.host, piece.real]] : []));
  const whole = (text: string): string => pieces(text).map((piece) => ("host" in piece ? piece.before + piece.host + piece.after : piece.text)).join("");

  test.each([
    ["انظر https://mew.gov.kw/pay?a=1، وشكراً", "mew.gov.kw", null],
    ["www.mew.gov.kw.", "www.mew.gov.kw", null],
    ["(https://mew.gov.kw.pay.example/kw)", "mew.gov.kw.pay.example", null],
    ["https://mew.gov.kw@pay.example/login", "pay.example", "pay.example"],
    ["https://mew.gov.kw:443@pay.example:8080/x", "pay.example", "pay.example"],
    // A Cyrillic е.
    ["https://m\u0435w.gov.kw/", "m\u0435w.gov.kw", "xn--mw-nlc.gov.kw"],
    ["HTTPS://MEW.gov.kw/A", "MEW.gov.kw", null],
  ])("%s leads to %s", (text, shown, real) => {
    expect(host(text)).toEqual([[shown, real]]);
    expect(whole(text), "Nothing is lost").toBe(text);
  });

  test.each(["لا رابط هنا", "3.5 و 2026/11/22", "https://", "javascript:alert(1)"])("%s has none", (text) => {
    expect(host(text)).toEqual([]);
    expect(whole(text)).toBe(text);
  });
});

describe("What is being written", () => {
  test.each([
    ["Ok تم التحويل إلى القسم المختص", "rtl", false],
    ["MEW-2026-000184 سُجّل بلاغكم", "rtl", false],
    ["Dear Sir, your request الطلب", "ltr", false],
    ["", undefined, false],
    ["السلام عليكم\nHello, your request is registered", "ltr", true],
    ["السلام عليكم ورحمة الله\nالرقم: hello there again", undefined, null],
    ["Ok تم التحويل إلى القسم\nYour request was registered here", undefined, false],
  ])("%j runs %s", (text, dir, each) => {
    const way = writing(text);
    if (dir !== undefined) expect(way.dir).toBe(dir);
    if (each !== null) expect(way.each).toBe(each);
  });
});

test("A message is long by its letters or by its lines", () => {
  expect(isLong("كلمة ".repeat(100))).toBe(false);
  expect(isLong("كلمة ".repeat(200))).toBe(true);
  expect(isLong("سطر\n".repeat(20))).toBe(true);
});
