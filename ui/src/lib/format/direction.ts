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
