import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import type { GithubRunnersOptions } from "./options";
import {
  CONTROLLER_CHART,
  CONTROLLER_NAMESPACE,
  CONTROLLER_RELEASE,
  controllerValues,
  RUNNERS_NAMESPACE,
  SET_CHART,
  setRelease,
  setSecrets,
  setValues,
} from "./values";

export interface GithubRunnersArgs extends GithubRunnersOptions {
  controller: NamespaceArgs;
  runners: NamespaceArgs;
  /** How the runners' namespace gets the tokens. */
  secrets: SecretsOfNamespace;
}

/**
 * The controller of runner sets, and the sets. Their objects have finalizers that only the controller removes. So the runners' namespace
 * depends on the controller, and is deleted before it.
 */
export class GithubRunners extends Component {
  constructor(name: string, args: GithubRunnersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:GithubRunners", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.controller, this.child());
    const controller = new HelmRelease(name, { releaseName: CONTROLLER_RELEASE, namespace, chart: CONTROLLER_CHART, values: controllerValues() }, this.child());
    const runners = new Namespace(`${name}-runners-ns`, args.runners, this.child({ dependsOn: [controller] }));
    const sets = Object.entries(args.sets);
    if (sets.length > 0) {
      const access = new SecretAccess(`${name}-secrets`, args.secrets(RUNNERS_NAMESPACE, runners.namespace, setSecrets(args)), this.child());
      for (const [set, given] of sets) {
        const release = { releaseName: setRelease(set), namespace: runners.namespace, chart: SET_CHART, values: setValues(set, given) };
        new HelmRelease(`${name}-${set}`, release, this.child({ dependsOn: [access, controller] }));
      }
    }
    this.registerOutputs({});
  }
}

export const buildGithubRunners: BuildModule<GithubRunnersOptions> = (name, { options, context }, opts) => ({
  component: new GithubRunners(
    name,
    {
      ...options,
      controller: context.namespace(CONTROLLER_NAMESPACE),
      runners: context.namespace(RUNNERS_NAMESPACE),
      secrets: context.secrets.bind(context),
    },
    opts,
  ),
});
