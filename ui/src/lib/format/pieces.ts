import { type Figure, figures } from "./figures";
import { type Link, links, written } from "./links";

/** A piece of a text: plain, an address, or a number that one may want to copy. */
export type Piece = { text: string } | Link | Figure;

/** What can be picked out of a text. */
export type Pick = Link | Figure;

/** Takes a text apart; put together again, the pieces are the text. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const { at: from, link } of links(text)) {
    found.push(...withFigures(text.slice(at, from)), link);
    at = from + written(link).length;
  }
  return [...found, ...withFigures(text.slice(at))];
}

function withFigures(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const { at: from, figure } of figures(text)) {
    if (from > at) found.push({ text: text.slice(at, from) });
    found.push(figure);
    at = from + figure.figure.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}
