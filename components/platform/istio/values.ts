/** Values of Istio's charts: base, istiod, cni and gateway. */
import type { DistributionName } from "../../clusters/cluster-types";
import type { Gateway, Mesh } from "../module";
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import type { IstioOptions } from "./options";

const pin = (name: string, why: string) =>
  ({ repository: "https://istio-release.storage.googleapis.com/charts", name, version: "1.30.3", why }) as const satisfies ChartPin;

/** All four are upgraded together: a proxy must not be newer than istiod. */
export const ISTIO_CHARTS = {
  "istio-base": pin("base", "Istio 1.30 is for Kubernetes 1.32 to 1.36; its definitions as templates, so that each version brings its own"),
  istiod: pin("istiod", "the version of the definitions"),
  "istio-cni": pin("cni", "the version of the definitions; without it each pod of the mesh could change the network of its node"),
  "istio-ingressgateway": pin("gateway", "the version of the definitions; 1.18 to 1.24 are refused by Helm from 3.18.5 on"),
} as const satisfies Record<string, ChartPin>;

export const ISTIO_NAMESPACE = "istio-system";
/** Namespace of the CNI plugin alone, because it may change the network of pods on their node. No other namespace may. */
export const ISTIO_CNI_NAMESPACE = "istio-cni";
const GATEWAY_RELEASE = "istio-ingressgateway";
export const DEFAULT_GATEWAY = "default-gateway";
/** Secret with the certificate of all routes. */
export const GATEWAY_CERTIFICATE = "default-gateway-tls";

export const ISTIO_CRDS: readonly string[] = [
  "wasmplugins.extensions.istio.io",
  "trafficextensions.extensions.istio.io",
  ...["destinationrules", "envoyfilters", "gateways", "proxyconfigs", "serviceentries", "sidecars", "virtualservices", "workloadentries", "workloadgroups"].map(
    (plural) => `${plural}.networking.istio.io`,
  ),
  ...["authorizationpolicies", "peerauthentications", "requestauthentications"].map((plural) => `${plural}.security.istio.io`),
  "telemetries.telemetry.istio.io",
];

/** The chart derives this label from the release's name. */
const POD_LABELS = { istio: "ingressgateway" };

export const ISTIO_GATEWAY: Gateway = {
  reference: `${ISTIO_NAMESPACE}/${DEFAULT_GATEWAY}`,
  // No other ports: its pods listen on the ports of their Service.
  pods: { namespace: ISTIO_NAMESPACE, labels: POD_LABELS, ports: [] },
};

const PROXY = { cpu: "10m", memory: "64Mi" } as const;

export const ISTIO_MESH: Mesh = {
  namespace: ISTIO_NAMESPACE,
  port: 15012,
  labels: { "istio-injection": "enabled" },
  proxy: PROXY,
  routesIdentity: `cluster.local/ns/${ISTIO_NAMESPACE}/sa/${GATEWAY_RELEASE}`,
};

const SECCOMP = { type: "RuntimeDefault" } as const;

function istiodValues({ accessLog }: IstioOptions) {
  return {
    autoscaleEnabled: false,
    resources: sized("100m", "128Mi", "512Mi"),
    seccompProfile: SECCOMP,
    cni: { enabled: true },
    global: {
      logAsJson: true,
      // There is one pod: a budget would prevent the drain of its node.
      defaultPodDisruptionBudget: { enabled: false },
      proxy: { resources: sized(PROXY.cpu, PROXY.memory, "256Mi"), seccompProfile: SECCOMP },
    },
    meshConfig: accessLog ? { accessLogFile: "/dev/stdout", accessLogEncoding: "JSON" } : {},
  };
}

/** Where k3s has its network plugins (https://docs.k3s.io/networking/multus-ipams); kubeadm has them where the chart looks. */
const CNI_FOLDERS: Readonly<Record<DistributionName, object>> = {
  k3s: { cniBinDir: "/var/lib/rancher/k3s/data/cni", cniConfDir: "/var/lib/rancher/k3s/agent/etc/cni/net.d" },
  kubeadm: {},
};

const cniValues = (distribution: DistributionName) => ({
  ...CNI_FOLDERS[distribution],
  excludeNamespaces: ["kube-system", ISTIO_NAMESPACE, ISTIO_CNI_NAMESPACE],
  resources: sized("10m", "64Mi", "128Mi"),
  seccompProfile: SECCOMP,
});

const gatewayValues = ({ gateways }: IstioOptions) => ({
  replicaCount: gateways,
  autoscaling: { enabled: false },
  // Lets a user other than root listen on ports below 1024. It is one of Kubernetes' safe sysctls.
  securityContext: { seccompProfile: SECCOMP, sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] },
  service: {
    // Without the chart's status port, which only the kubelet uses.
    ports: [
      { name: "http2", port: 80, protocol: "TCP", targetPort: 80 },
      { name: "https", port: 443, protocol: "TCP", targetPort: 443 },
    ],
  },
  resources: sized("50m", "64Mi", "512Mi"),
  ...(gateways > 1 ? { podDisruptionBudget: { maxUnavailable: 1 } } : {}),
});

/** Helm values by release. */
export const istioValues = (options: IstioOptions, distribution: DistributionName) => ({
  "istio-base": { defaultRevision: "default" },
  istiod: istiodValues(options),
  "istio-cni": cniValues(distribution),
  [GATEWAY_RELEASE]: gatewayValues(options),
});
