import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import type { LocalPathOptions } from "./options";
import { LOCAL_PATH_CHART, LOCAL_PATH_NAMESPACE, localPathValues } from "./values";

export interface LocalPathArgs extends LocalPathOptions {
  namespace: NamespaceArgs;
}

/** A provisioner of volumes in a folder of the node. */
export class LocalPath extends Component {
  constructor(name: string, args: LocalPathArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:LocalPath", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    new HelmRelease(name, { releaseName: "local-path", namespace, chart: LOCAL_PATH_CHART, values: localPathValues(args) }, this.child());
    this.registerOutputs({});
  }
}

export const buildLocalPath: BuildModule<LocalPathOptions> = (name, { options, context }, opts) => ({
  component: new LocalPath(name, { ...options, namespace: context.namespace(LOCAL_PATH_NAMESPACE) }, opts),
});
