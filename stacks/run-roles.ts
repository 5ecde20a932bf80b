/**
 * `node bin/stacks/run-roles.js`: checks what the roles of each host would change now, or applies them. Takes the hosts, as in the stacks'
 * outputs, as JSON on standard input and prints JSON. The orchestrator's child. Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import type { RoleMode } from "../ansible-replacements";
import { HomelabError } from "../common/errors";
import { failureText, type HostedRole, type RoleResult, runRole } from "../components/hosts/role-run";
import { openSsh, type SshTarget } from "../components/hosts/ssh-session";
import { loadSecrets } from "../secrets/load";
import { runChild } from "./child";
import { bastionFromEnvironment } from "./load/bastion";
import { loadEstate } from "./load/estate";
import { hostSchema, type InventoryHost } from "./outputs/inventory";
import { planRoles, secretPaths } from "./plan/hosts/plan-roles";
import type { PlannedRole, SecretSource } from "./plan/hosts/planned-role";
import { stackOf } from "./plan/plan";
import { SSH_PRIVATE_KEY } from "./plan/secret-paths";

/** Generous, because many hosts may share one processor here. A host that is down refuses at once, or never answers. */
const CONNECT_MS = 45_000;
const RUN_MS = { check: 180_000, apply: 1_800_000 } as const;

const requestSchema = z.strictObject({
  mode: z.enum(["check", "apply"]),
  hosts: z.array(z.strictObject({ name: z.string(), stack: z.string(), port: z.int().optional(), host: hostSchema })),
});

type Status = "ok" | "would-change" | "changed" | "failed" | "no-roles";

/** What was found on one host. */
export interface HostResult {
  host: string;
  stack: string;
  status: Status;
  roles: RoleResult[];
  /** Why it could not be worked on. */
  error?: { code: string; message: string; hint?: string };
}

export interface VisitedHost {
  name: string;
  stack: string;
  /** Default 22. */
  port?: number | undefined;
  host: InventoryHost;
}

function statusOf(roles: readonly RoleResult[]): Status {
  const operations = roles.flatMap((role) => role.operations);
  if (roles.some((role) => role.error !== undefined) || operations.some(({ status }) => status === "failed")) return "failed";
  if (operations.some(({ status }) => status === "changed")) return "changed";
  return operations.some(({ status }) => status === "would-change") ? "would-change" : "ok";
}

/** All roles of one host, over one connection. Never throws: what goes wrong is the host's result. */
export async function visitHost(
  visited: VisitedHost,
  roles: readonly HostedRole[],
  mode: RoleMode,
  access: Pick<SshTarget, "privateKey" | "bastion">,
): Promise<HostResult> {
  const { name, stack, host } = visited;
  const found = { host: name, stack };
  if (roles.length === 0) return { ...found, status: "no-roles", roles: [] };
  const hostKey = host.hostKey === "" ? undefined : host.hostKey;
  const results: RoleResult[] = [];
  try {
    const target = { ...access, host: host.address, port: visited.port, user: host.user, hostKey };
    const session = await openSsh(target, AbortSignal.timeout(CONNECT_MS));
    try {
      const signal = AbortSignal.timeout(RUN_MS[mode]);
      for (const role of roles) {
        const result = await runRole(session, role, mode, signal);
        results.push(result);
        // The next role depends on this one.
        if (mode === "apply" && result.error !== undefined) break;
      }
    } finally {
      session.close();
    }
    return { ...found, status: statusOf(results), roles: results };
  } catch (thrown) {
    return { ...found, status: "failed", roles: results, error: failureText(thrown) };
  }
}

type Entries = Awaited<ReturnType<typeof loadSecrets>>;

function secretOf(entries: Entries, path: string, key: string): string {
  const value = entries.get(path)?.[key];
  if (value === undefined)
    throw new HomelabError("E_SECRET_MISSING", `there is no secret "${key}" in ${path}`, {
      hint: "add it with `homelab secrets new`, or restore secrets/ from Git",
    });
  return value;
}

/** Decrypts what the roles of one host need, and nothing else. */
async function withSecrets(stack: string, roles: readonly PlannedRole[]): Promise<HostedRole[]> {
  const paths = secretPaths(roles);
  const entries: Entries = paths.length === 0 ? new Map() : await loadSecrets({ environment: stack, only: paths });
  const secretFrom = (source: SecretSource): string => {
    // Only joining needs the hash, and a node joins during the stack's own operation.
    if ("fact" in source) return "";
    return "value" in source ? source.value : secretOf(entries, source.path, source.key);
  };
  return roles.map(({ role, secrets }) => ({
    role,
    secrets: Object.fromEntries(Object.entries(secrets).map(([name, source]) => [name, secretFrom(source)])),
  }));
}

/** @throws HomelabError where the question is about a host that the program does not know, or a secret that a host needs does not open */
export async function visit(input: string): Promise<object> {
  const { mode, hosts } = requestSchema.parse(JSON.parse(input));
  const estate = loadEstate();
  const privateKey = secretOf(await loadSecrets({ only: [SSH_PRIVATE_KEY.path] }), SSH_PRIVATE_KEY.path, SSH_PRIVATE_KEY.key);
  const bastion = bastionFromEnvironment();
  const planned = new Map<string, Map<string, PlannedRole[]>>();
  for (const { stack: name } of hosts) {
    const stack = stackOf(estate, name);
    const config = estate.settings.get(name);
    if (config !== undefined && !planned.has(name)) planned.set(name, planRoles({ ...estate, stack, config }));
  }
  const results = hosts.map(async (visited) => {
    const roles = planned.get(visited.stack)?.get(visited.name);
    if (roles === undefined)
      throw new HomelabError("E_VM_UNKNOWN", `the stack ${visited.stack} has a host ${visited.name}, but no VM of this name`, { subject: visited.name });
    return visitHost(visited, await withSecrets(visited.stack, roles), mode, { privateKey, bastion });
  });
  return { version: 1, hosts: await Promise.all(results) };
}

if (require.main === module) runChild(visit);
