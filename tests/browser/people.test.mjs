// Several people at one workstation: signing in, locking, changing places, leaving with something unsent.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser } from "../browser.mjs";
import { expect } from "../expect.mjs";
import { Stage } from "../stage.mjs";

let stage, browser, desk, lead;

before(async () => {
  stage = await Stage.set();
  browser = await Browser.open();
  desk = await browser.workstation(stage, "counter-1");
  lead = await browser.desk(stage, "lead");
});

after(async () => {
  await browser?.close();
  await stage?.end();
});

const inbox = () => desk.get("conversation-list").or(desk.get("list-empty")).waitFor();
const name = (username) => stage.person(username).name;

/** Signs in at the form that stands there. */
async function signIn(username) {
  const { password } = stage.person(username);
  if (await desk.get("sign-in-code").count()) await desk.get("sign-in-first-time").click();
  for (const [field, text] of Object.entries({ gateway: stage.state.gateway, agency: stage.state.agency, username, password })) await desk.get(`sign-in-${field}`).fill(text);
  await desk.get("sign-in-submit").click();
  await inbox();
}

async function unlock(username) {
  await desk.get("known-account").filter({ hasText: username }).click();
  await desk.get("unlock-password").fill(stage.person(username).password);
  await desk.page.keyboard.press("Enter");
  await inbox();
}

/** By the menu on one's own initial. */
async function leave(parting) {
  await desk.get("me").click();
  await desk.page.locator("[data-choice=sign-out]").click();
  if (parting !== undefined) {
    await desk.get("sign-out-waiting").waitFor();
    await desk.get(`parting-${parting}`).check();
  }
  await desk.get("ask-confirm").click();
  await desk.get("sign-in-form").waitFor();
}

async function gateway(order, link) {
  await stage.order(`gateway ${order}`);
  await expect(`the foot to say ${link}`, () => lead.get("foot").getAttribute("data-link"), link, 60_000);
}

