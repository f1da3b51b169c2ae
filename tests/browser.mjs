// The interface in an ordinary browser, with the real desk behind it in the development host.

import { join } from "node:path";
import { chromium } from "playwright-core";
import { Desk } from "./desk.mjs";
import { held } from "./held.mjs";
import { program, root, Stage, start } from "./stage.mjs";

/** One browser for a file of tests; each person gets a context and a desk of their own. */
export class Browser {
  #hosts = [];

  static async open() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({
      executablePath: process.env.SHUBBAK_CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox"],
    });
    return browser;
  }

  /** Somebody at their desk, signed in. */
  async desk(stage, username) {
    const desk = await this.workstation(stage, username, ["--sign-in-from", stage.person(username).sign_in]);
    await desk.get("conversation-list").or(desk.get("list-empty")).waitFor();
    return desk;
  }

  /** A workstation as it shows itself to whoever comes. The same name is the same one, with what is kept there. */
  async workstation(stage, name, more = []) {
    const data = join(stage.folder, "desks", name);
    const host = await start(program("shubbak-host"), [
      ...["--listen", "127.0.0.1:0", "--data", data, "--ui", join(root, "ui/dist")],
      ...["--keychain-file", join(stage.folder, `keychain-${name}`), "--json", ...more],
    ]);
    this.#hosts.push(host);
    const context = await this.chromium.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (said) => said.type() === "error" && problems.push(said.text()));
    await page.goto(host.first.address);
    return new Desk(page, problems, host);
  }

  async close() {
    await this.chromium.close();
    for (const { child, ended } of this.#hosts) {
      child.kill();
      await ended;
    }
  }
}

/** A stage for a file of tests, and on it somebody's desk for each name, in one browser. */
export function atBrowser(...usernames) {
  return held(async (holds) => {
    const stage = await Stage.set();
    holds.push(() => stage.end());
    const browser = await Browser.open();
    holds.push(() => browser.close());
    const desks = [];
    for (const username of usernames) desks.push(await browser.desk(stage, username));
    return { stage, browser, desks };
  });
}
