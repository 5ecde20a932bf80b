import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import { assertDisjoint } from "../cidr";
import { command, waitUntil } from "../operations/commands";
import { archivedBinary } from "../operations/downloads";
import { directory } from "../operations/files";
import { CILIUM_VERSION, KUBERNETES, type PinnedRelease } from "../pins";
import { type Operation, type Role, secretVariable } from "../role";

/** Where kubeadm leaves the administrator's kubeconfig; it stays there, for root alone. */
export const ADMIN_KUBECONFIG = "/etc/kubernetes/admin.conf";

/** A bootstrap token, `[a-z0-9]{6}.[a-z0-9]{16}`, made anew by the program for each run that adds nodes. */
const TOKEN = "KUBEADM_TOKEN";
/** 32 bytes in hexadecimal: the control planes' certificates are uploaded under it for two hours. */
const CERTIFICATE_KEY = "KUBEADM_CERTIFICATE_KEY";
/** `sha256:…` of the authority's public key. No secret, but known only once the first node is there. */
const CA_HASH = "KUBEADM_CA_HASH";
/** Life of a join token. */
const TOKEN_TTL = "30m0s";
/** In memory: gone with a restart. Holds configuration with a token for the time of one command. */
const RUN = "/run/homelab";
const STARTED = "/var/lib/homelab/kubeadm.started";
const READY_SECONDS = 300;
const KUBECTL = `kubectl --kubeconfig ${ADMIN_KUBECONFIG}`;

interface NodeArgs {
  /** Name of the node. */
  name: string;
  /** Address of the node. */
  address: string;
  /** `<address or name>:6443` under which all reach the API. */
  endpoint: string;
}

export interface KubeadmClusterArgs extends NodeArgs {
  clusterName: string;
  /** Range of the pods' addresses. */
  podCidr: string;
  /** Range of the services' addresses. Default 10.96.0.0/12. */
  serviceCidr?: string;
  /** The network that the hosts are in: the pods' and services' ranges must lie outside it. */
  lan: string;
  /** Further names and addresses under which the API is asked, for its certificate. Default none. */
  alternativeNames?: readonly string[];
  /** Kubernetes, without `v`. Default: {@link KUBERNETES}. */
  version?: string;
  /** Nodes that join: while one of them is missing, a run leaves a token that lives 30 minutes. Default none. */
  joining?: readonly string[];
  cilium: {
    /** Default: {@link CILIUM_VERSION}. */
    version?: string;
    /** The tool that installs it, `cilium-linux-amd64.tar.gz`. */
    cli: PinnedRelease;
  };
}

export interface KubeadmJoinArgs extends NodeArgs {
  kind: "control-plane" | "worker";
}

const json = (text: string): string => JSON.stringify(text);
/** A secret inside the double quotes of YAML, as a part of a shell word. */
const secretInYaml = (name: string): string => `"$(hl_json "$${secretVariable(name)}")"`;

/** Runs a command with a configuration file that only root reads and that is gone afterwards, whatever happens. */
function withConfig(printConfig: string, run: (path: string) => string): string {
  const path = `${RUN}/kubeadm.yaml`;
  return `{ mkdir -p ${RUN} && chmod 0700 ${RUN} && rm -f ${path} && : > ${path} && chmod 0600 ${path} && ${printConfig} > ${path} && { ${run(path)}; hl_code=$?; rm -f ${path}; (exit "$hl_code"); }; }`;
}

/** Without taints: the homelab has few nodes, so control planes run workloads too, as k3s's do. */
const registration = ({ name, address }: NodeArgs): string =>
  `nodeRegistration:\n  name: ${json(name)}\n  criSocket: unix:///run/containerd/containerd.sock\n  taints: []\n  kubeletExtraArgs:\n    - name: node-ip\n      value: ${json(address)}\n`;

/**
 * kubeadm refuses a host on which an earlier try left something. A try of ours that was cut is known by its mark, and only then
 * is the host reset; a cluster that somebody else made is never touched.
 */
const attempt = (run: string): string =>
  `{ [ ! -e ${STARTED} ] || kubeadm reset -f; } && mkdir -p /var/lib/homelab && : > ${STARTED} && ${run} && rm -f ${STARTED}`;

function initConfig(args: KubeadmClusterArgs, version: string, serviceCidr: string): string {
  const head = `apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nbootstrapTokens:\n  - token: "`;
  const ttl = `"\n    ttl: ${TOKEN_TTL}\ncertificateKey: "`;
  const names = args.alternativeNames ?? [];
  const apiServer = names.length === 0 ? "" : `apiServer:\n  certSANs:\n${names.map((name) => `    - ${json(name)}\n`).join("")}`;
  const rest = `"\nlocalAPIEndpoint:\n  advertiseAddress: ${json(args.address)}\n  bindPort: 6443\n${registration(args)}---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclusterName: ${json(args.clusterName)}\nkubernetesVersion: ${json(`v${version}`)}\ncontrolPlaneEndpoint: ${json(args.endpoint)}\n${apiServer}networking:\n  podSubnet: ${json(args.podCidr)}\n  serviceSubnet: ${json(serviceCidr)}\n---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\n`;
  return `printf '%s' ${quote(head)} ${secretInYaml(TOKEN)} ${quote(ttl)} ${secretInYaml(CERTIFICATE_KEY)} ${quote(rest)}`;
}

