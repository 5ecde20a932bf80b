import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { minio } from "../minio/module";
import { seaweedfs } from "./module";

const options = {
  buckets: [{ name: "state", versioning: true }, { name: "backups" }],
  users: {
    backups: { buckets: ["backups"], path: "store/MINIO_USERS", key: "backups" },
    reader: { buckets: ["state"], may: "read", path: "store/R", key: "r" },
  },
};

test("one pod is everything; who may do what is a Secret of ours before it, and its buckets are made by the chart", async () => {
  const registered = await builtModule(seaweedfs, { options });
  expect(graphOf(registered)).toMatchObject({
    "kubernetes:helm.sh/v3:Release seaweedfs-release": "given-cluster after seaweedfs-ns-namespace, seaweedfs-s3-secret",
    "kubernetes:networking.k8s.io/v1:Ingress seaweedfs-api-ingress": "given-cluster after seaweedfs-ns-namespace, seaweedfs-release",
  });
  expect(releaseOf(registered)).toMatchObject({
    ...releaseDefaults,
    chart: "seaweedfs",
    version: "4.44.0",
    repositoryOpts: { repo: "https://seaweedfs.github.io/seaweedfs/helm" },
    values: {
      master: { enabled: false },
      volume: { enabled: false },
      filer: { enabled: false },
      allInOne: {
        enabled: true,
        s3: {
          enabled: true,
          enableAuth: true,
          existingConfigSecret: "seaweedfs-s3",
          createBuckets: [
            { name: "state", anonymousRead: false, versioning: "Enabled" },
            { name: "backups", anonymousRead: false },
          ],
        },
        data: { type: "persistentVolumeClaim", size: "10Gi", storageClass: "local-path" },
      },
    },
  });
  const secret = plain(only(registered, "kubernetes:core/v1:Secret").inputs["stringData"]) as Record<string, string>;
  expect(JSON.parse(secret["seaweedfs_s3_config"] ?? "")).toEqual({
    identities: [
      {
        name: "root",
        credentials: [{ accessKey: "cluster-secret-store/secrets/MINIO rootUser", secretKey: "cluster-secret-store/secrets/MINIO rootPassword" }],
        actions: ["Admin", "Read", "Write", "List", "Tagging"],
      },
      {
        name: "backups",
        credentials: [{ accessKey: "backups", secretKey: "store/MINIO_USERS backups" }],
        actions: ["Read:backups", "List:backups", "Write:backups", "Tagging:backups"],
      },
      { name: "reader", credentials: [{ accessKey: "reader", secretKey: "store/R r" }], actions: ["Read:state", "List:state"] },
    ],
  });
});

test("it takes MinIO's place: the same options, the same name, the same that others need", () => {
  const parsed = seaweedfs.options.parse(options);
  expect(parsed).toEqual(minio.options.parse(options));
  expect(seaweedfs.provides).toEqual(minio.provides);
  const hosts = (module: typeof seaweedfs | typeof minio) => module.parts(module.options.parse(options), PLACE).hosts.map(({ name }) => name);
  expect(hosts(minio)).toContain(hosts(seaweedfs)[0]);
});
