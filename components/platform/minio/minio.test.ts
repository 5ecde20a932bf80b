import * as pulumi from "@pulumi/pulumi";
import { builtModule, graphOf, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain, type Registered } from "../../../tests/support/pulumi-mocks";
import { minio } from "./module";

const INGRESS = "kubernetes:networking.k8s.io/v1:Ingress";
const MARK = "homelab/root-credential";

const valuesOf = (registered: Registered[]) => releaseOf(registered)["values"] as Record<string, unknown>;
const withPassword = (password: string) =>
  builtModule(minio, { secrets: { get: (_, key) => (key === "rootPassword" ? pulumi.secret(password) : pulumi.secret("root")) } });

test("it takes its root user from a Secret that is there first, and has no user that everybody knows", async () => {
  const registered = await builtModule(minio);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace minio-ns-namespace": "given-cluster",
    "kubernetes:core/v1:Secret minio-root": "given-cluster after minio-ns-namespace",
    "kubernetes:helm.sh/v3:Release minio-release": "given-cluster after minio-ns-namespace, minio-root",
    [`${INGRESS} minio-api-ingress`]: "given-cluster after minio-ns-namespace, minio-release",
    [`${INGRESS} minio-console-ingress`]: "given-cluster after minio-ns-namespace, minio-release",
  });
  expect(plain(only(registered, "kubernetes:core/v1:Secret").inputs)).toMatchObject({
    metadata: { name: "minio-root", namespace: "minio" },
    stringData: { rootUser: "cluster-secret-store/secrets/MINIO rootUser", rootPassword: "cluster-secret-store/secrets/MINIO rootPassword" },
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "minio",
    namespace: "minio",
    chart: "minio",
    version: "5.4.0",
    repositoryOpts: { repo: "https://charts.min.io" },
    values: {
      podAnnotations: { [MARK]: expect.stringMatching(/^[0-9a-f]{24}$/) },
      image: { repository: "quay.io/minio/minio", tag: expect.stringMatching(/^RELEASE\.2025-09-07T16-13-09Z@sha256:[0-9a-f]{64}$/) },
      mcImage: { repository: "quay.io/minio/mc", tag: expect.stringMatching(/^RELEASE\.2025-08-13T08-35-41Z@sha256:[0-9a-f]{64}$/) },
      mode: "standalone",
      replicas: 1,
      existingSecret: "minio-root",
      policies: [],
      users: [],
      persistence: { enabled: true, size: "10Gi", storageClass: "local-path", annotations: { "helm.sh/resource-policy": "keep" } },
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } },
      containerSecurityContext: {
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: false,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
      buckets: [
        { name: "pulumi-state", policy: "none", purge: false, versioning: true },
        { name: "loki", policy: "none", purge: false },
        { name: "teleport", policy: "none", purge: false },
      ],
      ingress: { enabled: false },
      consoleIngress: { enabled: false },
    },
  });
});

test("its API and its console have a route each", async () => {
  const registered = await builtModule(minio);
  const rulesOf = (name: string) =>
    (only(registered, INGRESS, name).inputs["spec"] as { rules: { host: string; http: { paths: { backend: object }[] } }[] }).rules.map((rule) => [
      rule.host,
      rule.http.paths[0]?.backend,
    ]);
  expect(rulesOf("minio-api-ingress")).toEqual([["s3.example.org", { service: { name: "minio", port: { number: 9000 } } }]]);
  expect(rulesOf("minio-console-ingress")).toEqual([["minio.example.org", { service: { name: "minio-console", port: { number: 9001 } } }]]);
});

test("size, class and buckets are options", async () => {
  const options = { size: "40Gi", storageClass: "fast", buckets: [{ name: "photos", versioning: true }] };
  expect(valuesOf(await builtModule(minio, { options }))).toMatchObject({
    persistence: { size: "40Gi", storageClass: "fast" },
    buckets: [{ name: "photos", policy: "none", purge: false, versioning: true }],
  });
});

test("a user reaches its own buckets alone, by a key that its Secret has", async () => {
  const entry = { path: "store/A", key: "one" };
  const users = { writer: { buckets: ["photos"], ...entry }, reader: { buckets: ["photos", "loki"], may: "read" as const, ...entry } };
  const registered = await builtModule(minio, { options: { buckets: [{ name: "photos" }, { name: "loki" }], users } });
  expect(plain(only(registered, "kubernetes:core/v1:Secret", "minio-users").inputs)).toMatchObject({
    metadata: { name: "minio-users", namespace: "minio" },
    stringData: { writer: "store/A one", reader: "store/A one" },
  });
  expect(graphOf(registered)["kubernetes:helm.sh/v3:Release minio-release"]).toContain("minio-users");
  const reads = ["s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject"];
  expect(valuesOf(registered)).toMatchObject({
    users: [
      { accessKey: "writer", existingSecret: "minio-users", existingSecretKey: "writer", policy: "writer" },
      { accessKey: "reader", existingSecret: "minio-users", existingSecretKey: "reader", policy: "reader" },
    ],
    policies: [
      {
        name: "writer",
        statements: [
          {
            resources: ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"],
            actions: [...reads, "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads"],
          },
        ],
      },
      {
        name: "reader",
        statements: [{ resources: ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*", "arn:aws:s3:::loki", "arn:aws:s3:::loki/*"], actions: reads }],
      },
    ],
  });
  expect(JSON.stringify(minio.options.safeParse({ users: { writer: { buckets: ["other"], ...entry } } }).error?.issues)).toContain(
    "writer reaches the bucket other, which is not among those that are made",
  );
});

test("it restarts by a mark on its pod when its root credential is another one, and only then", async () => {
  const [first, same, other] = [
    valuesOf(await withPassword("one-password")),
    valuesOf(await withPassword("one-password")),
    valuesOf(await withPassword("other")),
  ];
  const markOf = (values: Record<string, unknown>) => (values["podAnnotations"] as Record<string, string>)[MARK];
  expect(same).toEqual(first);
  expect(other).toEqual({ ...first, podAnnotations: { [MARK]: markOf(other) } });
  expect(markOf(other)).not.toBe(markOf(first));
});
