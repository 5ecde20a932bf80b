import { builtModule, graphOf, PLACE } from "../../../tests/support/module-build";
import { plain, type Registered } from "../../../tests/support/pulumi-mocks";
import { valkeyArgs } from "../valkey-args";
import { immich } from "./module";
import { IMMICH_PATH, IMMICH_STEPS } from "./options";

const options = { libraryPath: "/mnt/disk/photos", librarySize: "1100Gi" };

interface PodSpec {
  securityContext: Record<string, unknown>;
  containers: {
    image: string;
    args?: string[];
    env: { name: string; value?: string; valueFrom?: object }[];
    securityContext: object;
    volumeMounts: object[];
  }[];
  volumes: object[];
}
const named = (registered: readonly Registered[], name: string): Record<string, unknown> => {
  const [found] = registered.filter((resource) => resource.name === name);
  return plain(found?.inputs ?? {}) as Record<string, unknown>;
};
const podOf = (registered: readonly Registered[], name: string): PodSpec => (named(registered, name)["spec"] as { template: { spec: PodSpec } }).template.spec;

let registered: Registered[];
beforeAll(async () => {
  registered = await builtModule(immich, { options });
});

test("database, queues, models and library are there before the server is; its route comes last", () => {
  const graph = graphOf(registered);
  expect(Object.keys(graph).toSorted()).toEqual(
    [
      "kubernetes:core/v1:Namespace immich-ns-namespace",
      "kubernetes:core/v1:Secret immich-database-owner-secret",
      "kubernetes:postgresql.cnpg.io/v1:Cluster immich-database-servers",
      "kubernetes:core/v1:Secret immich-valkey-secret",
      "kubernetes:core/v1:PersistentVolumeClaim immich-models-claim",
      "kubernetes:apps/v1:Deployment immich-valkey-deployment",
      "kubernetes:core/v1:Service immich-valkey-service",
      "kubernetes:apps/v1:Deployment immich-machine-learning-deployment",
      "kubernetes:core/v1:Service immich-machine-learning-service",
      "kubernetes:core/v1:PersistentVolume immich-library-volume",
      "kubernetes:core/v1:PersistentVolumeClaim immich-library-claim",
      "kubernetes:apps/v1:Deployment immich-server-deployment",
      "kubernetes:core/v1:Service immich-server-service",
      "kubernetes:networking.k8s.io/v1:Ingress immich-ingress",
    ].toSorted(),
  );
  for (const before of ["immich-database-servers", "immich-valkey-service", "immich-machine-learning-service", "immich-library-claim"])
    expect(graph["kubernetes:apps/v1:Deployment immich-server-deployment"]).toContain(before);
});

test("the library is the folder of the node: it must be there, and stays when everything goes", () => {
  expect(named(registered, "immich-library-volume")["spec"]).toEqual({
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: "1100Gi" },
    hostPath: { path: "/mnt/disk/photos", type: "Directory" },
    persistentVolumeReclaimPolicy: "Retain",
    storageClassName: "",
    claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name: "immich-library", namespace: "immich" },
  });
  expect(named(registered, "immich-library-claim")["spec"]).toMatchObject({ storageClassName: "", volumeName: "immich-library" });
});

test("the database has VectorChord, loaded at its start and as an extension", () => {
  expect(named(registered, "immich-database-servers")["spec"]).toMatchObject({
    instances: 1,
    imageName: "ghcr.io/tensorchord/cloudnative-vectorchord:17-0.4.3",
    storage: { size: "20Gi", storageClass: "local-path" },
    postgresql: { shared_preload_libraries: ["vchord.so"] },
    bootstrap: {
      initdb: {
        database: "immich",
        owner: "immich",
        postInitApplicationSQL: ["vector", "vchord", "cube", "earthdistance"].map((name) => `CREATE EXTENSION IF NOT EXISTS "${name}"`),
      },
    },
  });
});

