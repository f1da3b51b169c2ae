// The desk by keyboard, on an Arabic layout as on a Latin one, in both languages; and what a person chooses at it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { atBrowser } from "../browser.mjs";
import { expect } from "../expect.mjs";

const { stage, desks: [desk] } = await atBrowser("lead");
await desk.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);

/** A key of an Arabic layout: the place where it lies on the keyboard, and what it types. */
const press = (code, key, modifiers = {}) =>
  desk.page.evaluate(
    ({ code, key, modifiers }) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { code, key, bubbles: true, cancelable: true, ...modifiers })),
    { code, key, modifiers },
  );
const focused = (attribute) => desk.page.evaluate((attribute) => document.activeElement.getAttribute(attribute), attribute);
const clipboard = () => desk.page.evaluate(() => navigator.clipboard.readText());

/** Chooses in the settings, by section. */
async function choose(chosen) {
  await desk.page.keyboard.press("Control+Comma");
  for (const [section, ids] of Object.entries(chosen)) {
    await desk.get(`section-${section}`).click();
    for (const id of ids) await desk.get(`set-${id}`).check();
  }
  await desk.get("settings-close").click();
}

for (const language of ["ar", "en"]) {
  test(`a case is claimed, answered, copied and closed without a pointer (${language})`, async () => {
    const citizen = await stage.citizen(language === "ar" ? "بدر السالم" : "Bader Al-Salem");
    await citizen.writes("متى ترجع الكهرباء؟");
    await press("Digit2", "2", { ctrlKey: true });
    await desk.row(citizen.name).waitFor();
    if ((await desk.page.evaluate(() => document.documentElement.lang)) !== language) await press("KeyL", "م", { ctrlKey: true });
    await expect("the language", () => desk.page.evaluate(() => document.documentElement.lang), language);

    await press("KeyK", "ن", { ctrlKey: true });
    await desk.get("palette-query").fill(citizen.name.split(" ")[0]);
    await desk.page.keyboard.press("Enter");
    await desk.get("conversation-name").filter({ hasText: citizen.name }).waitFor();
    await expect("the keyboard in the composer", () => focused("data-testid"), "composer-text");

    await press("KeyC", "ؤ", { altKey: true });
    await desk.get("case-owner").filter({ hasText: stage.person("lead").name }).waitFor();
    await desk.page.keyboard.type("ج C نعتذر");
    await desk.page.keyboard.press("Enter");
    await expect("the answer", () => citizen.received(), ["ج C نعتذر"]);
    await press("KeyQ", "ض", { altKey: true });
    await expect("the case number, clean", async () => /^MEW-\d{4}-\d{6}$/u.test(await clipboard()), true);
    await press("KeyP", "ح", { altKey: true });
    await expect("the telephone, clean", async () => /^\+965\d{8}$/u.test(await clipboard()), true);

    await press("KeyK", "ن", { ctrlKey: true });
    await desk.get("palette-query").fill(language === "ar" ? "اغلاق الطلب" : "close the case");
    await desk.page.keyboard.press("Enter");
    await expect("the outcomes", async () => (await desk.get("palette-line").count()) > 1, true);
    await desk.page.keyboard.press("Enter");
    await expect("the case to be closed", () => desk.get("case").getAttribute("data-state"), "closed");
    await desk.page.keyboard.press("Escape");
    await desk.page.keyboard.press("Escape");
  });

  test(`the sheet opens by the sign that is typed and by Ctrl+/, where / types ظ (${language})`, async () => {
    if ((await desk.page.evaluate(() => document.documentElement.lang)) !== language) await press("KeyL", "م", { ctrlKey: true });
    for (const [key, modifiers] of [["؟", { shiftKey: true }], ["?", { shiftKey: true }], ["ظ", { ctrlKey: true }]]) {
      await press("Slash", key, modifiers);
      await desk.get("keys-sheet").waitFor();
      await desk.page.keyboard.press("Escape");
      await desk.get("keys-sheet").waitFor({ state: "detached" });
    }
    // What is pressed right after Escape acts already.
    await press("Slash", "ظ", { ctrlKey: true });
    await desk.get("keys-sheet").waitFor();
    await desk.page.evaluate(() => {
      document.querySelector("[data-testid=keys-sheet]").dispatchEvent(new Event("cancel", { cancelable: true }));
      document.body.dispatchEvent(new KeyboardEvent("keydown", { code: "Digit1", key: "1", ctrlKey: true, bubbles: true }));
    });
    await expect("the filter", () => desk.get("filter-mine").getAttribute("aria-pressed"), "true");
    await press("Digit2", "2", { ctrlKey: true });
    await press("Slash", "ظ");
    await press("KeyK", "ن", { ctrlKey: true, shiftKey: true });
    assert.equal(await desk.get("keys-sheet").or(desk.get("palette")).count(), 0);
  });
}

