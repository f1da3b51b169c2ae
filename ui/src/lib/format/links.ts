/** An address in a text as it was written, with the host to which it really leads. */
export interface Link {
  before: string;
  host: string;
  after: string;
  /** The host to which it leads, where that is not plainly what is written. */
  real: string | null;
  /** The same host as programs write it: other scripts as punycode. */
  target: string;
  /** Whether the person has to agree before it is opened. */
  doubtful: boolean;
}

/** No space, quote or mark of direction belongs to an address. */
const ADDRESS = /(?:https?:\/\/|\bwww\.)[^\s<>"'«»\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+/giu;
/** What ends a sentence and not an address. */
const END = /[.,;:!?؟،؛…)\]}]+$/u;
/** A host that is Arabic throughout, by the letters of the modern alphabet: those that have no twin in another one. */
const ARABIC = /^(?:[\u0621-\u063a\u0641-\u064a][\u0621-\u063a\u0641-\u064a0-9-]*\.)+[\u0621-\u063a\u0641-\u064a-]+$/u;
/** A host without a name: by number. */
const NUMBER = /^(?:[\d.]+|\[.*\])$/u;

/** The addresses in a text, with where each begins. */
export function links(text: string): { at: number; link: Link }[] {
  return Array.from(text.matchAll(ADDRESS)).flatMap(({ 0: match, index }) => {
    const link = linkOf(match.replace(END, ""));
    return link === null ? [] : [{ at: index, link }];
  });
}

/** A link as it was written. */
export function written({ before, host, after }: Link): string {
  return before + host + after;
}

function linkOf(written: string): Link | null {
  const whole = /^www\./iu.test(written) ? `https://${written}` : written;
  if (!URL.canParse(whole)) return null;
  // The browser's own reading: what stands before an @ is no host, and other scripts come as punycode.
  const { hostname: target, username, password } = new URL(whole);
  const start = written.length - whole.length + whole.indexOf("//") + 2;
  const rest = written.slice(Math.max(start, 0));
  const upToPath = rest.search(/[/?#\\]/u);
  const authority = upToPath < 0 ? rest : rest.slice(0, upToPath);
  const host = authority.slice(authority.lastIndexOf("@") + 1).replace(/:\d*$/u, "");
  const from = Math.max(start, 0) + authority.lastIndexOf("@") + 1;
  const plain = username === "" && password === "" && (host.toLowerCase() === target || ARABIC.test(host));
  const nameless = NUMBER.test(target) || !target.includes(".");
  return { before: written.slice(0, from), host, after: written.slice(from + host.length), real: plain ? null : target, target, doubtful: !plain || nameless };
}
