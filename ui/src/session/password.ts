import { length } from "../lib/format/text";

/** What a password alone must have at least (NIST SP 800-63B-4): length, and nothing about its kinds of letters. */
export const SHORTEST = 15;

export function longEnough(password: string): boolean {
  return length(password) >= SHORTEST;
}
