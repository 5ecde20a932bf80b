import type * as pulumi from "@pulumi/pulumi";
import { clusterCommand } from "../../base/cluster-command";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import type { LonghornOptions } from "./options";
import { DELETING_CONFIRMATION, LONGHORN_API, LONGHORN_NAMESPACE, longhornChart, longhornValues } from "./values";

export interface LonghornArgs extends Pick<LonghornOptions, "version" | "replicas"> {
  namespace: NamespaceArgs;
}

/** The API of Longhorn may be busy for a while. */
const REMOVAL_SECONDS = 120;

/**
 * Longhorn. Its release goes in the order that Longhorn wants: not while there is a volume; then its confirmation is set, and then the
 * chart's own Job takes it down, before the namespace goes.
 */
export class Longhorn extends Component {
  constructor(name: string, args: LonghornArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Longhorn", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const release = new HelmRelease(
      name,
      { releaseName: "longhorn", namespace, chart: longhornChart(args.version), values: longhornValues(args), timeoutMinutes: 20 },
      this.child(),
    );
    // Gone before the release is.
    clusterCommand(
      `${name}-removal`,
      this.getProvider("kubernetes:helm.sh/v3:Release"),
      {
        do: "removal",
        of: "longhorn",
        none: { apiVersion: LONGHORN_API, kind: "Volume", namespace: LONGHORN_NAMESPACE },
        set: [
          {
            apiVersion: LONGHORN_API,
            kind: "Setting",
            metadata: { name: DELETING_CONFIRMATION, namespace: LONGHORN_NAMESPACE },
            value: "true",
          },
        ],
      },
      REMOVAL_SECONDS,
      this.child({ dependsOn: [release] }),
      { removes: true },
    );
    this.registerOutputs({});
  }
}

export const buildLonghorn: BuildModule<LonghornOptions> = (name, { options, context }, opts) => ({
  component: new Longhorn(name, { ...options, namespace: context.namespace(LONGHORN_NAMESPACE) }, opts),
});
