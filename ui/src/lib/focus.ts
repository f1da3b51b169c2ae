const REACHED = 'a[href], button:not(:disabled), input:not(:disabled), textarea:not(:disabled), [tabindex]:not([tabindex="-1"])';

/** Where an element stands: its parents, and which child of each it is or is in. */
type Place = { parent: Element; index: number }[];

function placeOf(element: Element): Place {
  const place: Place = [];
  for (let child = element; child.parentElement !== null; child = child.parentElement) {
    place.push({ parent: child.parentElement, index: Array.from(child.parentElement.children).indexOf(child) });
  }
  return place;
}

/**
 * Keeps the focus from falling out of the window when the element that had it goes away: a row that left the list, a
 * button of an act that was done. It goes to what stands in its place, else to what stands nearest around it.
 */
export function keepFocus(root: HTMLElement): () => void {
  let last: { element: Element; place: Place } | null = null;

  const came = ({ target }: FocusEvent): void => {
    if (target instanceof Element) last = { element: target, place: placeOf(target) };
  };
  const watch = new MutationObserver(() => {
    if (last === null || !document.hasFocus()) return;
    const { activeElement } = document;
    if (activeElement !== null && activeElement !== document.body) {
      // Its row may stand elsewhere by now.
      if (activeElement === last.element) last.place = placeOf(activeElement);
      return;
    }
    if (last.element.isConnected) return;
    for (const { parent, index } of last.place) {
      if (!parent.isConnected) continue;
      const there = [parent.children[index], parent.children[index - 1], parent];
      const found = there.map((near) => (near?.matches(REACHED) === true ? near : near?.querySelector(REACHED))).find((near) => near != null);
      if (found instanceof HTMLElement) {
        found.focus();
        return;
      }
    }
  });

  root.addEventListener("focusin", came);
  watch.observe(root, { childList: true, subtree: true });
  return () => {
    root.removeEventListener("focusin", came);
    watch.disconnect();
  };
}
