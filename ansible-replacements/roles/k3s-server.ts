import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import { command, waitUntil } from "../operations/commands";
import { download } from "../operations/downloads";
import { absent, directory, file } from "../operations/files";
import { service, unitStopped } from "../operations/services";
import { K3S, type K3sRelease } from "../pins";
import type { Operation, Role } from "../role";

export interface K3sServerArgs {
  /** Address of the node, under which the API is reached; no interface name is guessed. */
  address: string;
  /** Further names and addresses under which the API is reached, such as a load balancer's. Default none. */
  alternativeNames?: readonly string[];
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
const CONFIG_PATH = "/etc/rancher/k3s/config.yaml";
const UNIT_PATH = "/etc/systemd/system/k3s.service";
/** The API answers within this many seconds of a start, or the role fails. */
const READY_SECONDS = 240;
const PARTS = ["coredns", "local-storage", "metrics-server", "runtimes", "servicelb", "traefik"];

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
    `tls-san:\n${[args.address, ...(args.alternativeNames ?? [])].map((name) => `  - ${JSON.stringify(name)}`).join("\n")}`,
  ];
  if (args.disable !== undefined && args.disable.length > 0) lines.push(`disable:\n${args.disable.map((part) => `  - ${JSON.stringify(part)}`).join("\n")}`);
  if (args.localStoragePath !== undefined) lines.push(`default-local-storage-path: ${JSON.stringify(args.localStoragePath)}`);
  return `${lines.join("\n")}\n`;
}

/** k3s's data is not read by an older version: such a step back is refused while the newer one still runs. */
function noDowngrade({ version, sha256 }: K3sRelease): Operation {
  const pin = quote(version);
  return {
    name: "k3s is not newer than the pin",
    functions: { hl_k3s_version: `${BINARY} --version | awk '$1 == "k3s" { print $3; exit }'` },
    check: [
      `{ [ ! -x ${BINARY} ] || hl_sha256 ${BINARY} ${sha256} 2>/dev/null || [ "$(printf '%s\\n' "$(hl_k3s_version)" ${pin} | sort -V | tail -n 1)" = ${pin} ]; }`,
    ],
    apply: [`hl_say "k3s $(hl_k3s_version) is installed, and its data cannot be used by "${pin}"; restore a backup on a new host to go back"`],
  };
}

/** A host that is a cluster of one node: k3s at a pinned version, with its API ready. A new version is an upgrade in place. */
export function k3sServer(args: K3sServerArgs): Role {
  const unknown = args.disable?.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new HomelabError("E_ROLE_ARGS", `k3s has no part "${unknown}" to disable`, { hint: `it has ${PARTS.join(", ")}` });
  const release = args.release ?? K3S;
  const config = configFile(args);
  return {
    name: "k3s-server",
    operations: [
      noDowngrade(release),
      ...(args.localStoragePath === undefined ? [] : [directory(args.localStoragePath, { mode: "0755" })]),
      directory("/etc/rancher/k3s", { mode: "0755" }),
      download({ url: k3sUrl(release.version), sha256: release.sha256, path: BINARY, mode: "0755" }),
      file({ path: CONFIG_PATH, mode: "0600", content: config }),
      file({ path: UNIT_PATH, mode: "0644", content: UNIT }),
      service({ name: "k3s", startedWith: [release.sha256, config, UNIT], writtenTo: [CONFIG_PATH, UNIT_PATH] }),
      waitUntil("kubernetes API ready", `[ -s ${KUBECONFIG_PATH} ] && ${BINARY} kubectl get --raw /readyz >/dev/null`, READY_SECONDS),
    ],
  };
}

/** A host without k3s and without its cluster's data. Volumes outside k3s's own folders stay. */
export function k3sUninstalled(): Role {
  const folders = ["/etc/rancher/k3s", "/var/lib/rancher/k3s", "/var/lib/kubelet"];
  const mounts = `awk '$2 ~ "^/(run/k3s|var/lib/kubelet|var/lib/rancher/k3s)(/|$)" { print $2 }' /proc/self/mounts`;
  return {
    name: "k3s-uninstalled",
    operations: [
      unitStopped("k3s.service"),
      command(
        "k3s has no mounts and processes",
        `[ ! -d /var/lib/rancher/k3s ] || [ -e /var/lib/rancher/k3s/.homelab-stopped ]`,
        // Pods outlive the service (KillMode=process). A mount below another one goes first.
        `{ systemctl stop kubepods.slice 2>/dev/null || :; } && { pkill -KILL -f '^/var/lib/rancher/k3s/data/.*/containerd-shim' || [ $? -eq 1 ]; } && { [ ! -r /proc/self/mounts ] || { ${mounts} | sort -r | while IFS= read -r hl_mount; do umount "$hl_mount" || exit 1; done; }; } && : > /var/lib/rancher/k3s/.homelab-stopped`,
      ),
      ...folders.map((path) => command(`no folder ${path}`, `[ ! -e ${path} ]`, `rm -rf --one-file-system ${path}`)),
      absent(UNIT_PATH),
      absent(BINARY),
      absent("/var/lib/homelab/applied/k3s"),
    ],
  };
}
