// What a person does at the desk, in the browser.

import { expect } from "./expect.mjs";

export class Desk {
  #host;

  constructor(page, problems, host) {
    this.page = page;
    /** What the browser complained about: nothing, one hopes. */
    this.problems = problems;
    this.#host = host;
  }

  /** What the desk would have the system do from now on: `notifications` to show, or links `opened` outside. */
  async told(what) {
    const told = [];
    const { body } = await fetch(`${this.#host.first.address}/${what}`);
    const read = async () => {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        for (const [, data] of chunk.matchAll(/^data: ?(.*)$/gmu)) told.push(JSON.parse(data));
      }
    };
    // The program's end is the stream's.
    void read().catch(() => undefined);
    return told;
  }

  /** Clicks on a notification, as the system tells the desk. */
  async clickNotification(conversation) {
    await fetch(`${this.#host.first.address}/notifications/${conversation}/click`, { method: "POST" });
  }

  /** The program ends, as at a power cut or, if told so, in order; the workstation can be started again. */
  async cut(signal = "SIGKILL") {
    await this.page.close();
    this.#host.child.kill(signal);
    await this.#host.ended;
  }

  /** Switches the language, if it is another one. */
  async speak(language) {
    const spoken = () => this.page.evaluate(() => document.documentElement.lang);
    if ((await spoken()) !== language) await this.page.keyboard.press("Control+KeyL");
    await expect(`the language «${language}»`, spoken, language);
  }

  /** What lies in the clipboard. */
  async clipboard() {
    await this.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  get(testid) {
    return this.page.getByTestId(testid);
  }

  async filter(name) {
    await this.get(`filter-${name}`).click();
    await expect(`the filter «${name}»`, () => this.get(`filter-${name}`).getAttribute("aria-pressed"), "true");
  }

  /** The row of a citizen in the list. */
  row(name) {
    return this.get("conversation-row").filter({ hasText: name });
  }

  /** How many rows the list has: those far out of sight are not in the page. */
  async rows() {
    return this.page.evaluate(() => Number(document.querySelector('[data-testid="conversation-list"] > li')?.ariaSetSize ?? 0));
  }

  /** The figure on a filter. */
  async count(filter) {
    return Number(await this.get(`count-${filter}`).textContent());
  }

  /** Opens the conversation of a citizen from the list. */
  async open(name) {
    const row = this.row(name);
    const gathered = this.get("list-gathered");
    await row.or(gathered).first().waitFor();
    if (await gathered.isVisible()) await gathered.click();
    await row.click();
    await this.get("conversation-name").filter({ hasText: name }).waitFor();
  }

  /** A message of the conversation by its text. */
  message(text) {
    return this.get("message").filter({ hasText: text });
  }

  async write(mode, text) {
    await this.get(`mode-${mode}`).click();
    await this.get("composer-text").fill(text);
  }

  async reply(text) {
    await this.write("reply", text);
    await this.get("send").click();
    await this.message(text).waitFor();
  }

  async note(text) {
    await this.write("note", text);
    await this.get("send").click();
    await this.get("note").filter({ hasText: text }).waitFor();
    await this.get("mode-reply").click();
  }

  /** How far a message of ours has come. */
  delivery(text) {
    return this.message(text).getAttribute("data-delivery");
  }

  /** Chooses from a menu: `assign` by a name, `close` by an outcome's slug. */
  async choose(menu, { text, slug }) {
    await this.get(menu).click();
    const items = this.get(`${menu}-menu`).locator("[role^=menuitem]");
    await (slug ? items.and(this.page.locator(`[data-choice="${slug}"]`)) : items.filter({ hasText: text })).click();
  }
}
