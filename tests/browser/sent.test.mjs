// What becomes of a reply that WhatsApp refuses, or of which nobody knows whether it arrived; and one taken back in time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { atBrowser } from "../browser.mjs";
import { expect } from "../expect.mjs";

const { stage, desks: [desk] } = await atBrowser("agent1");

const trouble = (text) => desk.message(text).getByTestId("trouble");
/** A citizen whose conversation is open. */
async function opened(language, name) {
  await desk.speak(language);
  const citizen = await stage.citizen(`${name} ${language}`);
  await citizen.writes("أنتظر ردكم");
  await desk.filter("open");
  await desk.open(citizen.name);
  return citizen;
}

for (const language of ["ar", "en"]) {
  test(`what WhatsApp refuses says why, in its row too, and goes once it is written anew (${language})`, async () => {
    const citizen = await opened(language, "لا يصلها");
    await stage.faults({ send: { code: 131_026, times: 1 } });
    await desk.reply("موعدك الأحد");
    await expect("it refused", () => desk.delivery("موعدك الأحد"), "failed");
    await trouble("موعدك الأحد").filter({ hasText: language === "ar" ? "رقمه ليس على واتساب" : "the number is not on WhatsApp" }).waitFor();
    await expect("its row", () => desk.row(citizen.name).locator(".ticks").getAttribute("data-delivery"), "failed");
    assert.deepEqual(await citizen.received(), []);
    assert.equal(await trouble("موعدك الأحد").getByTestId("retry").count(), 0, "As it is it would be refused again");

    await trouble("موعدك الأحد").getByTestId("write-again").click();
    await expect("its text", () => desk.get("composer-text").inputValue(), "موعدك الأحد");
    await desk.reply("موعدك الاثنين");
    await expect("the other one", () => citizen.received(), ["موعدك الاثنين"]);
    assert.equal(await desk.delivery("موعدك الأحد"), "failed");
  });

  test(`of what may have gone a person says that it did, or sends it again (${language})`, async () => {
    const citizen = await opened(language, "ربما وصلها");
    await stage.faults({ send: { code: 131_000, accept: true, times: 1 }, lose_statuses: true });
    await desk.reply("وصلتها");
    await expect("that nobody knows", () => desk.delivery("وصلتها"), "uncertain");
    await trouble("وصلتها").filter({ hasText: language === "ar" ? "انقطع الاتصال" : "nobody knows" }).waitFor();
    await trouble("وصلتها").getByTestId("was-sent").click();
    await expect("that it was sent", () => desk.delivery("وصلتها"), "sent");

    await stage.faults({ send: { code: 131_000, times: 1 } });
    await desk.reply("لم تصلها");
    await expect("that nobody knows", () => desk.delivery("لم تصلها"), "uncertain");
    assert.deepEqual(await citizen.received(), ["وصلتها"]);
    await trouble("لم تصلها").getByTestId("send-again").click();
    await expect("each once", () => citizen.received(), ["وصلتها", "لم تصلها"]);
    await expect("its ticks", () => desk.delivery("لم تصلها"), "delivered");
  });

  test(`on line a reply that still waits is taken back, and written anew (${language})`, async () => {
    const citizen = await opened(language, "على مهل");
    await stage.faults({ slow_ms: 3000 });
    await desk.reply("أولاً");
    await desk.reply("ثانياً");
    const undo = desk.message("ثانياً").getByTestId("recall");
    await undo.filter({ hasText: language === "ar" ? /تراجع/u : /Undo/u }).click();
    await expect("its text", () => desk.get("composer-text").inputValue(), "ثانياً");
    await stage.faults();
    await desk.reply("ثالثاً");
    await expect("all but that", () => citizen.received(), ["أولاً", "ثالثاً"]);
  });
}

test("nothing was complained about in the browser", () => assert.deepEqual(desk.problems, []));
