import { builtModule, graphOf, PLACE } from "../../../tests/support/module-build";
import { only, plain, type Registered } from "../../../tests/support/pulumi-mocks";
import { istio } from "./module";

const resized = (cpu: string, memory: string, limit: string) => ({ requests: { cpu, memory }, limits: { memory: limit } });
const SECCOMP = { type: "RuntimeDefault" };
const ISTIOD = "istiod-admission, istiod-release";

const releases = (registered: readonly Registered[]): Record<string, Record<string, unknown>> =>
  Object.fromEntries(registered.filter(({ type }) => type === "kubernetes:helm.sh/v3:Release").map(({ inputs }) => [String(inputs["name"]), inputs]));

test("definitions, istiod, the network plugin and the gateway come after one another; rules wait for the webhooks, the Gateway for its certificate", async () => {
  expect(graphOf(await builtModule(istio))).toEqual({
    "kubernetes:core/v1:Namespace istio-ns-namespace": "given-cluster",
    "kubernetes:core/v1:Namespace istio-cni-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release istio-base-release": "given-cluster after istio-ns-namespace",
    "kubernetes:helm.sh/v3:Release istiod-release": "given-cluster after istio-base-release, istio-ns-namespace",
    "command:local:Command istiod-admission": "given-command after istio-base-release, istiod-release",
    "kubernetes:helm.sh/v3:Release istio-cni-release": `given-cluster after istio-cni-ns-namespace, ${ISTIOD}`,
    "kubernetes:helm.sh/v3:Release istio-ingressgateway-release": `given-cluster after istio-cni-release, istio-ns-namespace, ${ISTIOD}`,
    "kubernetes:security.istio.io/v1:PeerAuthentication istio-strict": `given-cluster after istio-ns-namespace, ${ISTIOD}`,
    "kubernetes:cert-manager.io/v1:Certificate istio-certificate": "given-cluster after istio-ns-namespace",
    "kubernetes:networking.istio.io/v1:Gateway istio-gateway": "given-cluster after istio-certificate, istio-ingressgateway-release, istio-ns-namespace",
  });
});

test("its charts are of one version, and get exactly these values", async () => {
  const found = releases(await builtModule(istio));
  expect(Object.values(found).map(({ chart, version, namespace }) => [chart, version, namespace])).toEqual([
    ["base", "1.30.3", "istio-system"],
    ["istiod", "1.30.3", "istio-system"],
    ["cni", "1.30.3", "istio-cni"],
    ["gateway", "1.30.3", "istio-system"],
  ]);
  expect(Object.fromEntries(Object.entries(found).map(([name, { values }]) => [name, values]))).toEqual({
    "istio-base": { defaultRevision: "default" },
    istiod: {
      autoscaleEnabled: false,
      resources: resized("100m", "128Mi", "512Mi"),
      seccompProfile: SECCOMP,
      cni: { enabled: true },
      global: {
        logAsJson: true,
        defaultPodDisruptionBudget: { enabled: false },
        proxy: { resources: resized("10m", "64Mi", "256Mi"), seccompProfile: SECCOMP },
      },
      meshConfig: { accessLogFile: "/dev/stdout", accessLogEncoding: "JSON" },
    },
    "istio-cni": {
      cniBinDir: "/var/lib/rancher/k3s/data/cni",
      cniConfDir: "/var/lib/rancher/k3s/agent/etc/cni/net.d",
      excludeNamespaces: ["kube-system", "istio-system", "istio-cni"],
      resources: resized("10m", "64Mi", "128Mi"),
      seccompProfile: SECCOMP,
    },
    "istio-ingressgateway": {
      replicaCount: 1,
      autoscaling: { enabled: false },
      securityContext: { seccompProfile: SECCOMP, sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] },
      service: {
        ports: [
          { name: "http2", port: 80, protocol: "TCP", targetPort: 80 },
          { name: "https", port: 443, protocol: "TCP", targetPort: 443 },
        ],
      },
      resources: resized("50m", "64Mi", "512Mi"),
    },
  });
});

test("options: two gateways have a budget, proxies may be silent; kubeadm has its plugins where the chart looks", () => {
  const { values, workloads } = istio.parts({ gateways: 2, accessLog: false }, { ...PLACE, distribution: "kubeadm" });
  expect(values["istio-ingressgateway"]).toMatchObject({ replicaCount: 2, podDisruptionBudget: { maxUnavailable: 1 } });
  expect(values["istiod"]).toMatchObject({ meshConfig: {} });
  expect(Object.keys(values["istio-cni"] ?? {})).not.toContain("cniBinDir");
  expect(workloads.find(({ name }) => name === "gateway")?.replicas).toBe(2);
});

test("TLS of both sides is everywhere, and the certificate has every name that a route leads to", async () => {
  const registered = await builtModule(istio);
  const spec = (type: string) => plain(only(registered, type).inputs["spec"]);
  expect(plain(only(registered, "kubernetes:security.istio.io/v1:PeerAuthentication").inputs)).toMatchObject({
    metadata: { name: "default", namespace: "istio-system" },
    spec: { mtls: { mode: "STRICT" } },
  });
  expect(spec("kubernetes:cert-manager.io/v1:Certificate")).toEqual({
    secretName: "default-gateway-tls",
    dnsNames: ["b.example.org", "dev.a.example.org"],
    issuerRef: { kind: "ClusterIssuer", name: "letsencrypt-prod" },
  });
  expect(spec("kubernetes:networking.istio.io/v1:Gateway")).toMatchObject({
    selector: { istio: "ingressgateway" },
    servers: [
      { port: { number: 80 }, hosts: ["b.example.org", "dev.a.example.org"], tls: { httpsRedirect: true } },
      { port: { number: 443 }, hosts: ["b.example.org", "dev.a.example.org"], tls: { credentialName: "default-gateway-tls", minProtocolVersion: "TLSV1_2" } },
    ],
  });
});

test("without routes there is no certificate, and nothing that would need an issuer", async () => {
  const registered = await builtModule(istio, { place: { routeNames: [] } });
  expect(registered.map(({ type }) => type).filter((type) => /Certificate|Gateway$/.test(type))).toEqual([]);
  expect(istio.parts(istio.options.parse({}), { ...PLACE, routeNames: [] }).uses).toEqual([]);
});
