import * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { Credentials } from "../../base/credentials";
import { HelmRelease } from "../../base/helm-release";
import { Namespace } from "../../base/namespace";
import { WebIngress } from "../../base/web-ingress";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import { type S3StorageArgs, s3StorageArgs } from "../s3-storage";
import type { SeaweedfsOptions } from "./options";
import { CONFIG_KEY, CONFIG_SECRET, S3_PORT, SEAWEEDFS_CHART, SEAWEEDFS_NAMESPACE, s3Config, seaweedfsValues } from "./values";

export interface SeaweedfsArgs extends S3StorageArgs {
  /** Full name under which it is reached. */
  host: string;
}

/** Object storage by the API of S3, in one pod. */
export class Seaweedfs extends Component {
  readonly apiUrl: pulumi.Output<string>;

  constructor(name: string, args: SeaweedfsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Seaweedfs", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const keys = Object.fromEntries(Object.entries(args.users).map(([user, { secretKey }]) => [user, secretKey]));
    const config = pulumi
      .all([pulumi.output(args.rootUser), pulumi.output(args.rootPassword), pulumi.output(keys)])
      .apply(([accessKey, secretKey, secrets]) =>
        s3Config(
          { accessKey, secretKey },
          Object.fromEntries(Object.entries(args.users).map(([user, { buckets, may }]) => [user, { buckets, may, secretKey: secrets[user] ?? "" }])),
        ),
      );
    const own = new Credentials(`${name}-s3`, { name: CONFIG_SECRET, namespace, values: { [CONFIG_KEY]: config } }, this.child());
    const release = new HelmRelease(
      name,
      {
        releaseName: "seaweedfs",
        namespace,
        chart: SEAWEEDFS_CHART,
        values: seaweedfsValues({ ...args, credentialMark: credentialMark(CONFIG_SECRET, [config]) }),
      },
      this.child({ dependsOn: [own] }),
    );
    const service = release.releaseName.apply((whole) => `${whole}-s3`);
    const route = { namespace, className: args.ingressClass, issuer: args.issuer, host: args.host, service, port: S3_PORT };
    this.apiUrl = new WebIngress(`${name}-api`, route, this.child()).url;
    this.registerOutputs({ apiUrl: this.apiUrl });
  }
}

export const buildSeaweedfs: BuildModule<SeaweedfsOptions> = (name, { options, context }, opts) => {
  const component = new Seaweedfs(name, { ...s3StorageArgs(options, context, SEAWEEDFS_NAMESPACE), host: `s3.${context.place.domain}` }, opts);
  return { component, urls: { s3: component.apiUrl } };
};
