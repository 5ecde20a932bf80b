/**
 * Debian hosts on which kubeadm can make a cluster. They have the real kubeadm, kubectl, etcd, kube-apiserver and kube-controller-manager
 * as programs, since images and packages cannot be downloaded, and a stand-in for the kubelet that runs them by kubeadm's own manifests.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { linkOf, type RealHost } from "./real-hosts";
import type { PartName } from "./real-parts";

export const KUBEADM_PARTS = ["ip", "debian-root", "etcd", "kube-apiserver", "kube-controller-manager", "kubeadm", "kubectl"] as const satisfies PartName[];

/** kubeadm's checks that fail on all these hosts: cgroup controllers that only the machine has, and the missing registry. */
const UNAVOIDABLE = "SystemVerification,ImagePull";

const PRINT_LIMIT_MS = 120_000;

/** The unit of the package `kubelet`. */
const UNIT = `[Unit]
Description=kubelet: The Kubernetes Node Agent
[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=1
[Install]
WantedBy=multi-user.target
`;

/**
 * A wrapper that comes before the real kubeadm on the roles' PATH. It records each call, the configuration, which exists only during the
 * call, its mode, the result of kubeadm's own check of it, all processes, and the output.
 */
const WITNESS = `#!/bin/sh
umask 077
seen=/root/kubeadm
mkdir -p $seen
printf '%s\\n' "$*" >>$seen/calls
config= previous=
for word in "$@"; do
  [ "$previous" != --config ] || config=$word
  previous=$word
done
if [ -n "$config" ]; then
  ps axww -o args >>$seen/processes
  cp "$config" "$seen/configuration"
  stat -c '%a %U' "$config" "\${config%/*}" >$seen/modes
  /usr/bin/kubeadm config validate --config "$config" >$seen/validation 2>&1 || { cat $seen/validation; exit 1; }
fi
[ "$2" = phase ] || case $1 in init | join) set -- "$@" --ignore-preflight-errors=${UNAVOIDABLE} ;; esac
/usr/bin/kubeadm "$@" >$seen/printed 2>&1
code=$?
cat $seen/printed
cat $seen/printed >>$seen/log
exit $code
`;

/** Installs the programs on a host. The roles configure them. */
export async function bringPrograms(host: RealHost, pathOf: (name: PartName) => string): Promise<void> {
  for (const name of ["etcd", "kube-apiserver", "kube-controller-manager", "kubeadm", "kubectl"] as const) {
    fs.copyFileSync(pathOf(name), path.join(host.root, "usr/bin", name));
    fs.chmodSync(path.join(host.root, "usr/bin", name), 0o755);
  }
  const write = (file: string, text: string, mode: number) => {
    fs.writeFileSync(path.join(host.root, file), text, { mode });
    fs.chmodSync(path.join(host.root, file), mode);
  };
  write("usr/bin/kubelet", fs.readFileSync(path.join(__dirname, "real-kubelet.py"), "utf8"), 0o755);
  write("usr/local/sbin/kubeadm", WITNESS, 0o755);
  write("etc/systemd/system/kubelet.service", UNIT, 0o644);
  const { exitCode, stderr } = await host.run("sudo -n sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward && systemctl daemon-reload'");
  if (exitCode !== 0) throw new Error(stderr);
}

type Note = "calls" | "processes" | "configuration" | "modes" | "validation" | "printed" | "log";

/** What the wrapper of a host recorded. */
export function seen(host: RealHost, what: Note): string {
  return fs.readFileSync(path.join(host.root, "root/kubeadm", what), "utf8");
}

/** Waits until the running call of kubeadm has printed a text. */
export async function untilPrinted(host: RealHost, text: string): Promise<void> {
  const deadline = Date.now() + PRINT_LIMIT_MS;
  while (!seen(host, "printed").includes(text)) {
    if (Date.now() > deadline) throw new Error(`kubeadm on ${host.name} has not printed "${text}"`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A link between two hosts, which ends with them. Without it, hosts cannot reach each other. */
export function connectHosts(hosts: readonly [RealHost, RealHost]): { addresses: [string, string]; network: string } {
  // The last index is not used by a host.
  const { gateway, address } = linkOf(7);
  const addresses: [string, string] = [gateway, address];
  const names = hosts.map((_host, index) => `hl${process.pid}l${index}`) as [string, string];
  execFileSync("ip", ["link", "add", names[0], "type", "veth", "peer", "name", names[1]]);
  for (const [index, { initPid }] of hosts.entries()) {
    execFileSync("ip", ["link", "set", names[index] ?? "", "netns", String(initPid), "name", "lan"]);
    const within = (...args: string[]) => execFileSync("nsenter", ["--net", "--target", String(initPid), "ip", ...args]);
    within("address", "add", `${addresses[index]}/30`, "dev", "lan");
    within("link", "set", "lan", "up");
  }
  return { addresses, network: `${gateway.replace(/\d+$/, (last) => String(Number(last) - 1))}/30` };
}
