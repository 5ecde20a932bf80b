import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { webRoute } from "../../base/web-route";
import type { BuildModule } from "../context";
import type { DeliveredCluster, Routes } from "../place";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import { rootObjects } from "./applications";
import type { ArgoCdOptions } from "./options";
import { ARGO_CD_CHARTS, ARGO_CD_NAMESPACE, ARGO_CD_RELEASE, argoCdHost, argoCdSecrets, argoCdValues, clusterSecret } from "./values";

export interface ArgoCdArgs extends ArgoCdOptions {
  namespace: NamespaceArgs;
  /** Whose applications it delivers. */
  environment: string;
  /** Clusters of other stacks whose applications it delivers too. */
  deliversTo: readonly DeliveredCluster[];
  /** Full name under which it is reached. */
  hostName: string;
  routes: Routes;
  issuer: pulumi.Input<string>;
  /** How its namespace gets its Secrets. */
  secrets: SecretsOfNamespace;
}

/** Argo CD with its Secrets from Vault: its chart generates none. */
export class ArgoCd extends Component {
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: ArgoCdArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:ArgoCd", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const access = new SecretAccess(
      `${name}-secrets`,
      args.secrets(ARGO_CD_NAMESPACE, namespace, [...argoCdSecrets(args), ...args.deliversTo.map(clusterSecret)]),
      this.child(),
    );
    const values = argoCdValues({ ...args, host: args.hostName, elsewhere: args.deliversTo.length > 0 });
    const release = new HelmRelease(
      name,
      { releaseName: ARGO_CD_RELEASE, namespace, chart: ARGO_CD_CHARTS[args.version], values },
      this.child({ dependsOn: [access] }),
    );
    this.roots(name, args, release);
    const route = webRoute(
      name,
      {
        namespace,
        host: args.hostName,
        service: release.releaseName.apply((release) => `${release}-server`),
        port: 80,
        routes: args.routes,
        issuer: args.issuer,
      },
      this.child(),
    );
    this.url = route.url;
    this.registerOutputs({ url: this.url });
  }

  /** The root objects of each environment that it delivers. */
  private roots(name: string, { applications, environment, deliversTo }: ArgoCdArgs, release: pulumi.Resource): void {
    if (applications === undefined) return;
    for (const delivered of [environment, ...deliversTo.map(({ stack }) => stack)])
      for (const object of rootObjects(delivered, environment, applications)) {
        const part = object.kind === "AppProject" ? "project" : "root";
        new CustomResource(delivered === environment ? `${name}-${part}` : `${name}-${delivered}-${part}`, object, this.child({ dependsOn: [release] }));
      }
  }
}

export const buildArgoCd: BuildModule<ArgoCdOptions> = (name, { options, context }, opts) => {
  const { routes } = context.place;
  const component = new ArgoCd(
    name,
    {
      ...options,
      environment: context.place.environment,
      deliversTo: context.place.deliversTo,
      hostName: argoCdHost(options, context.place),
      routes,
      issuer: context.need("issuer"),
      secrets: context.secrets.bind(context),
      namespace: context.namespace(ARGO_CD_NAMESPACE),
    },
    opts,
  );
  return { component, urls: { "argo-cd": component.url } };
};
