// Search, end to end: over everything and in one conversation, in both languages; and what has not been sent.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser } from "../browser.mjs";
import { expect } from "../expect.mjs";
import { Stage } from "../stage.mjs";

let stage, browser, desk, noura;
const LONG = 90;

before(async () => {
  stage = await Stage.set();
  browser = await Browser.open();
  desk = await browser.desk(stage, "lead");
  noura = await stage.citizen("نورة العجمي");
  await noura.writes("السلام عليكم، أسأل عن نقل العدّاد إلى أحمد");
  for (let n = 1; n <= LONG; n += 1) await noura.writes(n % 30 === 0 ? `الفاتورة رقم ${n} مكررة` : `سطر ${n}`);
  await desk.filter("open");
  await expect("all of it", () => desk.row(noura.name).getAttribute("data-unread"), String(LONG + 1), 60_000);
});

after(async () => {
  await browser?.close();
  await stage?.end();
});

/** Opens the search by its key, and types. */
async function look(text) {
  await desk.page.keyboard.press("Alt+KeyF");
  await desk.get("search-query").fill(text);
}
const inSight = (locator) =>
  locator.evaluate((element) => {
    const [box, here] = [element.closest('[data-testid="messages"]').getBoundingClientRect(), element.getBoundingClientRect()];
    return here.top >= box.top && here.bottom <= box.bottom;
  });

for (const language of ["ar", "en"]) {
  test(`a word in another spelling finds the message, marked, and opens it where it stands (${language})`, async () => {
    await desk.speak(language);
    await look("العداد احمد");
    await expect("the words marked", () => desk.get("search-text").first().locator("mark").allTextContents(), ["العدّاد", "أحمد"]);
    await desk.page.keyboard.press("Enter");
    const found = desk.message("نقل العدّاد");
    await found.waitFor();
    await expect("it in sight, far above the latest", () => inSight(found), true);
    assert.equal(await desk.get("search").count(), 0);
    await desk.page.keyboard.press("Escape");
    await desk.page.keyboard.press("Escape");
  });

  test(`operators narrow it down, and what is not understood is said (${language})`, async () => {
    await desk.speak(language);
    const [from, before, since, state] = language === "ar" ? ["من:نوره", "قبل:اليوم", "منذ:اليوم", "حالة:بانتظار"] : ["from:نورة", "before:today", "since:today", "state:waiting"];
    const texts = () => desk.get("search-text").count();
    await look(`${from} الفاتورة`);
    await expect("hers", texts, 3);
    await desk.get("search-query").fill(`${from} ${since} ${state} الفاتورة`);
    await expect("hers of today that wait", texts, 3);
    await desk.get("search-query").fill(`${before} الفاتورة`);
    await desk.get("search-none").waitFor();
    await desk.get("search-query").fill(language === "ar" ? "من:أنا الفاتورة" : "from:me الفاتورة");
    await desk.get("search-none").waitFor();
    await desk.get("search-query").fill(language === "ar" ? "قبل:العيد الفاتورة" : "before:Eid الفاتورة");
    await desk.get("search-unclear").waitFor();
    await desk.page.keyboard.press("Escape");
  });

  test(`by its owner one finds what somebody has, and what nobody has (${language})`, async () => {
    await desk.speak(language);
    const [first] = stage.person("lead").name.split(" ");
    const [nobody, me, named] = (language === "ar" ? ["بلا", "أنا", first] : ["nobody", "me", first]).map((who) => `${language === "ar" ? "مالك" : "owner"}:${who} الفاتورة`);
    const finds = async (of) => {
      await look("");
      for (const [text, count] of of) {
        await desk.get("search-query").fill(text);
        if (count === 0) await desk.get("search-none").waitFor();
        await expect(text, () => desk.get("search-text").count(), count);
      }
      await desk.page.keyboard.press("Escape");
      await desk.get("search").waitFor({ state: "detached" });
    };
    await desk.open(noura.name);
    await finds([[nobody, 3], [me, 0], [named, 0]]);
    await desk.get("claim").click();
    await desk.get("case-owner").filter({ hasText: stage.person("lead").name }).waitFor();
    await finds([[me, 3], [named, 3], [nobody, 0]]);
    await desk.page.keyboard.press("Alt+KeyU");
    await desk.get("claim").waitFor();
    await desk.page.keyboard.press("Escape");
    await desk.page.keyboard.press("Escape");
  });

  test(`in one conversation one goes from one to the next and back (${language})`, async () => {
    await desk.speak(language);
    await desk.open(noura.name);
    await desk.page.keyboard.press("Control+KeyF");
    await desk.get("find-query").fill("الفاتوره");
    const count = async () => (await desk.get("find-count").textContent()).replace(/[\u2066-\u2069]/gu, "");
    const of = (at) => (language === "ar" ? `${at} من 3` : `${at} of 3`);
    await expect("the newest", count, of(1));
    const shown = async (n) => {
      const message = desk.message(`الفاتورة رقم ${n} مكررة`);
      await message.waitFor();
      await expect(`the one of ${n} in sight`, () => inSight(message), true);
    };
    await shown(90);
    await expect("it marked", () => desk.page.evaluate(() => CSS.highlights.get("found-here")?.size), 1);
    await desk.page.keyboard.press("Enter");
    await expect("the next", count, of(2));
    await shown(60);
    await desk.get("find-older").click();
    await shown(30);
    await desk.get("find-newer").click();
    await expect("back", count, of(2));
    await desk.page.keyboard.press("Escape");
    await desk.get("find").waitFor({ state: "detached" });
    assert.equal(await desk.page.evaluate(() => CSS.highlights.get("found-here")?.size ?? 0), 0);
    await desk.page.keyboard.press("Escape");
    await desk.page.keyboard.press("Escape");
  });
}

