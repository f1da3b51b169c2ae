// A stage of its own for each file of tests: simulator, gateway and staff, by `cargo xtask demo --headless`. It ends
// when this process does, in whatever way.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A program of the workspace as it was built. */
export function program(name) {
  return join(process.env.SHUBBAK_PROGRAMS ?? join(root, "target/debug"), name);
}

/** Waits until the next message is told by itself: of more than three conversations within eight seconds a desk tells together. */
export async function notToldTogether() {
  await new Promise((ready) => setTimeout(ready, 9_000));
}

/** Waits until `look` gives something, and gives that; says what was awaited when it never comes. */
export async function eventually(what, look, patience = 15_000) {
  const until = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) throw new Error(`Waited ${patience / 1000} s for ${what}`, { cause: last });
    await new Promise((ready) => setTimeout(ready, 50));
  }
}

/** Starts a program beside the tests, and gives the first line that it writes as JSON, with a reader of further ones. */
export async function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], ...options });
  const ended = new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => resolve({ error: error.message }));
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ended without an answer: ${JSON.stringify(await ended)}`);
    return JSON.parse(value);
  };
  return { child, ended, next, first: await next() };
}

export class Stage {
  #started;

  static async set() {
    const folder = await mkdtemp(join(tmpdir(), "shubbak-stage-"));
    const demo = ["demo", "--headless", "--json", "--steered", "--storage", folder];
    const xtask = process.env.SHUBBAK_XTASK;
    const stage = new Stage();
    stage.#started = xtask
      ? await start(xtask, [...demo, "--built"], { cwd: root })
      : await start("cargo", ["xtask", ...demo], { cwd: root });
    stage.state = stage.#started.first;
    stage.folder = folder;
    return stage;
  }

  /** Gives an order (`gateway stop`, `gateway kill`, `gateway start`) and waits until it is done. */
  async order(line) {
    this.#started.child.stdin.write(`${line}\n`);
    const answer = await this.#started.next();
    if (answer.error) throw new Error(answer.error);
  }

  person(username) {
    return this.state.staff.find((person) => person.username === username);
  }

  /** The administration closes somebody's account: every device of theirs is shut out. */
  async shutOut(username) {
    // On the stage all passwords are the same.
    const { password } = this.person(username);
    const call = async (path, body, token) => {
      const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
      const answer = await fetch(`${this.state.gateway}/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    const session = (name) => call("session", { agency: this.state.agency, username: name, password, device: "administration" });
    const { staff } = await session(username);
    const { token } = await session("admin");
    const now = Date.now().toString(16).padStart(12, "0");
    const id = `${now.slice(0, 8)}-${now.slice(8)}-7${randomUUID().slice(15)}`;
    const [{ refused }] = await call("commands", [{ id, kind: "change_staff", staff: staff.id, active: false }], token);
    if (refused) throw new Error(JSON.stringify(refused));
  }

  async #ask(path, method = "GET", body) {
    const answer = await fetch(this.state.telephones + path, {
      method,
      headers: { "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  }

  /** What goes wrong at WhatsApp from now on: what is not named goes well. */
  async faults(faults = {}) {
    await this.#ask("/faults", "PUT", faults);
  }

  /** A citizen nobody has heard of yet. */
  async citizen(name) {
    const phone = `9655${String(Math.floor(Math.random() * 1e7)).padStart(7, "0")}`;
    return this.#telephone(await this.#ask("/telephones", "POST", { name, phone }));
  }

  /** A citizen whose telephone is there from the start. */
  async usualCitizen(name) {
    return this.#telephone((await this.#ask("/telephones")).find((telephone) => telephone.name === name));
  }

  #telephone({ id, name }) {
    const messages = async () => (await this.#ask(`/telephones/${id}`)).messages;
    return {
      name,
      /** Writes, and quotes the message by `wamid` if one is given. */
      writes: (text, quote) => this.#ask(`/telephones/${id}/messages`, "POST", { text, quote }),
      looks: () => this.#ask(`/telephones/${id}/read`, "POST"),
      messages,
      /** What the agency sent, in the order in which it came. */
      received: async () => (await messages()).filter(({ from }) => from === "agency").map(({ text }) => text),
    };
  }

  async end() {
    this.#started.child.stdin.end();
    await this.#started.ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}
