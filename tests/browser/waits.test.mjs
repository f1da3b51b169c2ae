// What waits: listed in one place with what becomes of it, tried again, dropped, put back, taken back before it goes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser } from "../browser.mjs";
import { expect } from "../expect.mjs";
import { Stage } from "../stage.mjs";

let stage, browser, agent, lead;

before(async () => {
  stage = await Stage.set();
  browser = await Browser.open();
  [agent, lead] = [await browser.desk(stage, "agent1"), await browser.desk(stage, "lead")];
});

after(async () => {
  await browser?.close();
  await stage?.end();
});

const link = (desk, wanted) => expect(`the foot to say ${wanted}`, () => desk.get("foot").getAttribute("data-link"), wanted, 60_000);
const acts = (text) => agent.get("unsent-act").filter({ hasText: text });
const shows = async (desk, citizen) => {
  await desk.filter("open");
  await desk.open(citizen.name);
};

/** Replies that a colleague's overtake while this workstation is without power: refused, they wait for their writer. */
async function overtaken(language, citizen, ...texts) {
  await shows(agent, citizen);
  await stage.order("gateway stop");
  await link(agent, "offline");
  for (const text of texts) await agent.reply(text);
  await agent.cut();
  await stage.order("gateway start");
  await link(lead, "live");
  await shows(lead, citizen);
  await lead.reply("أجاب الزميل");
  await expect("the colleague's", () => citizen.received(), ["أجاب الزميل"], 60_000);
  agent = await browser.desk(stage, "agent1");
  await agent.speak(language);
}

for (const language of ["ar", "en"]) {
  test(`what waits says what becomes of it, and a reply is taken back before it goes (${language})`, async () => {
    const citizen = await stage.citizen(language === "ar" ? "سعد الهاجري" : "Saad Al-Hajri");
    await citizen.writes("السلام عليكم");
    await shows(agent, citizen);
    await agent.speak(language);
    await stage.order("gateway stop");
    await link(agent, "offline");
    await agent.reply("أولاً");
    await agent.reply("ثانياً");
    await agent.note("للزملاء");
    await agent.get("foot-waiting").click();
    await expect("three of them", () => agent.get("unsent-act").count(), 3);
    const [first, ...others] = await agent.get("unsent-fate").allTextContents();
    assert.equal(new Set(others).size, 1, "What comes after it waits for it");
    assert.ok(!others.includes(first), first);
    await agent.page.keyboard.press("Escape");

    // The last one by key, with nothing written; the first by its button.
    await agent.get("composer-text").focus();
    await agent.page.keyboard.press("Control+KeyZ");
    await expect("its text to be written anew", () => agent.get("composer-text").inputValue(), "ثانياً");
    await agent.message("أولاً").getByTestId("recall").click();
    await expect("the other one above it", () => agent.get("composer-text").inputValue(), "أولاً\nثانياً");
    await agent.get("composer-text").fill("ثالثاً");
    await agent.page.keyboard.press("Enter");
    await stage.order("gateway start");
    await expect("the last alone", () => citizen.received(), ["ثالثاً"], 60_000);
    await link(agent, "live");
    await link(lead, "live");
  });
}

for (const language of ["ar", "en"]) {
  test(`what a colleague has overtaken is stuck, says why, and goes once its writer has looked (${language})`, async () => {
    const mona = await stage.citizen(`منى البغلي ${language}`);
    await mona.writes("هل وصل الطلب؟");
    await overtaken(language, mona, "نعم وصل", "وسنتصل بكم");
    await expect("both to wait for their writer", () => agent.get("foot-stuck").getAttribute("data-count"), "2", 60_000);
    await agent.get("foot-stuck").click();
    await acts("نعم وصل").getByTestId("unsent-fate").filter({ hasText: language === "ar" ? "سبقك زميل" : "colleague" }).waitFor();
    assert.equal(await acts("نعم وصل").getByTestId("unsent-retry").count(), 0, "Not before one has looked");
    await acts("نعم وصل").getByTestId("unsent-open").click();
    await agent.message("أجاب الزميل").waitFor();
    await agent.message("نعم وصل").getByTestId("retry").click();
    await expect("both, in order", () => mona.received(), ["أجاب الزميل", "نعم وصل", "وسنتصل بكم"], 60_000);
    await agent.get("foot-stuck").waitFor({ state: "detached" });
  });

  test(`what is dropped can be put back, and is gone when it was not (${language})`, async () => {
    const adel = await stage.citizen(`عادل المري ${language}`);
    await adel.writes("أنتظر ردكم");
    await overtaken(language, adel, "رد لن يصل");
    await expect("it to wait", () => agent.get("foot-stuck").getAttribute("data-count"), "1", 60_000);
    await agent.page.keyboard.press("Alt+KeyS");
    await acts("رد لن يصل").getByTestId("unsent-drop").click();
    await acts("رد لن يصل").waitFor({ state: "detached" });
    await agent.get("unsent-undo").click();
    await acts("رد لن يصل").waitFor();
    await acts("رد لن يصل").getByTestId("unsent-drop").click();
    await agent.get("unsent-none").waitFor();
    await agent.page.keyboard.press("Escape");
    await agent.get("foot-stuck").waitFor({ state: "detached" });
    await agent.page.reload();
    await shows(agent, adel);
    await agent.message("أجاب الزميل").waitFor();
    assert.equal(await agent.message("رد لن يصل").count(), 0);
    assert.deepEqual(await adel.received(), ["أجاب الزميل"]);
  });

  test(`a draft of another conversation is found there, copied, and dropped (${language})`, async () => {
    const suad = await stage.citizen(`سعاد بوحمد ${language}`);
    await suad.writes("مرحبا");
    await shows(agent, suad);
    await agent.write("reply", "نص لم يكتمل");
    await agent.page.keyboard.press("Alt+KeyS");
    const draft = agent.get("unsent-draft").filter({ hasText: suad.name });
    await agent.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await draft.getByTestId("unsent-copy").click();
    await expect("the clipboard", () => agent.clipboard(), "نص لم يكتمل");
    await draft.getByTestId("unsent-drop").click();
    await draft.waitFor({ state: "detached" });
    await agent.page.keyboard.press("Escape");
    await expect("the composer empty too", () => agent.get("composer-text").inputValue(), "");
  });
}

test("nothing was complained about in the browser", () => {
  const problems = [...agent.problems, ...lead.problems].filter((problem) => !problem.includes("Failed to load resource"));
  assert.deepEqual(problems, []);
});