for (const language of ["ar", "en"]) {
  test(`a name by its half, a telephone by its end and a case by its number lead to the conversation (${language})`, async () => {
    await desk.speak(language);
    const ali = await stage.citizen(language === "ar" ? "علي بن محمد الرشيدي" : "Ali bin Mohammed Al-Rashidi");
    await ali.writes("مرحبا");
    await desk.row(ali.name).or(desk.get("list-gathered")).first().waitFor();
    const opened = () => desk.get("conversation-name").filter({ hasText: ali.name }).waitFor();
    const leave = async () => {
      await desk.page.keyboard.press("Escape");
      await desk.page.keyboard.press("Escape");
      await desk.get("conversation-name").waitFor({ state: "detached" });
    };
    for (const text of language === "ar" ? ["الرشيد", "محمد علي"] : ["rashid", "mohammed ali"]) {
      await look(text);
      await desk.get("search-person").filter({ hasText: ali.name }).waitFor();
      await desk.page.keyboard.press("Enter");
      await opened();
      await leave();
    }
    await desk.open(ali.name);
    const number = (await desk.get("case-number").textContent()).trim();
    await desk.page.keyboard.press("Alt+KeyP");
    await expect("the telephone", async () => /^\+965\d{8}$/u.test(await desk.clipboard()), true);
    const telephone = await desk.clipboard();
    await leave();
    await look(telephone.slice(-4));
    await desk.get("search-person").filter({ hasText: ali.name }).click();
    await opened();
    await leave();
    await look(number.slice(-6));
    await desk.get("search-case").first().click();
    await opened();
  });

  test(`what was not sent is found too, and says so (${language})`, async () => {
    await desk.speak(language);
    const [word, found, who] = language === "ar" ? ["القانونى", "القانوني", "الفني"] : ["الهندسى", "الهندسي", "المراقب"];
    const reply = `نعتذر، ${who} في الطريق إليكم`;
    await desk.open(noura.name);
    await desk.write("note", `مراجعة القسم ${found} غداً`);
    await desk.get("draft-saved").waitFor();
    await look(word);
    await expect("the draft", () => desk.get("search-unsent").locator("[data-stage]").getAttribute("data-stage"), "draft");
    assert.deepEqual(await desk.get("search-unsent").locator("mark").allTextContents(), [found]);
    await desk.page.keyboard.press("Escape");

    await stage.order("gateway stop");
    await expect("the foot to say so", () => desk.get("foot").getAttribute("data-link"), "offline", 40_000);
    await desk.reply(reply);
    await look(who);
    await expect("what waits", () => desk.get("search-unsent").locator("[data-stage]").getAttribute("data-stage"), "waiting");
    await desk.get("search-unsent").click();
    await desk.message(reply).waitFor();

    await stage.order("gateway start");
    await expect("it to go", async () => (await noura.received()).filter((text) => text === reply), [reply], 60_000);
    await expect("the desk in step", () => desk.get("foot").getAttribute("data-link"), "live", 40_000);
    await look(who);
    await desk.get("search-text").filter({ hasText: reply }).waitFor();
    assert.equal(await desk.get("search-unsent").count(), 0);
    await desk.page.keyboard.press("Escape");
  });
}

test("nothing was complained about in the browser", () => {
  assert.deepEqual(desk.problems.filter((problem) => !problem.includes("Failed to load resource")), []);
});
