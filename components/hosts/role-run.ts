/** Runs a role on a host outside of a stack's operation: as a check of what it would change, or to change it. One script, one session. */
import { compileRole, parseRoleReport, type Role, type RoleMode, secretInput } from "../../ansible-replacements";
import { asError, HomelabError } from "../../common/errors";
import type { SshSession } from "./ssh-session";

/** One role of a host, with a value for each of its secrets. */
export interface HostedRole {
  role: Role;
  secrets: Readonly<Record<string, string>>;
}

export interface RoleResult {
  role: string;
  operations: ReturnType<typeof parseRoleReport>["operations"];
  /** Why the script did not reach its end; undefined: it did. */
  error: string | undefined;
}

const TAIL = 500;

/** @param signal bounds the session @throws HomelabError E_SSH_CUT, E_ROLE_REPORT */
export async function runRole(session: SshSession, { role, secrets }: HostedRole, mode: RoleMode, signal: AbortSignal): Promise<RoleResult> {
  const { command, checkCommand } = compileRole(role);
  const { code, stdout, stderr } = await session.run(mode === "check" ? checkCommand : command, secretInput(role, secrets), signal);
  const { operations, summary } = parseRoleReport(stdout);
  if (code === 0 && summary !== undefined) return { role: role.name, operations, error: undefined };
  return { role: role.name, operations, error: stderr.trim().slice(-TAIL) || `the script ended with exit code ${code} and said nothing` };
}

/** The text of a failure for a report: what, and what to do next. */
export function failureText(thrown: unknown): { code: string; message: string; hint?: string } {
  const error = asError(thrown);
  if (!(error instanceof HomelabError)) return { code: "E_HOST", message: error.message };
  const cause = error.cause === undefined ? "" : `: ${asError(error.cause).message}`;
  return { code: error.code, message: `${error.message}${cause}`, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
