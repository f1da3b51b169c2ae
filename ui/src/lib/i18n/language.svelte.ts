import type { Language, Name, Theme } from "../api.generated";
import { type Args, has, say } from "./catalogue";

let language = $state<Language>("ar");

/** The interface's language now. Read where a template is rendered, it renders again when the language changes. */
export function spoken(): Language {
  return language;
}

/** The direction of the interface's language. */
export function flow(): "rtl" | "ltr" {
  return language === "ar" ? "rtl" : "ltr";
}

/** Changes the language and the theme of the whole window at once. */
export function wear(settings: { language: Language; theme: Theme }): void {
  language = settings.language;
  const root = document.documentElement;
  root.lang = settings.language;
  root.dir = flow();
  root.dataset.theme = settings.theme;
  document.title = say(language, "app-name");
}

/** A message of the catalogue. */
export function t(key: string, args?: Args): string {
  return say(language, key, args);
}

/** A message for a code out of an open list, or `otherwise` where the catalogue does not know the code. */
export function tOr(key: string, otherwise: string, args?: Args): string {
  return say(language, has(language, key) ? key : otherwise, args);
}

/** A name that the desk gives in both languages. */
export function named(name: Name): string {
  return name[language] || name.ar || name.en;
}
