import * as pulumi from "@pulumi/pulumi";
import type { Routes } from "../platform/place";
import { IstioVirtualService } from "./istio-virtual-service";
import { WebIngress, type WebIngressArgs } from "./web-ingress";

export interface WebRouteArgs extends Omit<WebIngressArgs, "className" | "annotations"> {
  /** How routes are made where it is built. */
  routes: Routes;
}

/**
 * A host name with a certificate in front of a service, in the way of the cluster that it is built in: an Ingress with a certificate of
 * its own, or a VirtualService behind the gateway, whose certificate has the names of all routes.
 * @param name of the object, and of its resource with what it is behind it
 */
export function webRoute(name: string, { routes, ...route }: WebRouteArgs, opts: pulumi.ComponentResourceOptions): { readonly url: pulumi.Output<string> } {
  if (routes.kind === "ingress") return new WebIngress(name, { ...route, className: routes.className }, opts);
  const { namespace, host, service, port } = route;
  const { urls } = new IstioVirtualService(
    name,
    { name, namespace, hosts: [host], gateways: [routes.gateway], routes: { service: pulumi.output(service), port } },
    opts,
  );
  return { url: urls.apply(([url = ""]) => url) };
}
