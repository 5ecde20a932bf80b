/** What a fault did to a run, judged by the run's output and by the state of the lab afterwards. */
import { counted } from "../../common/counted";
import { isExitCodeAlone, problemsOf } from "../report/failure-text";
import type { RunReport } from "../report/report-schema";

export const VERDICTS = ["survived", "failed clearly", "bug", "never struck"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One run, as it ended. */
export interface RunEnd {
  /** null: it hung, and was ended. */
  code: number | null;
  stderr: string;
  report: RunReport | undefined;
}

export interface Observed {
  struck: boolean;
  /** The run into which the fault struck. */
  first: RunEnd;
  /** The next one, without the fault; of a run that failed. */
  next: RunEnd | undefined;
  /** What a further run changed in the outside world: nothing, where all is well. */
  restless: readonly string[];
  /** Machines that are there, and those that should be. */
  machines: readonly string[];
  wanted: readonly string[];
  /** Things that Proxmox made more than once. */
  twice: readonly string[];
  /** Creations that the states still call pending. */
  pending: readonly string[];
  /** Calls that the lab does not model. */
  unhandled: readonly string[];
}

/** Error codes for failures of our own code. */
const OUR_FAULT = new Set(["E_INTERNAL", "E_WORKER"]);

/** Whether a failed run says what failed: in which stack, in words, and not as a bug of ours. */
function unclear({ stderr, report }: RunEnd): string | undefined {
  if (/this is a bug/i.test(stderr)) return "it calls itself a bug";
  if (report === undefined) return stderr.trim().startsWith("error: ") ? undefined : "it has neither a report nor an error";
  const failed = report.stacks.filter(({ status }) => status === "failed");
  if (failed.length === 0) return "it failed, and no stack of its report did";
  for (const one of failed) {
    const { stack, error } = one;
    if (error === undefined || error.message.trim() === "") return `${stack} failed without a word`;
    if (OUR_FAULT.has(error.code)) return `${stack}: ${error.code}: ${firstLine(error.message)}`;
    const silent = problemsOf(one).find(isExitCodeAlone);
    if (silent !== undefined) return `${stack}: ${silent.what === "" ? "it" : silent.what} failed, and only an exit code says why`;
  }
  return undefined;
}

export const firstLine = (text: string): string => text.trim().split("\n")[0] ?? "";

const list = (what: string, names: readonly string[]): string[] => (names.length === 0 ? [] : [`${what}: ${names.slice(0, 3).join(", ")}`]);

function wrongAfterwards(seen: Observed): string[] {
  const missing = seen.wanted.filter((name) => !seen.machines.includes(name));
  const left = seen.machines.filter((name, index) => !seen.wanted.includes(name) || seen.machines.indexOf(name) !== index);
  return [
    ...list("machines that are missing", missing),
    ...list("machines that nobody asked for", left),
    ...list("made more than once", seen.twice),
    ...list("still pending", seen.pending),
    ...list("a further run changed", seen.restless),
    ...list("the lab does not model", seen.unhandled),
  ];
}

/** What a person reads first of a failed run. */
function saidOf({ stderr, report }: RunEnd): string {
  const failed = report?.stacks.find(({ status }) => status === "failed");
  const [problem] = failed === undefined ? [] : problemsOf(failed);
  if (problem === undefined) return firstLine(stderr);
  return [problem.what, problem.lines[0] ?? ""].filter((part) => part !== "").join(": ");
}

const retriesOf = (report: RunReport | undefined): number => (report?.stacks ?? []).reduce((sum, { retries }) => sum + (retries?.length ?? 0), 0);

/** @returns the verdict, and its reason in one line */
export function judge(seen: Observed): { verdict: Verdict; why: string } {
  const bug = (why: string) => ({ verdict: "bug" as const, why });
  if (!seen.struck) return { verdict: "never struck", why: "nothing in these stacks met it" };
  if (seen.first.code === null) return bug("the run hung, and was ended");
  const wrong = (): string[] => wrongAfterwards(seen);
  if (seen.first.code === 0) {
    const [first] = wrong();
    if (first !== undefined) return bug(`the run called itself done; ${first}`);
    const retries = retriesOf(seen.first.report);
    return { verdict: "survived", why: retries === 0 ? "the run went on" : `after ${counted(retries, "retry", "retries")} of a stack` };
  }
  const vague = unclear(seen.first);
  if (vague !== undefined) return bug(vague);
  if (seen.next?.code !== 0)
    return bug(`the next run ${seen.next?.code === null ? "hung" : "failed too"}: ${seen.next === undefined ? "" : saidOf(seen.next)}`);
  const [first] = wrong();
  return first === undefined ? { verdict: "failed clearly", why: saidOf(seen.first) } : bug(`after the next run, ${first}`);
}
