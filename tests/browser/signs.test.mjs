// What a row and a message tell by signs: which way a text runs, when, whose, how long still, and what is not sent yet.

import assert from "node:assert/strict";
import { test } from "node:test";
import { atBrowser } from "../browser.mjs";
import { expect } from "../expect.mjs";
import { deliver } from "../filled.mjs";

const HOUR = 3600;
const { stage, desks: [desk] } = await atBrowser("agent1");

for (const language of ["ar", "en"]) {
  test(`each message runs as most of its letters do, and each paragraph that one writes (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`جهات ${language}`);
    const texts = { "Ok تم استلام المعاملة": "rtl", "شكرا for the quick answer": "ltr", "١٢٣٤": null };
    for (const text of Object.keys(texts)) await citizen.writes(text);
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.message("١٢٣٤").waitFor();
    for (const [text, runs] of Object.entries(texts)) {
      const body = desk.message(text).locator(".body");
      assert.equal((await body.getAttribute("dir")) || null, runs, text);
      const window = language === "ar" ? "rtl" : "ltr";
      assert.equal(await body.evaluate((element) => getComputedStyle(element).direction), runs ?? window, text);
    }
    await desk.write("reply", "Ok تم استلام المعاملة");
    await expect("what is written", () => desk.get("composer-text").evaluate((area) => getComputedStyle(area).direction), "rtl");
    await desk.get("composer-text").fill("");
  });

  test(`a long message is folded, and shown whole when asked (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`طويلة ${language}`);
    await citizen.writes(`${"كلام كثير جدا ".repeat(200)}والنهاية`);
    await desk.filter("open");
    await desk.open(citizen.name);
    const height = () => desk.get("message").evaluate((message) => message.getBoundingClientRect().height);
    await desk.get("fold").waitFor();
    const folded = await height();
    await desk.get("fold").click();
    await expect("it unfolded", () => desk.get("fold").getAttribute("aria-expanded"), "true");
    assert.ok((await height()) > 1.5 * folded);
    await desk.get("fold").click();
    await expect("it folded", height, folded);
  });

  test(`when the 24 hours have passed no reply can be written, the reason is said, and a note goes on (${language})`, async () => {
    await desk.speak(language);
    const name = `قبل يوم ${language}`;
    await deliver(stage, [{ citizen: `9655550${language === "ar" ? 1 : 2}000`, name, text: "كتبت أمس", ago: 25 * HOUR }]);
    await desk.filter("open");
    await desk.open(name);
    await expect("the lock", () => desk.get("composer-lock").getAttribute("data-lock"), "window");
    assert.match(await desk.get("composer-lock").textContent(), /24/u);
    assert.equal(await desk.get("send").count(), 0);
    await desk.note("راجعته بالهاتف");
    await desk.get("composer-lock").waitFor();
  });

  test(`who shows no number has a code that can be said, and is told from a namesake (${language})`, async () => {
    await desk.speak(language);
    const name = `بدر الهاجري ${language}`;
    const user = `KW.${language === "ar" ? "1384025513" : "1384025514"}`;
    await deliver(stage, [{ user, name, text: "بلا رقم" }]);
    await deliver(stage, [{ citizen: `9655551${language === "ar" ? 1 : 2}187`, name, text: "برقم" }]);
    await desk.filter("open");
    await expect("both", () => desk.row(name).count(), 2);
    const hidden = desk.row("بلا رقم").filter({ hasText: name });
    const code = await hidden.getByTestId("no-number").locator("bdi").textContent();
    assert.match(code, /^[A-Z0-9]{4}$/u);
    assert.ok(!(await hidden.textContent()).includes(user), "The raw id is nowhere");
    assert.equal(await desk.row("برقم").filter({ hasText: name }).getByTestId("row-alike").textContent(), language === "ar" ? "1187" : "2187");
    await hidden.click();
    await desk.get("conversation-name").filter({ hasText: name }).waitFor();
    assert.ok(!(await desk.page.locator("body").textContent()).includes(user));
  });

  test(`a row says that a draft is in it, and no longer once that was sent; a tick tells its exact time (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`مسودة ${language}`);
    await citizen.writes("سؤال");
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.write("reply", "لم أنته بعد");
    await desk.get("draft-saved").waitFor();
    await desk.row(citizen.name).getByTestId("draft-badge").waitFor();
    await desk.get("send").click();
    await desk.row(citizen.name).getByTestId("draft-badge").waitFor({ state: "detached" });
    await expect("it on the telephone", () => citizen.received(), ["لم أنته بعد"]);
    await citizen.looks();
    await expect("its tick", () => desk.delivery("لم أنته بعد"), "read");
    const told = await desk.message("لم أنته بعد").locator(".ticks").getAttribute("title");
    assert.match(told.replaceAll(/[\u200e\u200f\u2066-\u2069]/gu, ""), language === "ar" ? /^قُرئت \(.+ 20\d\d، \d+:\d\d:\d\d [صم]\)$/u : /^read \(.+ 20\d\d, \d+:\d\d:\d\d [ap]m\)$/u);
  });
}

for (const language of ["ar", "en"]) {
  test(`of sixty rows those near are in the page, and the keyboard comes to the last (${language})`, async () => {
    await desk.speak(language);
    await desk.filter("open");
    const before = await desk.count("open");
    const place = (n) => `${language === "ar" ? 0 : 1}${String(n).padStart(3, "0")}`;
    await deliver(stage, Array.from({ length: 60 }, (_, n) => ({ citizen: `9655552${place(n)}`, name: `صف ${place(n)}`, text: `رسالة ${n}` })));
    await expect("all of them", () => desk.count("open"), before + 60);
    await desk.page.mouse.move(5, 5);
    await desk.page.keyboard.press("Alt+KeyI");
    const last = () => desk.page.evaluate(() => document.activeElement?.closest("li")?.ariaPosInSet ?? null);
    await expect("the last row", async () => {
      await desk.page.keyboard.press("End");
      return Number(await last());
    }, await desk.count("open"));
    assert.ok((await desk.get("conversation-row").count()) < 50);
    const stands = await desk.page.evaluate(() => {
      const [row, box] = [document.activeElement, document.activeElement.closest(".rows")].map((element) => element.getBoundingClientRect());
      return row.top >= box.top - 1 && row.bottom <= box.bottom + 1;
    });
    assert.ok(stands, "The row with the keyboard is in sight");
    await desk.page.keyboard.press("Home");
    await expect("the first row", last, "1");
  });
}

test("nothing was complained about in the browser", () => assert.deepEqual(desk.problems, []));
