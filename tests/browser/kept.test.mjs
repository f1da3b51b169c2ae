// What is kept on this computer: told, cleared and received anew, mended when it is damaged, removed when access is closed.

import assert from "node:assert/strict";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { atBrowser } from "../browser.mjs";
import { expect } from "../expect.mjs";

const { stage, browser } = await atBrowser();
const plain = (text) => text.replace(/[\u200e\u200f\u2066-\u2069]/gu, "");
const isReported = (problem) => !problem.includes("Failed to load resource");

async function kept(desk, what) {
  return plain(await desk.get(`storage-${what}`).textContent());
}

async function storage(desk) {
  await desk.page.keyboard.press("Control+Comma");
  await desk.get("section-computer").click();
  await desk.get("storage-conversations").waitFor();
}

/** Where the one file of this name is. */
async function find(folder, name) {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(name));
  assert.equal(files.length, 1, files.join(" "));
  return join(folder, files[0]);
}

/** Writes noughts over a page of the file of this name. */
async function damage(folder, name) {
  const file = await open(await find(folder, name), "r+");
  const { size } = await file.stat();
  await file.write(Buffer.alloc(4096), 0, 4096, Math.floor(size / 8192) * 4096);
  await file.close();
}

for (const [language, username] of [["ar", "agent1"], ["en", "agent2"]]) {
  let desk, citizen;

  test(`the settings tell what is kept here, clear it, and have it received anew; a draft stays (${language})`, async () => {
    desk = await browser.desk(stage, username);
    await desk.speak(language);
    citizen = await stage.citizen(`محفوظة ${language}`);
    await citizen.writes("أول السطر");
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.write("reply", "لم يكتمل بعد");
    await desk.get("draft-saved").waitFor();
    await storage(desk);
    const before = await kept(desk, "conversations");
    assert.deepEqual([await kept(desk, "drafts"), await kept(desk, "unsent")], ["1", "0"]);
    assert.match(await kept(desk, "records"), /\d/u);
    assert.ok((await desk.get("storage-folder").textContent()).startsWith(join(stage.folder, "desks", username)));
    const records = await find(join(stage.folder, "desks", username), "records.db");
    const made = async () => {
      const { ino, birthtimeMs } = await stat(records);
      return [ino, birthtimeMs];
    };
    const old = await made();
    await desk.get("storage-clear").click();
    await Promise.all([desk.page.waitForResponse(/clear_cache/u), desk.get("ask-confirm").click()]);
    assert.notDeepEqual(await made(), old, "It is another file");
    await expect("all of it again", () => kept(desk, "conversations"), before);
    await desk.get("settings-close").click();
    await desk.message("أول السطر").waitFor();
    await expect("the draft", () => desk.get("composer-text").inputValue(), "لم يكتمل بعد");
  });

  test(`a damaged file is set aside and received anew, and one is told (${language})`, async () => {
    await desk.cut("SIGTERM");
    await damage(join(stage.folder, "desks", username), "records.db");
    const problems = desk.problems.filter(isReported);
    desk = await browser.desk(stage, username);
    assert.deepEqual(problems, []);
    await desk.speak(language);
    await desk.get("mended").locator("[data-file=records]").filter({ hasText: language === "ar" ? "البوابة" : "gateway" }).waitFor();
    await desk.filter("open");
    await desk.open(citizen.name);
    await desk.message("أول السطر").waitFor();
    await expect("the draft", () => desk.get("composer-text").inputValue(), "لم يكتمل بعد");
    await storage(desk);
    assert.match(await kept(desk, "aside"), /\d/u);
    await desk.get("settings-close").click();
    await desk.get("mended-read").click();
    await desk.get("mended").waitFor({ state: "detached" });
    await desk.page.reload();
    await desk.get("conversation-list").waitFor();
    assert.equal(await desk.get("mended").count(), 0);
  });

  test(`whoever is shut out finds nothing here any more, and is told what was lost with it (${language})`, async () => {
    await stage.shutOut(username);
    await desk.get("wiped").waitFor();
    await desk.get("wiped-lost").filter({ hasText: "1" }).waitFor();
    const left = await readdir(join(stage.folder, "desks", username), { recursive: true });
    assert.deepEqual(left.filter((file) => /records|precious/u.test(file)), []);
    assert.ok(!(await desk.page.content()).includes(citizen.name));
    assert.deepEqual(desk.problems.filter(isReported), []);
  });
}
