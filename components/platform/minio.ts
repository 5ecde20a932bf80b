import * as crypto from "node:crypto";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import type { Provider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../base/component";
import { HelmRelease } from "../base/helm-release";
import { Namespace } from "../base/namespace";
import { WebIngress } from "../base/web-ingress";
import { MINIO_CHART, minioValues, ROOT_SECRET } from "./minio/values";

const MARK_BYTES = 12;

/**
 * Another text for another credential, on the pod: MinIO reads it once, at its start, and the chart restarts it for no Secret
 * that it did not make. Slow to compute on purpose, since who may look at pods may see it.
 */
const markOf = (credential: string): string => crypto.scryptSync(credential, ROOT_SECRET, MARK_BYTES).toString("hex");

/** Buckets that others need are made here, not by hand. */
const BUCKETS = [{ name: "pulumi-state", versioning: true }, { name: "loki" }, { name: "teleport" }];

export interface MinioArgs {
  rootUser: pulumi.Input<string>;
  /** Secret. */
  rootPassword: pulumi.Input<string>;
  domain: string;
  storageClass: string;
  ingressClass: string;
  issuer: pulumi.Input<string>;
}

/** Object storage: the API at `s3.<domain>`, the console at `minio.<domain>`. */
export class Minio extends Component {
  readonly apiUrl: pulumi.Output<string>;
  readonly consoleUrl: pulumi.Output<string>;

  constructor(name: string, args: MinioArgs, provider: Provider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Minio", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, { name: "minio" }, provider, { parent: this });
    const root = new Secret(
      `${name}-root`,
      { metadata: { name: ROOT_SECRET, namespace }, stringData: { rootUser: args.rootUser, rootPassword: args.rootPassword } },
      this.child({ provider }),
    );
    // No secret, so that a preview can show it: the pod shows it too.
    const mark = pulumi.unsecret(pulumi.all([args.rootUser, args.rootPassword]).apply((pair) => markOf(JSON.stringify(pair))));
    const release = new HelmRelease(
      name,
      {
        releaseName: "minio",
        namespace,
        chart: MINIO_CHART,
        values: minioValues({ storageClass: args.storageClass, size: "10Gi", buckets: BUCKETS, credentialMark: mark }),
      },
      provider,
      {
        parent: this,
        dependsOn: [root],
      },
    );
    const route = { namespace, className: args.ingressClass, issuer: args.issuer };
    const api = new WebIngress(`${name}-api`, { ...route, host: `s3.${args.domain}`, service: release.releaseName, port: 9000 }, provider, { parent: this });
    const console = new WebIngress(
      `${name}-console`,
      { ...route, host: `minio.${args.domain}`, service: release.releaseName.apply((service) => `${service}-console`), port: 9001 },
      provider,
      { parent: this },
    );
    this.apiUrl = api.url;
    this.consoleUrl = console.url;
    this.registerOutputs({ apiUrl: this.apiUrl, consoleUrl: this.consoleUrl });
  }
}
