// What can be picked out of messages: links that are opened outside of the window, and numbers that are copied clean.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser } from "../browser.mjs";
import { expect } from "../expect.mjs";
import { Stage } from "../stage.mjs";

let stage, browser, desk, opened;

before(async () => {
  stage = await Stage.set();
  browser = await Browser.open();
  desk = await browser.desk(stage, "agent1");
  await desk.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  opened = await desk.told("opened");
});

after(async () => {
  await browser?.close();
  await stage?.end();
});

for (const language of ["ar", "en"]) {
  test(`a link is opened outside, a doubtful one once its host was read (${language})`, async () => {
    const citizen = await stage.citizen(language === "ar" ? "ناصر السبيعي" : "Nasser Al-Subaie");
    await citizen.writes("ادفع في https://mew.gov.kw/pay?id=5 لو سمحت");
    await citizen.writes("أو هنا https://mew.gov.kw@pay.example/login");
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.speak(language);
    const at = desk.page.url();
    await expect("both links", () => desk.get("link").count(), 2);

    opened.length = 0;
    await desk.get("link").nth(0).click();
    await expect("the plain one", () => opened, ["https://mew.gov.kw/pay?id=5"]);

    await desk.get("link").nth(1).click();
    await expect("its real host", () => desk.get("link-ask-host").textContent(), "pay.example");
    await desk.page.keyboard.press("Escape");
    await desk.get("link-ask").waitFor({ state: "detached" });
    assert.equal(opened.length, 1);
    await desk.page.keyboard.press("Alt+KeyH");
    await expect("both to choose from", () => desk.get("palette-line").count(), 2);
    await desk.page.keyboard.press("Enter");
    await desk.get("ask-confirm").click();
    await expect("the other one, without what stands before the @", () => opened, ["https://mew.gov.kw/pay?id=5", "https://pay.example/login"]);

    assert.equal(desk.page.url(), at, "The window goes nowhere");
    assert.equal(desk.page.context().pages().length, 1);
    assert.equal(await desk.page.locator("a[href]").count(), 0);
  });

  test(`a number is copied clean, by a click and by keys (${language})`, async () => {
    const citizen = await stage.citizen(language === "ar" ? "هند العتيبي" : "Hind Al-Otaibi");
    await citizen.writes("رقمي المدني ٢٨٤٠ ١٠١٠ ٠١٢٣");
    await citizen.writes("والهاتف \u200e+965 6604-1187\u200f والعداد 88412");
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.speak(language);
    await expect("the numbers", () => desk.get("figure").count(), 3);
    await desk.get("figure").nth(0).click();
    await expect("the civil ID", () => desk.clipboard(), "284010100123");
    await desk.get("said").filter({ hasText: "284010100123" }).waitFor();
    await desk.get("figure").nth(1).focus();
    await desk.page.keyboard.press("Enter");
    await expect("the telephone", () => desk.clipboard(), "+96566041187");
    await desk.page.keyboard.press("Alt+KeyM");
    await desk.get("palette-query").fill("8841");
    await desk.page.keyboard.press("Enter");
    await expect("the one that was chosen", () => desk.clipboard(), "88412");
  });
}

for (const language of ["ar", "en"]) {
  test(`what is picked reads and selects as the text that it is (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`سلمى ${language}`);
    const text = "رقمي ٦٦٠٤ ١١٨٧ والرابط https://mew.gov.kw/x وشكراً";
    await citizen.writes(text);
    await desk.filter("open");
    await desk.open(citizen.name);
    const read = await desk.message("والرابط").locator(".text").evaluate((element) => {
      document.getSelection().selectAllChildren(element);
      return document.getSelection().toString();
    });
    assert.equal(read, text);
  });
}

test("nothing was complained about in the browser", () => assert.deepEqual(desk.problems, []));
