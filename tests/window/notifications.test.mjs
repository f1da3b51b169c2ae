// Notifications in the real window: tried out, private, held back by the system, and clicked while the desk is locked.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { expect } from "../expect.mjs";
import { eventually } from "../stage.mjs";
import { ask, atWindow, notifications } from "../window.mjs";

const { stage, window, desk } = await atWindow("lead");
after(() => ask("dunstctl", "set-paused", "false"));
await notifications.clear();

test("one is tried from the settings, and the page says when the system holds them back", async () => {
  await desk.click("settings-open");
  await desk.click("section-notifications");
  await expect("a system that shows them", () => desk.attribute("notices", "data-notices"), "shown");
  await desk.click("try-notification");
  const tried = await notifications.about("إشعار للتجربة");
  assert.match(tried.body, /شُبّاك/);

  await ask("dunstctl", "set-paused", "true");
  await desk.click("section-look");
  await desk.click("section-notifications");
  await expect("do not disturb", () => desk.attribute("notices", "data-notices"), "paused");
  await ask("dunstctl", "set-paused", "false");
  // This installation is not the usual one, which alone the system could start.
  await desk.click("section-computer");
  await window.find("start-unknown");
});

test("a private one names nobody and quotes nothing; its click opens the conversation once the desk is unlocked", async () => {
  await desk.click("section-notifications");
  await desk.click("set-private");
  await desk.click("settings-close");
  const citizen = await stage.citizen("هدى الكندري");
  await citizen.writes("عندي سؤال عن الفاتورة");
  await eventually("her notification", async () => (await notifications.shown()) > 0);

  await window.script(() => document.activeElement?.blur());
  await window.page.keys(["Alt", "l"]);
  await window.find("unlock-form");
  await notifications.click();
  const said = await notifications.about("رسالة جديدة");
  assert.match(said.body, /\d{4}-\d+/);
  assert.doesNotMatch(`${said.summary} ${said.body}`, /هدى|الفاتورة/);

  const field = await window.find("unlock-password");
  await field.setValue(stage.person("lead").password);
  await desk.click("unlock-submit");
  await expect("her conversation", () => desk.text("conversation-name"), citizen.name, 30_000);
});
