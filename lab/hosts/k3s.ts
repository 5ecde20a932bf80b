import { randomBytes } from "node:crypto";
import { parse } from "yaml";
import { startCluster, stopCluster } from "./cluster";
import { log, type Machine } from "./machine";

const CONFIG = "/etc/rancher/k3s/config.yaml";
const KUBECONFIG = "/etc/rancher/k3s/k3s.yaml";
const DATA = "/var/lib/rancher/k3s";

/** Settings of `k3s server` that the lab accepts; k3s stops at an unknown one, and so does the lab. From `k3s server --help`. */
const SETTINGS = new Set(
  "advertise-address bind-address cluster-cidr cluster-dns cluster-domain cluster-init config data-dir debug default-local-storage-path disable disable-cloud-controller disable-helm-controller disable-kube-proxy disable-network-policy docker embedded-registry etcd-expose-metrics etcd-snapshot-retention etcd-snapshot-schedule-cron flannel-backend flannel-iface https-listen-port kube-apiserver-arg kube-controller-manager-arg kube-proxy-arg kube-scheduler-arg kubelet-arg log node-external-ip node-ip node-label node-name node-taint pause-image prefer-bundled-bin private-registry protect-kernel-defaults secrets-encryption selinux service-cidr service-node-port-range snapshotter system-default-registry tls-san tls-san-security token token-file v write-kubeconfig write-kubeconfig-group write-kubeconfig-mode".split(
    " ",
  ),
);

export const isK3sServer = (command: string): boolean => /(^|\/)k3s\s+server(\s|$)/.test(command);

/** Flags of the command line and keys of config.yaml as one table. */
async function settings(machine: Machine, command: string): Promise<Map<string, unknown> | string> {
  const found = new Map<string, unknown>();
  const text = await machine.disk.read(CONFIG);
  if (text !== undefined) {
    const parsed: unknown = parse(text) ?? {};
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return `level=fatal msg="yaml: cannot unmarshal ${CONFIG} into a map"`;
    for (const [key, value] of Object.entries(parsed)) found.set(key.replace(/\+$/, ""), value);
  }
  const words = command.split(/\s+/).slice(2);
  for (let i = 0; i < words.length; i++) {
    const word = (words[i] ?? "").replace(/^'|'$/g, "");
    if (!word.startsWith("--")) continue;
    const [name = "", value] = word.slice(2).split("=");
    found.set(name, value ?? (words[i + 1]?.startsWith("--") === false ? words[++i] : true));
  }
  const unknown = [...found.keys()].find((key) => !SETTINGS.has(key));
  return unknown === undefined ? found : `level=fatal msg="flag provided but not defined: -${unknown}"`;
}

/** @returns the reason why k3s does not start, or undefined */
export async function startK3s(machine: Machine, command: string): Promise<string | undefined> {
  const { ctx, disk, spec } = machine;
  const found = await settings(machine, command);
  if (typeof found === "string") return found;
  const fault = ctx.faults.take("k3s.start-failed", spec.hostname);
  if (fault) return `level=fatal msg="${String(fault["message"] ?? "starting kubernetes: preparing server: failed to bootstrap cluster data")}"`;
  await ctx.clock.sleep(ctx.latency.of("k3s.start"));
  const hasData = await disk.inner.exists(`${DATA}/server/db/state.db`);
  const state = hasData ? machine.clusterState : undefined;
  const version = /lab-binary k3s (\S+)/.exec((await disk.read(command.split(/\s+/)[0] ?? "")) ?? "")?.[1];
  await startCluster(machine, {
    name: String(found.get("node-name") ?? machine.hostname),
    disabled: [found.get("disable") ?? []].flat().flatMap((part) => String(part).split(",")),
    ...(version === undefined ? {} : { version }),
    ...(state === undefined ? {} : { state }),
  });
  if (!hasData) await disk.install(`${DATA}/server/db/state.db`, "held by the lab\n", 0o600);
  await writeCredentials(machine, found);
  for (const module of ["overlay", "br_netfilter", "nf_conntrack"]) machine.kernel.modules.add(module);
  log(machine, "k3s.service", 'level=info msg="k3s is up and running"');
  return undefined;
}

async function writeCredentials(machine: Machine, found: Map<string, unknown>): Promise<void> {
  const { disk } = machine;
  const kubeconfig = machine.cluster?.adminKubeconfig() ?? "";
  const mode = Number.parseInt(String(found.get("write-kubeconfig-mode") ?? "600"), 8);
  const target = String(found.get("write-kubeconfig") ?? KUBECONFIG);
  const same = (await disk.read(target)) === kubeconfig && ((await disk.inner.stat(target)).mode & 0o7777) === mode;
  if (!same) await disk.install(target, kubeconfig, mode);
  await disk.makeFolder(`${DATA}/server`, 0o700);
  if (!(await disk.inner.exists(`${DATA}/server/token`))) {
    const token = `K10${randomBytes(32).toString("hex")}::server:${randomBytes(16).toString("hex")}\n`;
    await disk.install(`${DATA}/server/token`, token, 0o600);
    await disk.inner.symlink(`${DATA}/server/token`, `${DATA}/server/node-token`);
    disk.noteNew(`${DATA}/server/node-token`, { uid: 0, gid: 0 });
  }
  const storage = found.get("default-local-storage-path");
  if (typeof storage === "string") await disk.makeFolder(storage, 0o700);
}

/** k3s-uninstall.sh: the service, its files and its data go. */
export async function uninstallK3s(machine: Machine): Promise<void> {
  await stopCluster(machine);
  machine.clusterState = undefined;
  machine.units.delete("k3s.service");
  const files = ["/etc/systemd/system/k3s.service", "/etc/systemd/system/multi-user.target.wants/k3s.service", "/etc/rancher/k3s", DATA, "/usr/local/bin/k3s"];
  for (const name of [...files, "/usr/local/bin/k3s-uninstall.sh"]) await machine.disk.remove(name);
  machine.effects += 1;
  machine.ctx.changed();
}
