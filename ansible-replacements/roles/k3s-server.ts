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
  /** How k3s and its containers reach the internet. Default: directly, or by the proxy that an environment file on the host names. */
  proxy?: K3sProxy | undefined;
  /** Mirrors of image registries. Default: `registries.yaml` is left as it is. */
  registries?: K3sRegistries | undefined;
  /** Default: {@link K3S}. */
  release?: K3sRelease;
}

/** An HTTP proxy. One with a password is refused: the settings of a service are no place for it. */
export interface K3sProxy {
  http?: string | undefined;
  https?: string | undefined;
  /** Hosts, domains and CIDRs that are reached directly. k3s adds its own pods, services and domain; the node's address and loopback are added here. */
  no?: readonly string[] | undefined;
}

/** `registries.yaml` of k3s (docs.k3s.io/installation/private-registry), without credentials. */
export interface K3sRegistries {
  /** By registry, or `*` for all: the mirrors that are asked before it. */
  mirrors: Readonly<Record<string, { endpoints: readonly string[] }>>;
  /** By host of an endpoint: the authority that its certificate is checked with, as a path on the host. */
  authorities?: Readonly<Record<string, string>> | undefined;
}

/** Where k3s leaves the administrator's kubeconfig. */
export const KUBECONFIG_PATH = "/etc/rancher/k3s/k3s.yaml";
const BINARY = "/usr/local/bin/k3s";
const CONFIG_PATH = "/etc/rancher/k3s/config.yaml";
const REGISTRIES_PATH = "/etc/rancher/k3s/registries.yaml";
const UNIT_PATH = "/etc/systemd/system/k3s.service";
/** Environment files that get.k3s.io and packages write. Their settings, such as proxies, stay in force. */
const FOUND_ENVIRONMENT = ["/etc/default/k3s", "/etc/sysconfig/k3s", "/etc/systemd/system/k3s.service.env"];
const ENVIRONMENT_PATH = "/etc/rancher/k3s/homelab.env";
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
${[...FOUND_ENVIRONMENT, ENVIRONMENT_PATH].map((path) => `EnvironmentFile=-${path}`).join("\n")}
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

/** k3s's configuration file. A JSON string is also a YAML string, so values are quoted as JSON. */
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

/** An older k3s cannot read the data of a newer one, so a downgrade is refused while the newer one still runs. */
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

/** Keys of the configuration that this role writes. It would drop all others of a configuration that something else wrote. */
const OWN_KEYS = ["write-kubeconfig-mode", "node-ip", "tls-san", "disable", "default-local-storage-path"];

/**
 * A k3s that something else installed (get.k3s.io) keeps its data and its environment files. But this role replaces its unit and its
 * configuration. If the unit has arguments, or the configuration has keys that the role does not write, the operation names them and fails
 * before anything is changed.
 * Keys that the role writes take its values. It does not touch files in `config.yaml.d` and drop-ins of the unit: settings can go there.
 */
function nothingForeignLost(): Operation {
  const known = OWN_KEYS.join("|");
  return {
    name: "a k3s of another installer loses no settings",
    functions: {
      // Continued lines of ExecStart as one, without the program, its command and quotes.
      hl_k3s_arguments: String.raw`awk '/^ExecStart=/ { on = 1 } on { line = $0; more = sub(/\\$/, "", line); text = text " " line; if (!more) on = 0 } END { gsub(/[\047"]/, "", text); gsub(/[ \t]+/, " ", text); sub(/^ *ExecStart=[^ ]*/, "", text); sub(/^ *server( |$)/, "", text); gsub(/^ +| +$/, "", text); print text }' ${UNIT_PATH}`,
      hl_k3s_keys: `[ ! -r ${CONFIG_PATH} ] || awk -F: '/^[A-Za-z][A-Za-z0-9-]*[+]?:/ { key = $1; sub(/[+]$/, "", key); if (key !~ /^(${known})$/) print key }' ${CONFIG_PATH}`,
    },
    check: [
      // If the stamp exists, this role has started k3s before.
      `{ [ ! -e ${UNIT_PATH} ] || [ -e /var/lib/homelab/applied/k3s ] || { [ -z "$(hl_k3s_arguments)" ] && [ -z "$(hl_k3s_keys)" ]; }; }`,
    ],
    apply: [
      `hl_say "k3s was installed by something else, and this role would drop: $(hl_k3s_arguments) $(hl_k3s_keys | tr '\\n' ' ')(arguments of ${UNIT_PATH}, keys of ${CONFIG_PATH}); move them to a file in ${CONFIG_PATH}.d, then take them out there"`,
    ],
  };
}

