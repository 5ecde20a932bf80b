import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import { command, waitUntil } from "../operations/commands";
import { directory } from "../operations/files";
import { type Role, secretVariable } from "../role";
import {
  ADMIN_KUBECONFIG,
  apiReady,
  attempt,
  CA_HASH,
  CERTIFICATE_KEY,
  json,
  KUBECTL,
  type NodeArgs,
  printInitConfig,
  READY_SECONDS,
  RUN,
  registration,
  STARTED,
  secretInYaml,
  TOKEN,
  withConfig,
} from "./kubeadm-shared";

export interface KubeadmJoinArgs extends NodeArgs {
  kind: "control-plane" | "worker";
}

/** In memory, so a restart removes it. Holds the time, in seconds, at which the token came into force. */
const ADMITTED = `${RUN}/kubeadm.admitted`;
/** Half the token's life: what is left is enough for the packages and images of the node that joins. */
const ADMITTED_SECONDS = 900;

/**
 * For the first node of a kubeadm cluster, right before a node joins it: a token that lives 30 minutes, and the control planes'
 * certificates for two hours. It prints neither, and no file has them.
 */
export function kubeadmAdmission(): Role {
  const id = `"bootstrap-token-$(printf '%s' "$${secretVariable(TOKEN)}" | cut -d . -f 1)"`;
  // Without a version kubeadm asks dl.k8s.io for the newest one.
  const cluster = `"\n---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: "`;
  const config = printInitConfig(`${quote(cluster)} "$(kubeadm version -o short)" ${quote('"\n')}`);
  const phase = (name: string, path: string, more: string) => `kubeadm init phase ${name} --kubeconfig ${ADMIN_KUBECONFIG} --config ${path} ${more}`;
  return {
    name: "kubeadm-admission",
    secrets: [TOKEN, CERTIFICATE_KEY],
    operations: [
      // kubeadm itself gives up after a minute, and does not say that the API is down.
      apiReady(),
      command(
        "nodes can join",
        `[ "$(($(date +%s) - $(cat ${ADMITTED} 2>/dev/null || echo 0)))" -lt ${ADMITTED_SECONDS} ] && ${KUBECTL} -n kube-system get secret ${id} -o name >/dev/null 2>&1`,
        `{ ${withConfig(
          config,
          (path) => `${phase("bootstrap-token", path, "--skip-token-print")} && ${phase("upload-certs", path, "--upload-certs --skip-certificate-key-print")}`,
        )} && date +%s > ${ADMITTED}; }`,
      ),
    ],
  };
}

/**
 * A control plane whose join failed late may already be a member of the cluster's etcd. `kubeadm reset` removes the member only if its node is
 * registered. Otherwise it deletes the member's data and leaves the member: an etcd of two members has then lost its majority for good.
 */
function memberCanLeave(name: string): string {
  const why = `this host is a member of the cluster's etcd, and kubeadm takes it out only once the node ${name} is registered; see docs/roles.md, joining`;
  return `{ [ ! -e /etc/kubernetes/manifests/etcd.yaml ] || ${KUBECTL} get node ${quote(name)} -o name >/dev/null || hl_say ${quote(why)}; }`;
}

/** A further node of a kubeadm cluster. The host has the role `kubeadm-node`. */
export function kubeadmJoin(args: KubeadmJoinArgs): Role {
  if (!/^[^\s:]+:\d+$/.test(args.endpoint))
    throw new HomelabError("E_ROLE_ARGS", `node ${args.name}: "${args.endpoint}" is no endpoint`, { hint: "write it as 10.20.0.21:6443" });
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
        attempt(
          withConfig(config, (path) => `kubeadm join --config ${path}`),
          memberCanLeave(args.name),
        ),
      ),
      waitUntil("kubelet runs", "systemctl is-active --quiet kubelet.service", READY_SECONDS),
    ],
  };
}
