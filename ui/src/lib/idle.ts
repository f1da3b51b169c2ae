/** How often it is looked whether somebody is still here. */
const LOOK = 5000;

/** Calls `away` once nobody has touched keys or pointer for so many minutes; 0 for never. For `{@attach}` on the window. */
export function idle(minutes: () => number, away: () => void): (of: Window) => () => void {
  return (of) => {
    let last = Date.now();
    const here = (): void => void (last = Date.now());
    const events = ["keydown", "pointerdown", "pointermove", "wheel"] as const;
    for (const event of events) of.addEventListener(event, here, { passive: true, capture: true });
    const timer = setInterval(() => {
      if (minutes() === 0 || Date.now() - last < minutes() * 60_000) return;
      last = Date.now();
      away();
    }, LOOK);
    return () => {
      clearInterval(timer);
      for (const event of events) of.removeEventListener(event, here, { capture: true });
    };
  };
}
