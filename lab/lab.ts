import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { type Clock, systemClock } from "../common/clock";
import { HomelabError, systemErrorCode } from "../common/errors";
import { writeFileAtomic } from "../common/files";
import type { LabSite } from "../common/lab-site";
import { projectRoot } from "../common/paths";
import { isProcessAlive } from "../common/processes";
import { startArtefacts } from "./artefacts";
import { type ClusterRegistry, createClusters } from "./clusters";
import { createContext, type OwnedContext } from "./core/context";
import { startControl } from "./core/control";
import { createLatency, type LatencyProfile } from "./core/latency";
import { createSnapshotWriter, readSnapshot, type Snapshot } from "./core/snapshot";
import { newSshKey, publicHalf } from "./core/ssh-keys";
import { createAuthority, restoreAuthority } from "./core/tls";
import type { Stoppable } from "./core/world";
import { BASTION_USER, startBastion, startConnectProxy } from "./gateway";
import { GitHost } from "./git";
import { createFleet, type GuestFleet } from "./guests";
import { writeKubeconfig } from "./kubeconfig";
import { type Proxmox, startProxmox } from "./proxmox";
import { chooseSite, requireSame } from "./site";

/** Default ports of a lab. They are fixed, so that they are the same after a restart. */
export const DEFAULT_PORTS = { proxy: 18080, bastion: 18022, control: 18081 } as const;

export interface LabOptions {
  /** Folder of the lab's files; made when missing. */
  dir: string;
  /** The homelab that it models. May be left out where the folder has a snapshot, which says it. */
  site?: LabSite;
  /** 0 = any free port. Default {@link DEFAULT_PORTS}. */
  ports?: { proxy?: number; bastion?: number; control?: number };
  /** Default "default". */
  latency?: LatencyProfile;
  /** Milliseconds by name, over the profile. */
  latencies?: Readonly<Record<string, number>>;
  clock?: Clock;
  /** Called after POST /stop; the caller stops the lab. */
  onStopRequest?: () => void;
  /** A line for lab.log. */
  log?: (line: string) => void;
}

/** What `lab.json` says, for whoever uses the lab. */
export interface LabFile {
  version: 1;
  pid: number;
  startedAt: string;
  control: string;
  proxy: string;
  bastion: { host: string; port: number; user: string; keyFile: string; hostKey: string };
  caFile: string;
  kubeconfig: string;
  chartStandIn: string;
}

export interface Lab extends Stoppable {
  file: LabFile;
  ctx: OwnedContext;
  proxmox: Proxmox;
  guests: GuestFleet;
  clusters: ClusterRegistry;
  /** Resolves when nothing boots and no controller has anything to do. */
  settled(): Promise<void>;
}

const labOnlySchema = z.object({
  note: z.string(),
  proxmox: z.object({ token: z.object({ id: z.string(), secret: z.string() }) }),
  git: z.object({ username: z.string(), password: z.string() }),
});

const readLabOnly = () => labOnlySchema.parse(JSON.parse(fs.readFileSync(path.join(projectRoot(), "lab", "lab-only.json"), "utf8")));

/** The bastion's user key: kept, so that a restarted lab has the same. @returns its public half */
function bastionKey(file: string): string {
  const publicFile = `${file}.pub`;
  if (fs.existsSync(file) && fs.existsSync(publicFile)) return fs.readFileSync(publicFile, "utf8").trim();
  const pair = newSshKey("lab-only bastion");
  writeFileAtomic(file, pair.private, 0o600);
  writeFileAtomic(publicFile, `${pair.public}\n`, 0o644);
  return pair.public;
}

/** @throws HomelabError E_LAB_RUNNING when a lab of this folder answers */
async function checkNotRunning(dir: string): Promise<void> {
  const file = path.join(dir, "lab.json");
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw error;
  }
  const parsed = z.object({ pid: z.number(), control: z.url() }).safeParse(jsonOf(text));
  if (!parsed.success || parsed.data.pid === process.pid || !isProcessAlive(parsed.data.pid)) return;
  const answers = await fetch(`${parsed.data.control}/status`, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.ok,
    // Nobody there: the process with that number is another one.
    () => false,
  );
  if (!answers) return;
  throw new HomelabError("E_LAB_RUNNING", `the lab of ${dir} is running already (process ${parsed.data.pid}, ${parsed.data.control})`, {
    subject: dir,
    hint: "use it, or stop it with `npx homelab lab stop`",
  });
}

