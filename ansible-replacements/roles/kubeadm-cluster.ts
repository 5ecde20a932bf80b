import { quote } from "../../common/quote";
import { assertDisjoint } from "../cidr";
import { command } from "../operations/commands";
import { archivedBinary } from "../operations/downloads";
import { directory } from "../operations/files";
import { CILIUM_VERSION, KUBERNETES, type PinnedRelease } from "../pins";
import type { Operation, Role } from "../role";
import {
  ADMIN_KUBECONFIG,
  apiReady,
  attempt,
  CERTIFICATE_KEY,
  json,
  KUBECTL,
  type NodeArgs,
  printInitConfig,
  registration,
  STARTED,
  TOKEN,
  withConfig,
} from "./kubeadm-shared";

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
  cilium: {
    /** Default: {@link CILIUM_VERSION}. */
    version?: string;
    /** The tool that installs it, `cilium-linux-amd64.tar.gz`. */
    cli: PinnedRelease;
  };
}

function initConfig(args: KubeadmClusterArgs, version: string, serviceCidr: string): string {
  const names = args.alternativeNames ?? [];
  const apiServer = names.length === 0 ? "" : `apiServer:\n  certSANs:\n${names.map((name) => `    - ${json(name)}\n`).join("")}`;
  const rest = `"\nlocalAPIEndpoint:\n  advertiseAddress: ${json(args.address)}\n  bindPort: 6443\n${registration(args)}---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclusterName: ${json(args.clusterName)}\nkubernetesVersion: ${json(`v${version}`)}\ncontrolPlaneEndpoint: ${json(args.endpoint)}\n${apiServer}networking:\n  podSubnet: ${json(args.podCidr)}\n  serviceSubnet: ${json(serviceCidr)}\n---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\n`;
  return printInitConfig(quote(rest));
}

/**
 * Values of Cilium's chart, by path.
 * Network policies name nodes by their addresses: without `policyCIDRMatchMode` such a rule matches no node, and pods do not reach the API.
 * A CronJob makes and renews Hubble's certificates: by default each run of the chart makes new ones, and nothing renews them.
 */
export const ciliumValues = (podCidr: string) =>
  ({
    "ipam.operator.clusterPoolIPv4PodCIDRList": [podCidr],
    policyCIDRMatchMode: ["nodes"],
    "hubble.tls.auto.method": "cronJob",
  }) as const;

/** As Helm's `--set` takes it. */
const setFlag = ([path, value]: readonly [string, string | readonly string[]]): string[] => [
  "--set",
  `${path}=${typeof value === "string" ? value : `{${value.join(",")}}`}`,
];

function cilium({ cilium: { version = CILIUM_VERSION, cli }, podCidr }: KubeadmClusterArgs): Operation[] {
  const url = `https://github.com/cilium/cilium-cli/releases/download/${encodeURIComponent(cli.version)}/cilium-linux-amd64.tar.gz`;
  const image = `${KUBECTL} -n kube-system get daemonset cilium -o 'jsonpath={.spec.template.spec.containers[0].image}'`;
  const tool = `env KUBECONFIG=${ADMIN_KUBECONFIG} /usr/local/bin/cilium`;
  const settings = ["--version", version, ...Object.entries(ciliumValues(podCidr)).flatMap(setFlag)].map(quote).join(" ");
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
      apiReady(),
      ...cilium(args),
    ],
  };
}
