import { describe, expect, test } from "vitest";
import { alt, caps, ctrl, matches, type Shortcut, sign, single, spelled } from "../src/actions/shortcut";

const press = (change: Partial<KeyboardEvent>) => ({ code: "", key: "", ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, ...change });

describe("A shortcut", () => {
  test.each<[string, Shortcut, Partial<KeyboardEvent>]>([
    ["Ctrl+K on an Arabic layout", ctrl("KeyK"), { ctrlKey: true, code: "KeyK", key: "ن" }],
    ["Alt+C on an Arabic layout", alt("KeyC"), { altKey: true, code: "KeyC", key: "ؤ" }],
    ["J on an Arabic layout", single("KeyJ"), { code: "KeyJ", key: "ت" }],
    ["/ wherever the layout has it", sign("/"), { code: "Digit7", shiftKey: true, key: "/" }],
    ["the Arabic question mark", sign("?", "؟"), { code: "Slash", shiftKey: true, key: "؟" }],
    ["Ctrl+/ on an Arabic layout, where that key types ظ", ctrl("Slash"), { ctrlKey: true, code: "Slash", key: "ظ" }],
  ])("is %s", (_, shortcut, event) => {
    expect(matches(shortcut, press(event))).toBe(true);
  });

  test.each<[string, Shortcut, Partial<KeyboardEvent>]>([
    ["ظ for /", sign("/"), { code: "Slash", key: "ظ" }],
    ["Ctrl+Shift, which turns the direction", ctrl("KeyK"), { ctrlKey: true, shiftKey: true, code: "KeyK" }],
    ["Alt+Shift, which turns the layout", alt("KeyC"), { altKey: true, shiftKey: true, code: "KeyC" }],
    ["AltGr, which types and comes as Ctrl and Alt", ctrl("KeyE"), { ctrlKey: true, altKey: true, code: "KeyE" }],
    ["the system's key", ctrl("KeyK"), { ctrlKey: true, metaKey: true, code: "KeyK" }],
    ["the letter without its modifier", ctrl("KeyK"), { code: "KeyK", key: "k" }],
    ["a modifier with a single key", single("KeyJ"), { ctrlKey: true, code: "KeyJ" }],
  ])("is not %s", (_, shortcut, event) => {
    expect(matches(shortcut, press(event))).toBe(false);
  });

  test("is shown as on the keys, and spelled for screen readers", () => {
    expect(caps(ctrl("Comma"))).toEqual(["Ctrl", ","]);
    expect(caps(alt("ArrowDown"))).toEqual(["Alt", "↓"]);
    expect(caps(sign("?", "؟"))).toEqual(["?"]);
    expect(spelled(ctrl("KeyK"))).toBe("Control+K");
    expect(spelled(alt("Digit1"))).toBe("Alt+1");
  });
});
