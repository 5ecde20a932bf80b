/** What the roles of kubeadm's nodes share. */
import { quote } from "../../common/quote";
import { waitUntil } from "../operations/commands";
import { type Operation, secretVariable } from "../role";

/** Where kubeadm leaves the administrator's kubeconfig; it stays there, for root alone. */
export const ADMIN_KUBECONFIG = "/etc/kubernetes/admin.conf";

/** A bootstrap token, `[a-z0-9]{6}.[a-z0-9]{16}`, in force for half an hour after the cluster was made and whenever a node joins. */
export const TOKEN = "KUBEADM_TOKEN";
/** 32 bytes in hexadecimal. It encrypts the control planes' certificates, which kubeadm stores in the cluster for two hours. */
export const CERTIFICATE_KEY = "KUBEADM_CERTIFICATE_KEY";
/** `sha256:…` of the authority's public key. No secret, but known only once the first node is there. */
export const CA_HASH = "KUBEADM_CA_HASH";
/** Life of a join token. */
const TOKEN_TTL = "30m0s";
/** In memory: gone with a restart. Holds configuration with a token for the time of one command. */
export const RUN = "/run/homelab";
export const STARTED = "/var/lib/homelab/kubeadm.started";
export const READY_SECONDS = 300;
export const KUBECTL = `kubectl --kubeconfig ${ADMIN_KUBECONFIG}`;

/** The API server is a pod on its node, so it answers some time after the node has booted. */
export const apiReady = (): Operation => waitUntil("kubernetes API ready", `${KUBECTL} get --raw /readyz >/dev/null`, READY_SECONDS);

export interface NodeArgs {
  /** Name of the node. */
  name: string;
  /** Address of the node. */
  address: string;
  /** `<address or name>:6443` under which all reach the API. */
  endpoint: string;
}

export const json = (text: string): string => JSON.stringify(text);
/** A secret inside the double quotes of YAML, as a part of a shell word. */
export const secretInYaml = (name: string): string => `"$(hl_json "$${secretVariable(name)}")"`;

/** Runs a command with a configuration file that only root reads and that is gone afterwards, whatever happens. */
export function withConfig(printConfig: string, run: (path: string) => string): string {
  const path = `${RUN}/kubeadm.yaml`;
  return `{ mkdir -p ${RUN} && chmod 0700 ${RUN} && rm -f ${path} && : > ${path} && chmod 0600 ${path} && ${printConfig} > ${path} && { ${run(path)}; hl_code=$?; rm -f ${path}; (exit "$hl_code"); }; }`;
}

/**
 * Prints a configuration of kubeadm's with the bootstrap token and the certificates' key.
 * @param rest shell words that print what follows the key. The text begins inside the double quotes of the key
 */
export function printInitConfig(rest: string): string {
  const head = `apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nbootstrapTokens:\n  - token: "`;
  const ttl = `"\n    ttl: ${TOKEN_TTL}\ncertificateKey: "`;
  return `printf '%s' ${quote(head)} ${secretInYaml(TOKEN)} ${quote(ttl)} ${secretInYaml(CERTIFICATE_KEY)} ${rest}`;
}

/** Without taints: the homelab has few nodes, so control planes run workloads too, as k3s's do. */
export const registration = ({ name, address }: NodeArgs): string =>
  `nodeRegistration:\n  name: ${json(name)}\n  criSocket: unix:///run/containerd/containerd.sock\n  taints: []\n  kubeletExtraArgs:\n    - name: node-ip\n      value: ${json(address)}\n`;

/**
 * kubeadm refuses a host on which an earlier try left something. This role marks a host before it runs kubeadm and removes the mark after it.
 * The host is reset only if it has the mark, so a cluster that somebody else made is never touched.
 * @param mayReset fails, with the reason, where a reset would do harm
 */
export const attempt = (run: string, mayReset = ":"): string =>
  `{ [ ! -e ${STARTED} ] || { ${mayReset} && kubeadm reset -f; }; } && mkdir -p /var/lib/homelab && : > ${STARTED} && ${run} && rm -f ${STARTED}`;
