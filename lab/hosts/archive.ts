import type { Machine } from "./machine";
import { withSuffix } from "./units";

/** What the distribution's archive has, as far as the lab knows it: versions of Ubuntu 24.04, units that a package brings, and the daemon's path. */
export interface ArchivePackage {
  version: string;
  /** Other versions that the archive still has. */
  older?: readonly string[];
  /** Unit that it brings; without a suffix a service. */
  unit?: string;
  /** The package neither enables nor starts the unit. */
  keepsStill?: boolean;
  /** The daemon's path. */
  binary?: string;
  /** Further programs that it puts on the disk. */
  programs?: readonly string[];
  /** Other files: path to text. */
  files?: Readonly<Record<string, string>>;
  /** Only from this package source: a part of its address. */
  source?: string;
}

const KUBERNETES = { version: "1.36.2-1.1", older: ["1.36.1-1.1", "1.35.4-1.1"], source: "pkgs.k8s.io/core:/stable:/v1.36/" };

export const ARCHIVE: Readonly<Record<string, ArchivePackage>> = {
  "apt-transport-https": { version: "2.8.3" },
  "bash-completion": { version: "1:2.11-8" },
  "ca-certificates": { version: "20240203" },
  conntrack: { version: "1:1.4.8-1ubuntu1" },
  curl: { version: "8.5.0-2ubuntu10.6" },
  dnsmasq: {
    version: "2.90-2ubuntu0.1",
    unit: "dnsmasq",
    binary: "/usr/sbin/dnsmasq",
    files: { "/etc/dnsmasq.d/README": "# All files in this directory will be read by dnsmasq\n" },
  },
  e2fsprogs: { version: "1.47.0-2.4~exp1ubuntu4.1" },
  gnupg: { version: "2.4.4-2ubuntu17.2" },
  haproxy: { version: "2.8.5-1ubuntu3.3", unit: "haproxy", binary: "/usr/sbin/haproxy", files: { "/etc/haproxy/haproxy.cfg": "global\n" } },
  htop: { version: "3.3.0-4build1" },
  jq: { version: "1.7.1-3build1" },
  "nfs-common": { version: "1:2.6.4-3ubuntu5.1", programs: ["/usr/sbin/mount.nfs"] },
  "open-iscsi": { version: "2.1.9-3ubuntu5.2", unit: "iscsid", binary: "/usr/sbin/iscsid", programs: ["/usr/sbin/iscsiadm"] },
  python3: { version: "3.12.3-0ubuntu2" },
  "python3-venv": { version: "3.12.3-0ubuntu2" },
  "qemu-guest-agent": { version: "1:8.2.2+ds-0ubuntu1.7", unit: "qemu-guest-agent", binary: "/usr/sbin/qemu-ga" },
  socat: { version: "1.8.0.0-4build3" },
  ufw: { version: "0.36.2-6", unit: "ufw", binary: "/usr/lib/ufw/ufw-init" },
  "unattended-upgrades": { version: "2.9.1+nmu4ubuntu1", unit: "unattended-upgrades", binary: "/usr/share/unattended-upgrades/unattended-upgrade-shutdown" },
  "util-linux": { version: "2.39.3-9ubuntu6.3" },
  vim: { version: "2:9.1.0016-1ubuntu7.8" },
  certbot: { version: "2.9.0-1", unit: "certbot.timer", programs: ["/usr/bin/certbot"], files: { "/etc/letsencrypt/cli.ini": "max-log-backups = 0\n" } },
  containerd: { version: "1.7.27-0ubuntu1", unit: "containerd", binary: "/usr/bin/containerd" },
  cpio: { version: "2.15+dfsg-1ubuntu2", programs: ["/usr/bin/cpio"] },
  kubeadm: { ...KUBERNETES, programs: ["/usr/bin/kubeadm"] },
  kubectl: { ...KUBERNETES, programs: ["/usr/bin/kubectl"] },
  kubelet: { ...KUBERNETES, unit: "kubelet", keepsStill: true, binary: "/usr/bin/kubelet" },
  "nginx-light": {
    version: "1.24.0-2ubuntu7.4",
    unit: "nginx",
    binary: "/usr/sbin/nginx",
    files: { "/etc/nginx/sites-available/default": "# the package's\n" },
  },
  openssl: { version: "3.0.13-0ubuntu3.5" },
  podman: { version: "4.9.3+ds1-1ubuntu0.2", programs: ["/usr/bin/podman"] },
  "proxmox-auto-install-assistant": { version: "8.4.6", source: "download.proxmox.com/debian/pve", programs: ["/usr/bin/proxmox-auto-install-assistant"] },
  pxelinux: { version: "3:6.04~git20190206.bf6db5b4+dfsg1-3ubuntu3", files: { "/usr/lib/PXELINUX/lpxelinux.0": "lab stand-in: lpxelinux\n" } },
  "python3-certbot-dns-cloudflare": { version: "2.0.0-1" },
  "syslinux-common": {
    version: "3:6.04~git20190206.bf6db5b4+dfsg1-3ubuntu3",
    files: { "/usr/lib/syslinux/modules/bios/ldlinux.c32": "lab stand-in: ldlinux\n" },
  },
  "systemd-resolved": { version: "255.4-1ubuntu8.8", unit: "systemd-resolved", binary: "/usr/lib/systemd/systemd-resolved" },
  teleport: {
    version: "17.7.1",
    older: ["17.7.0"],
    unit: "teleport",
    keepsStill: true,
    binary: "/usr/local/bin/teleport",
    programs: ["/usr/local/bin/tctl"],
    source: "apt.releases.teleport.dev",
  },
  xorriso: { version: "1:1.5.6-1.1ubuntu3", programs: ["/usr/bin/xorriso"] },
};

