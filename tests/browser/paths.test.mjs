// Three ways through the window, each walked by keyboard and by mouse and in both languages, with every key and every click
// counted that is no typed text. The counts stand in docs/architecture.md: who makes a way longer sees it here.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Browser } from "../browser.mjs";
import { expect } from "../expect.mjs";
import { notToldTogether, program, Stage } from "../stage.mjs";

let stage;

/** A person's hands at a desk. */
function hands(desk) {
  const done = [];
  return {
    done,
    async key(name) {
      done.push(name);
      await desk.page.keyboard.press(name);
    },
    async click(target) {
      done.push("click");
      await (typeof target === "string" ? desk.get(target) : target).click();
    },
    /** Typed text is not counted, and goes to where the focus is. */
    type: (text) => desk.page.keyboard.type(text),
  };
}

const focused = (desk, testid) => expect(`the focus in «${testid}»`, () => desk.page.evaluate(() => document.activeElement?.dataset?.testid), testid);

/** A one-time code, as whoever runs the gateway hands it out. */
async function code(username) {
  const { stdout } = await promisify(execFile)(program("shubbak-gateway"), ["staff", "code", username, "--config", "gateway.toml", "--json"], { cwd: stage.folder });
  return JSON.parse(stdout.trim().split("\n").at(-1)).code;
}

const PASSWORD = "nakhla tawila fi hosh baytina";

// Who has answered before is led to nothing, so each language has people of its own.
for (const language of ["ar", "en"]) {
  describe(language, () => {
    let browser, agent;

    before(async () => {
      stage = await Stage.set();
      browser = await Browser.open();
      agent = await browser.desk(stage, "agent1");
      await agent.speak(language);
    });

    after(async () => {
      await browser?.close();
      await stage?.end();
    });

    for (const way of ["keyboard", "mouse"]) {
      // By keyboard one more: beside the password stands what shows it.
      const longest = { keyboard: 9, mouse: 8 }[way];
      test(`from the first start to the first answer sent, by ${way}: ${longest}`, async () => {
        const desk = await browser.workstation(stage, `first-${way}`);
        // A workstation speaks what was spoken there last.
        if (language === "en") {
          await desk.get("language-switch").click();
          await desk.page.reload();
        }
        await expect("the language", () => desk.page.locator("html").getAttribute("lang"), language);
        const { done, key, click, type } = hands(desk);
        // And each way is somebody else's.
        const username = { keyboard: "agent2", mouse: "lead" }[way];
        const fields = { gateway: stage.state.gateway, agency: stage.state.agency, username, code: await code(username), password: PASSWORD, repeat: PASSWORD };
        for (const [index, [field, text]] of Object.entries(fields).entries()) {
          if (index > 0) await (way === "keyboard" ? key("Tab") : click(`sign-in-${field}`));
          if (way === "keyboard" && field === "repeat") await key("Tab");
          await focused(desk, `sign-in-${field}`);
          await type(text);
        }
        await (way === "keyboard" ? key("Enter") : click("sign-in-submit"));
        await desk.get("first-steps").waitFor();
        await expect("the agency's number", async () => (await desk.get("first-step").first().textContent()).includes("2537 1000"), true);

        const citizen = await stage.citizen(`أول مراجع ${way}`);
        await citizen.writes("السلام عليكم");
        await desk.row(citizen.name).waitFor();
        await expect("the first step done", () => desk.get("first-step").first().getAttribute("data-done"), "true");
        await (way === "keyboard" ? key("Alt+KeyW") : click(desk.row(citizen.name)));
        await desk.get("first-hint").waitFor();
        await focused(desk, "composer-text");
        await type("وعليكم السلام");
        await (way === "keyboard" ? key("Enter") : click("send"));
        await expect("the answer", () => citizen.received(), ["وعليكم السلام"]);
        assert.equal(done.length, longest, done.join(" "));

        // It leads nobody twice, on this machine or another.
        await desk.page.locator('[data-testid="first-hint"][data-step="answer"]').waitFor({ state: "detached" });
        await desk.page.reload();
        await desk.get("nothing-open").waitFor();
        assert.equal(await desk.get("first-steps").count(), 0);
        const text = (problem) => !problem.includes("Failed to load resource");
        assert.deepEqual(desk.problems.filter(text), []);
        await desk.cut();
      });

      test(`from a notification to a reply, by ${way}: 2`, async () => {
        const told = await agent.told("notifications");
        await notToldTogether();
        const citizen = await stage.citizen(`مُعلن ${way}`);
        await citizen.writes("متى الموعد؟");
        await expect("the notification", () => told.filter(({ title }) => title.includes(citizen.name)).length, 1);
        const { done, key, click, type } = hands(agent);
        // The system's own click or key.
        done.push("notification");
        await agent.clickNotification(told.find(({ title }) => title.includes(citizen.name)).conversation);
        await agent.get("conversation-name").filter({ hasText: citizen.name }).waitFor();
        await focused(agent, "composer-text");
        await type("غداً صباحاً");
        await (way === "keyboard" ? key("Enter") : click("send"));
        await expect("the reply", () => citizen.received(), ["غداً صباحاً"]);
        assert.equal(done.length, 2, done.join(" "));
        await agent.page.keyboard.press("Escape");
        await agent.page.keyboard.press("Escape");
      });

      test(`from a name half remembered to the message, by ${way}: 2`, async () => {
        const citizen = await stage.citizen(way === "keyboard" ? "عبدالرحمن الدويسان" : "مشاري الدويش");
        await citizen.writes("أسأل عن نقل العدّاد");
        for (let n = 0; n < 60; n += 1) await citizen.writes(`سطر ${n}`);
        await agent.filter("open");
        await expect("all of it", () => agent.row(citizen.name).getAttribute("data-unread"), "61", 60_000);
        await agent.get("messages").or(agent.get("nothing-open")).first().waitFor();
        const { done, key, click, type } = hands(agent);
        await (way === "keyboard" ? key("/") : click("search-open"));
        await focused(agent, "search-query");
        await type(way === "keyboard" ? "من:دويس العداد" : "من:مشار العداد");
        // By keyboard nobody waits for the answer; by mouse one clicks what one sees.
        await (way === "keyboard" ? key("Enter") : click(agent.get("search-text").filter({ hasText: "نقل" })));
        const found = agent.message("نقل العدّاد");
        await found.waitFor();
        await expect("it in sight", () => found.evaluate((element) => element.getBoundingClientRect().top > 0 && element.getBoundingClientRect().bottom < innerHeight), true);
        assert.equal(done.length, 2, done.join(" "));
        await agent.page.keyboard.press("Escape");
        await agent.page.keyboard.press("Escape");
      });
    }
  });
}
