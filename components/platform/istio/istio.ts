import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import type * as pulumi from "@pulumi/pulumi";
import type { Manifest } from "../../base/cluster-api";
import { after, Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { IstioGateway } from "../../base/istio-gateway";
import { ISTIO_SECURITY_API } from "../../base/istio-routes";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { DistributionName } from "../../clusters/cluster-types";
import type { BuildModule } from "../context";
import type { IstioOptions } from "./options";
import { DEFAULT_GATEWAY, GATEWAY_CERTIFICATE, ISTIO_CHARTS, ISTIO_CNI_NAMESPACE, ISTIO_NAMESPACE, istioValues } from "./values";

export interface IstioArgs extends IstioOptions {
  /** Of istiod and the gateway, and of the CNI plugin. */
  namespaces: { control: NamespaceArgs; cni: NamespaceArgs };
  distribution: DistributionName;
  /** Full names that routes lead to: the gateway's certificate has all of them. */
  hosts: readonly string[];
  /** Left out where there is no host. */
  issuer?: pulumi.Input<string>;
}

const strict = (name: string, namespace: string): Manifest => ({
  apiVersion: ISTIO_SECURITY_API,
  kind: "PeerAuthentication",
  metadata: { name, namespace },
  spec: { mtls: { mode: "STRICT" } },
});

/** A pod for the dry run: istiod's webhook injects a proxy into it. */
const INJECTED: Manifest = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "admission-check", namespace: ISTIO_NAMESPACE, labels: { "sidecar.istio.io/inject": "true" } },
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 1337, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "check",
        image: "registry.k8s.io/pause:3.10",
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      },
    ],
  },
};

/**
 * Istio: definitions, istiod, the CNI plugin that redirects a pod's connections to its proxy, and the gateway, in this order. Whoever
 * depends on the component waits for all of them.
 */
export class Istio extends Component {
  constructor(name: string, args: IstioArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Istio", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespaces.control, this.child());
    const cni = new Namespace(`${name}-cni-ns`, args.namespaces.cni, this.child());
    const values = istioValues(args, args.distribution);
    const release = (releaseName: keyof typeof ISTIO_CHARTS, home: pulumi.Input<string>, before: readonly HelmRelease[], admits: readonly Manifest[] = []) =>
      new HelmRelease(
        releaseName,
        { releaseName, namespace: home, chart: ISTIO_CHARTS[releaseName], values: values[releaseName], admits },
        this.child({ dependsOn: [...before] }),
      );
    const base = release("istio-base", namespace, []);
    const istiod = release("istiod", namespace, [base], [strict("admission-check", ISTIO_NAMESPACE), INJECTED]);
    const plugin = release("istio-cni", cni.namespace, [istiod]);
    // istiod's webhook sets the image of the gateway.
    const gateway = release("istio-ingressgateway", namespace, [istiod, plugin]);
    const peers = strict("default", ISTIO_NAMESPACE);
    new CustomResource(
      `${name}-strict`,
      { apiVersion: peers.apiVersion, kind: peers.kind, metadata: { name: "default", namespace }, spec: peers["spec"] },
      this.child({ dependsOn: [istiod] }),
    );
    if (args.hosts.length > 0) this.#routes(name, args, namespace, gateway);
    this.registerOutputs({});
  }

  #routes(name: string, { hosts, issuer }: IstioArgs, namespace: pulumi.Output<string>, gateway: HelmRelease): void {
    const certificate = new CustomResource(
      `${name}-certificate`,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: { name: GATEWAY_CERTIFICATE, namespace },
        spec: { secretName: GATEWAY_CERTIFICATE, dnsNames: [...hosts], issuerRef: { kind: "ClusterIssuer", name: issuer } },
      },
      this.child(),
    );
    new IstioGateway(
      name,
      { name: DEFAULT_GATEWAY, namespace, hosts, certificate: after(certificate, GATEWAY_CERTIFICATE) },
      this.child({ dependsOn: [gateway] }),
    );
  }
}

export const buildIstio: BuildModule<IstioOptions> = (name, { options, context }, opts) => {
  const { routeNames: hosts, distribution } = context.place;
  const namespaces = { control: context.namespace(ISTIO_NAMESPACE), cni: context.namespace(ISTIO_CNI_NAMESPACE) };
  const component = new Istio(name, { ...options, namespaces, distribution, hosts, ...(hosts.length === 0 ? {} : { issuer: context.need("issuer") }) }, opts);
  return { component };
};
