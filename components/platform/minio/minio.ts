import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace } from "../../base/namespace";
import { WebIngress } from "../../base/web-ingress";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import { type S3StorageArgs, s3StorageArgs } from "../s3-storage";
import type { MinioOptions } from "./options";
import { MINIO_CHART, MINIO_NAMESPACE, minioValues, ROOT_SECRET, USERS_SECRET } from "./values";

export interface MinioArgs extends S3StorageArgs {
  domain: string;
}

/** Object storage: the API at `s3.<domain>`, the console at `minio.<domain>`. */
export class Minio extends Component {
  readonly apiUrl: pulumi.Output<string>;
  readonly consoleUrl: pulumi.Output<string>;

  constructor(name: string, args: MinioArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Minio", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const root = new Secret(
      `${name}-root`,
      { metadata: { name: ROOT_SECRET, namespace }, stringData: { rootUser: args.rootUser, rootPassword: args.rootPassword } },
      this.child(),
    );
    const users = Object.entries(args.users);
    const keys =
      users.length === 0
        ? []
        : [
            new Secret(
              `${name}-users`,
              { metadata: { name: USERS_SECRET, namespace }, stringData: Object.fromEntries(users.map(([user, { secretKey }]) => [user, secretKey])) },
              this.child(),
            ),
          ];
    const release = new HelmRelease(
      name,
      {
        releaseName: "minio",
        namespace,
        chart: MINIO_CHART,
        values: minioValues({ ...args, credentialMark: credentialMark(ROOT_SECRET, [args.rootUser, args.rootPassword]) }),
      },
      this.child({ dependsOn: [root, ...keys] }),
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
  const component = new Minio(name, { ...s3StorageArgs(options, context, MINIO_NAMESPACE), domain: context.place.domain }, opts);
  return { component, urls: { s3: component.apiUrl, minio: component.consoleUrl } };
};
