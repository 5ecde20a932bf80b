import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { WebIngress } from "../../base/web-ingress";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import { type MinioOptions, ROOT_PASSWORD, ROOT_USER } from "./options";
import { type Bucket, MINIO_CHART, MINIO_NAMESPACE, minioValues, ROOT_SECRET, USERS_SECRET, type User } from "./values";

export interface MinioArgs {
  namespace: NamespaceArgs;
  rootUser: pulumi.Input<string>;
  /** Secret. */
  rootPassword: pulumi.Input<string>;
  domain: string;
  storageClass: string;
  /** Of its volume. */
  size: string;
  buckets: readonly Bucket[];
  /** By access key. */
  users: Readonly<Record<string, User & { readonly secretKey: pulumi.Input<string> }>>;
  ingressClass: string;
  issuer: pulumi.Input<string>;
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
  const { domain, ingressClass, storageClass } = context.place;
  const component = new Minio(
    name,
    {
      namespace: context.namespace(MINIO_NAMESPACE),
      domain,
      ingressClass,
      storageClass: options.storageClass ?? storageClass,
      size: options.size,
      buckets: options.buckets,
      users: Object.fromEntries(
        Object.entries(options.users).map(([user, { path, key, buckets, may }]) => [user, { buckets, may, secretKey: context.programSecrets.get(path, key) }]),
      ),
      issuer: context.need("issuer"),
      rootUser: context.programSecrets.get(ROOT_USER.path, ROOT_USER.key),
      rootPassword: context.programSecrets.get(ROOT_PASSWORD.path, ROOT_PASSWORD.key),
    },
    opts,
  );
  return { component, urls: { s3: component.apiUrl, minio: component.consoleUrl } };
};
