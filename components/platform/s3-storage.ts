/** Arguments of both modules of object storage, minio and seaweedfs. They have the same options, so that one can replace the other. */
import type * as pulumi from "@pulumi/pulumi";
import type { NamespaceArgs } from "../base/namespace";
import type { ClusterContext } from "./context";
import { type MinioOptions, ROOT_PASSWORD, ROOT_USER } from "./minio/options";
import type { Bucket, User } from "./minio/values";

export interface S3StorageArgs {
  namespace: NamespaceArgs;
  rootUser: pulumi.Input<string>;
  /** Secret. */
  rootPassword: pulumi.Input<string>;
  storageClass: string;
  /** Of its volume. */
  size: string;
  buckets: readonly Bucket[];
  /** By access key. */
  users: Readonly<Record<string, User & { readonly secretKey: pulumi.Input<string> }>>;
  ingressClass: string;
  issuer: pulumi.Input<string>;
}

/** @param namespace name of the module's namespace */
export function s3StorageArgs({ storageClass, size, buckets, users }: MinioOptions, context: ClusterContext, namespace: string): S3StorageArgs {
  const { place, programSecrets } = context;
  return {
    namespace: context.namespace(namespace),
    ingressClass: place.ingressClass,
    storageClass: storageClass ?? place.storageClass,
    size,
    buckets,
    users: Object.fromEntries(
      Object.entries(users).map(([user, { path, key, buckets: own, may }]) => [user, { buckets: own, may, secretKey: programSecrets.get(path, key) }]),
    ),
    issuer: context.need("issuer"),
    rootUser: programSecrets.get(ROOT_USER.path, ROOT_USER.key),
    rootPassword: programSecrets.get(ROOT_PASSWORD.path, ROOT_PASSWORD.key),
  };
}
