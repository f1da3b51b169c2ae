import type { Settings } from "./api.generated";
import { speak, t } from "./i18n";
import { room } from "./room.svelte";

/** As the desk begins, until it has said what its person chose. */
export const BEGINNING: Settings = {
  language: "ar",
  theme: "system",
  contrast: "system",
  density: "comfortable",
  text_size: "normal",
  digits: "western",
  send_with: "enter",
  single_keys: true,
  lock_after: 15,
  private_notifications: false,
  sound: "system",
  quiet: { on: false, from: 15 * 60, until: 7 * 60, days: ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] },
};

const stronger = matchMedia("(prefers-contrast: more)");
let worn = BEGINNING;

stronger.addEventListener("change", () => wear(worn));

/** Changes the language and the look of the whole window at once. */
export function wear(settings: Settings): void {
  worn = settings;
  speak(settings.language, settings.digits);
  const root = document.documentElement;
  root.lang = settings.language;
  root.dir = settings.language === "ar" ? "rtl" : "ltr";
  root.dataset.theme = settings.theme;
  root.dataset.contrast = settings.contrast === "more" || stronger.matches ? "more" : "usual";
  root.dataset.density = settings.density;
  root.dataset.textSize = settings.text_size;
  room.write(settings.text_size);
  document.title = t("app-name");
}
