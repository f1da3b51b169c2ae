// The real window, driven through WebKitWebDriver on the virtual screen that `cargo xtask test` set up.

import { execFile, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { remote } from "webdriverio";
import { act } from "./acts.mjs";
import { expect } from "./expect.mjs";
import { held } from "./held.mjs";
import { eventually, program, Stage } from "./stage.mjs";

const execute = promisify(execFile);

/** What a program of the session says. */
export async function ask(command, ...args) {
  return (await execute(command, args)).stdout.trim();
}

async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Somebody's desk in the real window. Its data stays from one start to the next. */
export class Window {
  constructor(stage, username) {
    this.data = join(stage.folder, "desks", username);
    this.args = ["--data", this.data, "--sign-in-from", stage.person(username).sign_in];
  }

  /** Starts the program and waits until the inbox stands. */
  async start(...more) {
    const port = await freePort();
    this.driver = spawn("WebKitWebDriver", [`--port=${port}`], {
      env: { ...process.env, TAURI_WEBVIEW_AUTOMATION: "true" },
      stdio: "ignore",
    });
    await eventually("the driver of the window", async () => (await fetch(`http://127.0.0.1:${port}/status`)).ok);
    this.page = await remote({
      hostname: "127.0.0.1",
      port,
      logLevel: "error",
      capabilities: {
        "wdio:enforceWebDriverClassic": true,
        "webkitgtk:browserOptions": { binary: program("shubbak"), args: [...this.args, ...more] },
      },
    });
    this.pid = await eventually("the program", () => this.#find());
    await this.find("rail-inbox", 30_000);
  }

  /** The process of this data folder that holds the window. */
  async #find() {
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      if (words[0] === program("shubbak") && words.includes(this.data)) return Number(pid);
    }
    return undefined;
  }

  /** An element by the id that tests know it by, as soon as it is there. */
  async find(testid, patience) {
    return eventually(
      `«${testid}»`,
      async () => {
        const element = await this.page.$(`[data-testid="${testid}"]`);
        return (await element.isExisting()) && element;
      },
      patience,
    );
  }

  /** What a script in the window gives. */
  script(code, ...args) {
    return this.page.execute(code, ...args);
  }

  /** The window as the system knows it, if it is on the screen. */
  async onScreen() {
    const found = await ask("xdotool", "search", "--onlyvisible", "--pid", String(this.pid)).catch(() => "");
    for (const id of found.split("\n").filter(Boolean)) {
      if ((await ask("xdotool", "getwindowname", id)).includes("شُبّاك")) return id;
    }
    return undefined;
  }

  /** As a person closes it: by the window manager. */
  async close() {
    const id = await this.onScreen();
    await ask("xdotool", "windowactivate", "--sync", id);
    await ask("xdotool", "key", "--clearmodifiers", "alt+F4");
    await eventually("the window to go to the tray", async () => !(await this.onScreen()));
  }

  /** Waits until the program has ended. */
  async ended() {
    await eventually("the program to end", async () => !(await this.#find()));
    await this.page?.deleteSession().catch(() => {});
    this.driver?.kill();
    this.page = this.driver = this.pid = undefined;
  }

  /** As a power cut would. */
  async kill() {
    process.kill(this.pid, "SIGKILL");
    await this.ended();
  }

  /** In order. */
  async end() {
    if (!this.pid) return;
    process.kill(this.pid, "SIGTERM");
    await this.ended();
  }
}

/** The notifications of this session, as its daemon shows them. */
export const notifications = {
  /** How many are on the screen. */
  shown: async () => Number(await ask("dunstctl", "count", "displayed")),
  /** Clicks on the latest. */
  click: () => ask("dunstctl", "action", "0"),
  /** Those that were shown and are gone. */
  async past() {
    const { data } = JSON.parse(await ask("dunstctl", "history"));
    return data.flat().map(({ summary, body }) => ({ summary: summary.data, body: body.data }));
  },
  /** Takes all of them from the screen, those of an earlier test too. */
  clear: () => ask("dunstctl", "close-all"),
  /** Waits for the one that names somebody, and takes it from the screen with all others. */
  async about(name) {
    return eventually(`a notification about ${name}`, async () => {
      await this.clear();
      return (await this.past()).find(({ summary }) => summary.includes(name));
    });
  },
};

/** A stage for a file of tests, and on it somebody's window, in step with the gateway; or, if not `opened`, for a test to open. */
export function atWindow(username, { opened = true } = {}) {
  return held(async (holds) => {
    const stage = await Stage.set();
    holds.push(() => stage.end());
    const window = new Window(stage, username);
    holds.push(() => window.end());
    const desk = act(window);
    if (opened) {
      await window.start();
      // Only what comes after the first sync is worth a notification.
      await expect("the desk in step", () => desk.attribute("foot", "data-link"), "live");
    }
    return { stage, window, desk };
  });
}
