/**
 * The cloud-init documents for the first boot of a session's machines
 * (https://cloudinit.readthedocs.io/en/latest/reference/modules.html). Pure; loads no Pulumi SDK.
 *
 * The golden image has containerd, kubeadm, kubelet, kubectl and Helm, so nothing is installed here (golden-image.ts
 * makes it).
 */
import { CILIUM_VERSION } from "../../../ansible-replacements";
import { quote } from "../../../common/quote";
import { portableDocuments } from "../../../common/yaml";
import { documentOf } from "./document";
import type { SessionSpec } from "./session-spec";

/** Name under which the worker finds the control plane, inside the session's namespace. */
export const CONTROL_PLANE = "control-plane";
export const API_PORT = 6443;
/** Cilium's chart, which pins its images. The version is that of the homelab's kubeadm clusters. */
export const CILIUM = { repository: "https://helm.cilium.io/", version: CILIUM_VERSION } as const;
/** How long the join token is valid. Both machines boot at the same time. */
const TOKEN_TTL = "30m0s";
const [WAITS, WAIT_SECONDS] = [180, 5];
const ADMIN = "/etc/kubernetes/admin.conf";

/**
 * Deletes what cloud-init keeps of its user data, which contains the join token. Afterwards no file of the machine contains it. The
 * Secret that brought the user data still does, but the token expires.
 */
const FORGET = [
  "rm -f /root/kubeadm.yaml",
  "find /var/lib/cloud/instances /var/lib/cloud/data /run/cloud-init -type f \\( -name 'user-data*' -o -name 'cloud-config*' -o -name 'runcmd' -o -name 'obj.pkl' -o -name 'instance-data*.json' -o -name 'combined-cloud-config.json' \\) -delete",
];

const withoutTraces = (lines: readonly string[]): string[] => [...lines, ...FORGET];

const yamlDocuments = (...documents: readonly object[]): string => portableDocuments(documents);
const API = "kubeadm.k8s.io/v1beta4";
const endpoint = ({ namespace }: SessionSpec): string => `${CONTROL_PLANE}.${namespace}.svc:${API_PORT}`;

export function controlPlaneConfig(spec: SessionSpec): string {
  const kubeadm = yamlDocuments(
    { apiVersion: API, kind: "InitConfiguration", bootstrapTokens: [{ token: spec.joinToken, ttl: TOKEN_TTL, usages: ["signing", "authentication"] }] },
    {
      apiVersion: API,
      kind: "ClusterConfiguration",
      kubernetesVersion: `v${spec.kubernetesVersion}`,
      controlPlaneEndpoint: endpoint(spec),
      networking: { podSubnet: spec.podCidr },
    },
  );
  const cilium = ["helm", "install", "cilium", "cilium", "--repo", CILIUM.repository, "--version", CILIUM.version, "--namespace", "kube-system"];
  const values = ["--set", `ipam.operator.clusterPoolIPv4PodCIDRList={${spec.podCidr}}`, "--set", "operator.replicas=1", "--wait", "--timeout", "10m"];
  return documentOf({
    hostname: CONTROL_PLANE,
    ssh: spec.sshPublicKey,
    files: [{ path: "/root/kubeadm.yaml", content: kubeadm }],
    run: withoutTraces([
      // After a reboot the cluster exists.
      `[ -e ${ADMIN} ] || kubeadm init --config /root/kubeadm.yaml`,
      "install -d -m 0700 -o learner -g learner /home/learner/.kube",
      `install -m 0600 -o learner -g learner ${ADMIN} /home/learner/.kube/config`,
      `KUBECONFIG=${ADMIN} ${[...cilium, ...values].map(quote).join(" ")}`,
    ]),
  });
}

export function workerConfig(spec: SessionSpec): string {
  const kubeadm = yamlDocuments({
    apiVersion: API,
    kind: "JoinConfiguration",
    discovery: {
      // Nobody but the session's own machines can answer at this name: its namespace is closed.
      bootstrapToken: { token: spec.joinToken, apiServerEndpoint: endpoint(spec), unsafeSkipCAVerification: true },
    },
  });
  const healthy = `https://${endpoint(spec)}/healthz`;
  return documentOf({
    hostname: "worker",
    ssh: spec.sshPublicKey,
    files: [{ path: "/root/kubeadm.yaml", content: kubeadm }],
    run: withoutTraces([
      "tries=0",
      `until curl -fsk -o /dev/null ${quote(healthy)}; do`,
      "  tries=$((tries + 1))",
      `  [ "$tries" -lt ${WAITS} ] || { echo 'the control plane did not answer' >&2; exit 1; }`,
      `  sleep ${WAIT_SECONDS}`,
      "done",
      "[ -e /etc/kubernetes/kubelet.conf ] || kubeadm join --config /root/kubeadm.yaml",
    ]),
  });
}
