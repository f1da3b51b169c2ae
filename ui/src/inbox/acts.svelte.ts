import type { CaseId, ErrorCode, Mode, StaffId } from "../lib/api.generated";
import { CallFailure, type Host } from "../lib/host";
import type { Conversation } from "./conversation.svelte";

/** What the acts need of the inbox. */
interface Surroundings {
  readonly conversation: Conversation | null;
  acted(): Promise<void>;
}

/** What a person does with a case, or with what is stuck. Each is queued at the desk, and shown from there. */
export class Acts {
  busy = $state(false);
  error: ErrorCode | null = $state(null);
  readonly #host: Host;
  readonly #around: Surroundings;

  constructor(host: Host, around: Surroundings) {
    this.#host = host;
    this.#around = around;
  }

  claim = (of: CaseId) => this.#do(() => this.claiming(of));
  release = (of: CaseId) => this.#do(() => this.releasing(of));
  assign = (of: CaseId, staff: StaffId) => this.#do(() => this.assigning(of, staff));
  closeCase = (of: CaseId, outcome: string) => this.#do(() => this.closing(of, outcome));
  reopen = (of: CaseId) => this.#do(() => this.reopening(of));
  discard = (id: string) => this.#do(() => this.#host.call("discard", { id }));
  retry = (id: string) => this.#do(() => this.#host.call("retry", { id, seen: this.#around.conversation?.page?.seen ?? 0 }));

  /** Takes a reply or note back into the composer that is nowhere but here. */
  takeBack = (id: string, mode: Mode) =>
    this.#do(async () => {
      const { conversation } = this.#around;
      await conversation?.composer.flush();
      const { drafts } = await this.#host.call("take_back", { id });
      if (drafts !== null) conversation?.composer.takenBack(drafts, mode);
    });

  // The questions alone, of which several may be one act.
  claiming = (of: CaseId) => this.#host.call("claim", { case: of });
  releasing = (of: CaseId) => this.#host.call("release", { case: of });
  assigning = (of: CaseId, staff: StaffId) => this.#host.call("assign", { case: of, staff });
  closing = (of: CaseId, outcome: string) => this.#host.call("close_case", { case: of, outcome });
  reopening = (of: CaseId) => this.#host.call("reopen_case", { case: of });

  /** Does the same with several, one after the other; what fails does not keep the rest from being done. */
  each = <One>(all: One[], act: (one: One) => Promise<unknown>) =>
    this.#do(async () => {
      const failures: unknown[] = [];
      for (const one of all) await act(one).catch((thrown: unknown) => failures.push(thrown));
      if (failures.length > 0) throw failures[0];
    });

  /** Asks for what an act needs; a failure is told like that of an act. */
  async ask<Answer>(question: () => Promise<Answer>): Promise<Answer | null> {
    try {
      return await question();
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
      return null;
    }
  }

  clear(): void {
    this.error = null;
  }

  async #do(act: () => Promise<unknown>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.error = null;
    try {
      await act();
    } catch (thrown) {
      this.error = CallFailure.of(thrown).code;
    } finally {
      this.busy = false;
    }
    await this.#around.acted();
  }
}
