import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clean } from "../src/lib/copy";
import { fit, folded } from "../src/lib/format/fold";
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
