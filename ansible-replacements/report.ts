import { z } from "zod";
import { HomelabError } from "../common/errors";

const operationSchema = z.strictObject({
  operation: z.string(),
  status: z.enum(["ok", "changed", "would-change", "failed"]),
  /** Where it failed. */
  phase: z.enum(["check", "apply", "verify"]).optional(),
  exitCode: z.int().optional(),
  /** The last lines of what it printed. */
  stderr: z.string().optional(),
});

const summarySchema = z.strictObject({ summary: z.strictObject({ changed: z.int(), unchanged: z.int() }) });

type OperationReport = z.infer<typeof operationSchema>;

export interface RoleReport {
  operations: OperationReport[];
  /** undefined when the script did not reach its end. */
  summary: { changed: number; unchanged: number } | undefined;
}

/** What a role's script printed. @throws HomelabError E_ROLE_REPORT for a line that is none of ours */
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
