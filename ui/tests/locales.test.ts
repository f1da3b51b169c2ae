import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Message, parse, type Pattern, type SelectExpression } from "@fluent/syntax";
import { describe, expect, test } from "vitest";
import { GROUPS, HABITS } from "../src/actions/registry";
import { SECTIONS } from "../src/settings/sections";
import { say } from "../src/lib/i18n/catalogue";

const ui = join(import.meta.dirname, "..");
const catalogue = (language: string): Map<string, Message> => {
  const { body } = parse(readFileSync(join(ui, `../locales/${language}.ftl`), "utf8"), {});
  const junk = body.filter(({ type }) => type === "Junk");
  expect(junk, `${language}.ftl has lines that are no messages`).toEqual([]);
  return new Map(body.filter((entry): entry is Message => entry.type === "Message").map((message) => [message.id.name, message]));
};
const ar = catalogue("ar");
const en = catalogue("en");

function selects(pattern: Pattern | null): SelectExpression[] {
  return (pattern?.elements ?? []).flatMap((element) =>
    element.type === "Placeable" && element.expression.type === "SelectExpression" ? [element.expression] : [],
  );
}

/** The variables a message is given, anywhere in it. */
function variables(message: Message): string[] {
  return [...new Set(JSON.stringify(message).match(/"VariableReference","id":\{[^}]*"name":"[^"]+"/g) ?? [])].map((found) => /"name":"([^"]+)"/.exec(found)?.[1] ?? "").sort();
}

const sources = readdirSync(join(ui, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => /\.(svelte|ts)$/.test(path) && !path.endsWith("api.generated.ts"))
  .map((path) => readFileSync(join(ui, "src", path), "utf8"));
const generated = readFileSync(join(ui, "src/lib/api.generated.ts"), "utf8");

/** The words of a type of the desk's, as generated. */
function words(type: string): string[] {
  const found = new RegExp(`export type ${type} = ((?:"[a-z_]+"(?: \\| )?)+);`).exec(generated)?.[1] ?? "";
  return found.split(" | ").map((word) => word.slice(1, -1));
}

/** Keys that are put together in code: where they begin, and all the ways they may end. */
const FAMILIES: Record<string, string[]> = {
  "error-": words("ErrorCode"),
  "delivery-": words("Delivery"),
  "theme-": words("Theme"),
  "role-": words("Role"),
  "mode-": words("Mode"),
  "filter-": words("Filter"),
  "empty-": words("Filter").flatMap((filter) => [`${filter}-title`, `${filter}-text`]),
  "order-": words("Order"),
  "row-from-": ["me", "colleague"],
  "me-": ["keys", "lock", "sign-out"],
  "case-": words("CaseState"),
  "lock-": ["closed", "never", "window"],
  "event-assigned": ["", "-plain"],
  "event-released": ["", "-plain"],
  "event-closed": ["", "-plain", "-bare"],
  "event-reopened": ["", "-plain"],
  "do-": [...readFileSync(join(ui, "src/actions/registry.ts"), "utf8").matchAll(/\bid: "([a-z-]+)", ?\n? *group/g)].map(([, id]) => id ?? "").filter((id) => !HABITS.some((habit) => habit.id === id)).concat(words("Filter").map((filter) => `filter-${filter}`), SECTIONS.map(({ id }) => `settings-${id}`)),
  "habit-": HABITS.map(({ id }) => id),
  "group-": [...GROUPS],
  "search-operator-": ["from", "before", "since", "owner", "state"],
  "search-hint-": ["from", "before", "since", "owner", "state"],
  "copied-": ["number", "phone", "figure"],
  "fate-": words("Fate"),
  "stage-": words("Stage"),
  "first-hint-": words("FirstStep"),
  "parting-": words("Parting"),
  "parting-hint-": words("Parting"),
  "storage-": ["conversations", "messages", "notes", "since", "drafts", "unsent", "records", "precious", "aside"],
  "settings-language-": words("Language"),
  "digits-": words("Digits"),
  "contrast-": words("Contrast"),
  "density-": words("Density"),
  "text-size-": words("TextSize"),
  "send-with-": words("SendWith"),
  "sound-": words("Sound"),
  "day-": words("Day"),
  "quiet-": ["from", "until"],
  "notices-": words("Notices").flatMap((notices) => [notices, `${notices}-hint`]),
  "section-": SECTIONS.map(({ id }) => id),
  // Open lists, each with its 'otherwise'. Commands of the outbox, and codes with which the gateway refuses.
  "act-": ["claim", "assign", "release", "close_case", "reopen_case", "other"],
  "type-": ["image", "audio", "video", "document", "sticker", "location", "contacts", "unknown"],
  "problem-": ["uncertain", "failed", "signed_out", "too_old", "other"],
  "send-error-": ["131047", "131026", "other"],
};

describe("The catalogues", () => {
  test("have the same keys, with the same variables", () => {
    expect([...ar.keys()].sort()).toEqual([...en.keys()].sort());
    for (const [key, message] of ar) {
      const other = en.get(key);
      if (other === undefined) continue;
      // English may say 'One message' without its number.
      expect(variables(message), key).toEqual(variables(other));
    }
  });

  test("know every key that the code says", () => {
    const said = sources.flatMap((source) => Array.from(source.matchAll(/\b(?:t|tOr|say)\((?:\w+, )?"([a-z][\w-]*)"/g), ([, key]) => key ?? ""));
    expect(said.length).toBeGreaterThan(80);
    expect(said.filter((key) => !ar.has(key))).toEqual([]);
    const chosen = sources.flatMap((source) => Array.from(source.matchAll(/\bt\([^")]*\? "([\w-]+)" : (?:[^")]*\? "([\w-]+)" : )?"([\w-]+)"/g), ([, ...keys]) => keys).flat().filter((key) => key !== undefined));
    expect(chosen.length).toBeGreaterThan(10);
    expect(chosen.filter((key) => !ar.has(key))).toEqual([]);
  });

  test("know every key that the code puts together", () => {
    const begun = sources.flatMap((source) => Array.from(source.matchAll(/\b(?:t|tOr)\((?:[^`"()]*)`([a-z-]+)\$\{/g), ([, key]) => key ?? ""));
    expect(begun.length).toBeGreaterThan(12);
    expect(begun.filter((key) => FAMILIES[key] === undefined)).toEqual([]);
    const all = Object.entries(FAMILIES).flatMap(([begin, ends]) => ends.map((end) => begin + end));
    expect(all.filter((key) => !ar.has(key))).toEqual([]);
  });

  test("say every code with which the gateway refuses what staff ask for", () => {
    const rust = readFileSync(join(ui, "../crates/domain/src/command.rs"), "utf8");
    const listed = /codes! \{\n([\s\S]*?)\n\}/.exec(rust)?.[1] ?? "";
    const codes = Array.from(listed.matchAll(/= "([a-z_]+)"/g), ([, code]) => code ?? "");
    expect(codes).toContain("newer_reply");
    // Accounts are not kept in the window.
    expect(codes.filter((code) => code !== "taken" && !ar.has(`problem-${code}`))).toEqual([]);
  });

  test("have all six Arabic plural forms wherever something is counted", () => {
    const counted = [...ar].flatMap(([key, { value }]) => selects(value).map((select) => ({ key, forms: select.variants.map(({ key: form }) => (form.type === "Identifier" ? form.name : form.value)) })));
    expect(counted.length).toBeGreaterThan(8);
    for (const { key, forms } of counted) expect(forms, key).toEqual(["zero", "one", "two", "few", "many", "other"]);
    const countedInEnglish = [...en].filter(([, { value }]) => selects(value).length > 0).map(([key]) => key);
    expect(countedInEnglish.filter((key) => !counted.some((each) => each.key === key))).toEqual([]);
  });

  test("isolate what is put into a sentence, and use Western digits", () => {
    expect(say("ar", "contact-code", { code: "K7M2" })).toBe("مراجع \u2068K7M2\u2069");
    expect(say("ar", "foot-waiting", { count: 12 })).toContain("12");
    expect(say("ar", "syncing-count", { count: 12_408 })).toContain("12,408");
  });

  test("choose the Arabic form by the number", () => {
    const forms = [0, 1, 2, 3, 11, 100].map((count) => say("ar", "foot-waiting", { count }).replace(/[\u2068\u2069]/g, ""));
    expect(forms).toEqual([
      "لا شيء بانتظار الإرسال",
      "رسالة واحدة بانتظار الإرسال",
      "رسالتان بانتظار الإرسال",
      "3 رسائل بانتظار الإرسال",
      "11 رسالة بانتظار الإرسال",
      "100 رسالة بانتظار الإرسال",
    ]);
  });
});
