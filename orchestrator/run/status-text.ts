/** The text of `homelab status`: the state of each stack, its last run, its drift, and what a run under way is doing. Pure. */
import { counted, countedOf } from "../../common/counted";
import type { StackStanding } from "../store/run-fold";
import { isUnderWay, mayHaveChanged, operationOf, type RunRecord, stacksOf } from "../store/run-records";
import type { SeenDrift } from "../store/seen-drift";
import type { StackGraph } from "../target/graph";
import type { WorkerResult } from "../worker/worker-protocol";

export interface LastRun {
  operation: string;
  status: string;
  /** Milliseconds since the epoch; undefined for old runs, which did not record it. */
  at: number | undefined;
}

/** The last run of each stack that could change it and said how it ended. @param records the oldest first */
export function lastRuns(records: readonly RunRecord[]): Map<string, LastRun> {
  const found = new Map<string, LastRun>();
  for (const record of records.filter(mayHaveChanged))
    for (const { kind, stack, status, at } of record.lines)
      if (kind === "stack-finished" && stack !== undefined && status !== undefined && status !== "skipped" && status !== "unaffected")
        found.set(stack, { operation: operationOf(record) ?? "", status, at });
  return found;
}

/** A stack counts as built only where its last run succeeded. Otherwise the result of that run is shown. */
function stateText(state: WorkerResult["state"], standing: StackStanding | undefined): string {
  if (state?.locked) return "locked";
  if (!state?.exists) return "not there";
  if (standing === "in doubt") return "in doubt";
  if (standing === "failed" || standing === "cancelled") return state.resources === 0 ? `empty (${standing})` : `incomplete (${standing})`;
  return state.resources === 0 ? "empty" : "built";
}

const HOUR = 3_600_000;

/** How much was found, of resources and hosts. */
function foundText({ resources, hosts = 0 }: SeenDrift): string {
  if (resources === null || hosts === null) return "failed";
  const inHosts = hosts === 0 ? [] : [counted(hosts, "host")];
  return [...(resources === 0 ? [] : [String(resources)]), ...inHosts].join(" + ") || "none";
}

/** `2 + 1 host, 3 h ago` */
function driftText(seen: SeenDrift | undefined, now: number): string {
  if (seen === undefined) return "–";
  const hours = Math.max(0, Math.floor((now - seen.at) / HOUR));
  const age = hours < 1 ? "just now" : hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
  return `${foundText(seen)}, ${age}`;
}

export const STATUS_HEAD = ["stack", "state", "resources", "last run", "last update", "drift"];

export interface StackStatusFacts {
  stack: string;
  state: WorkerResult["state"];
  standing: StackStanding | undefined;
  lastRun: LastRun | undefined;
  drift: SeenDrift | undefined;
}

const MINUTE_LENGTH = "2026-11-30T02:00".length;

export function statusRow({ stack, state, standing, lastRun, drift }: StackStatusFacts, now: number): string[] {
  return [
    stack,
    stateText(state, standing),
    String(state?.resources ?? 0),
    lastRun === undefined ? "none" : `${lastRun.operation} ${lastRun.status}`,
    state?.lastUpdate?.slice(0, MINUTE_LENGTH).replace("T", " ") ?? "never",
    driftText(drift, now),
  ];
}

/** What a run under way is doing, and which stack waits for which. */
export function underWayLines(records: readonly RunRecord[], graph: StackGraph): string[] {
  return records.filter(isUnderWay).flatMap((record) => {
    const operation = operationOf(record) ?? "";
    const of = (kind: string): Set<string> => new Set(record.lines.filter((line) => line.kind === kind).flatMap(({ stack }) => stack ?? []));
    const [started, finished] = [of("stack-started"), of("stack-finished")];
    const all = stacksOf(record) ?? [];
    const isBackwards = operation === "destroy" || operation === "preview-destroy";
    const known = new Set(graph.names());
    const before = (stack: string): string[] =>
      all.filter(
        (other) =>
          !finished.has(other) &&
          known.has(other) &&
          known.has(stack) &&
          (isBackwards ? graph.node(other).needs.includes(stack) : graph.node(stack).needs.includes(other)),
      );
    const lines = all
      .filter((stack) => !finished.has(stack))
      .map((stack) => `  ${stack} ${started.has(stack) ? "runs" : `waits for ${before(stack).join(", ") || "its turn"}`}`);
    return [`a run is under way: ${operation}, process ${record.facts?.pid ?? "unknown"}, ${countedOf(finished.size, all.length, "stack")} done`, ...lines];
  });
}
