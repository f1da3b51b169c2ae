/** How often it is looked whether somebody is still here. */
const LOOK = 5000;
const TOUCHES = ["keydown", "pointerdown", "pointermove", "wheel"] as const;

/**
 * Calls `away` once nobody has touched keys or pointer for so many minutes; 0 for never. For `{@attach}` on the window.
 *
 * By the time of day, because the other clocks of a window stand still while the computer sleeps; and it is looked before
 * a touch counts, because no timer runs then: what wakes a computer is most often a key.
 */
export function idle(minutes: () => number, away: () => void): (of: Window) => () => void {
  return (of) => {
    let last = Date.now();
    const look = (): boolean => {
      const now = Date.now();
      // The time of day may have been set back.
      last = Math.min(last, now);
      if (minutes() === 0 || now - last < minutes() * 60_000) return false;
      last = now;
      away();
      return true;
    };
    const touch = (event: Event): void => {
      if (!look()) {
        last = Date.now();
      } else if (event.type === "keydown") {
        // It was meant for the screen that slept, and would write or send something here.
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    };
    for (const event of TOUCHES) of.addEventListener(event, touch, { passive: event === "wheel", capture: true });
    of.addEventListener("focus", look);
    of.document.addEventListener("visibilitychange", look);
    const timer = setInterval(look, LOOK);
    return () => {
      clearInterval(timer);
      of.document.removeEventListener("visibilitychange", look);
      of.removeEventListener("focus", look);
      for (const event of TOUCHES) of.removeEventListener(event, touch, { capture: true });
    };
  };
}