test("the server finds all of it, reads its passwords from Secrets, and runs as who owns the library", () => {
  const pod = podOf(registered, "immich-server-deployment");
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1001, fsGroup: 1001 });
  const [container] = pod.containers;
  expect(container?.image).toBe("ghcr.io/immich-app/immich-server:v2.6.3");
  expect(container?.env).toEqual([
    { name: "DB_HOSTNAME", value: "immich-database-rw" },
    { name: "DB_DATABASE_NAME", value: "immich" },
    { name: "DB_USERNAME", valueFrom: { secretKeyRef: { name: "immich-database-immich", key: "username" } } },
    { name: "DB_PASSWORD", valueFrom: { secretKeyRef: { name: "immich-database-immich", key: "password" } } },
    { name: "DB_VECTOR_EXTENSION", value: "vectorchord" },
    { name: "REDIS_HOSTNAME", value: "immich-valkey" },
    { name: "REDIS_PASSWORD", valueFrom: { secretKeyRef: { name: "immich-valkey", key: "password" } } },
    { name: "IMMICH_MACHINE_LEARNING_URL", value: "http://immich-machine-learning:3003" },
    { name: "IMMICH_MEDIA_LOCATION", value: "/data" },
  ]);
  expect(container?.volumeMounts).toEqual([
    { name: "volume-0", mountPath: "/data" },
    { name: "volume-1", mountPath: "/tmp" },
  ]);
  expect(pod.volumes).toEqual([
    { name: "volume-0", persistentVolumeClaim: { claimName: "immich-library" } },
    { name: "volume-1", emptyDir: {} },
  ]);
});

test("nobody speaks to Valkey without its password, and no pod may do more than it must", () => {
  expect(podOf(registered, "immich-valkey-deployment").containers[0]?.args).toEqual(
    valkeyArgs("--save", "", "--maxmemory", "96mb", "--maxmemory-policy", "noeviction"),
  );
  for (const part of ["valkey", "machine-learning", "server"]) {
    const { securityContext, containers } = podOf(registered, `immich-${part}-deployment`);
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      // The server writes outside of its volumes.
      readOnlyRootFilesystem: part !== "server",
      capabilities: { drop: ["ALL"] },
    });
  }
});

test("another password restarts those that read it once", async () => {
  const mark = (all: readonly Registered[], part: string): unknown =>
    (named(all, `immich-${part}-deployment`)["spec"] as { template: { metadata: { annotations?: object } } }).template.metadata.annotations;
  const pulumi = await import("@pulumi/pulumi");
  const other = await builtModule(immich, { options, secrets: { get: (path, key) => pulumi.secret(`other ${path} ${key}`) } });
  expect(mark(registered, "machine-learning")).toBeUndefined();
  for (const part of ["valkey", "server"]) {
    expect(mark(registered, part)).toBeDefined();
    expect(mark(other, part)).not.toEqual(mark(registered, part));
  }
});

test("server and machine learning have one version, which is a step on the way or its end", async () => {
  const older = await builtModule(immich, { options: { ...options, version: "v1.137.3" } });
  for (const part of ["server", "machine-learning"])
    expect(podOf(older, `immich-${part}-deployment`).containers[0]?.image).toBe(`ghcr.io/immich-app/immich-${part}:v1.137.3`);
  for (const version of ["v1.119.0", "v1.132.3"]) expect(immich.options.safeParse({ ...options, version }).success).toBe(false);
  expect(IMMICH_PATH.map((step) => step.version).slice(1)).toEqual([...IMMICH_STEPS]);
  expect(immich.options.parse(options)).toMatchObject({ version: IMMICH_STEPS.at(-1) });
});

test("where the library lies must be said", () => {
  expect(immich.options.safeParse({}).error?.issues.map(({ path }) => path.join("."))).toEqual(["libraryPath", "librarySize"]);
  const parts = immich.parts(immich.options.parse(options), PLACE);
  expect(parts.hosts).toEqual([{ name: "immich.example.org", serves: "Immich", route: "ingress" }]);
});
