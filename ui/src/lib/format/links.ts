/** A piece of a text: plain, or an address as it was written with the host to which it really leads. */
export type Piece = { text: string } | Link;

export interface Link {
  before: string;
  host: string;
  after: string;
  /** The host to which it leads, where that is not plainly what is written. */
  real: string | null;
}

/** No space, quote or mark of direction belongs to an address. */
const ADDRESS = /(?:https?:\/\/|\bwww\.)[^\s<>"'«»\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;
/** What ends a sentence and not an address. */
const END = /[.,;:!?؟،؛…)\]}]+$/u;

/** Takes a text apart at its addresses; put together again, the pieces are the text. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const { 0: match, index } of text.matchAll(ADDRESS)) {
    const written = match.replace(END, "");
    const link = linkOf(written);
    if (link === null) continue;
    if (index > at) found.push({ text: text.slice(at, index) });
    found.push(link);
    at = index + written.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}

function linkOf(written: string): Link | null {
  const whole = /^www\./iu.test(written) ? `https://${written}` : written;
  if (!URL.canParse(whole)) return null;
  // The browser's own reading: what stands before an @ is no host, and other scripts come as punycode.
  const { hostname, username, password } = new URL(whole);
  const start = written.length - whole.length + whole.indexOf("//") + 2;
  const rest = written.slice(Math.max(start, 0));
  const upToPath = rest.search(/[/?#\\]/u);
  const authority = upToPath < 0 ? rest : rest.slice(0, upToPath);
  const shown = authority.slice(authority.lastIndexOf("@") + 1).replace(/:\d*$/u, "");
  const from = Math.max(start, 0) + authority.lastIndexOf("@") + 1;
  const plain = shown.toLowerCase() === hostname && username === "" && password === "";
  return { before: written.slice(0, from), host: shown, after: written.slice(from + shown.length), real: plain ? null : hostname };
}
