// A citizen writes, the desk sees it at once, answers, and the citizen has the answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { atBrowser } from "../browser.mjs";
import { expect } from "../expect.mjs";

const { stage, desks: [agent, lead] } = await atBrowser("agent1", "lead");

for (const language of ["ar", "en"]) {
  test(`what a citizen writes is on screen at once, and the answer on the telephone (${language})`, async () => {
    await agent.speak(language);
    const fatima = await stage.citizen(language === "ar" ? "فاطمة العنزي" : "Fatima Al-Anzi");
    await agent.filter("unassigned");
    const before = await agent.count("unassigned");
    await fatima.writes("السلام عليكم، الكهرباء مقطوعة عندنا");

    await agent.row(fatima.name).waitFor({ timeout: 5_000 });
    await expect("the figure on the filter", () => agent.count("unassigned"), before + 1);
    assert.equal(await agent.row(fatima.name).getAttribute("data-waiting"), "true");
    assert.equal(await agent.row(fatima.name).getAttribute("data-unread"), "1");

    await agent.open(fatima.name);
    await agent.message("الكهرباء مقطوعة").waitFor();
    await expect("the row to count as seen", () => agent.row(fatima.name).getAttribute("data-unread"), "0");

    await agent.reply("وعليكم السلام، وصل بلاغكم");
    await expect("the second tick", () => agent.delivery("وصل بلاغكم"), "delivered");
    assert.deepEqual(await fatima.received(), ["وعليكم السلام، وصل بلاغكم"]);
    await fatima.looks();
    await expect("the blue ticks", () => agent.delivery("وصل بلاغكم"), "read");
    await expect("that nobody waits", () => agent.row(fatima.name).getAttribute("data-waiting"), "false");
  });

  test(`a burst of messages and replies keeps its order (${language})`, async () => {
    await agent.speak(language);
    const khaled = await stage.citizen(language === "ar" ? "خالد المطيري الثاني" : "Khaled Al-Mutairi");
    const said = Array.from({ length: 12 }, (_, index) => `رسالة رقم ${index + 1} من خالد`);
    for (const text of said) await khaled.writes(text);
    await agent.filter("open");
    await agent.open(khaled.name);
    await expect("every message", async () => (await agent.get("message").count()) >= said.length, true);
    const shown = await agent.get("message").locator(".text").allTextContents();
    assert.deepEqual(shown, said);

    const answers = ["الجواب الأول", "الجواب الثاني", "الجواب الثالث"];
    for (const text of answers) await agent.reply(text);
    await expect("the answers in their order", () => khaled.received(), answers);
  });

  test(`a note stays inside, and a colleague reads it (${language})`, async () => {
    for (const desk of [agent, lead]) await desk.speak(language);
    const maryam = await stage.citizen(language === "ar" ? "مريم الكندري" : "Maryam Al-Kandari");
    await maryam.writes("أريد نقل العداد");
    await agent.filter("open");
    await agent.open(maryam.name);
    await agent.note("المستندات ناقصة، يراجع الزميل");
    await agent.reply("نرجو تزويدنا برقم العداد");

    await lead.filter("open");
    await lead.open(maryam.name);
    await lead.get("note").filter({ hasText: "المستندات ناقصة" }).waitFor();
    await expect("the reply alone on the telephone", () => maryam.received(), ["نرجو تزويدنا برقم العداد"]);
  });

  test(`a case is claimed, given to a colleague, closed and opened again (${language})`, async () => {
    for (const desk of [agent, lead]) await desk.speak(language);
    const yousef = await stage.citizen(language === "ar" ? "يوسف البلوشي" : "Yousef Al-Balushi");
    await yousef.writes("عندي استفسار عن الفاتورة");
    await agent.filter("unassigned");
    await agent.open(yousef.name);
    const me = stage.person("agent1").name;
    const other = stage.person("agent2").name;
    await agent.get("claim").click();
    await agent.get("case-owner").filter({ hasText: me }).waitFor();
    await agent.filter("mine");
    await agent.row(yousef.name).waitFor();

    await lead.filter("open");
    await lead.open(yousef.name);
    await lead.get("case-owner").filter({ hasText: me }).waitFor();
    await lead.choose("assign", { text: other });
    await lead.get("case-owner").filter({ hasText: other }).waitFor();
    await agent.get("case-owner").filter({ hasText: other }).waitFor();
    await agent.row(yousef.name).waitFor({ state: "detached" });

    await lead.get("close").click();
    await lead.get("close-menu").locator("[role^=menuitem]").first().click();
    await expect("the case to be closed", () => lead.get("case").getAttribute("data-state"), "closed");
    await lead.filter("closed");
    await lead.row(yousef.name).waitFor();
    await lead.get("reopen").click();
    await expect("the case to be open", () => lead.get("case").getAttribute("data-state"), "open");
    await lead.filter("open");
    await lead.row(yousef.name).waitFor();
  });
}

test("nothing was complained about in the browser", () => {
  assert.deepEqual([...agent.problems, ...lead.problems], []);
});