/** undefined for text that is no JSON: a half-written file of a killed lab says nothing. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Starts a lab and, where its folder has a snapshot, continues from there.
 * @throws HomelabError E_LAB_RUNNING, E_LAB_SNAPSHOT, E_LAB_SITE, E_LAB_OTHER_SITE, E_LAB_PORT_IN_USE
 */
export async function startLab(options: LabOptions): Promise<Lab> {
  const dir = path.resolve(options.dir);
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  await checkNotRunning(dir);
  const snapshotFile = path.join(dir, "snapshot.json");
  const saved = readSnapshot(snapshotFile);
  const stops: (() => Promise<void>)[] = [];
  try {
    return await compose({ ...options, dir, site: chooseSite(options.site, saved?.site, dir) }, snapshotFile, saved, stops);
  } catch (error) {
    for (const stop of stops.reverse()) await stop();
    throw error;
  }
}

/** Where the lab's files are. */
const fileIn =
  (dir: string) =>
  (name: string): string =>
    path.join(dir, name);

interface Beginning {
  options: LabOptions & { site: LabSite };
  /** The parts read it whenever they need it, since it may grow. */
  site: LabSite;
  ctx: OwnedContext;
  clock: Clock;
  saved: Snapshot | undefined;
  /** Registers a part, which is stopped again if the start fails. */
  keep<T extends Stoppable>(part: T): T;
}

/** Starts the simulators, and the proxy and the bastion that lead to them. */
async function startParts({ options, site, ctx, saved, keep }: Beginning) {
  const file = fileIn(options.dir);
  const bastionHostKey = saved?.bastionHostKey ?? newSshKey().private;
  const authorizedKey = bastionKey(file("bastion_key"));
  const proxy = keep(await startConnectProxy(ctx, options.ports?.proxy ?? DEFAULT_PORTS.proxy));
  const bastion = keep(await startBastion(ctx, { port: options.ports?.bastion ?? DEFAULT_PORTS.bastion, hostKey: bastionHostKey, authorizedKey }));
  const proxyUrl = `http://127.0.0.1:${proxy.port}`;
  const artefacts = keep(await startArtefacts(ctx, new GitHost(ctx, file("git"), readLabOnly().git)));
  await artefacts.setImages(site.images);
  await artefacts.addRepositories(site.repositories);
  const clusters = keep(await createClusters(ctx, site, () => writeKubeconfig(file("kubeconfig"), clusters.running(), proxyUrl)));
  const guests = keep(createFleet({ ctx, startCluster: clusters.start }));
  const proxmox = keep(await startProxmox({ ctx, site, guests, token: readLabOnly().proxmox.token }));
  writeKubeconfig(file("kubeconfig"), [], proxyUrl);
  return { proxy, proxyUrl, bastion, bastionHostKey, artefacts, clusters, guests, proxmox };
}

type Parts = Awaited<ReturnType<typeof startParts>>;

const settledOf =
  ({ proxmox, guests, clusters }: Parts) =>
  async (): Promise<void> => {
    await proxmox.settled();
    await guests.settled();
    await clusters.settled();
  };

/** `lab.json`, but for the address of the control API. */
function labFileOf({ options, clock }: Beginning, parts: Parts): LabFile {
  const file = fileIn(options.dir);
  return {
    version: 1,
    pid: process.pid,
    startedAt: new Date(clock.now()).toISOString(),
    control: "",
    proxy: parts.proxyUrl,
    bastion: { host: "127.0.0.1", port: parts.bastion.port, user: BASTION_USER, keyFile: file("bastion_key"), hostKey: publicHalf(parts.bastionHostKey) },
    caFile: file("ca.pem"),
    kubeconfig: file("kubeconfig"),
    chartStandIn: parts.artefacts.chartStandIn,
  };
}

