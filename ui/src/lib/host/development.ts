import type { CallError, Signal } from "../api.generated";
import { CallFailure, type Host, type Response as Answer } from "./host";

/** The development host: the same commands over loopback HTTP, for an ordinary browser. */
export const development: Host = {
  async call(name, request) {
    let answer: Response;
    try {
      answer = await fetch(`/call/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
      });
    } catch (thrown) {
      throw CallFailure.of(thrown);
    }
    if (answer.ok) return (await answer.json()) as Answer<typeof name>;
    const error = (await answer.json().catch(() => null)) as CallError | null;
    throw CallFailure.of(error ?? new Error(`Calling ${name}: HTTP ${answer.status}`));
  },

  listen(heard) {
    return new Promise((ready) => {
      const stream = new EventSource("/signals");
      let opened = false;
      stream.onopen = () => {
        // What was said while the stream was broken is lost, so everything is asked for again.
        if (opened) heard({ event: "session" });
        opened = true;
        ready(() => stream.close());
      };
      stream.onmessage = ({ data }: MessageEvent<string>) => heard(JSON.parse(data) as Signal);
    });
  },
};
