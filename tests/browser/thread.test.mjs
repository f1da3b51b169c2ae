// A long conversation, who else is in it, and the list's sorts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { goUp } from "../anchor.mjs";
import { atBrowser } from "../browser.mjs";
import { expect } from "../expect.mjs";
import { eventually } from "../stage.mjs";

const HOW_LONG = 540;

const { stage, desks: [agent, lead] } = await atBrowser("agent1", "lead");
const long = await stage.citizen("حصة الدوسري");
for (let from = 1; from <= HOW_LONG; from += 20) {
  const some = Array.from({ length: Math.min(20, HOW_LONG - from + 1) }, (_, index) => from + index);
  await Promise.all(some.map((n) => long.writes(`سطر ${n} ${"كلام طويل ".repeat(n % 9)}`)));
}

const box = () => agent.get("messages");
const fromEnd = () => box().evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight));

for (const language of ["ar", "en"]) {
  test(`in ${language}, what one reads stands still while older messages come`, async () => {
    if (language === "en") {
      await agent.get("language-switch").click();
      await expect("English", () => agent.page.locator("html").getAttribute("lang"), "en");
    }
    await agent.filter("open");
    // All of them are here, or what arrives would move the end.
    if (language === "ar") await expect("all of it", () => agent.row(long.name).getAttribute("data-unread"), String(HOW_LONG), 120_000);
    await agent.open(long.name);
    if (await agent.get("jump-to-end").isVisible()) await agent.get("jump-to-end").click();
    await expect("the end", fromEnd, 0);
    const read = await agent.page.evaluate(goUp, 400);
    assert.ok(read.worst <= 1, `it jumped by ${read.worst} px`);
    assert.ok(read.ended && read.loads >= 5, JSON.stringify(read));
    assert.ok(read.most <= 480, `${read.most} rows are held`);
    // The latest are not held any more; what comes now is counted, and one key goes there.
    await long.writes(`الأخيرة ${language}`);
    await agent.get("jump-to-end").filter({ hasText: language === "ar" ? "جديدة" : "new" }).waitFor();
    await agent.get("jump-to-end").click();
    await agent.message(`الأخيرة ${language}`).waitFor();
    await expect("the end again", fromEnd, 0);
    await expect("that it was seen", () => agent.row(long.name).getAttribute("data-unread"), "0");
    if (language === "en") await agent.get("language-switch").click();
  });
}

for (const language of ["ar", "en"]) {
  test(`one goes down again page by page, and nothing is left out (${language})`, async () => {
    await agent.speak(language);
    // To bring it into sight would load what is above it, and move it away from under the pointer.
    await agent.get("day-jump").first().evaluate((day) => day.click());
    await agent.page.locator('[role="option"], [data-choice]').first().waitFor();
    await agent.page.keyboard.press("Enter");
    await agent.message(/سطر 1 ك/u).waitFor();
    const seen = new Set();
    await eventually("the way down", async () => {
      for (const text of await agent.get("message").locator(".text").allTextContents()) {
        const n = /سطر (\d+)/u.exec(text)?.[1];
        if (n !== undefined) seen.add(Number(n));
      }
      await box().evaluate((box) => (box.scrollTop += box.clientHeight));
      return seen.size === HOW_LONG && (await fromEnd()) === 0;
    }, 120_000);
  });
}

for (const language of ["ar", "en"]) {
  test(`a quote leads to what it quotes, however far back; one begins where what is new begins (${language})`, async () => {
    await agent.speak(language);
    const citizen = await stage.citizen(`تقتبس ${language}`);
    const { wamid } = await citizen.writes("الأصل");
    await agent.filter("open");
    await agent.open(citizen.name);
    await expect("that it was seen", () => agent.row(citizen.name).getAttribute("data-unread"), "0");
    await agent.page.keyboard.press("Escape");
    await agent.page.keyboard.press("Escape");
    for (let n = 1; n <= 100; n += 1) await citizen.writes(`بعده ${n} كلام`);
    await citizen.writes("كما قلت", wamid);
    await expect("all of it", () => agent.row(citizen.name).getAttribute("data-unread"), "101", 60_000);
    await agent.open(citizen.name);
    const inSight = (locator) =>
      expect("it in sight", async () => {
        const [box, place] = [await agent.get("messages").boundingBox(), await locator.boundingBox()];
        return place !== null && place.y >= box.y - 1 && place.y + place.height <= box.y + box.height + 1;
      }, true);
    await inSight(agent.get("new-marker"));
    await inSight(agent.message("بعده 1 كلام"));
    await agent.page.keyboard.press("Alt+End");
    await inSight(agent.message("كما قلت"));
    await expect("that it was seen", () => agent.row(citizen.name).getAttribute("data-unread"), "0");
    await agent.message("كما قلت").getByTestId("quote").click();
    await inSight(agent.message(/^(?!.*كما قلت).*الأصل/u));
    await agent.page.keyboard.press("Escape");
  });
}

for (const language of ["ar", "en"]) {
  test(`a colleague who reads and writes is seen, and an answer that overtakes mine is shown before I send (${language})`, async () => {
    const salem = await stage.citizen(language === "ar" ? "سالم الهاجري" : "Salem Al-Hajri");
    await salem.writes("متى موعد الفني؟");
    for (const desk of [agent, lead]) {
      await desk.speak(language);
      await desk.filter("open");
      await desk.open(salem.name);
    }
    await lead.write("reply", "الموعد غدًا");
    await agent.write("reply", "الموعد يوم الأحد");
    const [first] = stage.person("lead").name.split(" ");
    await agent.get("present").filter({ hasText: first }).waitFor();
    await expect("that the lead writes", () => agent.get("present").getAttribute("data-writes"), "true");
    await agent.get("beside").waitFor();

    await lead.get("send").click();
    await agent.get("overtaken").filter({ hasText: "الموعد غدًا" }).waitFor();
    await agent.get("send").click();
    await expect("the warning", () => agent.get("overtaken").getAttribute("data-warned"), "true");
    assert.equal(await agent.get("composer-text").inputValue(), "الموعد يوم الأحد");
    await agent.get("send").click();
    await expect("both answers", () => salem.received(), ["الموعد غدًا", "الموعد يوم الأحد"]);
  });

  test(`the list shows who waits, and who has waited longest first (${language})`, async () => {
    await agent.speak(language);
    const [one, two] = [await stage.citizen(`أول المنتظرين ${language}`), await stage.citizen(`ثاني المنتظرين ${language}`)];
    await one.writes("١");
    await agent.filter("waiting");
    await agent.row(one.name).waitFor();
    await two.writes("٢");
    await agent.page.mouse.move(0, 0);
    const order = async () => {
      const rows = await agent.get("conversation-row").allTextContents();
      return rows.flatMap((text) => [one.name, two.name].filter((name) => text.includes(name)));
    };
    await agent.row(two.name).or(agent.get("list-gathered")).first().waitFor();
    if (await agent.get("list-gathered").isVisible()) await agent.get("list-gathered").click();
    await expect("the latest first", order, [two.name, one.name]);
    await agent.get("list-order").click();
    await expect("the longest wait first", order, [one.name, two.name]);
    await agent.page.reload();
    await expect("the order to stay", () => agent.get("list-order").getAttribute("data-order"), "longest");
    await agent.get("list-order").click();
  });
}

test("nothing was complained about in the browser", () => {
  const problems = [...agent.problems, ...lead.problems].filter((problem) => !problem.includes("Failed to load resource"));
  assert.deepEqual(problems, []);
});