for (const language of ["ar", "en"]) {
  test(`a wrong password is said, the right one opens the desk, and a lock shows nothing until it is given again (${language})`, async () => {
    const dana = await stage.citizen(`دانة الصقر ${language}`);
    await dana.writes("سر بيننا");
    await desk.get("sign-in-form").waitFor();
    if (language === "en") await desk.get("language-switch").click();
    await desk.speak(language);
    if (await desk.get("sign-in-code").count()) await desk.get("sign-in-first-time").click();
    for (const [field, text] of Object.entries({ gateway: stage.state.gateway, agency: stage.state.agency, username: "agent1", password: "ليست كلمة المرور هذه" })) await desk.get(`sign-in-${field}`).fill(text);
    await desk.get("sign-in-submit").click();
    await desk.get("sign-in-error").waitFor();
    await signIn("agent1");
    await desk.filter("open");
    await desk.open(dana.name);
    await desk.write("reply", "نكمل بعد القفل");
    await desk.get("draft-saved").waitFor();

    await desk.page.keyboard.press("Alt+KeyL");
    await desk.get("unlock-form").waitFor();
    for (const secret of [dana.name, "سر بيننا", "نكمل بعد القفل"]) assert.ok(!(await desk.page.content()).includes(secret), secret);
    await desk.page.reload();
    await desk.get("unlock-password").fill("ليست هي");
    await desk.get("unlock-submit").click();
    await desk.get("unlock-error").waitFor();
    await unlock("agent1");
    await desk.filter("open");
    await desk.open(dana.name);
    await expect("the draft", () => desk.get("composer-text").inputValue(), "نكمل بعد القفل");
  });

  test(`a desk that nobody touches locks by itself, and goes on receiving (${language})`, async () => {
    const idle = await browser.desk(stage, "agent2");
    await idle.speak(language);
    const dalal = await stage.citizen(`دلال الخالد ${language}`);
    await dalal.writes("لا يقرأه المارة");
    await idle.filter("open");
    await idle.open(dalal.name);
    await idle.page.keyboard.press("Control+Comma");
    await idle.get("section-computer").click();
    await idle.get("set-lock-after-5").check();
    await idle.get("settings-close").click();

    const start = Date.now();
    const later = (minutes) => idle.page.clock.setSystemTime(start + minutes * 60_000);
    await later(4);
    await idle.page.mouse.move(300, 300);
    await later(8);
    // It is looked every five seconds.
    await new Promise((ready) => setTimeout(ready, 6_000));
    assert.equal(await idle.get("conversation-name").count(), 1, "It was touched four minutes ago");
    const told = await idle.told("notifications");
    await later(10);
    await idle.get("unlock-form").waitFor();
    for (const secret of [dalal.name, "لا يقرأه المارة"]) assert.ok(!(await idle.page.content()).includes(secret), secret);
    const ghada = await stage.citizen(`غادة الشمري ${language}`);
    await ghada.writes("وصل وهو مقفل");
    await expect("it to be told", () => told.length, 1);
    for (const secret of [ghada.name, "وصل وهو مقفل"]) assert.ok(!JSON.stringify(told).includes(secret), secret);
    await idle.cut();
  });

  test(`a colleague takes the place without seeing what is not theirs, and the first comes back to their own (${language})`, async () => {
    await desk.page.keyboard.press("Alt+KeyL");
    await desk.get("unlock-other").click();
    await signIn("agent2");
    await desk.filter("open");
    await desk.row(`دانة الصقر ${language}`).waitFor();
    assert.equal(await desk.get("draft-badge").count(), 0, "A draft is its writer's alone");
    await desk.page.keyboard.press("Alt+KeyS");
    await desk.get("unsent-none").waitFor();
    await desk.page.keyboard.press("Escape");

    await desk.page.keyboard.press("Alt+KeyL");
    await unlock("agent1");
    await desk.filter("open");
    await desk.row(`دانة الصقر ${language}`).getByTestId("draft-badge").waitFor();
  });

  test(`a draft is left behind as a note, which a colleague reads and the citizen does not get (${language})`, async () => {
    const hamad = await stage.citizen(`حمد الرومي ${language}`);
    await hamad.writes("متى موعدي؟");
    await desk.filter("open");
    await desk.open(hamad.name);
    await desk.write("reply", "موعدك الأحد الساعة العاشرة");
    await desk.page.keyboard.press("Alt+KeyS");
    const draft = desk.get("unsent-draft").filter({ hasText: hamad.name });
    await draft.getByTestId("unsent-leave").click();
    await draft.waitFor({ state: "detached" });
    await desk.page.keyboard.press("Escape");
    await expect("an empty composer", () => desk.get("composer-text").inputValue(), "");
    await lead.filter("open");
    await lead.open(hamad.name);
    await lead.get("note").filter({ hasText: "موعدك الأحد" }).filter({ hasText: name("agent1") }).waitFor();
    assert.deepEqual(await hamad.received(), []);
  });

  test(`who leaves with replies waiting has them sent behind the lock (${language})`, async () => {
    const fahad = await stage.citizen(`فهد العدواني ${language}`);
    await fahad.writes("أين وصل الطلب؟");
    await desk.filter("open");
    await desk.open(fahad.name);
    await gateway("stop", "offline");
    await desk.reply("طلبكم جاهز للاستلام");
    await leave("keep_sending");
    await expect("what still goes out, without a name", () => desk.get("going-out").getAttribute("data-count"), "1");
    assert.ok(!(await desk.page.content()).includes(fahad.name));
    await gateway("start", "live");
    await expect("the reply", () => fahad.received(), ["طلبكم جاهز للاستلام"], 60_000);
    await signIn("agent1");
    await desk.page.keyboard.press("Alt+KeyS");
    await desk.get("unsent").waitFor();
    await expect("nothing of it to wait", () => desk.get("unsent-act").count(), 0);
    await desk.page.keyboard.press("Escape");
  });

  test(`or hands them over: they become notes, and nothing more goes in that name (${language})`, async () => {
    const reem = await stage.citizen(`ريم الفضلي ${language}`);
    await reem.writes("هل الموعد قائم؟");
    await desk.filter("open");
    await desk.open(reem.name);
    await gateway("stop", "offline");
    await desk.reply("الموعد قائم كما هو");
    await leave("hand_over");
    await gateway("start", "live");
    await lead.filter("open");
    await lead.open(reem.name);
    await lead.get("note").filter({ hasText: "الموعد قائم كما هو" }).waitFor({ timeout: 60_000 });
    assert.deepEqual(await reem.received(), []);
  });
}

test("nothing was complained about in the browser", () => {
  const problems = [...desk.problems, ...lead.problems].filter((problem) => !problem.includes("Failed to load resource"));
  assert.deepEqual(problems, []);
});
