import { compileRole, parseRoleReport, type Role, secretInput } from "../../ansible-replacements";
import type { RealHost } from "./real-hosts";

export interface RoleRun {
  exitCode: number;
  stderr: string;
  /** `changed package x`, one for each operation. */
  operations: string[];
  summary: { changed: number; unchanged: number } | undefined;
}

/** Runs a role on a host as the program does, in one SSH session. */
export async function runRole(host: RealHost, role: Role, options: { check?: boolean; secrets?: Record<string, string> } = {}): Promise<RoleRun> {
  const compiled = compileRole(role);
  const stdin = secretInput(role, options.secrets ?? {});
  const { stdout, stderr, exitCode } = await host.run(options.check === true ? compiled.checkCommand : compiled.command, { stdin });
  const { operations, summary } = parseRoleReport(stdout);
  const lines = operations.map(({ operation, status, stderr: why }) => `${status} ${operation}${why === undefined || why === "" ? "" : `: ${why}`}`);
  return { exitCode, stderr, operations: lines, summary };
}
