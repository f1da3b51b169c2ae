import type { CaseState, Me, Person } from "../lib/api.generated";

/** What is done with a case. */
export type CaseAct = "claim" | "assign" | "release" | "close" | "reopen";

/** What decides what may be done with a case: a row of the list and an open page both know it. */
interface Standing {
  state: CaseState;
  owner: Person | null;
  waiting: boolean;
}

/** What this person may do with a case now. Nothing is offered that the gateway would refuse. */
export function mayOn({ staff, can }: Me, { state, owner, waiting }: Standing): Record<CaseAct, boolean> {
  const open = state === "open";
  const mine = owner?.staff === staff;
  return {
    claim: open && can.answer && owner === null,
    assign: open && can.assign,
    release: open && mine && can.answer,
    // Nobody ends what another owns, except those who share the cases out.
    close: can.answer && (owner === null || mine || can.assign) && (open || waiting),
    reopen: !open && can.answer,
  };
}
