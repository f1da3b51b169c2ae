// A link in a message, in the real window: the system's browser gets it, and the window stays where it is.

import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { act } from "../acts.mjs";
import { expect } from "../expect.mjs";
import { Stage } from "../stage.mjs";
import { Window } from "../window.mjs";

let stage, window, desk, opened;

before(async () => {
  stage = await Stage.set();
  // What the system starts for an address is found by this name.
  const browser = join(stage.folder, "xdg-open");
  opened = join(stage.folder, "opened");
  await writeFile(browser, `#!/bin/sh\nprintf '%s\\n' "$#" "$@" >> '${opened}'\n`);
  await chmod(browser, 0o755);
  process.env.PATH = `${stage.folder}:${process.env.PATH}`;
  window = new Window(stage, "agent1");
  await window.start();
  desk = act(window);
});

after(async () => {
  await window?.end();
  await stage?.end();
});

const given = async () => (await readFile(opened, "utf8").catch(() => "")).trim().split("\n");

test("is opened by the system's browser, whole and as one word, and the window goes nowhere", async () => {
  const citizen = await stage.citizen("ناصر السبيعي");
  await citizen.writes("https://mew.gov.kw/pay?id=5&x=$(id);`id`");
  await citizen.writes("https://mew.gov.kw@pay.example/login");
  await desk.open(citizen.name);
  const at = await window.page.getUrl();
  await desk.click("link", "mew.gov.kw/pay");
  await expect("the address", given, ["1", "https://mew.gov.kw/pay?id=5&x=$(id);`id`"]);
  await desk.click("link", "pay.example");
  assert.equal(await desk.text("link-ask-host"), "pay.example");
  await desk.click("ask-confirm");
  await expect("the other one", async () => (await given()).slice(2), ["1", "https://pay.example/login"]);
  assert.equal(await window.page.getUrl(), at);
  assert.equal((await window.page.getWindowHandles()).length, 1);
});

test("no link of the browser's own is there, and one that is made leads nowhere", async () => {
  const at = await window.page.getUrl();
  assert.equal(await window.script(() => document.querySelectorAll("a[href]").length), 0);
  await window.script(() => {
    const link = document.createElement("a");
    link.href = "https://evil.example/";
    document.body.append(link);
    link.click();
    link.remove();
  });
  await new Promise((later) => setTimeout(later, 1_000));
  assert.equal(await window.page.getUrl(), at);
  assert.ok(await desk.text("rail-inbox"));
});
