// Script in whatever a citizen or a colleague writes: it is shown as it was written, and nothing of it runs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { everyRow, openRow } from "../anchor.mjs";
import { expect } from "../expect.mjs";
import { payloads } from "../payloads.mjs";
import { atWindow } from "../window.mjs";

/** So many are written by one citizen, who bears the first of them as a name. */
const EACH = 10;

const { stage, window, desk } = await atWindow("lead");

test(`${payloads.length} of them in names, messages, notes and drafts run nothing, and are shown as they are`, async () => {
  await window.script(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, sourceFile }) => window.violations.push(`${effectiveDirective} ${sourceFile}`));
    window.elements = document.querySelectorAll("script, iframe, object, embed, base, meta, form, link, style").length;
  });
  for (let at = 0; at < payloads.length; at += EACH) {
    const written = payloads.slice(at, at + EACH);
    const citizen = await stage.citizen(written[0].slice(0, 120));
    for (const text of written) await citizen.writes(text);
  }
  const rows = payloads.length / EACH;
  await desk.click("filter-open");
  await expect("every conversation", () => desk.text("count-open"), String(rows), 60_000);
  const conversations = await window.script(everyRow);
  assert.equal(conversations.length, rows);

  const shown = new Set();
  for (const conversation of conversations) {
    await window.script(openRow, conversation);
    const texts = () => window.script((id) => {
      const open = document.querySelector('[data-testid="conversation-row"][aria-current="true"]');
      if (open?.dataset.conversation !== id) return [];
      return [...document.querySelectorAll('[data-testid="message"]')].map((message) => {
        const copy = message.cloneNode(true);
        // What the window adds to a link whose words name another place.
        for (const host of copy.querySelectorAll('[data-testid="link-host"]')) host.remove();
        return copy.textContent;
      });
    }, conversation);
    await expect("its messages", async () => (await texts()).length, EACH);
    for (const text of await texts()) shown.add(text.trim());
  }
  const plain = (text) => text.replaceAll(/[\u202a-\u202e\u2066-\u2069]/gu, "").trim();
  const missing = payloads.map(plain).filter((text) => ![...shown].map(plain).some((one) => one.includes(text)));
  assert.deepEqual(missing, []);

  for (const text of [payloads[0], payloads[42], payloads[300]]) await desk.note(text);
  await desk.type("reply", payloads[60]);
  await desk.saved();
  // Names stand in the palette and in the head too; each is pointed at.
  await window.script(() => {
    for (const element of document.querySelectorAll("[title]")) element.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
  });
  const found = await window.script(() => ({
    injected: "injected" in window,
    violations: window.violations,
    more: document.querySelectorAll("script, iframe, object, embed, base, meta, form, link, style").length - window.elements,
  }));
  assert.deepEqual(found, { injected: false, violations: [], more: 0 });
});
