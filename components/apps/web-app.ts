import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget";
import type * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "../base/component";
import { Namespace, type NamespaceArgs } from "../base/namespace";
import { webRoute } from "../base/web-route";
import { type AppPlace, type AppSpec, deploymentOf, disruptionBudgetOf, routesOf, serviceOf } from "./app-manifests";

export interface WebAppArgs extends Omit<AppSpec<pulumi.Input<string>>, "name">, Omit<AppPlace<pulumi.Input<string>>, "namespace"> {
  namespace: NamespaceArgs;
}

/** An application without state of its own: a namespace, a Deployment, a Service, and a route for each host name. */
export class WebApp extends Component {
  /** The image that runs; known once it is ready. */
  readonly image: pulumi.Output<string>;
  private readonly urls = new Map<string, pulumi.Output<string>>();

  constructor(name: string, args: WebAppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("apps:WebApp", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const app = { ...args, name };
    const deployment = new Deployment(
      `${name}-deployment`,
      deploymentOf<pulumi.Input<string>>(app, { namespace }),
      this.child({ customTimeouts: timeouts(10) }),
    );
    const budget = disruptionBudgetOf<pulumi.Input<string>>(app, { namespace });
    if (budget !== undefined) new PodDisruptionBudget(`${name}-disruption-budget`, budget, this.child({ dependsOn: [deployment] }));
    const service = new Service(
      `${name}-service`,
      serviceOf<pulumi.Input<string>>(app, { namespace }),
      this.child({ dependsOn: [deployment], customTimeouts: timeouts(10) }),
    );
    for (const { port, host, route } of routesOf<pulumi.Input<string>>(app)) {
      const { routes, issuer } = args;
      this.urls.set(port.name, webRoute(route, { host, namespace, service: service.metadata.name, port: port.port, routes, issuer }, this.child()).url);
    }
    this.image = after(deployment, args.image);
    this.registerOutputs({ urls: Object.fromEntries(this.urls), image: this.image });
  }

  /** `https://<host>` of a port that has one; known once the route is there. */
  url(port: string): pulumi.Output<string> {
    const url = this.urls.get(port);
    if (url === undefined) throw new Error(`the port "${port}" has no host name`);
    return url;
  }
}
