import { planPlatform } from "../../../stacks/plan/platform";
import { builtModule, graphOf, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { platformInputFor } from "../../../tests/support/platform-input-for";
import { plain, type Registered } from "../../../tests/support/pulumi-mocks";
import { localPath } from "../local-path/module";
import { traefik } from "../traefik/module";
import { metallb } from "./module";

const options = { addresses: ["10.20.0.200-10.20.0.220"] };
const resources = { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "128Mi" } };
const named = (registered: readonly Registered[], name: string) => plain(registered.find((one) => one.name === name)?.inputs ?? {});

test("MetalLB: its chart, without routers; pools come once its webhook admits them", async () => {
  const registered = await builtModule(metallb, { options });
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace metallb-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release metallb-release": "given-cluster after metallb-ns-namespace",
    "command:local:Command metallb-admission": "given-command after metallb-release",
    "kubernetes:metallb.io/v1beta1:IPAddressPool metallb-pool": "given-cluster after metallb-admission, metallb-ns-namespace, metallb-release",
    "kubernetes:metallb.io/v1beta1:L2Advertisement metallb-advertisement": "given-cluster after metallb-ns-namespace, metallb-pool",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "metallb",
    namespace: "metallb-system",
    chart: "metallb",
    version: "0.16.1",
    repositoryOpts: { repo: "https://metallb.github.io/metallb" },
    values: { frrk8s: { enabled: false }, controller: { resources }, speaker: { ignoreExcludeLB: true, resources } },
  });
  expect(named(registered, "metallb-pool")).toMatchObject({ spec: { addresses: options.addresses, autoAssign: true, avoidBuggyIPs: true } });
  expect(named(registered, "metallb-advertisement")).toMatchObject({ spec: { ipAddressPools: ["homelab"] } });
});

test("Traefik: Ingresses of its class, and everything over HTTPS", async () => {
  const registered = await builtModule(traefik);
  expect(releaseOf(registered)).toMatchObject({
    name: "traefik",
    namespace: "traefik",
    chart: "traefik",
    version: "41.3.0",
    skipCrds: true,
    values: {
      ingressClass: { enabled: true, isDefaultClass: true, name: "traefik" },
      providers: { kubernetesCRD: { enabled: false }, kubernetesIngress: { publishedService: { enabled: true } } },
      gateway: { enabled: false },
      gatewayClass: { enabled: false },
      ports: { web: { http: { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } } } },
      global: { checkNewVersion: false, sendAnonymousUsage: false },
      api: { dashboard: false },
      resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    },
  });
});

test("local-path: the class that k3s has, by the provisioner's own registry", async () => {
  const registered = await builtModule(localPath, { options: { folder: "/mnt/volumes" } });
  expect(releaseOf(registered)).toMatchObject({
    name: "local-path",
    namespace: "local-path-storage",
    chart: "oci://ghcr.io/rancher/local-path-provisioner/charts/local-path-provisioner",
    version: "0.0.37",
    values: {
      storageClass: { name: "local-path", defaultClass: true, provisionerName: "rancher.io/local-path" },
      nodePathMap: [{ node: "DEFAULT_PATH_FOR_NON_LISTED_NODES", paths: ["/mnt/volumes"] }],
      helperImage: { repository: "docker.io/library/busybox", tag: "1.37.0" },
      resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
      podSecurityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: "RuntimeDefault" } },
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    },
  });
});

describe("on a cluster that brings nothing", () => {
  const bare = {
    distribution: "kubeadm",
    title: "kubeadm",
    version: "v1.34.2",
    capabilities: ["network-policy"],
    storageClasses: [],
    ingressClasses: [],
  } as const;
  const input = (row: object) => platformInputFor({ row: row as Record<string, unknown>, cluster: bare, addresses: new Map([["10.20.0.210", "k8s-one"]]) });

  test("a module that needs a balancer waits for the one that brings it, and is refused without", () => {
    const plan = planPlatform(input({ traefik: {}, metallb: { addresses: ["10.20.0.220-10.20.0.230"] } }));
    expect(plan.modules.map(({ name, waitsFor }) => [name, waitsFor])).toEqual([
      ["metallb", []],
      ["traefik", ["metallb"]],
    ]);
    expect(() => planPlatform(input({ traefik: {} }))).toThrow("traefik: needs load-balancer of its cluster, which kubeadm does not have");
  });

  test("a pool over a machine's address is refused before anything is made", () => {
    expect(() => planPlatform(input({ metallb: options }))).toThrow("metallb: the addresses 10.20.0.200-10.20.0.220 hold 10.20.0.210, which is k8s-one's");
  });

  test("Traefik sends on to every route that is declared, and takes what its own cluster sends to names of the homelab", () => {
    const row = { traefik: {}, metallb: { addresses: ["10.20.0.220-10.20.0.230"] } };
    const application = {
      name: "shop",
      namespace: "shop",
      hosts: [],
      podSecurity: "restricted" as const,
      secrets: [],
      requests: { replicas: 1, cpu: "10m", memory: "10Mi" },
      flows: [
        { direction: "in" as const, peer: "routes", port: 8080, why: "its route" },
        { direction: "out" as const, peer: "homelab", port: 443, why: "what others serve" },
      ],
    };
    const { networkPolicy } = planPlatform({ ...input(row), applications: [application] }).namespaces.get("traefik") ?? {};
    const shop = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } };
    expect(networkPolicy?.egress).toContainEqual({ to: [shop], ports: [{ protocol: "TCP", port: 8080 }] });
    expect(networkPolicy?.ingress).toContainEqual({ from: [shop], ports: [8000, 8443].map((port) => ({ protocol: "TCP", port })) });
  });
});
