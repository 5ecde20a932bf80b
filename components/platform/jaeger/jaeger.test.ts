import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { jaeger } from "./module";
import { jaegerValues } from "./values";

test("it is its pinned chart after the claim for its traces, with its pages' route and Grafana's source", async () => {
  const registered = await builtModule(jaeger);
  const NS = "jaeger-ns-namespace";
  expect(graphOf(registered)).toEqual({
    [`kubernetes:core/v1:Namespace ${NS}`]: "given-cluster",
    "kubernetes:core/v1:PersistentVolumeClaim jaeger-traces-claim": `given-cluster after ${NS}`,
    "kubernetes:helm.sh/v3:Release jaeger-release": `given-cluster after ${NS}, jaeger-traces-claim`,
    "kubernetes:core/v1:ConfigMap jaeger-source": `given-cluster after ${NS}`,
    "kubernetes:networking.k8s.io/v1:Ingress jaeger-pages-ingress": `given-cluster after ${NS}, jaeger-release`,
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "jaeger",
    namespace: "tracing",
    chart: "jaeger",
    version: "4.11.1",
    repositoryOpts: { repo: "https://jaegertracing.github.io/helm-charts" },
    values: jaegerValues({ retentionDays: 3 }),
  });
  expect(only(registered, "kubernetes:core/v1:PersistentVolumeClaim").inputs["spec"]).toEqual({
    accessModes: ["ReadWriteOnce"],
    storageClassName: "local-path",
    resources: { requests: { storage: "10Gi" } },
  });
  const { spec } = plain(only(registered, "kubernetes:networking.k8s.io/v1:Ingress").inputs) as { spec: { rules: object[] } };
  expect(spec.rules).toEqual([
    {
      host: "jaeger.example.org",
      http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "jaeger", port: { number: 16686 } } } }] },
    },
  ]);
});

test("traces lie on the volume that the pod mounts, and go after the days that the option says", () => {
  const { userconfig, jaeger: pod } = jaegerValues({ retentionDays: 2 });
  const { badger } = userconfig.extensions.jaeger_storage.backends.traces;
  expect(badger).toEqual({ directories: { keys: "/badger/keys", values: "/badger/values" }, ephemeral: false, ttl: { spans: "48h" } });
  expect(pod.extraVolumes[0]).toEqual({ name: "traces", persistentVolumeClaim: { claimName: "jaeger-traces" } });
  expect(pod.extraVolumeMounts[0]).toEqual({ name: "traces", mountPath: "/badger" });
  expect(pod.strategy).toEqual({ type: "Recreate" });
  expect(jaeger.options.safeParse({ retentionDays: 0 }).success).toBe(false);
});

test("what its configuration names is there: extensions, receivers, processors, exporters and the storage", () => {
  const { service, extensions, receivers, processors, exporters } = jaegerValues({ retentionDays: 1 }).userconfig;
  expect(service.extensions.toSorted()).toEqual(Object.keys(extensions).toSorted());
  const { traces } = service.pipelines;
  expect([traces.receivers, traces.processors, traces.exporters]).toEqual([receivers, processors, exporters].map((part) => Object.keys(part)));
  expect(Object.keys(extensions.jaeger_storage.backends)).toEqual([extensions.jaeger_query.storage.traces]);
  expect(exporters.jaeger_storage_exporter.trace_storage).toBe("traces");
});

test("its pages are a route's and Grafana's; it has no login, so nobody else reaches it", () => {
  const { flows } = jaeger.parts(jaeger.options.parse({}), PLACE);
  expect(flows.map(({ direction, peer, port }) => [direction, peer, port])).toEqual([
    ["in", "routes", 16686],
    ["in", "monitoring", 16686],
  ]);
});
