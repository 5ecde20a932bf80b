import { z } from "zod";
import { HomelabError } from "../common/errors";

const operationSchema = z.strictObject({
  operation: z.string(),
  status: z.enum(["ok", "changed", "would-change", "failed"]),
  /** Where it failed. */
  phase: z.enum(["check", "apply", "verify"]).optional(),
  exitCode: z.int().optional(),
  /** The last lines of what it printed. Secrets are cut out on the host. */
  stderr: z.string().optional(),
  /** In check mode, where known: what differs; for a file that everybody may read, a unified diff. */
  detail: z.string().optional(),
});

const summarySchema = z.strictObject({ summary: z.strictObject({ changed: z.int(), unchanged: z.int() }) });

export type OperationReport = z.infer<typeof operationSchema>;

export interface RoleReport {
  operations: OperationReport[];
  /** undefined when the script did not reach its end. */
  summary: { changed: number; unchanged: number } | undefined;
}

/** What a role's script printed. @throws HomelabError E_ROLE_REPORT for a line that no role's script prints */
export function parseRoleReport(stdout: string): RoleReport {
  const report: RoleReport = { operations: [], summary: undefined };
  for (const line of stdout.split("\n").filter((text) => text !== "")) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new HomelabError("E_ROLE_REPORT", "the host answered with a line that is not a report", {
        cause,
        hint: "check that the login shell prints nothing of its own",
      });
    }
    const summary = summarySchema.safeParse(value);
    if (summary.success) report.summary = summary.data.summary;
    else report.operations.push(operationSchema.parse(value));
  }
  return report;
}

/**
 * Says why a role failed on a host, or that it was cut.
 * @returns undefined for a report that reached its end
 */
export function roleFailure(report: RoleReport, host: string): HomelabError | undefined {
  const failed = report.operations.find(({ status }) => status === "failed");
  if (failed !== undefined) {
    const { operation, phase = "apply", exitCode = 1, stderr = "" } = failed;
    return new HomelabError(
      "E_ROLE_FAILED",
      `${host}: operation "${operation}" failed (${phase}, exit code ${exitCode})${stderr === "" ? "" : `: ${stderr}`}`,
      {
        subject: host,
        hint: "earlier operations stay done; remove the cause and run again",
      },
    );
  }
  if (report.summary !== undefined) return undefined;
  const last = report.operations.at(-1);
  return new HomelabError("E_ROLE_CUT", `${host}: the role was cut ${last === undefined ? "before its first operation ended" : `after "${last.operation}"`}`, {
    subject: host,
    hint: "the connection was lost or the host restarted; run again, and it continues from there",
  });
}
