import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import ar from "../../../../locales/ar.ftl?raw";
import en from "../../../../locales/en.ftl?raw";
import type { Digits, Language } from "../api.generated";

export type Args = Record<string, FluentVariable>;

/** The digits in which Arabic counts; English always has Western ones. */
let digits: Digits = "western";

/**
 * The locale by which numbers, dates and plurals go. The digits are pinned: plain `ar-KW` would mean Arabic-Indic ones.
 */
export function localeOf(language: Language): string {
  if (language === "en") return "en-GB-u-ca-gregory-nu-latn";
  return `ar-KW-u-ca-gregory-nu-${digits === "western" ? "latn" : "arab"}`;
}

/** In which digits numbers are written from now on. What identifies somebody or something is never a number. */
export function count(inDigits: Digits): void {
  digits = inDigits;
}

const TEXTS: Record<Language, string> = { ar, en };
const bundles = new Map<string, FluentBundle>();

/** The catalogue of a language, which counts in the digits of now. */
function bundleOf(language: Language): FluentBundle {
  const locale = localeOf(language);
  const kept = bundles.get(locale);
  if (kept !== undefined) return kept;
  // What is put into a sentence is isolated, so that a telephone number cannot turn an Arabic line around.
  const made = new FluentBundle(locale, { useIsolating: true });
  const errors = made.addResource(new FluentResource(TEXTS[language]));
  for (const error of errors) console.error(`Reading ${language}.ftl: ${error.message}`);
  bundles.set(locale, made);
  return made;
}

/** Whether the catalogue has this key. */
export function has(language: Language, key: string): boolean {
  return bundleOf(language).getMessage(key)?.value != null;
}

/** A message of the catalogue in this language. A key that is missing is a defect that a test finds; it is shown as it is. */
export function say(language: Language, key: string, args: Args = {}): string {
  const pattern = bundleOf(language).getMessage(key)?.value;
  if (pattern == null) {
    console.error(`No message ${key} in ${language}.ftl`);
    return key;
  }
  const errors: Error[] = [];
  const said = bundleOf(language).formatPattern(pattern, args, errors);
  for (const error of errors) console.error(`Saying ${key} in ${language}: ${error.message}`);
  return said;
}