for (const language of ["ar", "en"]) {
  test(`the list holds still under the pointer, and what is new comes by its button and by leaving (${language})`, async () => {
    await desk.speak(language);
    const [one, two, three] = await Promise.all(["أولى", "ثانية", "ثالثة"].map((name) => stage.citizen(`${name} ${language}`)));
    await desk.filter("open");
    for (const citizen of [one, two]) {
      await citizen.writes("السلام عليكم");
      await desk.row(citizen.name).waitFor();
    }
    const order = () => desk.get("conversation-row").evaluateAll((rows) => rows.map((row) => row.dataset.conversation));
    const before = await order();
    await desk.row(one.name).hover();
    await three.writes("جديدة");
    await one.writes("وأخرى");
    await expect("what gathered", async () => ((await desk.get("list-gathered").count()) ? desk.get("list-gathered").textContent().then((text) => /محادثتين|2/u.test(text)) : false), true);
    assert.deepEqual(await order(), before);
    await desk.get("list-gathered").click();
    await desk.row(three.name).waitFor();
    assert.equal((await order()).length, before.length + 1);

    const now = await order();
    await desk.row(two.name).hover();
    await two.writes("وأنا");
    await desk.get("list-gathered").waitFor();
    assert.deepEqual(await order(), now);
    await desk.get("foot").hover();
    await desk.get("list-gathered").waitFor({ state: "detached" });
    assert.notDeepEqual(await order(), now);
  });

  test(`several rows are selected with the keyboard and given back at once (${language})`, async () => {
    await desk.speak(language);
    await desk.filter("unassigned");
    await desk.get("conversation-row").first().waitFor();
    await press("KeyI", "ه", { altKey: true });
    await expect("the keyboard in the list", () => focused("data-testid"), "conversation-row");
    await desk.page.keyboard.press("Home");
    await desk.page.keyboard.press("Shift+ArrowDown");
    assert.equal(await desk.page.locator(".row.selected").count(), 2);
    const before = await desk.count("mine");
    await desk.page.keyboard.press("c");
    await expect("two more with me", () => desk.count("mine"), before + 2);
    await expect("the keyboard still in the window", () => focused("data-testid").then((at) => at !== null), true);
    await desk.page.keyboard.press("Escape");
  });

  test(`single keys do nothing once they are turned off, and those with others still act (${language})`, async () => {
    await desk.speak(language);
    const toggle = async (on) => {
      await desk.page.keyboard.press("Control+Comma");
      await desk.get("section-keyboard").click();
      await desk.get("set-single-keys").setChecked(on);
      await desk.get("settings-close").click();
    };
    const [one, two] = [await stage.citizen(`بمفتاح ${language}`), await stage.citizen(`بعده ${language}`)];
    await one.writes("؟");
    await desk.filter("open");
    await desk.open(one.name);
    await toggle(false);
    await desk.page.mouse.move(0, 0);
    const inList = async () => {
      await desk.page.keyboard.press("Alt+KeyI");
      await expect("the keyboard in the list", () => focused("data-testid"), "conversation-row");
    };
    await inList();
    const mine = await desk.count("mine");
    await desk.page.keyboard.press("c");
    await two.writes("؟");
    // The keyboard is in the list, so that it stands still.
    await desk.get("list-gathered").waitFor();
    assert.equal(await desk.count("mine"), mine);
    await desk.page.keyboard.press("Control+Slash");
    await desk.get("keys-sheet").filter({ hasText: language === "ar" ? "المفاتيح المفردة متوقفة" : "Single keys are turned off" }).waitFor();
    await desk.page.keyboard.press("Escape");
    await desk.page.keyboard.press("Alt+KeyC");
    await expect("one more with me", () => desk.count("mine"), mine + 1);
    await toggle(true);
    await inList();
    await desk.page.keyboard.press("u");
    await expect("it given back", () => desk.count("mine"), mine);
  });

  test(`what is chosen in the settings holds at once and after a reload (${language})`, async () => {
    await desk.speak(language);
    await choose({ look: ["text-size-largest", "contrast-more", "density-compact"], words: ["digits-arabic_indic"], keyboard: ["send-with-ctrl_enter"] });
    await desk.page.reload();
    await desk.get("conversation-list").or(desk.get("list-empty")).waitFor();
    const worn = () => desk.page.evaluate(() => ({ ...document.documentElement.dataset }));
    const { textSize, contrast, density } = await worn();
    assert.deepEqual({ textSize, contrast, density }, { textSize: "largest", contrast: "more", density: "compact" });

    const citizen = await stage.citizen(language === "ar" ? "سالم العجمي" : "Salem Al-Ajmi");
    await citizen.writes("مرحبا");
    await desk.filter("open");
    await desk.open(citizen.name);
    const figures = async () => [await desk.get("count-open").textContent(), await desk.message("مرحبا").locator(".meta").textContent()];
    const [count, time] = await figures();
    const digits = language === "ar" ? "[٠-٩]" : "[0-9]";
    assert.match(count, new RegExp(`^${digits}+$`, "u"));
    assert.match(time, new RegExp(`^\\P{Nd}*${digits}+:${digits}{2}\\P{Nd}*$`, "u"));
    await desk.get("composer-text").fill("سطر");
    await desk.page.keyboard.press("Enter");
    await desk.page.keyboard.type("ثان");
    assert.equal(await desk.get("composer-text").inputValue(), "سطر\nثان");
    await desk.page.keyboard.press("Control+Enter");
    await expect("both lines", () => citizen.received(), ["سطر\nثان"]);
    await desk.page.keyboard.press("Control+0");
    await expect("the usual size", async () => (await worn()).textSize, "normal");
    await choose({ look: ["contrast-system", "density-normal"], words: ["digits-western"], keyboard: ["send-with-enter"] });
  });
}

test("nothing was complained about in the browser", () => assert.deepEqual(desk.problems, []));
