import { waitUntil } from "../operations/commands";
import { download } from "../operations/downloads";
import { directory, file } from "../operations/files";
import { service } from "../operations/services";
import { K3S, type K3sRelease } from "../pins";
import type { Role } from "../role";

export interface K3sServerArgs {
  /** Address of the node, under which the API is reached; no interface name is guessed. */
  address: string;
  /** Parts that k3s brings and this cluster does not want: `traefik`, `servicelb`. Default none. */
  disable?: readonly string[];
  /** Where volumes of the storage class local-path lie. Default: k3s's own folder. */
  localStoragePath?: string | undefined;
  /** Default: {@link K3S}. */
  release?: K3sRelease;
}

/** Where k3s leaves the administrator's kubeconfig. */
export const KUBECONFIG_PATH = "/etc/rancher/k3s/k3s.yaml";
const BINARY = "/usr/local/bin/k3s";
/** The API answers within this many seconds of a start, or the role fails. */
const READY_SECONDS = 240;

const k3sUrl = (version: string): string => `https://github.com/k3s-io/k3s/releases/download/${encodeURIComponent(version)}/k3s`;

const UNIT = `[Unit]
Description=Lightweight Kubernetes, server
Documentation=https://docs.k3s.io
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=${BINARY} server
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s

[Install]
WantedBy=multi-user.target
`;

/** k3s's configuration file. JSON strings are YAML strings, so nothing needs another quoting. */
function configFile(args: K3sServerArgs): string {
  const lines = [
    // Root only: everybody else takes the kubeconfig from Vault.
    'write-kubeconfig-mode: "0600"',
    `node-ip: ${JSON.stringify(args.address)}`,
    `tls-san:\n  - ${JSON.stringify(args.address)}`,
  ];
  if (args.disable !== undefined && args.disable.length > 0) lines.push(`disable:\n${args.disable.map((part) => `  - ${JSON.stringify(part)}`).join("\n")}`);
  if (args.localStoragePath !== undefined) lines.push(`default-local-storage-path: ${JSON.stringify(args.localStoragePath)}`);
  return `${lines.join("\n")}\n`;
}

/** A host that is a cluster of one node: k3s at a pinned version, with its API ready. A new version is an upgrade in place. */
export function k3sServer(args: K3sServerArgs): Role {
  const release = args.release ?? K3S;
  const config = configFile(args);
  return {
    name: "k3s-server",
    operations: [
      ...(args.localStoragePath === undefined ? [] : [directory(args.localStoragePath, { mode: "0755" })]),
      directory("/etc/rancher/k3s", { mode: "0755" }),
      download({ url: k3sUrl(release.version), sha256: release.sha256, path: BINARY, mode: "0755" }),
      file({ path: "/etc/rancher/k3s/config.yaml", mode: "0600", content: config }),
      file({ path: "/etc/systemd/system/k3s.service", mode: "0644", content: UNIT }),
      service({ name: "k3s", startedWith: [release.sha256, config, UNIT] }),
      waitUntil("kubernetes API ready", `[ -s ${KUBECONFIG_PATH} ] && ${BINARY} kubectl get --raw /readyz >/dev/null`, READY_SECONDS),
    ],
  };
}