/** The control API, whose address goes into the lab's file. */
async function startControlOf({ options, site, ctx, keep }: Beginning, parts: Parts, labFile: LabFile): Promise<Stoppable> {
  const { proxmox, artefacts, guests, clusters } = parts;
  const control = keep(
    await startControl({
      port: options.ports?.control ?? DEFAULT_PORTS.control,
      records: ctx.records,
      unhandled: ctx.unhandled,
      faults: ctx.faults,
      site: () => site,
      setSite: async (given) => {
        requireSame(site, given, options.dir);
        const before = { ...site };
        Object.assign(site, given);
        proxmox.grown(before);
        await artefacts.setImages(site.images);
        await artefacts.addRepositories(site.repositories);
        ctx.changed();
      },
      status: () => statusOf(labFile, proxmox, guests, clusters, ctx),
      proxmox: () => proxmox.state(),
      resetVm: (name) => proxmox.reset(name),
      settled: settledOf(parts),
      stop: () => options.onStopRequest?.(),
    }),
  );
  labFile.control = `http://127.0.0.1:${control.port}`;
  return control;
}

async function compose(
  options: LabOptions & { site: LabSite },
  snapshotFile: string,
  saved: Snapshot | undefined,
  stops: (() => Promise<void>)[],
): Promise<Lab> {
  const { log = () => undefined } = options;
  const file = fileIn(options.dir);
  const clock = options.clock ?? systemClock;
  const tls = saved ? await restoreAuthority(saved.authority, clock.now()) : await createAuthority("homelab lab CA (lab only)", clock.now());
  const site = { ...options.site };
  let onChanged = (): void => undefined;
  const ctx = await createContext({
    clock,
    own: site,
    tls,
    latency: createLatency(options.latency ?? "default", options.latencies),
    onChanged: () => onChanged(),
    onUnhandled: (entry) => log(`unhandled: ${entry.system} ${entry.target}: ${entry.what}`),
  });
  if (saved) {
    await ctx.records.restore(saved.records);
    await ctx.unhandled.restore(saved.unhandled);
  }
  writeFileAtomic(file("ca.pem"), tls.caPem, 0o644);
  const keep = <T extends Stoppable>(part: T): T => {
    stops.push(() => part.stop());
    return part;
  };
  const beginning: Beginning = { options, site, ctx, clock, saved, keep };
  const parts = await startParts(beginning);
  const labFile = labFileOf(beginning, parts);
  const control = await startControlOf(beginning, parts, labFile);
  const { proxmox, guests } = parts;
  if (saved) {
    proxmox.restore(saved.proxmox, saved.site ?? site);
    guests.restore(saved.disks);
    proxmox.bootRunning();
    // A lab that is started again is ready only when its machines have booted.
    await guests.settled();
  }
  const writer = createSnapshotWriter(
    snapshotFile,
    clock,
    () => snapshotOf(beginning, parts, tls.save()),
    (error) => log(`the snapshot could not be written: ${String(error)}`),
  );
  onChanged = () => writer.changed();
  writer.changed();
  writeFileAtomic(file("lab.json"), `${JSON.stringify(labFile, null, 2)}\n`, 0o600);
  const stop = (): Promise<void> => {
    onChanged = () => undefined;
    return stopAll(parts, control, writer, file("lab.json"));
  };
  return { file: labFile, ctx, proxmox, guests, clusters: parts.clusters, settled: settledOf(parts), stop };
}

async function snapshotOf({ site, ctx }: Beginning, { bastionHostKey, proxmox, guests }: Parts, authority: Snapshot["authority"]): Promise<Snapshot> {
  return {
    version: 1,
    site,
    authority,
    bastionHostKey,
    records: ctx.records.save(),
    unhandled: ctx.unhandled.save(),
    proxmox: proxmox.save(),
    disks: await guests.save(),
  };
}

/** First what changes by itself, then the last snapshot, then the rest. */
async function stopAll(parts: Parts, control: Stoppable, writer: { close(): Promise<void> }, labFile: string): Promise<void> {
  await parts.proxmox.stop();
  await parts.guests.stop();
  await writer.close();
  for (const part of [parts.clusters, parts.artefacts, parts.bastion, parts.proxy, control]) await part.stop();
  fs.rmSync(labFile, { force: true });
}

function statusOf(labFile: LabFile, proxmox: Proxmox, guests: GuestFleet, clusters: ClusterRegistry, ctx: OwnedContext): unknown {
  const up = new Set(guests.hosts().map((host) => host.id));
  return {
    ...labFile,
    vms: proxmox.state().vms.map((vm) => ({ vmid: vm.vmid, name: vm.config["name"], node: vm.node, status: vm.status, up: up.has(String(vm.vmid)) })),
    clusters: clusters.running().map(({ cluster }) => ({ name: cluster.name, address: cluster.address })),
    unhandled: ctx.unhandled.all().length,
    records: ctx.records.since().length,
  };
}
