import { afterEach, describe, expect, test, vi } from "vitest";
import { development } from "../src/lib/host/development";

afterEach(() => vi.unstubAllGlobals());

function answer(status: number, body: unknown): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(() => Promise.resolve(new Response(typeof body === "string" ? body : JSON.stringify(body), { status })));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

describe("The development host", () => {
  test("posts a call's request and gives its answer", async () => {
    const fetched = answer(200, { id: "1" });
    await expect(development.call("claim", { case: "c" })).resolves.toEqual({ id: "1" });
    expect(fetched).toHaveBeenCalledWith("/call/claim", { method: "POST", headers: { "content-type": "application/json" }, body: '{"case":"c"}' });
  });

  test.each([
    [400, { code: "bad_text", message: "Empty" }, "bad_text"],
    [500, "<html>", "failed"],
    [404, { wrong: true }, "failed"],
  ])("turns HTTP %i with %j into the code %s", async (status, body, code) => {
    answer(status, body);
    await expect(development.call("claim", { case: "c" })).rejects.toMatchObject({ name: "CallFailure", code });
  });

  test("that is not there fails as a call", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(development.call("claim", { case: "c" })).rejects.toMatchObject({ code: "failed" });
  });

  test("hears signals, and asks for everything again after a break", async () => {
    const streams: { onopen?: () => void; onmessage?: (event: { data: string }) => void; close: () => void }[] = [];
    class Stream {
      close = vi.fn();
      constructor() {
        streams.push(this);
      }
    }
    vi.stubGlobal("EventSource", Stream);
    const heard = vi.fn();
    const listening = development.listen(heard);
    streams[0]?.onopen?.();
    const stop = await listening;
    streams[0]?.onmessage?.({ data: '{"event":"status"}' });
    expect(heard.mock.calls).toEqual([[{ event: "status" }]]);
    streams[0]?.onopen?.();
    expect(heard).toHaveBeenLastCalledWith({ event: "session" });
    stop();
    expect(streams[0]?.close).toHaveBeenCalled();
  });
});
