import type { Digits, Language, Name } from "../api.generated";
import { type Args, count, has, say } from "./catalogue";

let language = $state<Language>("ar");
/** Changes with the digits, so that what is rendered with numbers in it is rendered again. */
let digits = $state<Digits>("western");

/** The interface's language now. Read where a template is rendered, it renders again when language or digits change. */
export function spoken(): Language {
  count(digits);
  return language;
}

/** The direction of the interface's language. */
export function flow(): "rtl" | "ltr" {
  return language === "ar" ? "rtl" : "ltr";
}

/** Changes what the whole window says from now on. */
export function speak(into: Language, withDigits: Digits): void {
  count(withDigits);
  language = into;
  digits = withDigits;
}

/** A message of the catalogue. */
export function t(key: string, args?: Args): string {
  return say(spoken(), key, args);
}

/** A message for a code out of an open list, or `otherwise` where the catalogue does not know the code. */
export function tOr(key: string, otherwise: string, args?: Args): string {
  return say(spoken(), has(language, key) ? key : otherwise, args);
}

/** A name that the desk gives in both languages. */
export function named(name: Name): string {
  return name[language] || name.ar || name.en;
}
