import { Ingress } from "@pulumi/kubernetes/networking/v1/ingress";
import type * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "./component";
import { ingressOf, type Route } from "./ingress-manifest";

/** A {@link Route} with the component's name. `issuer` is an output of what makes the issuer, so that the issuer exists first. */
export interface WebIngressArgs extends Omit<Route<pulumi.Input<string>>, "name"> {
  /** Registered instead of the Ingress that the other arguments describe. An application's patches change it. */
  readonly manifest?: ReturnType<typeof ingressOf<pulumi.Input<string>>>;
}

/** A host name with a certificate in front of a service. */
export class WebIngress extends Component {
  /** `https://<host>`; known once the route exists. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: WebIngressArgs, opts?: pulumi.ComponentResourceOptions) {
    super("base:WebIngress", name, opts);
    const ingress = new Ingress(`${name}-ingress`, args.manifest ?? ingressOf({ name, ...args }), this.child({ customTimeouts: timeouts(10) }));
    this.url = after(ingress, `https://${args.host}`);
    this.registerOutputs({ url: this.url });
  }
}
