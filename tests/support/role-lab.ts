import { compile, parseRoleReport, type Role, type RoleMode, type RoleReport, secretInput } from "../../ansible-replacements";
import { type Artefacts, startArtefacts } from "../../lab/artefacts";
import { createContext } from "../../lab/core/context";
import { newSshKey } from "../../lab/core/ssh-keys";
import { createAuthority } from "../../lab/core/tls";
import { type Host, type StartCluster, startHost } from "../../lab/hosts";
import { K3S_KUBECONFIG } from "./pulumi-mocks";
import { ADDRESS, ROLE_CASES, type RoleCase } from "./role-cases";

type Context = Awaited<ReturnType<typeof createContext>>;
export const keys = newSshKey();

export interface RoleRun extends RoleReport {
  stdout: string;
  stderr: string;
  exitCode: number;
}

export interface RoleLab {
  ctx: Context;
  host: Host;
  /** How long all commands together slept, in milliseconds. */
  slept(): number;
  /** How often a cluster was started on one of its hosts. */
  clusterStarts(): number;
  run(role: Role, secrets?: Record<string, string>, mode?: RoleMode): Promise<RoleRun>;
  /** Turns the host off and on: everything that was not on its disk is lost. */
  restart(): Promise<void>;
  /** Replaces the host by another machine with a new disk at the same address. */
  rebuild(): Promise<void>;
  addHost(hostname: string, address: string): Promise<Host>;
  runOn(host: Host, role: Role, secrets?: Record<string, string>, mode?: RoleMode): Promise<RoleRun>;
  sh(line: string): Promise<string>;
  stop(): Promise<void>;
}

const specOf = (hostname: string, address: string) => ({
  id: address.split(".").at(-1) ?? "",
  hostname,
  address,
  prefix: 24,
  gateway: "192.168.1.1",
  nameserver: "192.168.1.3",
  user: "suporte",
  authorizedKeys: [keys.public],
  cores: 4,
  memoryMiB: 4096,
  diskGiB: 30,
});

/** A cluster that consists only of the administrator's kubeconfig, with its own authority. */
const startNoCluster: StartCluster = async ({ name }) => {
  const { caPem } = await createAuthority(`ca of ${name}`);
  const kubeconfig = K3S_KUBECONFIG.replace(/(certificate-authority-data: ).*/, `$1${Buffer.from(caPem).toString("base64")}`);
  const adminKubeconfig = (as?: { server: string }) => (as === undefined ? kubeconfig : kubeconfig.replace(/(server: ).*/, `$1${as.server}`));
  return { adminKubeconfig, save: () => ({}), stop: async () => undefined };
};

/** A host of the lab on which sleeping takes no time, with the servers from which it downloads. */
export async function startRoleLab(disk?: RoleCase["disk"]): Promise<RoleLab> {
  let now = Date.UTC(2026, 0, 1);
  let slept = 0;
  const ctx = await createContext({
    clock: {
      now: () => now,
      sleep: async (ms) => {
        now += ms;
        slept += ms;
      },
    },
  });
  let clusterStarts = 0;
  const startCluster: StartCluster = (spec) => {
    clusterStarts++;
    return startNoCluster(spec);
  };
  const artefacts: Artefacts = await startArtefacts(ctx);
  const disks = disk === undefined ? [] : [{ name: "sdb", sizeGiB: 1000, ...disk }];
  const spec = { ...specOf("k8s-dev", ADDRESS), disks };
  let host = await startHost({ spec, ctx, startCluster });
  const others: Host[] = [];
  const runOn = async (target: Host, role: Role, secrets: Record<string, string> = {}, mode: RoleMode = "apply"): Promise<RoleRun> => {
    const own = Object.fromEntries(Object.entries(secrets).filter(([name]) => role.secrets?.includes(name)));
    const result = await target.run(compile(role, { mode }).command, { stdin: secretInput(role, own) });
    const [stdout, stderr] = [result.stdout.toString(), result.stderr.toString()];
    return { ...parseRoleReport(stdout), stdout, stderr, exitCode: result.exitCode };
  };
  return {
    ctx,
    get host() {
      return host;
    },
    slept: () => slept,
    clusterStarts: () => clusterStarts,
    runOn,
    run: (role, secrets, mode) => runOn(host, role, secrets, mode),
    restart: async () => {
      host = await startHost({ spec, ctx, startCluster, state: await host.stop() });
    },
    rebuild: async () => {
      await host.stop();
      host = await startHost({ spec, ctx, startCluster });
    },
    addHost: async (hostname, address) => {
      const other = await startHost({ spec: specOf(hostname, address), ctx, startCluster });
      others.push(other);
      return other;
    },
    sh: async (line) => (await host.run(`sudo -n sh -c '${line.replaceAll("'", `'\\''`)}'`)).stdout.toString(),
    stop: async () => {
      for (const each of [host, ...others]) await each.stop();
      await artefacts.stop();
    },
  };
}

/** A lab that is prepared for a role of ROLE_CASES, and the role. */
export async function startWithRole(name: string): Promise<{ lab: RoleLab; role: Role; secrets: Record<string, string> }> {
  const found = ROLE_CASES[name]?.();
  if (found === undefined) throw new Error(`no role ${name}`);
  const { before, role, secrets = {}, disk } = found;
  const lab = await startRoleLab(disk);
  if (before !== undefined) expect(await lab.run(before, secrets)).toMatchObject({ exitCode: 0, stderr: "" });
  return { lab, role, secrets };
}

/** The operations of a run that were not `ok`, each with its status. */
export const changedIn = (report: RoleReport): string[] =>
  report.operations.filter(({ status }) => status !== "ok").map(({ operation, status }) => `${status} ${operation}`);
