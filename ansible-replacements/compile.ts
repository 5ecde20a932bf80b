/**
 * Compiles a role to one self-contained script. For each operation the script observes (check), decides, acts (apply) and
 * verifies (check again), and writes one line of JSON. It stops at the first failure. In check mode it only observes.
 *
 * The script is plain POSIX sh: Debian runs it with dash, and the lab with a simulated shell.
 */
import * as crypto from "node:crypto";
import { quote } from "../common/quote";
import { PRELUDE } from "./prelude";
import { type Operation, type Role, secretVariable } from "./role";

/** `apply` brings the role about; `check` reports what it would change and changes nothing. */
export type RoleMode = "check" | "apply";

export interface CompiledScript {
  mode: RoleMode;
  script: string;
  /** SHA-256 of the script: the same role gives the same digest, in both modes. */
  digest: string;
  /** The script as one remote command, run as root. Its standard input is {@link secretInput}. */
  command: string;
}

export interface CompiledRole extends Omit<CompiledScript, "mode"> {
  /** The same script in check mode: changes nothing. */
  checkCommand: string;
}

/** One argument of a program may have 128 KiB on Linux. */
const COMMAND_BYTES = 128 * 1024;
/** Lies in memory: a reboot frees it. */
const LOCK = "/run/homelab-role.lock";

/**
 * Reads the secrets, one base64 line each, in the order of the role. `read` and `printf` are built into the shell, so no secret becomes an
 * argument of a process.
 */
function secretLines(role: Role): string[] {
  const names = role.secrets ?? [];
  const reads = names.map((name) => {
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw new Error(`role ${role.name}: "${name}" is no name for a secret (capitals, digits, underscores)`);
    const variable = secretVariable(name);
    return `IFS= read -r hl_line || hl_fail ${quote(JSON.stringify(`secret ${name}`))} check 1 'it is missing on standard input'\n${variable}=$(printf '%s' "$hl_line" | base64 -d)`;
  });
  return names.length === 0 ? [] : [...reads, `hl_secret_names=${quote(names.join(" "))}`];
}

function operationLines(operation: Operation, index: number): string {
  const list = (commands: readonly string[]) => commands.join(" &&\n  ");
  return [
    `hl_check_${index}() {\n  ${list(operation.check)}\n}`,
    `hl_apply_${index}() {\n  ${list(operation.apply)}\n}`,
    `hl_run ${index} ${quote(JSON.stringify(operation.name))}`,
  ].join("\n");
}

function validate(role: Role): void {
  const names = new Set<string>();
  for (const { name, check, apply } of role.operations) {
    if (names.has(name)) throw new Error(`role ${role.name}: two operations are named "${name}"`);
    if (check.length === 0 || apply.length === 0) throw new Error(`role ${role.name}: "${name}" needs a check and an apply`);
    names.add(name);
  }
}

/** Each function once, before the first operation. */
function functionLines(role: Role): string[] {
  const bodies = new Map<string, string>();
  for (const operation of role.operations) {
    for (const [name, body] of Object.entries(operation.functions ?? {})) {
      if (bodies.has(name) && bodies.get(name) !== body) throw new Error(`role ${role.name}: two operations define ${name} differently`);
      bodies.set(name, body);
    }
  }
  return [...bodies].map(([name, body]) => `${name}() {\n  ${body}\n}`);
}

function scriptOf(role: Role): string {
  validate(role);
  return [
    `# Role ${role.name}`,
    PRELUDE,
    ...secretLines(role),
    ...functionLines(role),
    ...role.operations.map(operationLines),
    `printf '{"summary":{"changed":%s,"unchanged":%s}}\\n' "$hl_changed" "$hl_unchanged"`,
    "",
  ].join("\n");
}

/** @throws Error for a role that makes no sense or does not fit into one command: a mistake in the program, not in anybody's input */
export function compile(role: Role, { mode }: { mode: RoleMode }): CompiledScript {
  const script = scriptOf(role);
  const settings = mode === "check" ? "HOMELAB_CHECK=1" : `HOMELAB_CHECK=0 HOMELAB_LOCK=${LOCK}`;
  const command = `sudo -n env ${settings} sh -c ${quote(script)}`;
  if (Buffer.byteLength(command) >= COMMAND_BYTES) throw new Error(`role ${role.name}: its script has more than ${COMMAND_BYTES} bytes; split the role`);
  return { mode, script, digest: crypto.createHash("sha256").update(script).digest("hex"), command };
}

/** Both modes at once. @throws as {@link compile} */
export function compileRole(role: Role): CompiledRole {
  const { script, digest, command } = compile(role, { mode: "apply" });
  return { script, digest, command, checkCommand: compile(role, { mode: "check" }).command };
}

/** Standard input for a role's script: its secrets, in its order. @throws Error where a value is missing or unknown */
export function secretInput(role: Role, values: Readonly<Record<string, string>>): string {
  const names = role.secrets ?? [];
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`role ${role.name} has no secret ${unknown}`);
  return names
    .map((name) => {
      const value = values[name];
      if (value === undefined) throw new Error(`role ${role.name} needs the secret ${name}`);
      return `${Buffer.from(value).toString("base64")}\n`;
    })
    .join("");
}
