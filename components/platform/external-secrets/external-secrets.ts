import type * as pulumi from "@pulumi/pulumi";
import { after, Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { type BuildModule, formerPart } from "../context";
import { EXTERNAL_SECRETS_NAMESPACE } from "../namespace-grants";
import { EXTERNAL_SECRETS_API, EXTERNAL_SECRETS_CHART, externalSecretsValues } from "./values";

const probe = (kind: string, spec: object) => ({
  apiVersion: EXTERNAL_SECRETS_API,
  kind,
  metadata: { name: "homelab-admission", namespace: EXTERNAL_SECRETS_NAMESPACE },
  spec,
});
/** Sent as dry runs until they are admitted, one for each webhook. Each webhook has its own configuration, filled in one after the other. */
const ADMITTED = [
  probe("SecretStore", { provider: { fake: { data: [{ key: "a", value: "b" }] } } }),
  probe("ExternalSecret", {
    refreshInterval: "1h",
    secretStoreRef: { kind: "SecretStore", name: "homelab-admission" },
    target: { name: "homelab-admission" },
    data: [{ secretKey: "a", remoteRef: { key: "a" } }],
  }),
];

/** The operator that copies entries of Vault into Kubernetes Secrets. What it may read is up to {@link SecretAccess}. */
export class ExternalSecrets extends Component {
  /** Known once the operator runs and its resource kinds exist. */
  readonly apiVersion: pulumi.Output<string>;

  constructor(name: string, args: { namespace: NamespaceArgs }, opts?: pulumi.ComponentResourceOptions) {
    super("platform:ExternalSecrets", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const release = new HelmRelease(
      name,
      { releaseName: "external-secrets", namespace, chart: EXTERNAL_SECRETS_CHART, values: externalSecretsValues(), admits: ADMITTED },
      this.child(),
    );
    this.apiVersion = after(release, EXTERNAL_SECRETS_API);
    this.registerOutputs({ apiVersion: this.apiVersion });
  }
}

export const buildExternalSecrets: BuildModule<Record<string, never>> = (name, { context }, opts) => ({
  component: new ExternalSecrets(name, { namespace: context.namespace(EXTERNAL_SECRETS_NAMESPACE) }, { ...opts, aliases: [formerPart("external-secrets")] }),
});
