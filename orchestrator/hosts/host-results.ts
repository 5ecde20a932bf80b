/** What `hosts check` found and `hosts apply` did: its shape, its exit code, and its text. */

import { z } from "zod";
import { countedOf } from "../../common/counted";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { renderTable } from "../report/table";

const operationSchema = z.object({
  operation: z.string(),
  status: z.string(),
  phase: z.string().optional(),
  exitCode: z.number().optional(),
  stderr: z.string().optional(),
  detail: z.string().optional(),
});

export const hostResultsSchema = z.object({
  version: z.literal(1),
  hosts: z.array(
    z.object({
      host: z.string(),
      stack: z.string(),
      status: z.enum(["ok", "would-change", "changed", "failed", "no-roles"]),
      roles: z.array(z.object({ role: z.string(), operations: z.array(operationSchema.loose()), error: z.string().optional() })),
      error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
    }),
  ),
});
export type HostResults = z.infer<typeof hostResultsSchema>;
type HostResult = HostResults["hosts"][number];
type RoleResult = HostResult["roles"][number];

const changing = (role: RoleResult) => role.operations.filter(({ status }) => status === "would-change" || status === "changed");
const failing = (role: RoleResult) => role.operations.filter(({ status }) => status === "failed");
const count = (host: HostResult, pick: (role: RoleResult) => unknown[]): number => host.roles.reduce((sum, role) => sum + pick(role).length, 0);

/** A failed host outweighs changes. */
export function exitCodeOf({ hosts }: HostResults): ExitCode {
  if (hosts.some(({ status }) => status === "failed")) return EXIT.failed;
  return hosts.some(({ status }) => status === "would-change") ? EXIT.changes : EXIT.done;
}

const WORDS: Record<HostResult["status"], string> = {
  ok: "as it should be",
  "would-change": "would change",
  changed: "changed",
  failed: "failed",
  "no-roles": "no roles",
};

const failureWord = (phase = "check"): string => (phase === "check" ? "cannot be checked" : `failed in its ${phase}`);

function failureLines({ host, error, roles }: HostResult): string[] {
  const lines = error === undefined ? [] : [`${host}: ${error.message}`, ...(error.hint === undefined ? [] : [`  next: ${error.hint}`])];
  for (const role of roles) {
    const [failed] = failing(role);
    if (failed !== undefined)
      lines.push(
        `${host}: ${role.role}: "${failed.operation}" ${failureWord(failed.phase)} (exit code ${failed.exitCode ?? "?"}): ${failed.stderr ?? ""}`.trimEnd(),
      );
    else if (role.error !== undefined) lines.push(`${host}: ${role.role}: ${role.error}`);
  }
  return lines;
}

/** One row for each host, and below the reasons why hosts failed. @param notBuilt hosts of stacks that are not up. @param columns of the terminal */
export function resultsText({ hosts }: HostResults, mode: "check" | "apply", notBuilt: readonly string[], columns: number): string {
  const rows = hosts.map((host) => [host.host, host.stack, WORDS[host.status], String(count(host, changing)), String(count(host, (role) => role.operations))]);
  const table =
    hosts.length === 0
      ? "no host is built"
      : renderTable(["host", "stack", "state", mode === "check" ? "would change" : "changed", "operations"], rows, columns);
  const failures = hosts.flatMap(failureLines);
  const open = notBuilt.length === 0 ? [] : [`not built: ${notBuilt.join(", ")}`];
  return `${[table, ...failures, ...open].join("\n")}\n`;
}

/** What an operation said of the difference, such as a unified diff; secrets were cut out on the host already. */
const detailLines = (detail: string): string[] => (detail === "" ? [] : detail.split("\n").map((line) => `        ${line}`.trimEnd()));

/** What a reviewer reads: only what would change, host by host, role by role, and what could not be looked at. */
export function diffText(checks: HostResults): string {
  const blocks = checks.hosts.flatMap((host) => {
    const roles = host.roles.filter((role) => changing(role).length > 0);
    const lines = roles.flatMap((role) => [
      `  ${role.role}: would change ${countedOf(changing(role).length, role.operations.length, "operation")}`,
      ...changing(role).flatMap(({ operation, detail = "" }) => [`    ~ ${operation}`, ...detailLines(detail)]),
    ]);
    const failed = host.status === "failed" ? failureLines(host).map((line) => `  ! ${line}`) : [];
    return lines.length + failed.length === 0 ? [] : [[`${host.host} (${host.stack})`, ...lines, ...failed].join("\n")];
  });
  return blocks.length === 0 ? "no role would change anything\n" : `${blocks.join("\n\n")}\n`;
}
