/** How long a text may be that WhatsApp carries, in Unicode scalar values. */
export const LONGEST = 4096;

/** Length in Unicode scalar values: an emoji is one or a few, never the two halves of a surrogate pair. */
export function length(text: string): number {
  return Array.from(text).length;
}

/** Whether a text has spaces that are more than gaps between words: columns, indented lines. */
export function isSpaced(text: string): boolean {
  return /[ \t]{2}|\n[ \t]|\t/u.test(text);
}

/** Whether a message is so long that its beginning is shown first: over a dozen lines, or as much without a break. */
export function isLong(text: string): boolean {
  return text.length > 900 || text.split("\n").length > 14;
}

/** The letter on an avatar, or nothing where a name has none to show. */
export function initial(name: string): string | null {
  const letter = /\p{L}/u.exec(name.replace(/^(?:ال|al-)/iu, ""))?.[0] ?? /\p{L}/u.exec(name)?.[0];
  return letter?.toLocaleUpperCase("en") ?? null;
}

/** One of `grounds` grounds, always the same for the same seed. */
export function ground(seed: string, grounds: number): number {
  let hash = 2166136261;
  for (const character of seed) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619);
  // Its low bits alone hardly differ between names of one script.
  hash ^= hash >>> 15;
  return ((hash >>> 0) % grounds) + 1;
}
