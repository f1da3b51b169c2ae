import type { FirstStep } from "../lib/api.generated";
import { CallFailure, type Host } from "../lib/host";

/** What somebody who begins is led to. The desk keeps what was done or waved away; this holds its last answer. */
export class First {
  todo: FirstStep[] = $state.raw([]);
  /** The agency's WhatsApp numbers. */
  lines: string[] = $state.raw([]);
  readonly #host: Host;
  readonly #answered: () => void;

  /** `answered` is told when the first answer is on its way. */
  constructor(host: Host, answered: () => void) {
    this.#host = host;
    this.#answered = answered;
  }

  async refresh(): Promise<void> {
    try {
      const { todo, lines } = await this.#host.call("first_steps", {});
      const answered = this.todo.includes("answer") && !todo.includes("answer");
      this.todo = todo;
      this.lines = lines;
      if (answered) this.#answered();
    } catch (thrown) {
      console.error("Asking for the first steps:", CallFailure.of(thrown).code);
    }
  }

  /** The person knows this. */
  async wave(...steps: FirstStep[]): Promise<void> {
    this.todo = this.todo.filter((step) => !steps.includes(step));
    try {
      for (const step of steps) await this.#host.call("step_done", { step });
    } catch (thrown) {
      console.error("Waving a first step away:", CallFailure.of(thrown).code);
    }
  }
}
