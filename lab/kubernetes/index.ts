/** A cluster's Kubernetes API, as k3s brings it up. */
import { z } from "zod";
import { createAuthority, restoreAuthority } from "../core/tls";
import type { Authority, LabContext, Persistent } from "../core/world";
import { ApiServer } from "./api-server";
import { newSigningKey, type SigningKey, Tokens } from "./auth";
import { rulesNotEvaluated } from "./custom-rules";
import type { KubeObject } from "./objects";
import type { PodPrograms } from "./pod-programs";
import { StatusError } from "./status";
import { ObjectStore } from "./store";

export type { Tokens } from "./auth";
export type { KubeObject } from "./objects";
export type { PodPrograms } from "./pod-programs";
export { StatusError } from "./status";
export { ObjectStore } from "./store";

export interface ClusterOptions {
  /** How the lab's records and kubeconfig call it: the stack's name. */
  name: string;
  /** Production address of its node. */
  address: string;
  /** Name of its node. */
  node: string;
  ctx: LabContext;
  /** Components of k3s that are switched off: `traefik`, `servicelb`, … */
  disabled?: readonly string[];
  /** Kubernetes version as the node reports it. */
  version?: string;
  /** What `save` gave; undefined for a new cluster. */
  saved?: unknown;
}

export interface Cluster extends Persistent {
  readonly name: string;
  readonly address: string;
  readonly node: string;
  readonly disabled: readonly string[];
  readonly store: ObjectStore;
  readonly tokens: Tokens;
  readonly caPem: string;
  /** Says what is in the pods. Until then nothing is. */
  setPrograms(programs: PodPrograms): void;
  /** A kubeconfig of the cluster's administrator. @param server its URL; k3s writes https://127.0.0.1:6443 */
  adminKubeconfig(options?: { server?: string; name?: string; proxyUrl?: string }): string;
  stop(): Promise<void>;
}

const savedSchema = z.object({
  authority: z.unknown(),
  signing: z.object({ privateKey: z.string(), publicKey: z.string() }),
  admin: z.object({ cert: z.string(), key: z.string() }),
  store: z.object({ version: z.number(), objects: z.array(z.unknown()) }),
});

const meta = (name: string, namespace?: string) => ({ name, ...(namespace ? { namespace } : {}) });

/** What a fresh cluster holds: of k3s, or of kubeadm where the version is not one of k3s. */
function seed(store: ObjectStore, { node, address, disabled = [], version = "v1.34.2+k3s1" }: ClusterOptions): void {
  const isK3s = version.includes("+k3s");
  const put = (object: KubeObject): void => {
    store.create(store.type(object.apiVersion, object.kind), object.metadata.namespace, object, { manager: "k3s" });
  };
  for (const name of ["kube-system", "kube-public", "kube-node-lease", "default"]) put({ apiVersion: "v1", kind: "Namespace", metadata: meta(name) });
  put({
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...meta("kubernetes", "default"), labels: { component: "apiserver", provider: "kubernetes" } },
    spec: { type: "ClusterIP", clusterIP: "10.43.0.1", clusterIPs: ["10.43.0.1"], ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }] },
  });
  put({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: node,
      labels: {
        "kubernetes.io/hostname": node,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node-role.kubernetes.io/control-plane": "true",
        ...(isK3s ? { "node.kubernetes.io/instance-type": "k3s" } : {}),
      },
    },
    spec: { podCIDR: "10.42.0.0/24", ...(isK3s ? { providerID: `k3s://${node}` } : {}) },
    status: {
      addresses: [
        { type: "InternalIP", address },
        { type: "Hostname", address: node },
      ],
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" }],
      nodeInfo: {
        kubeletVersion: version,
        osImage: "Ubuntu 24.04 LTS",
        architecture: "amd64",
        operatingSystem: "linux",
        containerRuntimeVersion: isK3s ? "containerd://2.1.4-k3s1" : "containerd://1.7.27",
        kernelVersion: "6.8.0",
        kubeProxyVersion: "",
        bootID: "",
        machineID: "",
        systemUUID: "",
      },
    },
  });
  if (!disabled.includes("local-storage"))
    put({
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "local-path", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "rancher.io/local-path",
      reclaimPolicy: "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
    });
  if (!disabled.includes("traefik"))
    put({
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "traefik", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
      spec: { controller: "traefik.io/ingress-controller" },
    });
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

function kubeconfig(
  caPem: string,
  admin: { cert: string; key: string },
  { server = "https://127.0.0.1:6443", name = "default", proxyUrl }: { server?: string; name?: string; proxyUrl?: string },
): string {
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64(caPem)}
${proxyUrl === undefined ? "" : `    proxy-url: ${proxyUrl}\n`}    server: ${server}
  name: ${name}
contexts:
- context:
    cluster: ${name}
    user: ${name}
  name: ${name}
current-context: ${name}
kind: Config
preferences: {}
users:
- name: ${name}
  user:
    client-certificate-data: ${base64(admin.cert)}
    client-key-data: ${base64(admin.key)}
`;
}

const NOTHING: PodPrograms = {
  output: () => undefined,
  portOf: () => ({ refused: "nothing runs in this cluster" }),
  run: () => Promise.reject(new StatusError(500, "InternalError", "nothing runs in this cluster")),
};

/** Starts the API and makes it reachable at its production address, port 6443. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { name, address, node, ctx } = options;
  const saved = options.saved === undefined ? undefined : savedSchema.parse(options.saved);
  const authority: Authority = saved === undefined ? await createAuthority(`k3s-server-ca@${node}`, ctx.clock.now()) : await restoreAuthority(saved.authority);
  const signing: SigningKey = saved?.signing ?? newSigningKey();
  const admin = saved?.admin ?? (await authority.issueClient("system:admin", ["system:masters"]));
  const store = new ObjectStore(ctx.clock, () => ctx.changed());
  if (saved === undefined) seed(store, options);
  else store.restore(saved.store.version, saved.store.objects as KubeObject[]);
  store.onChange(({ type, object }) => {
    if (object.kind !== "CustomResourceDefinition" || type === "DELETED") return;
    for (const what of rulesNotEvaluated(object)) ctx.unhandled.add({ system: "kubernetes", target: `${name} ${object.metadata.name}`, what });
  });
  const tokens = new Tokens(signing, ctx.clock);
  const serving = await authority.issue([address, "127.0.0.1", "localhost", node, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.43.0.1"]);
  let programs: PodPrograms = NOTHING;
  const server = new ApiServer({
    cluster: name,
    address,
    store,
    tokens,
    ctx,
    programs: () => programs,
    tls: { ...serving, ca: authority.caPem },
  });
  const port = await server.listen();
  ctx.network.listen(address, 6443, { port });
  return {
    name,
    address,
    node,
    disabled: options.disabled ?? [],
    store,
    tokens,
    caPem: authority.caPem,
    setPrograms: (source) => {
      programs = source;
    },
    adminKubeconfig: (wanted = {}) => kubeconfig(authority.caPem, admin, wanted),
    save: () => ({ authority: authority.save(), signing, admin, store: store.save() }),
    restore: () => Promise.reject(new Error("a cluster is restored by startCluster({ saved })")),
    stop: async () => {
      ctx.network.unlisten(address, 6443);
      await server.close();
    },
  };
}
