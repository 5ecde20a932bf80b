/** What a probe found, and what to do about it. Shapes as `homelab doctor` prints them. */
import { asError, HomelabError } from "../../common/errors";

export interface Finding {
  name: string;
  /** `look`: a run works, and somebody should know. `wrong`: a run fails. */
  verdict: "ok" | "look" | "wrong";
  says: string;
  next?: string;
}

export const ok = (name: string, says: string): Finding => ({ name, verdict: "ok", says });
export const look = (name: string, says: string, next: string): Finding => ({ name, verdict: "look", says, next });
export const wrong = (name: string, says: string, next: string): Finding => ({ name, verdict: "wrong", says, next });

/** The message of an error and of its causes, in one line. */
export function reason(thrown: unknown): string {
  const { message, cause } = asError(thrown);
  const own = message.split("\n")[0] ?? "";
  return cause === undefined ? own : `${own} (${reason(cause)})`;
}

/** A probe that fails has one finding: the reason. */
export async function orWrong(name: string, next: string, probe: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await probe();
  } catch (thrown) {
    return [wrong(name, reason(thrown), thrown instanceof HomelabError && thrown.hint !== undefined ? thrown.hint : next)];
  }
}

const SECOND = 1_000;
/** In seconds. S3 refuses a difference of 15 minutes. One minute is enough that new certificates and tokens are refused. */
const LOOK_SKEW = 10;
const WRONG_SKEW = 60;

/** @param there and @param here milliseconds since the epoch, read at the same time */
export function clockFinding(name: string, there: number, here: number): Finding {
  const seconds = Math.round((there - here) / SECOND);
  const says = seconds === 0 ? "as this machine's" : `${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} this machine's`;
  const next = "let both machines take their time from one source: `timedatectl status` on each";
  if (Math.abs(seconds) > WRONG_SKEW) return wrong(name, says, next);
  return Math.abs(seconds) > LOOK_SKEW ? look(name, says, next) : ok(name, says);
}

const DAY = 86_400_000;
const SOON = 21;

/** @param validTo as in a certificate. @param renewed who makes the next one */
export function endFinding(name: string, validTo: string, now: number, renewed: string): Finding {
  const days = Math.floor((Date.parse(validTo) - now) / DAY);
  if (days < 0) return wrong(name, `its certificate ended on ${validTo}`, renewed);
  return days < SOON ? look(name, `its certificate ends in ${days} days, on ${validTo}`, renewed) : ok(name, `valid until ${validTo}`);
}

const GIB = 1024 ** 3;

/** @param free and @param total bytes */
export function roomFinding(name: string, free: number, total: number, next: string): Finding {
  const says = `${(free / GIB).toFixed(1)} of ${(total / GIB).toFixed(1)} GiB free`;
  if (free < total / 50) return wrong(name, says, next);
  return free < total / 10 ? look(name, says, next) : ok(name, says);
}
