// The main job in the real window: a citizen writes, a notification says so, its click opens the conversation, the
// answer goes out, the ticks turn.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { expect } from "../expect.mjs";
import { eventually, program } from "../stage.mjs";
import { atWindow, notifications } from "../window.mjs";

const { stage, window, desk } = await atWindow("lead");

test("a notification's click opens exactly that conversation, also when the window is hidden", async () => {
  const [fatima, khaled] = [await stage.citizen("فاطمة الرشيدي"), await stage.citizen("خالد العازمي")];
  await khaled.writes("عندي استفسار");
  await notifications.about(khaled.name);
  await window.close();

  await fatima.writes("السلام عليكم، الكهرباء مقطوعة");
  await eventually("Fatima's notification", async () => (await notifications.shown()) > 0);
  assert.equal(await window.onScreen(), undefined);
  await notifications.click();
  await eventually("the window", () => window.onScreen());
  await expect("her conversation", () => desk.text("conversation-name"), fatima.name);
  const said = await notifications.about(fatima.name);
  assert.equal(said.body, "السلام عليكم، الكهرباء مقطوعة");

  await desk.reply("وعليكم السلام، وصل بلاغكم");
  await expect("the second tick", () => desk.delivery("وصل بلاغكم"), "delivered");
  assert.deepEqual(await fatima.received(), ["وعليكم السلام، وصل بلاغكم"]);
  await fatima.looks();
  await expect("the blue ticks", () => desk.delivery("وصل بلاغكم"), "read");
  assert.deepEqual(await khaled.received(), []);
});

test("a second start brings the first window forward, and ends", async () => {
  await window.close();
  const second = spawn(program("shubbak"), window.args, { stdio: "ignore" });
  const code = await new Promise((resolve) => second.once("exit", resolve));
  assert.equal(code, 0);
  await eventually("the first window", () => window.onScreen());
});

test("the window loads nothing from outside, and no script that it was not built with", async () => {
  const found = await window.script(async () => {
    const violations = [];
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => violations.push(effectiveDirective));
    const inline = document.createElement("script");
    inline.textContent = "window.injected = true";
    document.head.append(inline);
    const image = new Image();
    image.src = "http://127.0.0.1:9/x.png";
    const fetched = await fetch("http://127.0.0.1:9/").then(() => true, () => false);
    await new Promise((ready) => setTimeout(ready, 200));
    return { injected: window.injected === true, fetched, global: "__TAURI__" in window, violations: [...new Set(violations)].sort() };
  });
  assert.deepEqual(found, { injected: false, fetched: false, global: false, violations: ["connect-src", "img-src", "script-src-elem"] });
});
