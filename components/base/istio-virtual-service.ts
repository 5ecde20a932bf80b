import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import * as pulumi from "@pulumi/pulumi";
import { after, Component } from "./component";
import { routeComplaints, routesOf, type VirtualService, virtualServiceOf } from "./istio-routes";

export interface IstioVirtualServiceArgs extends VirtualService<pulumi.Input<string>> {
  /** Registered instead of the VirtualService that the other arguments describe. An application's patches change it. */
  readonly manifest?: ReturnType<typeof virtualServiceOf<pulumi.Input<string>>>;
}

/** @throws pulumi.InputPropertyError with everything that is wrong with its routes, or where it has no host or no gateway */
function validateIstioVirtualService(args: IstioVirtualServiceArgs): void {
  const [complaint] = [...(args.hosts.length === 0 ? ["it has no host"] : []), ...(args.gateways.length === 0 ? ["it has no gateway"] : [])];
  if (complaint !== undefined) throw new pulumi.InputPropertyError({ propertyPath: "hosts", reason: complaint });
  const complaints = routeComplaints(routesOf(args));
  if (complaints.length > 0) throw new pulumi.InputPropertyError({ propertyPath: "routes", reason: complaints.join("; ") });
}

/** Host names and what is done with requests to them, for Istio's gateways and its mesh. */
export class IstioVirtualService extends Component {
  /** `https://<host>` of each host; known once the routes exist. */
  readonly urls: pulumi.Output<string[]>;
  /** The first of them. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: IstioVirtualServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    validateIstioVirtualService(args);
    super("base:IstioVirtualService", name, opts);
    const service = new CustomResource(`${name}-routes`, args.manifest ?? virtualServiceOf<pulumi.Input<string>>(args), this.child());
    this.urls = after(
      service,
      args.hosts.map((host) => `https://${host}`),
    );
    this.url = this.urls.apply(([url = ""]) => url);
    this.registerOutputs({ urls: this.urls });
  }
}
