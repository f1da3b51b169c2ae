import type { Spot } from "../lib/api.generated";

/** The names under which base.css colours them. */
const ALL = "found";
const HERE = "found-here";

/**
 * Marks what was found in the messages on screen, without touching them: the texts are coloured through the CSS Custom
 * Highlight API (WebKit since 2.44), so that selecting, copying and shaping stay as they are.
 */
export function highlight(box: ParentNode, spots: Spot[], here: Spot | undefined): void {
  if (!("highlights" in CSS)) return;
  const [all, current] = [new Highlight(), new Highlight()];
  for (const spot of spots) {
    const id = CSS.escape(spot.id);
    const text = box.querySelector(`[data-message="${id}"] .text, [data-note="${id}"] span.text`);
    if (text === null) continue;
    for (const range of rangesIn(text, spot)) (spot === here ? current : all).add(range);
  }
  CSS.highlights.set(ALL, all);
  CSS.highlights.set(HERE, current);
}

export function unhighlight(): void {
  if (!("highlights" in CSS)) return;
  CSS.highlights.delete(ALL);
  CSS.highlights.delete(HERE);
}

/** The marks of a text as ranges over its nodes; what the window adds to a text (where a link leads) does not count. */
export function rangesIn(text: Element, { marks }: Spot): Range[] {
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement?.closest(".real") == null ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT,
  );
  const ranges = marks.map(() => document.createRange());
  let begins = 0;
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const ends = begins + (node.nodeValue?.length ?? 0);
    marks.forEach(({ from, to }, index) => {
      if (from >= begins && from < ends) ranges[index]?.setStart(node, from - begins);
      if (to > begins && to <= ends) ranges[index]?.setEnd(node, to - begins);
    });
    begins = ends;
  }
  return ranges.filter(({ collapsed }) => !collapsed);
}
