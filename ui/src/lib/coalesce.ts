/** Collapses calls that come while one is running into a single one after it, so that a burst asks twice, not a hundred times. */
export function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let again: Promise<void> | null = null;
  const run = (): Promise<void> => {
    running = work().finally(() => (running = null));
    return running;
  };
  return () => {
    if (running === null) return run();
    again ??= running.then(noop, noop).then(() => {
      again = null;
      return run();
    });
    return again;
  };
}

/**
 * Calls `work` once for all calls of the same frame. A hidden window paints no frames, so a timer stands behind.
 */
export function oncePerFrame(work: () => void): () => void {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    const run = (): void => {
      if (!due) return;
      due = false;
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      work();
    };
    const frame = requestAnimationFrame(run);
    const timer = setTimeout(run, 100);
  };
}

function noop(): void {
  // The failure was told where it happened.
}
