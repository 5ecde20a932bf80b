import { Ingress } from "@pulumi/kubernetes/networking/v1/ingress";
import type * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "./component";

export interface WebIngressArgs {
  host: string;
  namespace: pulumi.Input<string>;
  service: pulumi.Input<string>;
  port: number;
  /** Ingress class of the cluster. */
  className: string;
  /** ClusterIssuer for the host's certificate; what gives it, so that the order is kept. */
  issuer: pulumi.Input<string>;
  annotations?: Record<string, string>;
}

/** A host name with a certificate in front of a service. */
export class WebIngress extends Component {
  /** `https://<host>`; known once the route is there. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: WebIngressArgs, opts?: pulumi.ComponentResourceOptions) {
    super("base:WebIngress", name, opts);
    const ingress = new Ingress(
      `${name}-ingress`,
      {
        metadata: {
          name,
          namespace: args.namespace,
          annotations: { "cert-manager.io/cluster-issuer": args.issuer, ...args.annotations },
        },
        spec: {
          ingressClassName: args.className,
          tls: [{ hosts: [args.host], secretName: `${name}-tls` }],
          rules: [
            {
              host: args.host,
              http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: args.service, port: { number: args.port } } } }] },
            },
          ],
        },
      },
      this.child({ customTimeouts: timeouts(10) }),
    );
    this.url = after(ingress, `https://${args.host}`);
    this.registerOutputs({ url: this.url });
  }
}
