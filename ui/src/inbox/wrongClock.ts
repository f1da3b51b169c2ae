import type { DeskStatus } from "../lib/api.generated";
import { left } from "../lib/format/time";
import { spoken, t } from "../lib/i18n";

/** A clock that is off by less is as good as right. */
const MINUTE = 60_000;

/** That this computer's clock is wrong, in words; `null` where it is right. */
export function wrongClock(status: DeskStatus | null): string | null {
  const offset = status?.clock_offset ?? 0;
  if (Math.abs(offset) <= MINUTE) return null;
  return t(offset > 0 ? "clock-slow" : "clock-fast", { time: left(spoken(), Math.abs(offset)) });
}
