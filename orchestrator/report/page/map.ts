/** The estate's map: hosts, on them the VMs, on these the clusters with their modules and applications, each with what became of it. */
import type { Estate, ReportStep, RunReport, StackReport } from "../report-schema";
import { escapeHtml } from "./html";

type State = "failed" | "deleted" | "replaced" | "changed" | "same" | "unknown";

/** The worst first: a thing of several resources has the worst of their states. */
const ORDER: readonly State[] = ["failed", "deleted", "replaced", "changed", "same", "unknown"];

const WORDS: Readonly<Record<State, readonly [done: string, planned: string]>> = {
  failed: ["failed", "failed"],
  deleted: ["deleted", "to be deleted"],
  replaced: ["replaced", "to be replaced"],
  changed: ["changed", "to be changed"],
  same: ["as before", "as before"],
  unknown: ["not looked at", "not looked at"],
};
const MARKS: Readonly<Record<State, string>> = { failed: "✘", deleted: "−", replaced: "±", changed: "✚", same: "✔", unknown: "·" };

function stateOfStep({ op }: ReportStep): State {
  if (op === "delete" || op === "discard") return "deleted";
  if (/replace/.test(op)) return "replaced";
  return ["same", "read", "refresh"].includes(op) ? "same" : "changed";
}

/** The worst state of the resources with this name, or with a name that begins with it and a dash. @param kind a type in their URNs */
function stateOf(stack: StackReport | undefined, kind: string, name: string): State {
  if (stack === undefined || stack.status === "skipped" || (stack.status !== "failed" && stack.duration === null)) return "unknown";
  const isOf = ({ urn, name: own }: ReportStep): boolean => urn.includes(kind) && (own === name || own.startsWith(`${name}-`));
  const states: State[] = [...(stack.failures ?? []).filter(isOf).map(() => "failed" as const), ...stack.steps.filter(isOf).map(stateOfStep)];
  return ORDER.find((state) => states.includes(state)) ?? (stack.status === "succeeded" ? "same" : "unknown");
}

const marked = (state: State, planned: boolean, text: string): string =>
  `<span class="mark is-${state}">${MARKS[state]} ${escapeHtml(text)}</span> <small>${WORDS[state][planned ? 1 : 0]}</small>`;

interface MapContext {
  estate: Estate;
  report: RunReport;
  planned: boolean;
}

function cluster({ report, planned }: MapContext, entry: Estate["stacks"][number]): string {
  const stack = report.stacks.find((one) => one.stack === entry.stack);
  const item = (kind: string, name: string): string => `<li>${marked(stateOf(stack, kind, name), planned, name)}</li>`;
  const parts = [...entry.modules.map((name) => item("homelab:platform:", name)), ...entry.apps.map((name) => item("homelab:apps:", name))];
  return `<p>cluster ${escapeHtml(entry.stack)} (${escapeHtml(entry.cluster)})</p><ul>${parts.join("")}</ul>`;
}

function machine(
  context: MapContext,
  entry: Estate["stacks"][number],
  { name, address, cluster: isCluster }: Estate["stacks"][number]["machines"][number],
): string {
  const state = stateOf(
    context.report.stacks.find(({ stack }) => stack === entry.stack),
    "homelab:hosts:",
    name,
  );
  return `<div class="vm is-${state}" data-search>${marked(state, context.planned, name)}<br><small>${escapeHtml(address)}, stack ${escapeHtml(entry.stack)}</small>${isCluster ? cluster(context, entry) : ""}</div>`;
}

/** "" for a report without an estate. */
export function estateMap(report: RunReport): string {
  const { estate } = report;
  if (estate === undefined) return "";
  const context = { estate, report, planned: report.operation.startsWith("preview") };
  const hosts = estate.nodes.map((node) => {
    const machines = estate.stacks.flatMap((entry) => entry.machines.filter((one) => one.node === node).map((one) => machine(context, entry, one)));
    return `<div class="host"><h3>${escapeHtml(node)}</h3>${machines.join("") || "<p>no VM</p>"}</div>`;
  });
  return `<div class="hosts">${hosts.join("")}</div>`;
}
