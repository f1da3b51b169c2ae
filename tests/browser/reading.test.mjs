// What one has read, what one was writing, and where one is led.

import assert from "node:assert/strict";
import { test } from "node:test";
import { atBrowser } from "../browser.mjs";
import { expect } from "../expect.mjs";

const { stage, desks: [desk] } = await atBrowser("agent1");

const unread = (citizen) => desk.row(citizen.name).getAttribute("data-unread");
const inSight = (locator) =>
  expect("it in sight", async () => {
    const [box, place] = [await desk.get("messages").boundingBox(), await locator.boundingBox()];
    return place !== null && place.y >= box.y - 1 && place.y + place.height <= box.y + box.height + 1;
  }, true);
const leave = async () => {
  await desk.page.keyboard.press("Escape");
  await desk.page.keyboard.press("Escape");
  await desk.get("conversation").waitFor({ state: "detached" });
};

for (const language of ["ar", "en"]) {
  test(`what lies below is not read because the conversation was opened (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`كثيرة ${language}`);
    for (let n = 1; n <= 40; n += 1) await citizen.writes(`سطر ${n} كلام`);
    await desk.filter("open");
    await expect("all of it", () => unread(citizen), "40");
    await desk.open(citizen.name);
    await inSight(desk.message("سطر 1 كلام"));
    await desk.get("jump-to-end").filter({ hasText: "40" }).waitFor();
    assert.equal(await unread(citizen), "40");
    await desk.page.keyboard.press("Alt+End");
    await inSight(desk.message("سطر 40 كلام"));
    await expect("it read", () => unread(citizen), "0");
    await leave();
  });

  test(`a word deep in a long message is shown where it was found (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`مطولة ${language}`);
    const word = language === "ar" ? "زمردة" : "emerald";
    await citizen.writes(`${"كلام كثير جدا ".repeat(200)} ${word}`);
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.get("fold").waitFor();
    assert.equal(await desk.get("fold").getAttribute("aria-expanded"), "false");
    await desk.page.keyboard.press("Control+KeyF");
    await desk.get("find-query").fill(word);
    await expect("it unfolded", () => desk.get("fold").getAttribute("aria-expanded"), "true");
    await desk.page.keyboard.press("Escape");
    await leave();
    await desk.page.keyboard.press("Alt+KeyF");
    await desk.get("search-query").fill(word);
    await desk.page.keyboard.press("Enter");
    await desk.get("fold").waitFor();
    await expect("it unfolded", () => desk.get("fold").getAttribute("aria-expanded"), "true");
    await leave();
  });

  test(`a notification leads to its conversation out of the settings, and to its message out of the past (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`مشعرة ${language}`);
    for (let n = 1; n <= 30; n += 1) await citizen.writes(`قديم ${n} كلام`);
    await desk.filter("open");
    await desk.open(citizen.name);
    const id = await desk.get("conversation").getAttribute("data-conversation");
    await leave();
    await desk.page.keyboard.press("Control+Comma");
    await desk.get("settings").waitFor();
    await desk.clickNotification(id);
    await desk.get("settings").waitFor({ state: "detached" });
    await desk.get("conversation-name").filter({ hasText: citizen.name }).waitFor();
    await expect("it read to its end", async () => {
      await desk.page.keyboard.press("Alt+End");
      return unread(citizen);
    }, "0");
    await inSight(desk.message("قديم 30 كلام"));
    await desk.get("messages").evaluate((box) => box.scrollTo(0, 0));
    await desk.get("jump-to-end").waitFor();
    await citizen.writes("جديد الآن");
    await desk.row(citizen.name).filter({ hasText: "جديد الآن" }).waitFor();
    await desk.clickNotification(id);
    await inSight(desk.message("جديد الآن"));
    await leave();
  });

  test(`a note that is half written says so where one writes replies, and is found again as a note (${language})`, async () => {
    await desk.speak(language);
    const citizen = await stage.citizen(`ملحوظة ${language}`);
    await citizen.writes("؟");
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.write("note", "نصف ملاحظة");
    await desk.get("mode-reply").click();
    await desk.get("mode-draft").waitFor();
    await leave();
    await desk.page.keyboard.press("Alt+KeyS");
    await desk.get("unsent-draft").filter({ hasText: citizen.name }).getByTestId("unsent-open").click();
    await expect("note mode", () => desk.get("composer").getAttribute("data-mode"), "note");
    assert.equal(await desk.get("composer-text").inputValue(), "نصف ملاحظة");
    await desk.page.keyboard.press("Enter");
    await desk.get("note").filter({ hasText: "نصف ملاحظة" }).waitFor();
    await desk.get("mode-draft").waitFor({ state: "detached" });
    assert.deepEqual(await citizen.received(), []);
    await leave();
  });
}

test("nothing was complained about in the browser", () => assert.deepEqual(desk.problems, []));
