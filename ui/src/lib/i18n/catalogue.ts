import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import ar from "../../../../locales/ar.ftl?raw";
import en from "../../../../locales/en.ftl?raw";
import type { Language } from "../api.generated";

export type Args = Record<string, FluentVariable>;

/**
 * The locales by which numbers, dates and plurals go. The digits are pinned: plain `ar-KW` would mean Arabic-Indic ones.
 */
export const LOCALES: Record<Language, string> = {
  ar: "ar-KW-u-ca-gregory-nu-latn",
  en: "en-GB-u-ca-gregory-nu-latn",
};

const bundles: Record<Language, FluentBundle> = { ar: bundle("ar", ar), en: bundle("en", en) };

function bundle(language: Language, text: string): FluentBundle {
  // What is put into a sentence is isolated, so that a telephone number cannot turn an Arabic line around.
  const made = new FluentBundle(LOCALES[language], { useIsolating: true });
  const errors = made.addResource(new FluentResource(text));
  for (const error of errors) console.error(`Reading ${language}.ftl: ${error.message}`);
  return made;
}

/** Whether the catalogue has this key. */
export function has(language: Language, key: string): boolean {
  return bundles[language].getMessage(key)?.value != null;
}

/** A message of the catalogue in this language. A key that is missing is a defect that a test finds; it is shown as it is. */
export function say(language: Language, key: string, args: Args = {}): string {
  const pattern = bundles[language].getMessage(key)?.value;
  if (pattern == null) {
    console.error(`No message ${key} in ${language}.ftl`);
    return key;
  }
  const errors: Error[] = [];
  const said = bundles[language].formatPattern(pattern, args, errors);
  for (const error of errors) console.error(`Saying ${key} in ${language}: ${error.message}`);
  return said;
}
