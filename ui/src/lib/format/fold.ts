/**
 * A text as it is compared: without vowel signs, tatweel and marks of direction, with one form for each letter that
 * people write in several (أ إ آ ٱ as ا, ى as ي, ة as ه, ؤ as و, ئ as ي, Persian ک and ی), Western digits, small letters.
 */
export function folded(text: string): string {
  return (
    text
      // Taken apart, a hamza or madda on a letter is a mark like a vowel sign.
      .normalize("NFKD")
      .replace(/[\p{M}\u0640\p{Cf}]/gu, "")
      .replace(/[\u0660-\u0669\u06f0-\u06f9]/gu, (digit) => String((digit.codePointAt(0) ?? 0) & 15))
      .replace(/\u0671/gu, "ا")
      .replace(/[\u0649\u06cc]/gu, "ي")
      .replace(/[\u0629\u06c3\u06d5\u06c1\u06be]/gu, "ه")
      .replace(/\u06a9/gu, "ك")
      .toLowerCase()
  );
}

/** How well a query fits texts: the lower the better, `null` where one of its words stands nowhere. */
export function fit(query: string, texts: string[]): number | null {
  const within = texts.map(folded);
  let sum = 0;
  for (const word of folded(query).split(/\s+/u)) {
    // Who types «الاستلام» means «استلام».
    const bare = word.length > 4 ? word.replace(/^ال/u, "") : word;
    const places = within.map((text) => placeOf(text, word) ?? placeOf(text, bare));
    const best = places.reduce((best, place) => (place !== null && (best === null || place < best) ? place : best), null);
    if (best === null) return null;
    sum += best;
  }
  return sum;
}

/** 0 at the beginning of a text, 1 at that of a word, 2 within one. */
function placeOf(text: string, word: string): number | null {
  const at = text.indexOf(word);
  if (at < 0) return null;
  if (at === 0) return 0;
  return new RegExp(`[\\s/:·(]${word.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&")}`, "u").test(text) ? 1 : 2;
}
