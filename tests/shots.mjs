// Takes the pictures of the documents from the real window, and one of the telephones: node shots.mjs FOLDER

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { act } from "./acts.mjs";
import { expect } from "./expect.mjs";
import { Stage } from "./stage.mjs";
import { notifications, Window } from "./window.mjs";

const folder = process.argv[2];
await mkdir(folder, { recursive: true });
const stage = await Stage.set();
const window = new Window(stage, "agent1");

/** Half a second apart, so that the list has one order. */
const pause = () => new Promise((ready) => setTimeout(ready, 500));

async function shoot(name) {
  await notifications.clear();
  await pause();
  await window.page.saveScreenshot(join(folder, `${name}.png`));
}

async function appear(desk, language, theme) {
  if ((await window.script(() => document.documentElement.lang)) !== language) await desk.click("language-switch");
  await desk.click("settings-open");
  await desk.click("section-look");
  await desk.click(`set-theme-${theme}`);
  await desk.click("settings-close");
}

try {
  await window.start();
  const desk = act(window);

  const said = [
    ["نورة العجمي", ["السلام عليكم، أبي أستفسر عن نقل ملكية العداد"]],
    ["حسين دشتي", ["شكراً جزيلاً، الله يعطيكم العافية 🌹"]],
    ["عبدالله الرشيدي", ["متى ترجع الكهرباء؟", "عندنا كبار سن في البيت"]],
    ["مريم الصباح", ["الفاتورة فيها مبلغ غير صحيح"]],
    ["فاطمة العلي", ["الكهرباء طافية عندنا من الفجر، قطعة 3", "والجيران بعد نفس الشي"]],
    ["خالد المطيري", ["السلام عليكم، الماي مقطوع عندنا في مدينة صباح الأحمد قطعة 2 من أمس المغرب"]],
  ];
  const citizens = {};
  for (const [name, texts] of said) {
    citizens[name] = await stage.usualCitizen(name);
    for (const text of texts) await citizens[name].writes(text);
    await pause();
  }
  await desk.open("نورة العجمي");
  await desk.reply("وعليكم السلام، نرجو تزويدنا برقم العداد");
  await desk.open("خالد المطيري");
  await desk.click("claim");
  await desk.reply("وعليكم السلام ورحمة الله، نعتذر عن الانقطاع. هل الماء مقطوع عن المنزل كله، وهل الجيران كذلك؟");
  await expect("it on the telephone", () => desk.delivery("نعتذر عن الانقطاع"), "delivered", 60_000);
  await citizens["خالد المطيري"].looks();
  await expect("the blue ticks", () => desk.delivery("نعتذر عن الانقطاع"), "read", 60_000);
  await citizens["خالد المطيري"].writes("البيت كله، والجيران بعد نفس الشي");
  await pause();
  await desk.note("اتصلت بقسم الطوارئ، كسر في الخط الرئيسي والإصلاح قبل الثانية ظهراً.");
  await desk.reply("سُجّل بلاغكم، ومن المتوقع الانتهاء من الإصلاح قبل الساعة 2:00 ظهراً.");
  await expect("the second tick", () => desk.delivery("سُجّل بلاغكم"), "delivered", 60_000);
  await desk.type("reply", "وسنوافيكم بالمستجدات أولاً بأول");
  await desk.saved();
  for (const [language, theme] of [["ar", "light"], ["en", "dark"]]) {
    await appear(desk, language, theme);
    await shoot(`${language}-${theme}`);
  }

  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(stage.state.telephones);
  await page.getByText("خالد المطيري").first().click();
  await page.getByText("سُجّل بلاغكم").first().waitFor();
  await page.screenshot({ path: join(folder, "telephones.png") });
  await browser.close();
} finally {
  await window.end();
  await stage.end();
}
