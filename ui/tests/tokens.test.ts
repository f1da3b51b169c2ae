import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const css = readFileSync(join(import.meta.dirname, "../src/tokens.css"), "utf8");
const [usual, more] = css.split(':root[data-contrast="more"]');
const colours = (text = ""): [string, { light: string; dark: string }][] =>
  Array.from(text.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g), ([, name = "", light = "", dark = ""]) => [name, { light, dark }]);
/** The colours of a contrast, and what it holds text and borders to. */
const CONTRASTS = {
  usual: { tokens: new Map(colours(usual)), text: 4.5, border: 3 },
  more: { tokens: new Map([...colours(usual), ...colours(more)]), text: 7, border: 4.5 },
};

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const all = (texts: string[], grounds: string[]): [string, string][] => texts.flatMap((text) => grounds.map((ground): [string, string] => [text, ground]));

test("Both contrasts have colours of their own", () => {
  expect(colours(usual).length).toBeGreaterThan(40);
  expect(colours(more).length).toBeGreaterThan(30);
  expect(CONTRASTS.usual.tokens.get("bg")).not.toEqual(CONTRASTS.more.tokens.get("bg"));
});

test("Where the system forces its colours, every colour is one of the system's", () => {
  const forced = readFileSync(join(import.meta.dirname, "../src/forced.css"), "utf8");
  const [, first = ""] = /:root\[data-contrast\] \{([^}]*)\}/.exec(forced) ?? [];
  const given = new Map(Array.from(first.matchAll(/--([\w-]+): (\w+);/g), ([, name = "", colour = ""]) => [name, colour]));
  const missing = colours(usual).filter(([name]) => !["Canvas", "CanvasText", "LinkText", "Mark", "Highlight"].includes(given.get(name) ?? ""));
  expect(missing.map(([name]) => name)).toEqual([]);
});

const looks = (["usual", "more"] as const).flatMap((name) => (["light", "dark"] as const).map((theme) => ({ name, theme })));

describe.each(looks)("In $theme, with $name contrast", ({ name, theme }) => {
  const { tokens, text: legible, border: seen } = CONTRASTS[name];
  const of = (name: string): string => tokens.get(name)?.[theme] ?? expect.unreachable(`No colour ${name}`);

  test.each([
    ...all(["text", "muted", "faint"], ["bg", "surface", "hover", "accent-soft"]),
    ...all(["text", "muted"], ["out", "pend", "note", "sunk"]),
    ...all(["accent"], ["surface", "hover", "accent-soft", "bg", "out", "pend"]),
    ...all(["amber"], ["surface", "amber-soft", "accent-soft", "note", "out"]),
    ...all(["red"], ["surface", "red-soft", "pend", "out"]),
    ...all(["text"], ["note-sunk", "amber-soft", "red-soft", "found", "found-here"]),
    ...all(["rail-text", "rail-on"], ["rail", "rail-on-bg"]),
    ...all(["ground-text"], ["ground-1", "ground-2", "ground-3", "ground-4", "ground-5", "ground-6"]),
    ["accent-text", "accent"],
    ["accent-text", "accent-hover"],
    ["accent-text", "amber"],
    ["rail-on", "rail-avatar"],
    ["blue", "out"],
    ["red", "note"],
  ])("text %s on %s is legible", (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(legible);
  });

  test.each([
    ["edge", "surface"],
    ["pend-line", "pend"],
    ["pend-line", "bg"],
    ["note-edge", "note"],
    ["accent", "bg"],
  ])("border %s on %s is seen", (border, ground) => {
    expect(contrast(of(border), of(ground))).toBeGreaterThanOrEqual(seen);
  });
});
