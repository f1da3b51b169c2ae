import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { coalesce, oncePerFrame } from "../src/lib/coalesce";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame", "cancelAnimationFrame"] }));
afterEach(() => void vi.useRealTimers());

describe("A burst", () => {
  test("while one asks becomes a single question after it", async () => {
    const answers: (() => void)[] = [];
    const ask = vi.fn(() => new Promise<void>((resolve) => answers.push(resolve)));
    const refresh = coalesce(ask);
    const first = refresh();
    const others = Array.from({ length: 100 }, () => refresh());
    expect(ask).toHaveBeenCalledTimes(1);
    answers[0]?.();
    await first;
    await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2));
    answers[1]?.();
    await Promise.all(others);
    expect(ask).toHaveBeenCalledTimes(2);
    void refresh();
    expect(ask).toHaveBeenCalledTimes(3);
  });

  test("goes on after a question that failed", async () => {
    let fails = true;
    const ask = vi.fn(() => (fails ? Promise.reject(new Error("No")) : Promise.resolve()));
    const refresh = coalesce(ask);
    const first = refresh();
    const second = refresh();
    fails = false;
    await expect(first).rejects.toThrow("No");
    await second;
    expect(ask).toHaveBeenCalledTimes(2);
  });

  test("in one frame is worked off once, also where no frame is painted", () => {
    const work = vi.fn();
    const want = oncePerFrame(work);
    for (let index = 0; index < 50; index += 1) want();
    expect(work).not.toHaveBeenCalled();
    vi.advanceTimersByTime(17);
    expect(work).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(200);
    expect(work).toHaveBeenCalledTimes(1);

    vi.spyOn(globalThis, "requestAnimationFrame").mockReturnValue(0);
    want();
    vi.advanceTimersByTime(100);
    expect(work).toHaveBeenCalledTimes(2);
  });
});
