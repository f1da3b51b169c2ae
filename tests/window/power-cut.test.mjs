// Off line, and then the power is cut: nothing that was written is lost, and nothing goes out twice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { expect } from "../expect.mjs";
import { atWindow } from "../window.mjs";

const REPLIES = ["أولاً: نعتذر عن الانقطاع", "ثانياً: الفريق في الطريق", "ثالثاً: المتوقع قبل الثانية ظهراً"];
const NOTE = "كسر في الخط الرئيسي";
const DRAFT = "وسنوافيكم بالمستجدات أو";

const { stage, window, desk } = await atWindow("agent1", { opened: false });

test("replies and a note written off line survive kill -9 and go once, in order; the draft is still there", async () => {
  const citizen = await stage.citizen("عبدالله الشمري");
  await window.start();
  await citizen.writes("الماي مقطوع عندنا في مدينة صباح الأحمد");
  await desk.open(citizen.name);

  await stage.order("gateway stop");
  await expect("the foot to say so", () => desk.attribute("foot", "data-link"), "offline", 40_000);
  for (const text of REPLIES) await desk.reply(text);
  await desk.note(NOTE);
  await desk.type("reply", DRAFT);
  await desk.saved();
  await window.kill();

  // The gateway is still away: the file opens by the password alone, and everything stands there.
  await window.start();
  await desk.open(citizen.name);
  for (const text of REPLIES) assert.equal(await desk.delivery(text), "waiting");
  assert.equal(await desk.draft(), DRAFT);
  assert.deepEqual(await citizen.received(), []);

  await stage.order("gateway start");
  await expect("each reply once, in order", () => citizen.received(), REPLIES, 60_000);
  await expect("the ticks", () => desk.delivery(REPLIES[2]), "delivered");
  await expect("the note at the gateway", () => desk.attribute("note", "data-pending"), "false");
  assert.equal(await desk.draft(), DRAFT);

  // And nothing more comes later.
  await window.kill();
  await window.start();
  await expect("the desk in step", () => desk.attribute("foot", "data-link"), "live", 40_000);
  assert.deepEqual(await citizen.received(), REPLIES);
});
