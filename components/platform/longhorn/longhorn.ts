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
 * Longhorn. Its removal follows Longhorn's own procedure. It is refused while a volume exists. Then a setting confirms the removal, and the
 * chart's Job uninstalls it, before the namespace is deleted.
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
    // It depends on the release, so its removal runs before that of the release.
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
