// What a person does at the desk, in the real window.

import { eventually } from "./stage.mjs";

/** The script that all of them stand on: what `look` makes of the first element with a test id and a text in it. */
const first = (window, testid, having, look) =>
  window.script(
    (testid, having, look) => {
      const elements = [...document.querySelectorAll(`[data-testid="${testid}"]`)];
      const element = elements.find((element) => element.textContent.includes(having));
      if (!element) return null;
      if (look.attribute) return element.getAttribute(look.attribute);
      if (look.value) return element.value;
      return element.textContent.trim();
    },
    testid,
    having,
    look,
  );

export function act(window) {
  const click = async (testid, having = "") => {
    const element = await eventually(`«${testid}» ${having}`, async () => {
      for (const element of await window.page.$$(`[data-testid="${testid}"]`)) {
        if ((await element.getText()).includes(having)) return element;
      }
      return undefined;
    });
    await element.click();
  };

  const desk = {
    click,
    text: (testid) => first(window, testid, "", {}),
    attribute: (testid, attribute) => first(window, testid, "", { attribute }),
    /** How far a message of ours has come. */
    delivery: (text) => first(window, "message", text, { attribute: "data-delivery" }),
    draft: () => first(window, "composer-text", "", { value: true }),

    async open(name) {
      await click("filter-open");
      await click("conversation-row", name);
      await eventually(`the conversation with ${name}`, async () => (await desk.text("conversation-name"))?.includes(name));
    },

    /** Types as a person does, key by key. */
    async type(mode, text) {
      await click(`mode-${mode}`);
      const area = await window.find("composer-text");
      await area.click();
      await area.setValue(text);
    },

    async reply(text) {
      await desk.type("reply", text);
      await click("send");
      await eventually(`the reply «${text}»`, () => first(window, "message", text, {}));
    },

    async note(text) {
      await desk.type("note", text);
      await click("send");
      await eventually(`the note «${text}»`, () => first(window, "note", text, {}));
      await click("mode-reply");
    },

    /** Waits until what was typed is kept. */
    saved: () => window.find("draft-saved"),
  };
  return desk;
}
