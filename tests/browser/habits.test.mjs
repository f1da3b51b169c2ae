// What a day at the desk is made of: the list that holds still, what is written, what is told outside of the window.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser } from "../browser.mjs";
import { expect } from "../expect.mjs";
import { deliver } from "../filled.mjs";
import { notToldTogether, Stage } from "../stage.mjs";

let stage, browser, desk, told;

before(async () => {
  stage = await Stage.set();
  browser = await Browser.open();
  desk = await browser.desk(stage, "lead");
  told = await desk.told("notifications");
});

after(async () => {
  await browser?.close();
  await stage?.end();
});

const plain = (text) => text.replace(/[\u2066-\u2069]/gu, "");
const about = (text) => told.filter(({ title, body }) => `${title} ${body}`.includes(text));
const settings = async (section) => {
  await desk.page.keyboard.press("Control+Comma");
  await desk.get(`section-${section}`).click();
};

for (const language of ["ar", "en"]) {
  test(`twelve that write while one reads the list gather behind their number, and come by a key (${language})`, async () => {
    await desk.speak(language);
    await desk.filter("open");
    const first = await stage.citizen(`الأول في القائمة ${language}`);
    await first.writes("هنا");
    await desk.row(first.name).first().waitFor();
    await desk.row(first.name).first().hover();
    const many = await desk.rows();
    const before = await desk.get("conversation-row").evaluateAll((rows) => rows.map((row) => row.dataset.conversation));
    const others = await Promise.all(Array.from({ length: 12 }, (_, index) => stage.citizen(`قادم ${language} ${index + 1}`)));
    for (const other of others) await other.writes("السلام عليكم");
    await expect("their number", async () => /\b12\b/u.test(plain((await desk.get("list-gathered").textContent({ timeout: 20_000 })) ?? "")), true, 30_000);
    assert.deepEqual(await desk.get("conversation-row").evaluateAll((rows) => rows.map((row) => row.dataset.conversation)), before);
    await desk.page.keyboard.press("Alt+KeyG");
    await expect("all of them", () => desk.rows(), many + 12);
    await desk.page.mouse.move(0, 0);
  });
}

for (const language of ["ar", "en"]) {
  test(`several are selected by hand and given to a colleague at once (${language})`, async () => {
    await desk.speak(language);
    await desk.filter("unassigned");
    await desk.get("conversation-row").nth(2).waitFor();
    const before = await desk.count("unassigned");
    for (const at of [0, 2]) await desk.get("conversation-row").nth(at).click({ modifiers: ["Control"] });
    const selected = async () => plain(await desk.get("selected-count").textContent());
    assert.match(await selected(), language === "ar" ? /محادثتان/u : /\b2\b/u);
    await desk.get("conversation-row").nth(0).click({ modifiers: ["Shift"] });
    await expect("what lies between too", async () => /\b3\b/u.test(await selected()), true);
    await desk.get("selected-assign").click();
    await desk.get("palette-query").fill(stage.person("agent2").name);
    await desk.page.keyboard.press("Enter");
    await expect("fewer without an owner", () => desk.count("unassigned"), before - 3, 30_000);
  });

  test(`each filter shows as many as it says, and what belongs to it (${language})`, async () => {
    await desk.speak(language);
    const [mine, shut] = [await stage.citizen(`لي ${language}`), await stage.citizen(`انتهى ${language}`)];
    const late = { name: `تكاد مهلته تنتهي ${language}`, citizen: `9655553${language === "ar" ? 1 : 2}000` };
    await deliver(stage, [{ ...late, text: "ما زلت أنتظر", ago: 22.5 * 3600 }]);
    for (const citizen of [mine, shut]) {
      await citizen.writes("؟");
      await desk.filter("open");
      await desk.open(citizen.name);
      await desk.get("claim").click();
      await desk.get("case-owner").filter({ hasText: stage.person("lead").name }).waitFor();
    }
    await desk.get("close").click();
    await desk.get("close-menu").locator("[role^=menuitem]").first().click();
    await expect("the case to be closed", () => desk.get("case").getAttribute("data-state"), "closed");
    await desk.page.mouse.move(0, 0);

    const within = { mine, unassigned: late, team: mine, open: late, waiting: mine, closing: late };
    for (const [filter, { name }] of Object.entries(within)) {
      await desk.filter(filter);
      await expect(`as many as «${filter}» says`, async () => (await desk.rows()) === (await desk.count(filter)), true);
      await desk.row(name).waitFor();
      assert.equal(await desk.row(shut.name).count(), 0, filter);
    }
    assert.equal(await desk.row(mine.name).count(), 0);
    assert.match(plain(await desk.row(late.name).textContent()), language === "ar" ? /بقي.*ساعة/u : /1 h.* left/u);
    await desk.filter("closed");
    await desk.row(shut.name).waitFor();
    assert.equal(await desk.row(mine.name).count(), 0);
  });
}

