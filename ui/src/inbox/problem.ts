import type { Problem } from "../lib/api.generated";
import { t, tOr } from "../lib/i18n";

/** Why something is stuck, failed or uncertain, in words; where Meta's own error is known, by that. */
export function reason(problem: Problem): string {
  const { code, error } = problem;
  if (error === null) return tOr(`problem-${code}`, "problem-other", { code });
  const said = { title: error.title, code: String(error.code) };
  return code === "uncertain" ? t("problem-uncertain") : tOr(`send-error-${error.code}`, "send-error-other", said);
}
