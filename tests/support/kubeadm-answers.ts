/** The kubectl and kubeadm commands of roles on the first node of a cluster, with the answers of the real programs, which the lab must give too. */

export interface KubeadmAnswer {
  /** The command, run by root. */
  command: string;
  /** Standard output and standard error together. */
  output: string;
  exitCode: number;
}

const KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf";

/** For a cluster without Cilium. @param about its nodes, its version such as `1.34.2`, and the name of a valid token */
export function kubeadmAnswers(about: { nodes: readonly string[]; version: string; token: string }): KubeadmAnswer[] {
  const secret = (id: string) => `${KUBECTL} -n kube-system get secret bootstrap-token-${id} -o name`;
  return [
    { command: "kubeadm version -o short", output: `v${about.version}\n`, exitCode: 0 },
    { command: `${KUBECTL} get --raw /readyz`, output: "ok", exitCode: 0 },
    { command: `${KUBECTL} get nodes -o name`, output: about.nodes.map((name) => `node/${name}\n`).join(""), exitCode: 0 },
    { command: `${KUBECTL} get node ${about.nodes[0]} -o name`, output: `node/${about.nodes[0]}\n`, exitCode: 0 },
    { command: `${KUBECTL} get node no-such-node -o name`, output: 'Error from server (NotFound): nodes "no-such-node" not found\n', exitCode: 1 },
    { command: secret(about.token), output: `secret/bootstrap-token-${about.token}\n`, exitCode: 0 },
    { command: secret("zzzzzz"), output: 'Error from server (NotFound): secrets "bootstrap-token-zzzzzz" not found\n', exitCode: 1 },
    {
      command: `${KUBECTL} -n kube-system get daemonset cilium -o "jsonpath={.spec.template.spec.containers[0].image}"`,
      output: 'Error from server (NotFound): daemonsets.apps "cilium" not found\n',
      exitCode: 1,
    },
    {
      command: "kubectl --kubeconfig /etc/kubernetes/none.conf get nodes -o name",
      output: "error: stat /etc/kubernetes/none.conf: no such file or directory\n",
      exitCode: 1,
    },
  ];
}

/** The same where the API is down. @param endpoint of the cluster */
export const kubeadmAnswersWithoutApi = (endpoint: string): KubeadmAnswer[] =>
  ["get --raw /readyz", "get nodes -o name", "-n kube-system get secret bootstrap-token-zzzzzz -o name"].map((asked) => ({
    command: `${KUBECTL} ${asked}`,
    output: `The connection to the server ${endpoint} was refused - did you specify the right host or port?\n`,
    exitCode: 1,
  }));

/** The ends of kubeadm's messages when it refuses a join. */
export const REFUSED_JOINS = {
  token: /could not find a JWS signature in the cluster-info ConfigMap for token ID "([a-z0-9]{6})"\nTo see the stack trace/,
  authority: /cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "sha256:[0-9a-f]{64}" are pinned\nTo see the stack trace/,
};
