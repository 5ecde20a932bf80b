import * as pulumi from "@pulumi/pulumi";
import type { Routes } from "../platform/place";
import { IstioVirtualService } from "./istio-virtual-service";
import { WebIngress, type WebIngressArgs } from "./web-ingress";

export interface WebRouteArgs extends Omit<WebIngressArgs, "className" | "annotations" | "manifest"> {
  /** How routes are made where it is built. */
  routes: Routes;
  /** Registered instead of the Ingress or VirtualService that the other arguments describe. An application's patches change it. */
  manifest?: object;
}

/**
 * A host name with a certificate in front of a service, as the cluster does it: an Ingress with a certificate of its own, or a
 * VirtualService behind the gateway, whose certificate has the names of all routes.
 * @param name of the component and of its object
 */
export function webRoute(name: string, { routes, manifest, ...route }: WebRouteArgs, opts: pulumi.ComponentResourceOptions): WebIngress | IstioVirtualService {
  // The caller has made it for the same kind of route.
  const changed = manifest === undefined ? {} : { manifest: manifest as never };
  if (routes.kind === "ingress") return new WebIngress(name, { ...route, className: routes.className, ...changed }, opts);
  const { namespace, host, service, port } = route;
  return new IstioVirtualService(
    name,
    { name, namespace, hosts: [host], gateways: [routes.gateway], routes: { service: pulumi.output(service), port }, ...changed },
    opts,
  );
}
