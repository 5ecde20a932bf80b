import type { Provider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../base/component";
import { HelmRelease } from "../base/helm-release";
import { Namespace } from "../base/namespace";
import { EXTERNAL_SECRETS_CHART, externalSecretsValues } from "./external-secrets/values";
import { EXTERNAL_SECRETS_NAMESPACE } from "./namespace-grants";

export const EXTERNAL_SECRETS_API = "external-secrets.io/v1beta1";

/** The operator that copies entries of Vault into Kubernetes Secrets. What it may read is up to {@link SecretAccess}. */
export class ExternalSecrets extends Component {
  /** Known once the operator runs and its resource kinds are there. */
  readonly apiVersion: pulumi.Output<string>;
  /** Where it runs; known once it is there. */
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, provider: Provider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:ExternalSecrets", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, { name: EXTERNAL_SECRETS_NAMESPACE }, provider, { parent: this });
    const release = new HelmRelease(
      name,
      { releaseName: "external-secrets", namespace, chart: EXTERNAL_SECRETS_CHART, values: externalSecretsValues() },
      provider,
      { parent: this },
    );
    this.namespace = namespace;
    this.apiVersion = release.releaseName.apply(() => EXTERNAL_SECRETS_API);
    this.registerOutputs({ apiVersion: this.apiVersion });
  }
}
