import { randomUUID } from "node:crypto";
import { z } from "zod";
import { newSshKey } from "../core/ssh-keys";
import type { LabContext } from "../core/world";
import { imagePackages } from "./archive";
import { stopContainers } from "./containers";
import { disksSchema, plugDisks } from "./disks";
import { filesystemStateSchema, HostDisk } from "./filesystem";
import { firstBoot, installImage, writeKeys } from "./image";
import { applyKernelFiles } from "./kernel-files";
import type { HostSpec, Machine, RunningCluster, StartCluster } from "./machine";
import { findUser } from "./machine";
import { joinNeighbours, leaveNeighbours } from "./neighbours";
import { COMMAND_NAMES, runShell, type ShellResult } from "./shell";
import { startSshServer } from "./ssh-server";
import { startEnabledUnits } from "./units";

const stateSchema = z.object({
  hostKey: z.string(),
  filesystem: filesystemStateSchema,
  packages: z.record(z.string(), z.string()),
  disks: disksSchema.default([]),
  cluster: z.unknown().optional(),
});
/** What is left of a host when its power is off. */
export type HostState = z.infer<typeof stateSchema>;

export interface HostOptions {
  spec: HostSpec;
  ctx: LabContext;
  startCluster: StartCluster;
  /** A disk that was used before. Default: a fresh image. */
  state?: unknown;
  /** Switches it off and on again; default: nothing can. */
  reboot?: () => void;
  /** How long a command waits for a client that neither sends nor closes its standard input, in milliseconds. Default 10,000. */
  stdinGraceMs?: number;
}

/** A Linux host that is up. */
export interface Host {
  readonly id: string;
  readonly hostname: string;
  readonly address: string;
  cluster(): RunningCluster | undefined;
  /** Runs a command as a user, without SSH; for tests and the control API. */
  run(commandLine: string, options?: { user?: string; stdin?: string; env?: Record<string, string> }): Promise<ShellResult>;
  save(): Promise<HostState>;
  /** Power off: what runs stops, the disk stays in the returned state. */
  stop(): Promise<HostState>;
}

function machineOf({ spec, ctx, startCluster, reboot = () => undefined }: HostOptions, state: HostState | undefined): Machine {
  return {
    spec,
    reboot,
    ctx,
    disk: new HostDisk(() => ctx.faults.take("disk.full", spec.hostname) !== undefined),
    // The spec says which ones exist; their content is that of the last writer.
    disks: (spec.disks ?? []).map((each) => ({ ...each, content: each.content ?? state?.disks.find(({ id }) => id === each.id)?.content })),
    kernel: { modules: new Set(["nf_conntrack"]), sysctls: new Map(), swapOn: false, mounts: new Map(), bootedAt: ctx.clock.now() },
    packages: imagePackages(),
    units: new Map(),
    containers: new Map(),
    journal: [],
    startCluster,
    cluster: undefined,
    clusterState: state?.cluster,
    hostname: spec.hostname,
    effects: 0,
  };
}

/** Its disk as it was when it went off, or as the image and cloud-init make it. */
async function prepareDisk(machine: Machine, state: HostState | undefined): Promise<void> {
  const { disk, spec } = machine;
  await installImage(machine, COMMAND_NAMES);
  disk.seal();
  if (state === undefined) {
    await firstBoot(machine, spec);
    return;
  }
  await disk.restore(state.filesystem);
  machine.packages.clear();
  for (const [name, version] of Object.entries(state.packages)) machine.packages.set(name, version);
  machine.hostname = ((await disk.read("/etc/hostname")) ?? spec.hostname).trim();
  await writeKeys(machine, spec);
}

async function stateOf(machine: Machine, hostKey: string): Promise<HostState> {
  const cluster = machine.cluster ? machine.cluster.save() : machine.clusterState;
  const common = {
    hostKey,
    filesystem: await machine.disk.save(),
    packages: Object.fromEntries(machine.packages),
    disks: machine.disks.map((each) => ({ ...each })),
  };
  return cluster === undefined ? common : { ...common, cluster };
}

/** Boots a host: disk, first boot, services, SSH at its address. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { spec, ctx } = options;
  const state = options.state === undefined ? undefined : stateSchema.parse(options.state);
  const machine = machineOf(options, state);
  const { disk } = machine;
  await prepareDisk(machine, state);
  // A new one with each start of the kernel.
  await disk.install("/proc/sys/kernel/random/boot_id", `${randomUUID()}\n`, 0o444);
  await plugDisks(machine);
  await applyKernelFiles(machine);
  const hostKey = state?.hostKey ?? newSshKey().private;
  await startEnabledUnits(machine);
  const server = await startSshServer(machine, hostKey, options.stdinGraceMs);
  try {
    ctx.network.listen(spec.address, 22, { port: server.port });
    joinNeighbours(machine);
  } catch (error) {
    await stopContainers(machine);
    await machine.cluster?.stop();
    await server.stop();
    throw error;
  }
  const save = (): Promise<HostState> => stateOf(machine, hostKey);
  return {
    id: spec.id,
    hostname: spec.hostname,
    address: spec.address,
    cluster: () => machine.cluster,
    run: async (commandLine, { user = spec.user, stdin = "", env = {} } = {}) => {
      const who = await findUser(machine, user);
      if (!who) throw new Error(`${spec.hostname} has no user ${user}`);
      return runShell(machine, who, commandLine, { env, cwd: who.home, stdin: Buffer.from(stdin).toString("latin1") });
    },
    save,
    stop: async () => {
      ctx.network.unlisten(spec.address, 22);
      leaveNeighbours(machine);
      await server.stop();
      await stopContainers(machine);
      const final = await save();
      await machine.cluster?.stop();
      machine.cluster = undefined;
      return final;
    },
  };
}
