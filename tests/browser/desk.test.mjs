// The desk itself: language, drafts, and work without the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";
import { atBrowser } from "../browser.mjs";
import { expect } from "../expect.mjs";

const { stage, desks: [desk] } = await atBrowser("agent2");

const directionOfPage = () => desk.page.evaluate(() => getComputedStyle(document.documentElement).direction);
const languageOfPage = () => desk.page.evaluate(() => document.documentElement.lang);
/** Whether the list stands at the start of the reading direction. */
const listStandsRight = () =>
  desk.page.evaluate(() => {
    const [list, foot] = ["conversation-list", "foot"].map((id) => document.querySelector(`[data-testid=${id}]`).getBoundingClientRect());
    return list.left > foot.left + foot.width / 2;
  });

test("Arabic and English are switched at once, right to left and left to right", async () => {
  const sara = await stage.citizen("سارة الفهد");
  await sara.writes("متى ترجع الكهرباء؟");
  await desk.filter("open");
  await desk.open(sara.name);
  await expect("Arabic", languageOfPage, "ar");
  assert.equal(await directionOfPage(), "rtl");
  assert.equal(await listStandsRight(), true);

  await desk.get("language-switch").click();
  await expect("English", languageOfPage, "en");
  assert.equal(await directionOfPage(), "ltr");
  assert.equal(await listStandsRight(), false);
  await desk.get("filter-open").filter({ hasText: "open" }).waitFor();
  // What the citizen wrote runs in its own direction.
  const bubble = desk.page.getByTestId("message").getByText("متى ترجع الكهرباء");
  assert.equal(await bubble.evaluate((element) => getComputedStyle(element).direction), "rtl");

  await desk.get("language-switch").click();
  await expect("Arabic again", directionOfPage, "rtl");
});

for (const language of ["ar", "en"]) {
  test(`a half-written reply and a half-written note are there after a reload (${language})`, async () => {
    await desk.speak(language);
    const hussain = await stage.citizen(language === "ar" ? "حسين دشتي الثاني" : "Hussain Dashti");
    await hussain.writes("شكراً جزيلاً");
    await desk.filter("open");
    await desk.open(hussain.name);
    await desk.write("note", "ملاحظة لم تكتمل");
    await desk.write("reply", "حياكم الله، ونفيدكم بأن");
    await desk.get("draft-saved").waitFor();

    await desk.page.reload();
    await desk.filter("open");
    await desk.row(hussain.name).getByTestId("draft-badge").waitFor();
    await desk.open(hussain.name);
    await expect("the reply", () => desk.get("composer-text").inputValue(), "حياكم الله، ونفيدكم بأن");
    await desk.get("mode-note").click();
    await expect("the note", () => desk.get("composer-text").inputValue(), "ملاحظة لم تكتمل");
    assert.deepEqual(await hussain.received(), []);
  });

  test(`without the gateway everything is written and waits, and afterwards goes once (${language})`, async () => {
    await desk.speak(language);
    const noura = await stage.citizen(language === "ar" ? "نورة المطيري" : "Noura Al-Mutairi");
    await noura.writes("الماي مقطوع من أمس");
    await desk.filter("open");
    await desk.open(noura.name);
    await stage.order("gateway stop");
    await expect("the foot to say so", () => desk.get("foot").getAttribute("data-link"), "offline", 40_000);

    for (const text of ["أولاً: نعتذر", "ثانياً: الفريق في الطريق"]) await desk.reply(text);
    await desk.note("انقطاع عام في القطعة");
    assert.equal(await desk.delivery("أولاً"), "waiting");
    await expect("the figure of what waits", () => desk.get("foot-waiting").getAttribute("data-count"), "3");
    await desk.page.reload();
    await desk.filter("open");
    await desk.open(noura.name);
    assert.equal(await desk.delivery("ثانياً"), "waiting");

    await stage.order("gateway start");
    await expect("both, once and in order", () => noura.received(), ["أولاً: نعتذر", "ثانياً: الفريق في الطريق"], 60_000);
    await desk.get("foot-waiting").waitFor({ state: "detached" });
    await expect("the desk in step", () => desk.get("foot").getAttribute("data-link"), "live", 40_000);
  });
}
