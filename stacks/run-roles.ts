/**
 * `node bin/stacks/run-roles.js`: what the roles of each host would change now, or the change. Takes the hosts, as the stacks'
 * outputs have them, as JSON on standard input and prints JSON. The orchestrator's child. Loads no Pulumi SDK. Errors as in
 * describe.ts.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import type { RoleMode } from "../ansible-replacements";
import { HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { failureText, type HostedRole, type RoleResult, runRole } from "../components/hosts/role-run";
import { openSsh, type SshTarget } from "../components/hosts/ssh-session";
import { loadSecrets } from "../secrets/load";
import { bastionFromEnvironment } from "./bastion";
import { runChild } from "./child";
import { parseStackConfigFile } from "./config";
import { STACKS } from "./definitions";
import { type PlannedRole, planRoles, type SecretSource, secretPaths } from "./host-roles";
import { loadInventory } from "./inventory";
import { hostSchema, type InventoryHost } from "./inventory/render";
import { OUTPUT_SCHEMAS, type StackName } from "./outputs";

const SSH_KEY = { path: "cluster-secret-store/secrets/SSH_PRIVATE_KEY", key: "SSH_PRIVATE_KEY" } as const;
/** Many hosts at once share one processor here; one that is down refuses at once, or never answers. */
const CONNECT_MS = 45_000;
const RUN_MS = { check: 180_000, apply: 1_800_000 } as const;

const stackNames = Object.keys(OUTPUT_SCHEMAS) as [StackName, ...StackName[]];
const requestSchema = z.strictObject({
  mode: z.enum(["check", "apply"]),
  hosts: z.array(z.strictObject({ name: z.string(), stack: z.enum(stackNames), port: z.int().optional(), host: hostSchema })),
});

type Status = "ok" | "would-change" | "changed" | "failed" | "no-roles";

/** What was found on one host. */
export interface HostResult {
  host: string;
  stack: StackName;
  status: Status;
  roles: RoleResult[];
  /** Why it could not be worked on. */
  error?: { code: string; message: string; hint?: string };
}

export interface VisitedHost {
  name: string;
  stack: StackName;
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
        // The next one builds on it.
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
    throw new HomelabError("E_SECRET_MISSING", `there is no secret "${key}" in ${path}`, { hint: "add it with sops, or restore secrets/ from Git" });
  return value;
}

/** Decrypts what the roles of one host need, and nothing else. */
async function withSecrets(stack: StackName, roles: readonly PlannedRole[]): Promise<HostedRole[]> {
  const paths = secretPaths(roles);
  const entries: Entries = paths.length === 0 ? new Map() : await loadSecrets({ environment: stack, only: paths });
  const secretFrom = (source: SecretSource): string => {
    // Only what a node does when it joins needs the hash, and it joins in the stack's own operation.
    if (typeof source === "string") return "";
    return "value" in source ? source.value : secretOf(entries, source.path, source.key);
  };
  return roles.map(({ role, secrets }) => ({
    role,
    secrets: Object.fromEntries(Object.entries(secrets).map(([name, source]) => [name, secretFrom(source)])),
  }));
}

async function visit(input: string): Promise<object> {
  const { mode, hosts } = requestSchema.parse(JSON.parse(input));
  const { vms } = loadInventory();
  const privateKey = secretOf(await loadSecrets({ only: [SSH_KEY.path] }), SSH_KEY.path, SSH_KEY.key);
  const bastion = bastionFromEnvironment();
  const configOf = (stack: StackName) => {
    const file = `Pulumi.${stack}.yaml`;
    return parseStackConfigFile(file, fs.readFileSync(path.join(projectRoot(), file), "utf8"));
  };
  const planned = new Map<StackName, Map<string, PlannedRole[]>>();
  for (const { stack } of hosts) {
    const owned = STACKS.find(({ name }) => name === stack)?.vms ?? [];
    if (!planned.has(stack)) planned.set(stack, planRoles({ stack, config: configOf(stack), owned, vms }));
  }
  const results = hosts.map(async (visited) => {
    const roles = planned.get(visited.stack)?.get(visited.name);
    if (roles === undefined)
      throw new HomelabError("E_VM_UNKNOWN", `the stack ${visited.stack} has a host ${visited.name} that no VM file of its defines`, { subject: visited.name });
    return visitHost(visited, await withSecrets(visited.stack, roles), mode, { privateKey, bastion });
  });
  return { version: 1, hosts: await Promise.all(results) };
}

if (require.main === module) runChild(visit);
