import type { CallError, Commands, ErrorCode, Signal } from "../api.generated";

export type Name = keyof Commands;
export type Request<N extends Name> = Commands[N]["request"];
export type Response<N extends Name> = Commands[N]["response"];

/** The one door to the desk. Which host stands behind it, nothing else in the window knows. */
export interface Host {
  /** Asks the desk. Fails with a `CallFailure` and with nothing else. */
  call<N extends Name>(name: N, request: Request<N>): Promise<Response<N>>;
  /** Hears what the desk says without being asked, until the returned function is called. */
  listen(heard: (signal: Signal) => void): Promise<() => void>;
}

/** A call that the desk refused, by a code that the window says in words. */
export class CallFailure extends Error {
  readonly code: ErrorCode;

  constructor(error: CallError) {
    super(error.message);
    this.name = "CallFailure";
    this.code = error.code;
  }

  /** Whatever a host throws, as a failure with a code. */
  static of(thrown: unknown): CallFailure {
    if (thrown instanceof CallFailure) return thrown;
    if (isCallError(thrown)) return new CallFailure(thrown);
    return new CallFailure({ code: "failed", message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

function isCallError(thrown: unknown): thrown is CallError {
  return typeof thrown === "object" && thrown !== null && "code" in thrown && typeof thrown.code === "string" && "message" in thrown;
}
