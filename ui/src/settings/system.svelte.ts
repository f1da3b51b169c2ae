import type { ErrorCode, SystemState } from "../lib/api.generated";
import { CallFailure, type Host } from "../lib/host";

/** What the system around the window does for it. */
export class SystemAround {
  state: SystemState | null = $state.raw(null);
  /** Why the last thing asked of it did not work. */
  error: ErrorCode | null = $state(null);
  /** Whether a notification was tried since the page was opened. */
  tried = $state(false);
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  look(): Promise<void> {
    return this.#ask(() => this.#host.call("system", {}));
  }

  start(on: boolean): Promise<void> {
    return this.#ask(() => this.#host.call("start_with_system", { on }));
  }

  async tryNotification(): Promise<void> {
    this.tried = false;
    await this.#ask(async () => {
      await this.#host.call("try_notification", {});
      return this.#host.call("system", {});
    });
    this.tried = this.error === null;
  }

  async #ask(ask: () => Promise<SystemState>): Promise<void> {
    try {
      this.state = await ask();
      this.error = null;
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
    }
  }
}
