import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "../../base/component";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { Persistence } from "../../base/persistence";
import { WebIngress } from "../../base/web-ingress";
import type { BuildModule } from "../context";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import type { RegistryOptions } from "./options";
import { REGISTRY_CLAIM, REGISTRY_NAMESPACE, REGISTRY_PORT, registryDeployment, registryService, usersSecret } from "./values";

export interface RegistryArgs {
  namespace: NamespaceArgs;
  options: Pick<RegistryOptions, "size" | "path" | "key">;
  storageClass: string;
  hostName: string;
  ingressClass: string;
  issuer: pulumi.Input<string>;
  /** How its namespace gets the Secret with its users. */
  secrets: SecretsOfNamespace;
}

/** A registry of images. Its volume stays when it is deleted. */
export class Registry extends Component {
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: RegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Registry", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const users = new SecretAccess(`${name}-secrets`, args.secrets(REGISTRY_NAMESPACE, namespace, [usersSecret(args.options)]), this.child());
    const { claimName } = new Persistence(
      `${name}-images`,
      { name: REGISTRY_CLAIM, namespace, size: args.options.size, storageClass: args.storageClass },
      this.child(),
    );
    const deployment = new Deployment(
      `${name}-deployment`,
      registryDeployment<pulumi.Input<string>>(namespace, claimName),
      this.child({ dependsOn: [users], customTimeouts: timeouts(10) }),
    );
    const service = new Service(
      `${name}-service`,
      registryService<pulumi.Input<string>>(namespace),
      this.child({ dependsOn: [deployment], customTimeouts: timeouts(10) }),
    );
    const { hostName: host, ingressClass: className, issuer } = args;
    this.url = new WebIngress(name, { host, namespace, service: service.metadata.name, port: REGISTRY_PORT, className, issuer }, this.child()).url;
    this.registerOutputs({ url: this.url });
  }
}

export const buildRegistry: BuildModule<RegistryOptions> = (name, { options, context }, opts) => {
  const { domain, ingressClass, storageClass } = context.place;
  const component = new Registry(
    name,
    {
      namespace: context.namespace(REGISTRY_NAMESPACE),
      options,
      storageClass: options.storageClass ?? storageClass,
      hostName: `${options.host}.${domain}`,
      ingressClass,
      issuer: context.need("issuer"),
      secrets: context.secrets.bind(context),
    },
    opts,
  );
  return { component, urls: { registry: component.url } };
};
