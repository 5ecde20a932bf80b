import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import type * as pulumi from "@pulumi/pulumi";
import { OWN_AUTHORITY } from "../../../common/vault-layout";
import { after, Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { type IssuerPlan, letsencrypt, ownAuthority } from "./issuers";
import { type CertManagerOptions, CLOUDFLARE_TOKEN } from "./options";
import { CERT_MANAGER_CHART, CERT_MANAGER_NAMESPACE, certManagerValues } from "./values";

/** Sent to the webhook as a dry run until it admits. One object is enough: one webhook answers for all kinds of cert-manager. */
const ADMITTED = {
  apiVersion: "cert-manager.io/v1",
  kind: "Issuer",
  metadata: { name: "homelab-admission", namespace: CERT_MANAGER_NAMESPACE },
  spec: { selfSigned: {} },
} as const;

export interface CertManagerArgs {
  namespace: NamespaceArgs;
  issuer: IssuerPlan;
  /** What the issuer's Secret holds; secret. */
  secret: Readonly<Record<string, pulumi.Input<string>>>;
  /** Resolvers for the checks of DNS-01, as `address:port`; none without DNS-01. */
  nameservers: readonly string[];
}

/** Certificates for every host name, from one issuer of the cluster. They need no port that is open to the internet. */
export class CertManager extends Component {
  /** Name of the ClusterIssuer; known once it exists. */
  readonly issuer: pulumi.Output<string>;

  constructor(name: string, args: CertManagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:CertManager", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const release = new HelmRelease(
      name,
      { releaseName: "cert-manager", namespace, chart: CERT_MANAGER_CHART, values: certManagerValues(args), admits: [ADMITTED] },
      this.child(),
    );
    const { name: issuerName, spec, secret } = args.issuer;
    const held = new Secret(
      `${name}-${secret.part}`,
      { metadata: { name: secret.name, namespace }, ...(secret.type === undefined ? {} : { type: secret.type }), stringData: { ...args.secret } },
      this.child(),
    );
    const issuer = new CustomResource(
      `${name}-issuer`,
      { apiVersion: "cert-manager.io/v1", kind: "ClusterIssuer", metadata: { name: issuerName }, spec },
      this.child({ dependsOn: [release, held] }),
    );
    this.issuer = after(issuer, issuerName);
    this.registerOutputs({ issuer: this.issuer });
  }
}

export const buildCertManager: BuildModule<CertManagerOptions> = (name, { options, context }, opts) => {
  const { contact, domain } = context.place;
  const read = (path: string, key: string) => context.programSecrets.get(path, key);
  const args: Omit<CertManagerArgs, "namespace"> =
    options.issuer === "own-authority"
      ? {
          issuer: ownAuthority,
          secret: Object.fromEntries([OWN_AUTHORITY.certificate, OWN_AUTHORITY.key].map((key) => [key, read(OWN_AUTHORITY.path, key)])),
          nameservers: [],
        }
      : {
          issuer: letsencrypt({ email: options.email ?? contact, domain, by: options.issuer }),
          secret: { [CLOUDFLARE_TOKEN.key]: read(CLOUDFLARE_TOKEN.path, CLOUDFLARE_TOKEN.key) },
          nameservers: options.nameservers,
        };
  const component = new CertManager(name, { ...args, namespace: context.namespace(CERT_MANAGER_NAMESPACE) }, opts);
  return { component, gives: { issuer: component.issuer } };
};
