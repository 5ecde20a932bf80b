/**
 * Compiles a role to one self-contained script. For each operation the script observes (check), decides, acts (apply) and
 * verifies (check again), and writes one line of JSON. It stops at the first failure. With HOMELAB_CHECK=1 it only observes.
 *
 * The script is plain POSIX sh: Debian runs it with dash, and the lab with a simulated shell.
 */
import * as crypto from "node:crypto";
import { quote } from "./quote";
import { type Operation, type Role, secretVariable } from "./role";

export interface CompiledRole {
  script: string;
  /** SHA-256 of the script: the same role gives the same digest. */
  digest: string;
  /** The script as one remote command, run as root. */
  command: string;
  /** The same script in check mode: changes nothing. */
  checkCommand: string;
}

/** How much of an operation's output a failure reports, in bytes. */
const TAIL = 2000;

const PRELUDE = `set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
hl_check_only=\${HOMELAB_CHECK:-0}
hl_changed=0
hl_unchanged=0
hl_escape() {
  printf '%s' "$1" | tail -c ${TAIL} | awk 'NR > 1 { printf "%s", "\\\\n" } { gsub(/["\\\\]/, "\\\\\\\\&"); n = split($0, part, "\\t"); for (i = 1; i <= n; i++) printf "%s%s", (i > 1 ? "\\\\t" : ""), part[i] }' | tr -d '[:cntrl:]'
}
hl_fail() {
  printf '{"operation":%s,"status":"failed","phase":"%s","exitCode":%s,"stderr":"%s"}\\n' "$1" "$2" "$3" "$(hl_escape "$4")"
  printf 'operation %s failed on %s (%s, exit code %s): %s\\n' "$1" "$(uname -n)" "$2" "$3" "$(printf '%s' "$4" | tail -c ${TAIL})" >&2
  exit 1
}
hl_sha256() {
  hl_sum=$(sha256sum "$1" | cut -d ' ' -f 1)
  [ "$hl_sum" = "$2" ] || { printf 'the SHA-256 of %s is %s, expected %s\\n' "$1" "$hl_sum" "$2" >&2; return 1; }
}
hl_run() {
  hl_out=$("hl_check_$1" 2>&1)
  hl_code=$?
  if [ "$hl_code" -eq 0 ]; then
    hl_unchanged=$((hl_unchanged + 1))
    printf '{"operation":%s,"status":"ok"}\\n' "$2"
    return 0
  fi
  [ "$hl_code" -lt 126 ] || hl_fail "$2" check "$hl_code" "$hl_out"
  hl_changed=$((hl_changed + 1))
  if [ "$hl_check_only" = 1 ]; then
    printf '{"operation":%s,"status":"would-change"}\\n' "$2"
    return 0
  fi
  hl_out=$("hl_apply_$1" 2>&1)
  hl_code=$?
  [ "$hl_code" -eq 0 ] || hl_fail "$2" apply "$hl_code" "$hl_out"
  hl_out=$("hl_check_$1" 2>&1)
  hl_code=$?
  [ "$hl_code" -eq 0 ] || hl_fail "$2" verify "$hl_code" "$hl_out"
  printf '{"operation":%s,"status":"changed"}\\n' "$2"
}`;

/** Reads the secrets, one base64 line each, in the order of the role. `read` and `printf` are part of the shell: no argument shows them. */
function secretLines(role: Role): string[] {
  return (role.secrets ?? []).map((name) => {
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw new Error(`role ${role.name}: "${name}" is no name for a secret (capitals, digits, underscores)`);
    const variable = secretVariable(name);
    return `IFS= read -r hl_line || hl_fail ${quote(JSON.stringify(`secret ${name}`))} check 1 'it is missing on standard input'\n${variable}=$(printf '%s' "$hl_line" | base64 -d)`;
  });
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

/** @throws Error for a role that makes no sense: a mistake in the program, not in anybody's input */
export function compileRole(role: Role): CompiledRole {
  validate(role);
  const script = [
    `# Role ${role.name}`,
    PRELUDE,
    ...secretLines(role),
    ...role.operations.map(operationLines),
    `printf '{"summary":{"changed":%s,"unchanged":%s}}\\n' "$hl_changed" "$hl_unchanged"`,
    "",
  ].join("\n");
  const command = (check: 0 | 1) => `sudo -n env HOMELAB_CHECK=${check} sh -c ${quote(script)}`;
  return { script, digest: crypto.createHash("sha256").update(script).digest("hex"), command: command(0), checkCommand: command(1) };
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
