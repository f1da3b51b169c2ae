import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { idle } from "../src/lib/idle";

const MINUTE = 60_000;
let minutes = 15;
let end: () => void;
const away = vi.fn();
const written = vi.fn();

beforeEach(() => {
  minutes = 15;
  away.mockReset();
  written.mockReset();
  vi.useFakeTimers({ now: new Date("2026-11-22T08:00:00Z") });
  end = idle(() => minutes, away)(window);
  document.addEventListener("keydown", written);
});

afterEach(() => {
  end();
  document.removeEventListener("keydown", written);
  vi.useRealTimers();
});

/** The time of day goes on, and no timer runs. */
const sleep = (milliseconds: number): unknown => vi.setSystemTime(Date.now() + milliseconds);

function press(): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
  return event;
}

describe("Somebody is taken to be away", () => {
  test("once nothing was touched for so long, and once only", () => {
    vi.advanceTimersByTime(14 * MINUTE);
    expect(away).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2 * MINUTE);
    expect(away).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(10 * MINUTE);
    expect(away).toHaveBeenCalledOnce();
  });

  test("never, where that was chosen", () => {
    minutes = 0;
    vi.advanceTimersByTime(600 * MINUTE);
    sleep(600 * MINUTE);
    press();
    expect(away).not.toHaveBeenCalled();
  });

  test.each(["keydown", "pointerdown", "pointermove", "wheel"])("not as long as there is a %s now and then", (type) => {
    for (let touches = 0; touches < 10; touches += 1) {
      vi.advanceTimersByTime(10 * MINUTE);
      document.body.dispatchEvent(new Event(type, { bubbles: true }));
    }
    expect(away).not.toHaveBeenCalled();
  });

  test("when the computer has slept for so long, before the key that woke it does anything", () => {
    vi.advanceTimersByTime(MINUTE);
    sleep(8 * 60 * MINUTE);
    expect(press().defaultPrevented).toBe(true);
    expect(away).toHaveBeenCalledOnce();
    expect(written).not.toHaveBeenCalled();
    expect(press().defaultPrevented).toBe(false);
    expect(away).toHaveBeenCalledOnce();
    expect(written).toHaveBeenCalledOnce();
  });

  test("not when it has slept for less, and the time before the sleep counts", () => {
    vi.advanceTimersByTime(4 * MINUTE);
    sleep(10 * MINUTE);
    vi.advanceTimersByTime(5000);
    expect(away).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2 * MINUTE);
    expect(away).toHaveBeenCalledOnce();
  });

  test.each([
    ["comes to the front", (): boolean => window.dispatchEvent(new Event("focus"))],
    ["is shown again", (): boolean => document.dispatchEvent(new Event("visibilitychange"))],
  ])("as soon as the window %s", (_, come) => {
    sleep(20 * MINUTE);
    come();
    expect(away).toHaveBeenCalledOnce();
  });

  test("also where the time of day was set back meanwhile", () => {
    sleep(-120 * MINUTE);
    vi.advanceTimersByTime(16 * MINUTE);
    expect(away).toHaveBeenCalledOnce();
  });
});
