import { appManifests } from "./app-manifests";
import type { Patch } from "./app-spec";

const APP = {
  name: "shop",
  image: "r.example.org/shop:1",
  ports: [{ name: "http", port: 8080 }] as const,
  probes: { ready: "/readyz", live: "/livez" },
  config: { LEVEL: "info" },
};
const PLACE = { namespace: "shop", routes: { kind: "ingress", className: "traefik" } as const, issuer: "own" };

const patched = (...patches: Patch[]) => appManifests({ ...APP, patches }, PLACE).map(({ manifest }) => manifest);
const of = (kind: string, ...patches: Patch[]) =>
  patched(...patches).find((manifest) => manifest.kind === kind) as unknown as { spec: never; metadata: { name: string } };
const why = "a test";

test("operations are done in their order, to each object of the kind, and share nothing with the others", () => {
  const patch: Patch = {
    kind: "Deployment",
    why,
    operations: [
      { op: "add", path: "/spec/template/metadata/labels/team", value: "a" },
      { op: "test", path: "/spec/template/spec/containers/0/name", value: "shop" },
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: "r.example.org/shop:2" },
    ],
  };
  expect(of("Deployment", patch)).toMatchObject({
    metadata: { labels: { "app.kubernetes.io/name": "shop" } },
    spec: {
      selector: { matchLabels: { "app.kubernetes.io/name": "shop" } },
      template: { metadata: { labels: { "app.kubernetes.io/name": "shop", team: "a" } }, spec: { containers: [{ image: "r.example.org/shop:2" }] } },
    },
  });
  expect(Object.keys((of("Deployment", patch) as never as { metadata: { labels: object } }).metadata.labels)).toEqual(["app.kubernetes.io/name"]);
});

test("a ConfigMap is patched by its name without the digest; what reads it gets the new name", () => {
  const before = of("ConfigMap").metadata.name;
  const patch: Patch = { kind: "ConfigMap", name: "shop-config", why, operations: [{ op: "replace", path: "/data/LEVEL", value: "debug" }] };
  const after = of("ConfigMap", patch).metadata.name;
  expect([before, after]).toEqual([expect.stringMatching(/^shop-config-[0-9a-f]{10}$/), expect.stringMatching(/^shop-config-[0-9a-f]{10}$/)]);
  expect(after).not.toBe(before);
  expect(of("Deployment", patch)).toMatchObject({ spec: { template: { spec: { containers: [{ envFrom: [{ configMapRef: { name: after } }] }] } } } });
});

test.each<[string, Omit<Patch, "why">, string]>([
  ["matches no kind", { kind: "StatefulSet", operations: [{ op: "add", path: "/a", value: 1 }] }, "the patch of StatefulSet (a test): matches nothing"],
  [
    "matches no name",
    { kind: "ConfigMap", name: "cks-backend-config-stg", operations: [{ op: "add", path: "/a", value: 1 }] },
    "the patch of ConfigMap cks-backend-config-stg (a test): matches nothing",
  ],
  [
    "replaces what is not there",
    { kind: "Deployment", operations: [{ op: "replace", path: "/spec/strategy", value: {} }] },
    "replace /spec/strategy: there is nothing at that path",
  ],
  [
    "removes what is not there",
    { kind: "Deployment", operations: [{ op: "remove", path: "/spec/paused" }] },
    "remove /spec/paused: there is nothing at that path",
  ],
  [
    "tests what is not so",
    { kind: "Service", operations: [{ op: "test", path: "/spec/ports/0/name", value: "grpc" }] },
    "test /spec/ports/0/name: the value is not the one that the test expects",
  ],
  [
    "names an element by its index alone",
    { kind: "Deployment", operations: [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "r/x:1" }] },
    "replace /spec/template/spec/containers/0/image names an element by its index alone",
  ],
  [
    "tests one element and changes another",
    {
      kind: "Deployment",
      operations: [
        { op: "test", path: "/spec/template/spec/containers/0/name", value: "shop" },
        { op: "replace", path: "/spec/template/spec/containers/1/image", value: "r/x:1" },
      ],
    },
    "replace /spec/template/spec/containers/1/image names an element by its index alone",
  ],
  [
    "makes another object",
    { kind: "Service", operations: [{ op: "replace", path: "/metadata/name", value: "other" }] },
    "it changes the identity of Service shop/shop",
  ],
  [
    "copies an element that it names by its index alone",
    { kind: "Deployment", operations: [{ op: "copy", from: "/spec/template/spec/containers/0/name", path: "/metadata/labels/x" }] },
    "copy /spec/template/spec/containers/0/name names an element by its index alone",
  ],
  [
    "changes an element that came to the index of a tested one when that was removed",
    {
      kind: "Service",
      operations: [
        { op: "test", path: "/spec/ports/0/name", value: "http" },
        { op: "remove", path: "/spec/ports/0" },
        { op: "remove", path: "/spec/ports/0" },
      ],
    },
    "remove /spec/ports/0 names an element by its index alone",
  ],
  [
    "changes an element that it put before the tested one",
    {
      kind: "Service",
      operations: [
        { op: "test", path: "/spec/ports/0/name", value: "http" },
        { op: "add", path: "/spec/ports/0", value: { name: "b", port: 1 } },
        { op: "replace", path: "/spec/ports/0/port", value: 2 },
      ],
    },
    "replace /spec/ports/0/port names an element by its index alone",
  ],
  ["replaces the end of a list", { kind: "Service", operations: [{ op: "replace", path: "/spec/ports/-", value: {} }] }, "names no element of a list"],
  ["sets the length of a list", { kind: "Service", operations: [{ op: "replace", path: "/spec/ports/length", value: 0 }] }, "names no element of a list"],
  ["leads through a prototype", { kind: "Service", operations: [{ op: "add", path: "/metadata/labels/__proto__/x", value: 1 }] }, "__proto__ is no field"],
  ["takes the metadata away", { kind: "Service", operations: [{ op: "remove", path: "/metadata" }] }, "it changes the identity of Service shop/shop"],
  [
    "makes another version",
    { kind: "Service", operations: [{ op: "replace", path: "/apiVersion", value: "v2" }] },
    "it changes the identity of Service shop/shop",
  ],
  ["empties an object", { kind: "Service", operations: [{ op: "replace", path: "/spec", value: null }] }, "it takes the whole spec from Service shop/shop"],
])("a patch is refused that %s", (_, patch, message) => {
  expect(() => patched({ ...patch, why })).toThrow(message);
});
