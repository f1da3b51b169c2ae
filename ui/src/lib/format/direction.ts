const RTL = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/gu;
const LETTER = /\p{L}/gu;

/**
 * The direction of a text by what most of its letters are. The browser's `dir="auto"` goes by the first letter alone, and
 * turns an Arabic sentence around that begins with a case number. Without letters there is none, and it follows the window.
 */
export function direction(text: string): "rtl" | "ltr" | undefined {
  const rtl = text.match(RTL)?.length ?? 0;
  const letters = text.match(LETTER)?.length ?? 0;
  if (letters === 0) return undefined;
  return rtl * 2 >= letters ? "rtl" : "ltr";
}

/**
 * How a text of several paragraphs runs while it is written. Where all run the same way, that way; where they do not,
 * each by its first letter, which is all that a text field can do, as long as that gives each its own direction; else
 * the whole by what most of its letters are.
 */
export function writing(text: string): { dir: "rtl" | "ltr" | undefined; each: boolean } {
  const paragraphs = text.split("\n").filter((paragraph) => direction(paragraph) !== undefined);
  const ways = new Set(paragraphs.map(direction));
  if (ways.size < 2) return { dir: direction(text), each: false };
  const first = (paragraph: string): "rtl" | "ltr" | undefined => direction(/\p{L}/u.exec(paragraph)?.[0] ?? "");
  return { dir: direction(text), each: paragraphs.every((paragraph) => first(paragraph) === direction(paragraph)) };
}