for (const language of ["ar", "en"]) {
  test(`the counter comes near the end, and what is too long does not go (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`طويل ${language}`);
    await citizen.writes("؟");
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.write("reply", "س".repeat(3600));
    assert.equal(await desk.get("composer-counter").count(), 0);
    await desk.get("composer-text").fill("س".repeat(4000));
    await expect("what is left", async () => /96/u.test(plain(await desk.get("composer-counter").textContent())), true);
    await desk.get("composer-text").fill("س".repeat(4100));
    await expect("what is too much", async () => /\b4\b/u.test(plain(await desk.get("composer-counter").textContent())), true);
    assert.equal(await desk.get("send").isDisabled(), true);
    await desk.get("composer-text").focus();
    await desk.page.keyboard.press("Enter");
    await desk.get("composer-text").fill("👍".repeat(2000));
    await desk.get("send").click();
    await expect("it whole", async () => (await citizen.received()).map((text) => [...text].length), [2000]);
  });

  test(`a note is paper from end to end, and the mode stays until one turns it (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`ملاحظة ${language}`);
    await citizen.writes("؟");
    await desk.filter("open");
    await desk.open(citizen.name);
    const ground = () => desk.get("composer").evaluate((composer) => getComputedStyle(composer).backgroundColor);
    const white = await ground();
    await desk.page.keyboard.press("Alt+KeyN");
    await expect("note mode", () => desk.get("composer").getAttribute("data-mode"), "note");
    assert.notEqual(await ground(), white);
    await desk.page.keyboard.type("للزملاء وحدهم");
    await desk.page.keyboard.press("Enter");
    await desk.get("note").filter({ hasText: "للزملاء وحدهم" }).waitFor();
    assert.equal(await desk.get("composer").getAttribute("data-mode"), "note", "It does not turn by itself");
    await desk.page.keyboard.press("Alt+KeyR");
    await desk.page.keyboard.type("للمراجع");
    await desk.page.keyboard.press("Enter");
    await expect("the reply alone", () => citizen.received(), ["للمراجع"]);
  });

  test(`one goes to a day by its words (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`أيام ${language}`);
    await citizen.writes("أول رسالة");
    for (let n = 0; n < 40; n += 1) await citizen.writes(`سطر ${n}`);
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.message("سطر 39").waitFor();
    await desk.page.keyboard.press("Alt+KeyB");
    await desk.get("palette-query").fill(language === "ar" ? "اليوم" : "today");
    await desk.page.keyboard.press("Enter");
    const top = desk.message("أول رسالة");
    await top.waitFor();
    await expect("the day's first in sight", () => top.evaluate((element) => element.getBoundingClientRect().top > element.closest('[data-testid="messages"]').getBoundingClientRect().top - 4), true);
  });
}

for (const language of ["ar", "en"]) {
  test(`a notification names the citizen; in private mode the case alone; in quiet hours there is none; and a trial always (${language})`, async () => {
    await desk.speak(language);
    await desk.page.keyboard.press("Escape");
    await desk.page.keyboard.press("Escape");
    await notToldTogether();
    const open = await stage.citizen(`زينب المعلنة ${language}`);
    await open.writes(`كلام يُقرأ ${language}`);
    await expect("her name and words", async () => about(open.name).some(({ body }) => body.includes(`كلام يُقرأ ${language}`)), true);

    await settings("notifications");
    await desk.get("set-private").check();
    await desk.get("settings-close").click();
    const hidden = await stage.citizen(`زينب المستورة ${language}`);
    const before = told.length;
    await hidden.writes("كلام مستور");
    await expect("one more", async () => told.slice(before).some(({ body }) => /MEW-\d{4}-\d{6}/u.test(body)), true);
    assert.deepEqual([about(hidden.name).length, about("كلام مستور").length], [0, 0]);

    await settings("notifications");
    await desk.get("set-private").uncheck();
    await desk.get("set-sound-off").check();
    await desk.get("set-quiet").check();
    const now = new Date();
    const half = (Math.floor((now.getHours() * 60 + now.getMinutes()) / 30) * 30 + 1440 - 30) % 1440;
    await desk.get("set-quiet-from").selectOption(String(half));
    await desk.get("set-quiet-until").selectOption(String((half + 180) % 1440));
    await desk.get("settings-close").click();
    const quiet = await stage.citizen(`زينب الهادئة ${language}`);
    await quiet.writes("لا يُسمع");
    await desk.filter("open");
    await desk.row(quiet.name).or(desk.get("list-gathered")).first().waitFor();
    await notToldTogether();
    assert.deepEqual(about(quiet.name), []);
    await settings("notifications");
    const last = told.length;
    await desk.get("try-notification").click();
    await expect("the trial, without a sound", () => told.slice(last).map(({ sound }) => sound), ["off"]);
    await desk.get("set-quiet").uncheck();
    await desk.get("settings-close").click();
  });
}

test("nothing was complained about in the browser", () => assert.deepEqual(desk.problems, []));
