import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import * as pulumi from "@pulumi/pulumi";
import { after, Component } from "./component";
import { ISTIO_NETWORKING_API } from "./istio-gateway";
import { httpRoutes, type IstioRoute, routeComplaints } from "./istio-routes";

export interface IstioVirtualServiceArgs {
  /** Of the object. */
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly hosts: readonly string[];
  /** `<namespace>/<name>` of gateways, or `mesh` for what is inside the mesh. */
  readonly gateways: readonly pulumi.Input<string>[];
  /** One service for all requests, or each route in full; the first that matches counts. */
  readonly routes: { readonly service: pulumi.Input<string>; readonly port: number } | readonly IstioRoute[];
}

const isFull = (routes: IstioVirtualServiceArgs["routes"]): routes is readonly IstioRoute[] => Array.isArray(routes);
const routesOf = ({ routes }: IstioVirtualServiceArgs): readonly IstioRoute[] => (isFull(routes) ? routes : [{ to: [routes] }]);

/** @throws pulumi.InputPropertyError with everything that is wrong with its routes, or where it has no host or no gateway */
function validateIstioVirtualService(args: IstioVirtualServiceArgs): void {
  const [complaint] = [...(args.hosts.length === 0 ? ["it has no host"] : []), ...(args.gateways.length === 0 ? ["it has no gateway"] : [])];
  if (complaint !== undefined) throw new pulumi.InputPropertyError({ propertyPath: "hosts", reason: complaint });
  const complaints = routeComplaints(routesOf(args));
  if (complaints.length > 0) throw new pulumi.InputPropertyError({ propertyPath: "routes", reason: complaints.join("; ") });
}

/** Host names and what is done with requests to them, for Istio's gateways and its mesh. */
export class IstioVirtualService extends Component {
  /** `https://<host>` of each host; known once the routes are there. */
  readonly urls: pulumi.Output<string[]>;

  constructor(name: string, args: IstioVirtualServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    validateIstioVirtualService(args);
    super("base:IstioVirtualService", name, opts);
    const spec = { hosts: [...args.hosts], gateways: [...args.gateways], http: httpRoutes(routesOf(args)) };
    const service = new CustomResource(
      `${name}-routes`,
      { apiVersion: ISTIO_NETWORKING_API, kind: "VirtualService", metadata: { name: args.name, namespace: args.namespace }, spec },
      this.child(),
    );
    this.urls = after(
      service,
      args.hosts.map((host) => `https://${host}`),
    );
    this.registerOutputs({ urls: this.urls });
  }
}
