import type { Account, ErrorCode, Parting, Phase, Settings, SignIn, Start } from "../lib/api.generated";
import { CallFailure, type Host } from "../lib/host";
import { BEGINNING, wear } from "../lib/appearance";
import { SystemAround } from "../settings/system.svelte";

/** Who is here and which screen the window shows first. What is true is at the desk; this holds its last answer. */
export class Session {
  start: Start | null = $state.raw(null);
  busy = $state(false);
  /** Why the last try did not work. */
  error: ErrorCode | null = $state(null);
  /** On the locked screen, somebody wants to sign in as another person. */
  other = $state(false);
  /** What the system around the window does for it. */
  readonly system: SystemAround;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    this.system = new SystemAround(host);
  }

  /** Asks the desk what to show. */
  async begin(): Promise<void> {
    try {
      this.#take(await this.#host.call("start", {}));
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
    }
  }

  get phase(): Phase | null {
    if (this.start?.phase === "locked" && this.other) return "sign_in";
    return this.start?.phase ?? null;
  }

  get accounts(): Account[] {
    return this.start?.accounts ?? [];
  }

  get settings(): Settings {
    return this.start?.settings ?? BEGINNING;
  }

  signIn(request: SignIn): Promise<boolean> {
    return this.#try(() => this.#host.call("sign_in", request));
  }

  unlock(account: string, password: string): Promise<boolean> {
    return this.#try(() => this.#host.call("unlock", { account, password }));
  }

  lock(): Promise<boolean> {
    return this.#try(() => this.#host.call("lock", {}));
  }

  signOut(parting: Parting): Promise<boolean> {
    return this.#try(() => this.#host.call("sign_out", { parting }));
  }

  /** Changes settings. The window changes at once; should the desk not keep it, it changes back. */
  async set(change: Partial<Settings>): Promise<void> {
    if (this.start === null) return;
    const before = this.start.settings;
    const wanted = { ...before, ...change };
    this.#keep(wanted);
    try {
      this.#keep(await this.#host.call("set_settings", wanted));
    } catch (thrown) {
      this.#keep(before);
      this.error = CallFailure.of(thrown).code;
    }
  }

  /** Goes from the locked screen to signing in as somebody else, and back. */
  choose(other: boolean): void {
    this.other = other;
    this.error = null;
  }

  async #try(act: () => Promise<Start>): Promise<boolean> {
    this.busy = true;
    this.error = null;
    try {
      this.#take(await act());
      return true;
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
      return false;
    } finally {
      this.busy = false;
    }
  }

  #take(start: Start): void {
    if (start.phase !== "locked") this.other = false;
    wear(start.settings);
    this.start = start;
  }

  #keep(settings: Settings): void {
    if (this.start === null) return;
    wear(settings);
    this.start = { ...this.start, settings };
  }
}
