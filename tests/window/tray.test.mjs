// The tray: how many wait, in the language that is chosen; back to the window; and out of the program.

import assert from "node:assert/strict";
import { test } from "node:test";
import { expect } from "../expect.mjs";
import { eventually } from "../stage.mjs";
import { trayOf } from "../tray.mjs";
import { ask, atWindow } from "../window.mjs";

const { stage, window, desk } = await atWindow("agent2");
const place = async () => (await ask("xdotool", "getwindowgeometry", await window.onScreen())).replace(/^Window \d+/, "");
const stood = await place();
const tray = await trayOf(window.pid);

test("it counts who waits for a reply", async () => {
  const [first, second] = [await stage.citizen("مريم الصباح الثانية"), await stage.citizen("سارة الفهد الثانية")];
  await first.writes("السلام عليكم");
  await first.writes("هل من مجيب؟");
  await second.writes("عندي شكوى");
  await expect("two that wait", () => tray.label(), "2");
  await desk.open(first.name);
  await desk.reply("وعليكم السلام، تفضلي");
  await expect("one that waits", () => tray.label(), "1");
});

test("its menu follows the language, opens the window, and ends the program", async () => {
  assert.deepEqual((await tray.entries()).map(({ label }) => label), ["فتح شُبّاك", "إنهاء شُبّاك"]);
  await desk.click("language-switch");
  await expect("English", async () => (await tray.entries()).map(({ label }) => label), ["Open Shubbak", "Quit Shubbak"]);

  await window.close();
  await tray.choose("Open Shubbak");
  await eventually("the window", () => window.onScreen());
  await tray.choose("Quit Shubbak");
  await window.ended();
});

test("it stands where it stood when the program starts again", async () => {
  await window.start();
  await expect("the same place", place, stood);
});