/** A URL without credentials. */
function proxyUrl(name: string, text: string): string {
  if (!URL.canParse(text)) throw new HomelabError("E_ROLE_ARGS", `the proxy "${text}" of k3s is no URL`, { hint: "for example http://proxy.example.org:3128" });
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new HomelabError("E_ROLE_ARGS", `the ${name} proxy of k3s has a user or a password in its URL`, {
      hint: "use a proxy that knows its clients by address",
    });
  return text;
}

/** The variables reach containerd too, which k3s starts. */
function environmentFile(address: string, { http, https, no = [] }: K3sProxy): string {
  if (http === undefined && https === undefined)
    throw new HomelabError("E_ROLE_ARGS", "the proxy of k3s has neither http nor https", { hint: "give one of them, or leave proxy out" });
  const direct = [...new Set(["127.0.0.0/8", "localhost", address, ...no])];
  const bad = direct.find((entry) => !/^[A-Za-z0-9.:*/_-]+$/.test(entry));
  if (bad !== undefined) throw new HomelabError("E_ROLE_ARGS", `"${bad}" is no host, domain or CIDR`, { hint: "proxy.no is a list of them" });
  const lines = [
    ...(http === undefined ? [] : [`HTTP_PROXY=${proxyUrl("http", http)}`]),
    ...(https === undefined ? [] : [`HTTPS_PROXY=${proxyUrl("https", https)}`]),
    `NO_PROXY=${direct.join(",")}`,
  ];
  return `${lines.join("\n")}\n`;
}

function registriesFile({ mirrors, authorities = {} }: K3sRegistries): string {
  const endpoints = (list: readonly string[]): string => list.map((url) => `      - ${JSON.stringify(url)}\n`).join("");
  const mirror = ([name, { endpoints: list }]: [string, { endpoints: readonly string[] }]): string =>
    `  ${JSON.stringify(name)}:\n    endpoint:\n${endpoints(list)}`;
  const trust = ([host, path]: [string, string]): string => `  ${JSON.stringify(host)}:\n    tls:\n      ca_file: ${JSON.stringify(path)}\n`;
  const configs = Object.entries(authorities);
  return `mirrors:\n${Object.entries(mirrors).map(mirror).join("")}${configs.length === 0 ? "" : `configs:\n${configs.map(trust).join("")}`}`;
}

/** A host that is a cluster of one node: k3s at a pinned version, with its API ready. A new version is an upgrade in place. */
export function k3sServer(args: K3sServerArgs): Role {
  const unknown = args.disable?.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new HomelabError("E_ROLE_ARGS", `k3s has no part "${unknown}" to disable`, { hint: `it has ${PARTS.join(", ")}` });
  const release = args.release ?? K3S;
  const files = [
    { path: CONFIG_PATH, mode: "0600", content: configFile(args) },
    ...(args.proxy === undefined ? [] : [{ path: ENVIRONMENT_PATH, mode: "0600", content: environmentFile(args.address, args.proxy) }]),
    ...(args.registries === undefined ? [] : [{ path: REGISTRIES_PATH, mode: "0600", content: registriesFile(args.registries) }]),
    { path: UNIT_PATH, mode: "0644", content: UNIT },
  ];
  return {
    name: "k3s-server",
    operations: [
      noDowngrade(release),
      nothingForeignLost(),
      ...(args.localStoragePath === undefined ? [] : [directory(args.localStoragePath, { mode: "0755" })]),
      directory("/etc/rancher/k3s", { mode: "0755" }),
      download({ url: k3sUrl(release.version), sha256: release.sha256, path: BINARY, mode: "0755" }),
      ...(args.proxy === undefined ? [absent(ENVIRONMENT_PATH)] : []),
      ...files.map(file),
      service({ name: "k3s", startedWith: [release.sha256, ...files.map(({ content }) => content)], writtenTo: files.map(({ path }) => path) }),
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
