import * as crypto from "node:crypto";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace } from "../../base/namespace";
import { WebIngress } from "../../base/web-ingress";
import type { BuildModule } from "../context";
import { type MinioOptions, ROOT_PASSWORD, ROOT_USER } from "./options";
import { type Bucket, MINIO_CHART, minioValues, ROOT_SECRET } from "./values";

const MARK_BYTES = 12;

/**
 * Another text for another credential, on the pod: MinIO reads it once, at its start, and the chart restarts it for no Secret
 * that it did not make. Slow to compute on purpose, since who may look at pods may see it.
 */
const markOf = (credential: string): string => crypto.scryptSync(credential, ROOT_SECRET, MARK_BYTES).toString("hex");

export interface MinioArgs {
  rootUser: pulumi.Input<string>;
  /** Secret. */
  rootPassword: pulumi.Input<string>;
  domain: string;
  storageClass: string;
  /** Of its volume. */
  size: string;
  buckets: readonly Bucket[];
  ingressClass: string;
  issuer: pulumi.Input<string>;
}

/** Object storage: the API at `s3.<domain>`, the console at `minio.<domain>`. */
export class Minio extends Component {
  readonly apiUrl: pulumi.Output<string>;
  readonly consoleUrl: pulumi.Output<string>;

  constructor(name: string, args: MinioArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Minio", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, { name: "minio" }, this.child());
    const root = new Secret(
      `${name}-root`,
      { metadata: { name: ROOT_SECRET, namespace }, stringData: { rootUser: args.rootUser, rootPassword: args.rootPassword } },
      this.child(),
    );
    // No secret, so that a preview can show it: the pod shows it too.
    const credentialMark = pulumi.unsecret(pulumi.all([args.rootUser, args.rootPassword]).apply((pair) => markOf(JSON.stringify(pair))));
    const release = new HelmRelease(
      name,
      { releaseName: "minio", namespace, chart: MINIO_CHART, values: minioValues({ ...args, credentialMark }) },
      this.child({ dependsOn: [root] }),
    );
    const route = { namespace, className: args.ingressClass, issuer: args.issuer };
    const api = new WebIngress(`${name}-api`, { ...route, host: `s3.${args.domain}`, service: release.releaseName, port: 9000 }, this.child());
    const console = new WebIngress(
      `${name}-console`,
      { ...route, host: `minio.${args.domain}`, service: release.releaseName.apply((service) => `${service}-console`), port: 9001 },
      this.child(),
    );
    this.apiUrl = api.url;
    this.consoleUrl = console.url;
    this.registerOutputs({ apiUrl: this.apiUrl, consoleUrl: this.consoleUrl });
  }
}

export const buildMinio: BuildModule<MinioOptions> = (name, { options, context }, opts) => {
  const { domain, ingressClass, storageClass } = context.place;
  const component = new Minio(
    name,
    {
      domain,
      ingressClass,
      storageClass: options.storageClass ?? storageClass,
      size: options.size,
      buckets: options.buckets,
      issuer: context.need("issuer"),
      rootUser: context.programSecrets.get(ROOT_USER.path, ROOT_USER.key),
      rootPassword: context.programSecrets.get(ROOT_PASSWORD.path, ROOT_PASSWORD.key),
    },
    opts,
  );
  return { component, urls: { s3: component.apiUrl, minio: component.consoleUrl } };
};