/** Installed in the image. */
const IMAGE_PACKAGES = ["ca-certificates", "curl", "e2fsprogs", "gnupg", "openssl", "python3", "qemu-guest-agent", "systemd-resolved", "util-linux"] as const;

export const imagePackages = (): Map<string, string> => new Map(IMAGE_PACKAGES.map((name) => [name, ARCHIVE[name]?.version ?? "1"]));

/** The package sources of /etc/apt/sources.list.d: address and key. */
async function sources(machine: Machine): Promise<{ uri: string; key: string | undefined }[]> {
  const { inner } = machine.disk;
  const folder = "/etc/apt/sources.list.d";
  if (!(await inner.exists(folder))) return [];
  const texts = await Promise.all((await inner.readdir(folder)).filter((name) => name.endsWith(".sources")).map((name) => inner.readFile(`${folder}/${name}`)));
  return texts.map((text) => ({ uri: /^URIs: (.*)$/m.exec(text)?.[1] ?? "", key: /^Signed-By: (.*)$/m.exec(text)?.[1] }));
}

/** Is this package in a source that the host has? */
export async function isOffered(machine: Machine, name: string): Promise<boolean> {
  const source = ARCHIVE[name]?.source;
  return source === undefined || (await sources(machine)).some(({ uri }) => uri.includes(source));
}

/** The address of a source whose key is not on the host. */
export async function unsignedSource(machine: Machine): Promise<string | undefined> {
  for (const { uri, key } of await sources(machine)) if (key === undefined || !(await machine.disk.inner.exists(key))) return uri;
  return undefined;
}

/** Programs, unit file and other files that a package puts on the disk. */
export async function unpack(machine: Machine, name: string): Promise<void> {
  const known = ARCHIVE[name];
  if (known === undefined) return;
  const version = machine.packages.get(name) ?? known.version;
  for (const program of [...(known.binary === undefined ? [] : [known.binary]), ...(known.programs ?? [])])
    await machine.disk.install(program, `#!/bin/sh\nlab-binary ${program.split("/").at(-1)} ${version} "$@"\n`, 0o755);
  for (const [file, text] of Object.entries(known.files ?? {})) if (!(await machine.disk.inner.exists(file))) await machine.disk.install(file, text);
  if (known.unit === undefined) return;
  const start = known.binary === undefined ? "" : `\n[Service]\nExecStart=${known.binary}\n`;
  await machine.disk.install(
    `/usr/lib/systemd/system/${withSuffix(known.unit)}`,
    `[Unit]\nDescription=${name}\n${start}\n[Install]\nWantedBy=multi-user.target\n`,
  );
}
