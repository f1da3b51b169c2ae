import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const css = readFileSync(join(import.meta.dirname, "../src/tokens.css"), "utf8");
const tokens = new Map(Array.from(css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g), ([, name, light, dark]) => [name, { light: light ?? "", dark: dark ?? "" }]));

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

describe.each(["light", "dark"] as const)("In %s", (theme) => {
  const of = (name: string): string => tokens.get(name)?.[theme] ?? expect.unreachable(`No colour ${name}`);

  test.each([
    ...all(["text", "muted", "faint"], ["bg", "surface", "hover", "accent-soft"]),
    ...all(["text", "muted"], ["out", "pend", "note", "sunk"]),
    ...all(["accent"], ["surface", "hover", "accent-soft", "bg", "out", "pend"]),
    ...all(["amber"], ["surface", "amber-soft", "accent-soft", "note", "out"]),
    ...all(["red"], ["surface", "red-soft", "pend", "out"]),
    ...all(["text"], ["note-sunk", "amber-soft", "red-soft"]),
    ...all(["rail-text", "rail-on"], ["rail", "rail-on-bg"]),
    ...all(["ground-text"], ["ground-1", "ground-2", "ground-3", "ground-4", "ground-5", "ground-6"]),
    ["accent-text", "accent"],
    ["accent-text", "accent-hover"],
    ["accent-text", "amber"],
    ["rail-on", "rail-avatar"],
    ["blue", "out"],
    ["red", "note"],
  ])("text %s on %s is legible (4.5:1)", (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(4.5);
  });

  test.each([
    ["edge", "surface"],
    ["pend-line", "pend"],
    ["pend-line", "bg"],
    ["note-edge", "note"],
    ["accent", "bg"],
  ])("border %s on %s is seen (3:1)", (border, ground) => {
    expect(contrast(of(border), of(ground))).toBeGreaterThanOrEqual(3);
  });
});
