import { Ingress } from "@pulumi/kubernetes/networking/v1/ingress";
import type * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "./component";
import { ingressOf, type Route } from "./ingress-manifest";

/** As {@link Route}; the name is the component's. The issuer is what gives it, so that the order is kept. */
export type WebIngressArgs = Omit<Route<pulumi.Input<string>>, "name">;

/** A host name with a certificate in front of a service. */
export class WebIngress extends Component {
  /** `https://<host>`; known once the route is there. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: WebIngressArgs, opts?: pulumi.ComponentResourceOptions) {
    super("base:WebIngress", name, opts);
    const ingress = new Ingress(`${name}-ingress`, ingressOf({ name, ...args }), this.child({ customTimeouts: timeouts(10) }));
    this.url = after(ingress, `https://${args.host}`);
    this.registerOutputs({ url: this.url });
  }
}