function cilium({ cilium: { version = CILIUM_VERSION, cli }, podCidr }: KubeadmClusterArgs): Operation[] {
  const url = `https://github.com/cilium/cilium-cli/releases/download/${encodeURIComponent(cli.version)}/cilium-linux-amd64.tar.gz`;
  const image = `${KUBECTL} -n kube-system get daemonset cilium -o 'jsonpath={.spec.template.spec.containers[0].image}'`;
  const tool = `env KUBECONFIG=${ADMIN_KUBECONFIG} /usr/local/bin/cilium`;
  const settings = `--version ${quote(version)} --set ${quote(`ipam.operator.clusterPoolIPv4PodCIDRList={${podCidr}}`)}`;
  return [
    archivedBinary({ url, sha256: cli.sha256, member: "cilium", path: "/usr/local/bin/cilium" }),
    command(
      `Cilium ${version}`,
      `hl_image=$(${image} 2>/dev/null) && case $hl_image in */cilium/cilium:v${version} | */cilium/cilium:v${version}@*) : ;; *) hl_say "Cilium runs from $hl_image" ;; esac`,
      `{ if ${image} >/dev/null 2>&1; then ${tool} upgrade ${settings}; else ${tool} install ${settings}; fi; }`,
    ),
    command("Cilium is ready", `${tool} status >/dev/null 2>&1`, `${tool} status --wait --wait-duration 10m`),
  ];
}

/**
 * While a node that is to join is missing, a token and the uploaded certificates are there for it, and no longer: the next run
 * after the nodes joined asks for nothing.
 */
function joinCredentials(joining: readonly string[]): Operation[] {
  if (joining.length === 0) return [];
  const missing = joining.map((name) => `case $hl_nodes in *" node/${name} "*) : ;; *) false ;; esac`).join(" && ");
  const token = `"$${secretVariable(TOKEN)}"`;
  const config = `printf '%s' ${quote('apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nbootstrapTokens:\n  - token: "')} ${secretInYaml(TOKEN)} ${quote(`"\n    ttl: ${TOKEN_TTL}\ncertificateKey: "`)} ${secretInYaml(CERTIFICATE_KEY)} ${quote('"\n')}`;
  return [
    command(
      "nodes can join",
      `{ hl_nodes=" $(${KUBECTL} get nodes -o name | tr '\\n' ' ')" && { { ${missing}; } || ${KUBECTL} -n kube-system get secret "bootstrap-token-$(printf '%s' ${token} | cut -d . -f 1)" -o name >/dev/null 2>&1; }; }`,
      withConfig(
        config,
        (path) =>
          `kubeadm init phase bootstrap-token --kubeconfig ${ADMIN_KUBECONFIG} --config ${path} --skip-token-print && kubeadm init phase upload-certs --kubeconfig ${ADMIN_KUBECONFIG} --upload-certs --config ${path} --skip-certificate-key-print`,
      ),
    ),
  ];
}

/** The first control plane of a kubeadm cluster, with Cilium. The host has the role `kubeadm-node`. */
export function kubeadmCluster(args: KubeadmClusterArgs): Role {
  const version = args.version ?? KUBERNETES.version;
  const serviceCidr = args.serviceCidr ?? "10.96.0.0/12";
  assertDisjoint({ "the network of the hosts": args.lan, "the range of the pods": args.podCidr, "the range of the services": serviceCidr });
  return {
    name: "kubeadm-cluster",
    secrets: [TOKEN, CERTIFICATE_KEY],
    operations: [
      directory("/var/lib/homelab", { mode: "0755" }),
      command(
        "cluster initialised",
        `[ -f ${ADMIN_KUBECONFIG} ] && [ ! -e ${STARTED} ]`,
        attempt(
          withConfig(
            initConfig(args, version, serviceCidr),
            (path) => `kubeadm init --config ${path} --upload-certs --skip-token-print --skip-certificate-key-print`,
          ),
        ),
      ),
      waitUntil("kubernetes API ready", `${KUBECTL} get --raw /readyz >/dev/null`, READY_SECONDS),
      ...cilium(args),
      ...joinCredentials(args.joining ?? []),
    ],
  };
}

/** A further node of a kubeadm cluster. The host has the role `kubeadm-node`. */
export function kubeadmJoin(args: KubeadmJoinArgs): Role {
  if (!/^[^\s:]+:\d+$/.test(args.endpoint))
    throw new HomelabError("E_ROLE_ARGS", `node ${args.name}: "${args.endpoint}" is no endpoint`, { hint: "write it as 192.168.1.21:6443" });
  const isControlPlane = args.kind === "control-plane";
  const head = `apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n${registration(args)}discovery:\n  bootstrapToken:\n    apiServerEndpoint: ${json(args.endpoint)}\n    token: "`;
  const hash = `"\n    caCertHashes:\n      - "`;
  const plane = `"\ncontrolPlane:\n  localAPIEndpoint:\n    advertiseAddress: ${json(args.address)}\n    bindPort: 6443\n  certificateKey: "`;
  const config = `printf '%s' ${quote(head)} ${secretInYaml(TOKEN)} ${quote(hash)} ${secretInYaml(CA_HASH)} ${isControlPlane ? `${quote(plane)} ${secretInYaml(CERTIFICATE_KEY)} ` : ""}${quote('"\n')}`;
  const done = isControlPlane ? ` && [ -f ${ADMIN_KUBECONFIG} ]` : "";
  return {
    name: "kubeadm-join",
    secrets: [TOKEN, CA_HASH, ...(isControlPlane ? [CERTIFICATE_KEY] : [])],
    operations: [
      directory("/var/lib/homelab", { mode: "0755" }),
      command(
        `joined as ${args.kind}`,
        `[ -f /etc/kubernetes/kubelet.conf ] && [ ! -e ${STARTED} ]${done}`,
        attempt(withConfig(config, (path) => `kubeadm join --config ${path}`)),
      ),
      waitUntil("kubelet runs", "systemctl is-active --quiet kubelet.service", READY_SECONDS),
    ],
  };
}
