/** What drifted: its exit code, and its text. */
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { diffText } from "../hosts/host-results";
import { VALUE_LENGTH } from "../report/report-schema";
import type { SeenDrift } from "../store/seen-drift";
import type { ChangedValue, ResourceStep } from "../worker/worker-protocol";
import type { DriftedResource, DriftReport } from "./drift-schema";

/** A step of a refresh's preview, or undefined where nothing drifted. */
export function driftOf({ op, urn, type, name, values }: ResourceStep): DriftedResource | undefined {
  if (op === "delete") return { urn, type, name, how: "gone", fields: [] };
  return op === "update" ? { urn, type, name, how: "changed", fields: values } : undefined;
}

export const hasDrifted = ({ stacks, hosts }: Pick<DriftReport, "stacks" | "hosts">): boolean =>
  stacks.some(({ resources }) => resources.length > 0) || hosts.some(({ status }) => status === "would-change");

/** What `homelab status` says of each stack. @param at milliseconds since the epoch. @param withHosts whether the hosts were looked at, too */
export function seenDrift({ stacks, hosts }: Pick<DriftReport, "stacks" | "hosts">, at: number, withHosts: boolean): Map<string, SeenDrift> {
  const inHosts = (stack: string): number | null => {
    const found = hosts.filter((host) => host.stack === stack);
    return found.some(({ status }) => status === "failed") ? null : found.filter(({ status }) => status === "would-change").length;
  };
  return new Map(
    stacks.map(({ stack, resources, error }) => [
      stack,
      { at, resources: error === undefined ? resources.length : null, ...(withHosts ? { hosts: inHosts(stack) } : {}) },
    ]),
  );
}

/** A stack or host that could not be looked at outweighs drift that was found. */
export function driftExitCode(report: DriftReport): ExitCode {
  if (report.stacks.some(({ error }) => error !== undefined) || report.hosts.some(({ status }) => status === "failed")) return EXIT.failed;
  return report.drifted ? EXIT.changes : EXIT.done;
}

/** Values are shortened only here, after redaction, which needs the whole value. */
const short = (value: string): string => (value.length > VALUE_LENGTH ? `${value.slice(0, VALUE_LENGTH)}…` : value);

const fieldLine = ({ path, from, to }: ChangedValue): string =>
  from === undefined && to === undefined ? `    ${path}` : `    ${path}: ${short(from ?? "(not there)")} → ${short(to ?? "(gone)")}`;

/** The report with names and without values, for a place that others read: values from the homelab may not be meant for them. */
export function namesOnly(report: DriftReport): DriftReport {
  const stacks = report.stacks.map((stack) => ({
    ...stack,
    resources: stack.resources.map((resource) => ({ ...resource, fields: resource.fields.map(({ from: _from, to: _to, ...field }) => field) })),
  }));
  const hosts = report.hosts.map((host) => ({
    ...host,
    roles: host.roles.map((role) => ({ ...role, operations: role.operations.map(({ detail: _detail, ...operation }) => operation) })),
  }));
  return { ...report, stacks, hosts };
}

/** A resource with its fields, as lines. */
export function resourceLines({ type, name, how, fields }: DriftedResource): string[] {
  if (how === "gone") return [`  - ${type} ${name} is gone`];
  return [`  ~ ${type} ${name}`, ...(fields.length > 0 ? fields.map(fieldLine) : ["    a secret value differs"])];
}

const NEXT =
  "`homelab refresh` takes what was found into the states, and `homelab up` then makes it what the program says; on hosts `homelab hosts apply` does";

export function driftText(report: DriftReport): string {
  const blocks = report.stacks
    .filter(({ resources, error }) => resources.length > 0 || error !== undefined)
    .map(({ stack, resources, error }) =>
      [
        stack,
        ...resources.flatMap(resourceLines),
        ...(error === undefined ? [] : [`  ! ${error.message.replaceAll("\n", "\n    ")}`, ...(error.hint === undefined ? [] : [`    next: ${error.hint}`])]),
      ].join("\n"),
    );
  if (report.hosts.some(({ status }) => status === "would-change" || status === "failed")) blocks.push(diffText({ version: 1, hosts: report.hosts }).trimEnd());
  if (blocks.length === 0) return "nothing has drifted\n";
  const next = report.drifted ? [NEXT] : [];
  return `${[...blocks, ...next].join("\n\n")}\n`;
}
