import { HomelabError } from "../../common/errors";
import { command } from "../operations/commands";
import { directory, file } from "../operations/files";
import { kernelModules, swapOff, sysctls } from "../operations/kernel";
import { packages, pinnedPackages } from "../operations/packages";
import { aptRepository } from "../operations/repositories";
import { service, unitEnabled } from "../operations/services";
import { KEYS, KUBERNETES } from "../pins";
import type { Role } from "../role";

export interface KubeadmNodeArgs {
  /** Kubernetes, without `v`. Default: {@link KUBERNETES}. */
  version?: string;
  /** Revision of the packages of that version. Default `1.1`. */
  revision?: string;
}

const MINOR = /^(1\.\d+)\.\d+$/;

const CONTAINERD_PATH = "/etc/containerd/config.toml";
/** containerd 1.7 and 2.x read this version of its file. */
const CONTAINERD = `version = 2
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    SystemdCgroup = true
`;

/**
 * A cluster is raised by one minor version at a time, by `kubeadm upgrade` on each host. Packages of another minor version would put a
 * kubelet beside an API that it does not work with.
 */
const sameMinor = (minor: string) =>
  command(
    `no node of another Kubernetes than ${minor}`,
    `{ [ ! -e /etc/kubernetes/kubelet.conf ] || { hl_have=$(dpkg-query -W -f '\${Version}' kubelet 2>/dev/null) || hl_have=; case $hl_have in '' | ${minor}.*) : ;; *) hl_say "it is a node of Kubernetes $hl_have" ;; esac; }; }`,
    `{ printf '%s\n' "this host is a node of a cluster of another minor version than ${minor}. Name the cluster's version in homelab:kubeadm; kubeadm upgrade raises it, by one minor version at a time" >&2; return 1; }`,
  );

/** A host that can become a node of a kubeadm cluster: no swap, the kernel's settings, containerd, and pinned and held Kubernetes packages. */
export function kubeadmNode({ version = KUBERNETES.version, revision = KUBERNETES.revision }: KubeadmNodeArgs = {}): Role {
  const minor = MINOR.exec(version)?.[1];
  if (minor === undefined) throw new HomelabError("E_ROLE_ARGS", `Kubernetes "${version}" is no version`, { hint: "write it as 1.36.2, without v" });
  const source = `https://pkgs.k8s.io/core:/stable:/v${minor}/deb/`;
  const pin = `${version}-${revision}`;
  return {
    name: "kubeadm-node",
    operations: [
      sameMinor(minor),
      swapOff(),
      ...kernelModules("kubernetes", ["overlay", "br_netfilter"]),
      ...sysctls("90-kubernetes", {
        "net.bridge.bridge-nf-call-iptables": "1",
        "net.bridge.bridge-nf-call-ip6tables": "1",
        "net.ipv4.ip_forward": "1",
      }),
      packages("ca-certificates", "conntrack", "containerd", "curl", "gnupg"),
      directory("/etc/containerd", { mode: "0755" }),
      file({ path: CONTAINERD_PATH, mode: "0644", content: CONTAINERD }),
      service({ name: "containerd", startedWith: [CONTAINERD], writtenTo: [CONTAINERD_PATH] }),
      ...aptRepository({ name: "kubernetes", uri: source, suite: "/", key: { url: `${source}Release.key`, fingerprint: KEYS.kubernetes } }),
      pinnedPackages({ kubeadm: pin, kubelet: pin, kubectl: pin }),
      // It restarts every few seconds until kubeadm gives it a configuration: running is no condition here.
      unitEnabled("kubelet.service"),
      command("kubeadm answers with its version", `[ "$(kubeadm version -o short)" = v${version} ]`, `hl_say "kubeadm says it is $(kubeadm version -o short)"`),
    ],
  };
}
