// Long lists in the real window, whose WebKit keeps nothing in its place by itself: what one reads stands still while more
// of it comes, and there is never a hole. SHUBBAK_CONVERSATIONS and SHUBBAK_MESSAGES make it as long as one likes; a
// conversation whose length was told is gone through to its beginning.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { act } from "../acts.mjs";
import { goThroughTheList, goUp, leap } from "../anchor.mjs";
import { expect } from "../expect.mjs";
import { fill } from "../filled.mjs";
import { Stage, eventually } from "../stage.mjs";
import { Window } from "../window.mjs";

const CONVERSATIONS = Number(process.env.SHUBBAK_CONVERSATIONS ?? 400);
const MESSAGES = Number(process.env.SHUBBAK_MESSAGES ?? 1500);
const PATIENCE = 60_000 + 100 * (CONVERSATIONS + MESSAGES);

let stage, window, desk, name;

before(async () => {
  stage = await Stage.set();
  const written = await fill(stage, CONVERSATIONS, MESSAGES);
  name = written.name;
  window = new Window(stage, "lead");
  await window.start();
  await window.page.setTimeout({ script: 600_000 });
  desk = act(window);
  await desk.click("filter-open");
  await expect("every conversation", () => desk.text("count-open"), CONVERSATIONS.toLocaleString("en"), PATIENCE);
  // The list is in its place, so that she comes to its top.
  await window.page.action("pointer").move({ x: 5, y: 5 }).perform();
  await written.last();
  await expect("all of it", complete, true, PATIENCE);
});

after(async () => {
  await window?.end();
  await stage?.end();
});

/** Whether the first row of the list shows the message that was written last: then all of them are here. */
const complete = () =>
  window.script((last) => document.querySelector('[data-testid="conversation-row"]')?.textContent.includes(last) ?? false, `سطر ${MESSAGES} `);
const fromEnd = () =>
  window.script(() => {
    const box = document.querySelector('[data-testid="messages"]');
    return Math.round(box.scrollHeight - box.scrollTop - box.clientHeight);
  });

/** Lets a script of few steps run until it is done: the driver waits for none longer than two minutes. */
async function through(context, script, done, ...given) {
  const all = { worst: 0, blank: 0, most: 0, drawn: 0 };
  for (let times = 1; ; times += 1) {
    const read = await window.script(script, ...given);
    for (const what of Object.keys(all)) all[what] = Math.max(all[what], read[what] ?? 0);
    if (done(read, times)) break;
    assert.ok(times < CONVERSATIONS + MESSAGES, `There is no end: ${JSON.stringify(read)}`);
  }
  context.diagnostic(JSON.stringify(all));
  assert.ok(all.worst < 1, `it jumped by ${all.worst} px`);
  assert.equal(all.blank, 0, `for ${all.blank} frames there was no row in a place`);
  assert.ok(all.drawn <= 80, `${all.drawn} rows of the list were in the page`);
  return all;
}

test("the list is scrolled down to its last row, and nothing jumps or is missing", async (context) => {
  await through(context, goThroughTheList, ({ rows, ended }) => ended && rows === CONVERSATIONS, true, 10);
});

test("it is scrolled up from its middle, where no row was drawn yet, and nothing jumps or is missing", async (context) => {
  await window.page.refresh();
  await window.find("rail-inbox", 60_000);
  await desk.click("filter-open");
  await expect("the list", complete, true, PATIENCE);
  await expect("the last row", () => window.script(leap, false), CONVERSATIONS, PATIENCE);
  await window.script(leap, true);
  await through(context, goThroughTheList, (_, times) => times === 3, false, 10);
});

test("a long conversation is scrolled up, and what one reads stands still", async (context) => {
  await window.script(() => document.querySelector('[data-testid="conversation-list"]').parentElement.scrollTo(0, 0));
  await desk.open(name);
  if (await desk.text("jump-to-end")) await desk.click("jump-to-end");
  await expect("the end", fromEnd, 0);
  // So far that what is furthest below is let go, and further.
  const far = process.env.SHUBBAK_MESSAGES === undefined ? 4 : Infinity;
  let full = 0;
  const all = await through(context, goUp, ({ ended, most }) => ended || (full += most >= 480) === far, 10);
  assert.equal(all.most, 480, `${all.most} rows are held`);
});

test("from far up one is at the end with one key, and at the beginning by its date", async () => {
  await desk.click("jump-to-end");
  await expect("the end", fromEnd, 0);
  await window.script(() => document.querySelector('[data-testid="day-jump"]').click());
  await eventually("the days", () => window.script(() => document.querySelectorAll('[role="option"], [data-choice]').length));
  await window.page.keys("Enter");
  await eventually("the first message", () =>
    window.script(() => [...document.querySelectorAll('[data-testid="message"]')].some((message) => /سطر 1 /u.test(message.textContent))),
  );
});
