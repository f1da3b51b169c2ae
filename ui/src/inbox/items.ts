import type { Item, MessageId, MessageItem, Position } from "../lib/api.generated";
import { daysBetween } from "../lib/format/time";

/** An item's key: the same from pending to read, so that its row is never mounted anew. */
export function keyOf(item: Item): string {
  switch (item.item) {
    case "message":
      return item.message;
    case "note":
      return item.note;
    case "event":
      return `${item.case}:${item.seq}:${item.what}`;
  }
}

/** Puts a newly asked page in place of what it covers; what was loaded before its first item stays above it. */
export function joined(shown: Item[], page: Item[]): Item[] {
  const first = page[0];
  if (first === undefined) return page;
  const fresh = new Set(page.map(keyOf));
  const above = shown.filter((item) => stands(item, first) < 0 && item.seq !== 0 && !fresh.has(keyOf(item)));
  return [...above, ...page];
}

/** Order by place, then seq; what has no seq yet stands last. */
function stands(a: Item, b: Item): number {
  const seq = (item: Item): number => (item.seq === 0 ? Infinity : item.seq);
  return a.place - b.place || (seq(a) === seq(b) ? 0 : seq(a) - seq(b));
}

/** Whether an item stands there or after. */
export function isFrom({ place, seq }: Item, at: Position): boolean {
  return place > at.place || (place === at.place && (seq === 0 || seq >= at.seq));
}

/**
 * The items as they are read: a case is opened by its first message, so the line that says so stands right above it, at
 * its time. The desk has it below: the gateway opened the case when it received what the citizen had sent before. Where
 * the desk has `more` before these items, that first message may not be among them; until it is, the line is left out.
 */
export function inReadingOrder(items: Item[], more: boolean): Item[] {
  const begun = new Set<string>();
  const openings = new Map<string, Item>();
  for (const item of items) {
    if (item.item !== "event") begun.add(item.case);
    else if (item.what === "opened" && begun.has(item.case)) openings.set(item.case, item);
  }
  if (openings.size === 0) return items;
  const belated = new Set(openings.values());
  if (more) openings.delete(items[0]?.case ?? "");
  return items.flatMap((item) => {
    if (belated.has(item)) return [];
    const opening = openings.get(item.case);
    if (opening === undefined) return [item];
    openings.delete(item.case);
    return [{ ...opening, place: item.place }, item];
  });
}

/** What stands at the end of these items for whoever reads them. */
export function latestOf(items: Item[]): Item | undefined {
  return inReadingOrder(items, false).at(-1);
}

/** What stands above an item: a new day, the 'new' marker, or whether it continues what the same person just said. */
export interface Lead {
  day: boolean;
  /** The first item that was new when the conversation was opened. */
  fresh: boolean;
  /** It is marked as new: where all of it is new, a marker would tell nothing. */
  marked: boolean;
  follows: boolean;
}

/** For so long after it was sent, taking a reply back is the next thing at hand. */
export const UNDO = 5000;

/** How close two messages of one person stand together to be one turn. */
const TURN = 5 * 60_000;

export function leads(items: Item[], firstNew: Position | null): Lead[] {
  const start = firstNew === null ? -1 : items.findIndex((item) => isFrom(item, firstNew));
  const known = items.slice(0, Math.max(start, 0)).some(({ item }) => item !== "event");
  return items.map((item, index) => {
    const before = items[index - 1];
    const day = before === undefined || daysBetween(before.place, item.place) !== 0;
    const fresh = index === start;
    const marked = fresh && known;
    return { day, fresh, marked, follows: !day && !marked && sameTurn(before, item) };
  });
}

function sameTurn(before: Item | undefined, item: Item): boolean {
  return (
    before?.item === "message" &&
    item.item === "message" &&
    before.from === item.from &&
    before.by?.staff === item.by?.staff &&
    item.place - before.place < TURN
  );
}

/** The last seq of each case among the items that came after `after`. */
export function seenIn(items: Item[], after: number): Map<string, number> {
  const seen = new Map<string, number>();
  for (const { case: of, seq } of items) {
    if (seq > after) seen.set(of, Math.max(seq, seen.get(of) ?? 0));
  }
  return seen;
}

/** The last message of ours that the citizen has read: it says so in a word. */
export function lastRead(items: Item[]): string | null {
  const read = items.findLast((item) => item.item === "message" && item.delivery === "read");
  return read?.item === "message" ? read.message : null;
}

/** What came of taking a reply of mine back: it did not go, it may still be stopped, or it was too late. */
export function fate(items: Item[], message: MessageId): "recalled" | "under way" | "gone" {
  const item = items.find((item) => item.item === "message" && item.message === message);
  const delivery = item?.item === "message" ? item.delivery : null;
  if (delivery === "recalled") return "recalled";
  return delivery === "waiting" || delivery === "queued" ? "under way" : "gone";
}

/** A colleague's last reply that came after this seq: whoever has been writing since would answer a second time. */
export function replyAfter(items: Item[], seq: number): MessageItem | null {
  const reply = items.findLast((item) => item.item === "message" && item.from === "colleague" && item.seq > seq);
  return reply?.item === "message" ? reply : null;
}
