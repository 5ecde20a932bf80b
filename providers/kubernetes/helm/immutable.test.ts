import { refusedChanges, replacingStep } from "./immutable";
import type { Manifest } from "./manifest";

const claim = (size: string, storageClassName = "local-path", name = "data") => ({
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], storageClassName, resources: { requests: { storage: size } } },
});
const object = (kind: string, spec: object, more: object = {}): Manifest => ({ apiVersion: "v1", kind, metadata: { name: "db" }, spec, ...more });
const set = (claims: object[], more: object = {}) =>
  object("StatefulSet", { replicas: 1, serviceName: "db", selector: { a: "b" }, volumeClaimTemplates: claims, ...more });
const pvc = (size: string, storageClassName = "local-path") => object("PersistentVolumeClaim", claim(size, storageClassName).spec);

test.each<[string, Manifest, Manifest, string[]]>([
  ["nothing", set([claim("1Gi")]), set([claim("1Gi")]), []],
  ["what a set may change", set([claim("1Gi")]), set([claim("1Gi")], { replicas: 3, template: { spec: {} }, updateStrategy: { type: "OnDelete" } }), []],
  ["the size of its volumes", set([claim("1Gi")]), set([claim("2Gi")]), ["size of the volume data: 1Gi → 2Gi"]],
  ["their class", set([claim("1Gi")]), set([claim("1Gi", "longhorn")]), ["class of the volume data: local-path → longhorn"]],
  [
    "both, and a volume more",
    set([claim("1Gi")]),
    set([claim("2Gi", "longhorn"), claim("1Gi", "longhorn", "log")]),
    ["size of the volume data: 1Gi → 2Gi", "class of the volume data: local-path → longhorn", "the volume log is new"],
  ],
  ["a volume less", set([claim("1Gi")]), set([]), ["the volume data goes"]],
  ["its selector and its service", set([]), set([], { selector: { a: "c" }, serviceName: "other" }), ["spec.serviceName", "spec.selector"]],
  ["a Deployment's selector", object("Deployment", { selector: { a: "b" } }), object("Deployment", { selector: { a: "c" }, replicas: 2 }), ["spec.selector"]],
  ["a Job's template", object("Job", { template: { a: 1 } }), object("Job", { template: { a: 2 } }), ["spec.template"]],
  ["a Job's rules of success", object("Job", { successPolicy: { rules: [1] } }), object("Job", { successPolicy: { rules: [2] } }), ["spec.successPolicy"]],
  ["a claim's class", pvc("1Gi"), pvc("1Gi", "longhorn"), ["spec.storageClassName"]],
  ["a larger claim", pvc("1Gi"), pvc("2Gi"), []],
  ["a smaller claim", pvc("1Gi"), pvc("512Mi"), ["size: 1Gi → 512Mi (a volume does not become smaller)"]],
  ["a binding's role", object("RoleBinding", {}, { roleRef: { name: "a" } }), object("RoleBinding", {}, { roleRef: { name: "b" } }), ["roleRef"]],
])("%s", (_, before, after, fields) => {
  expect(refusedChanges([before], [after], "app").flatMap((change) => change.fields)).toEqual(fields);
});

test("what is new, goes, or is of another namespace is compared with nothing", () => {
  const elsewhere = { ...set([claim("2Gi")]), metadata: { name: "db", namespace: "other" } };
  expect(refusedChanges([set([claim("1Gi")])], [elsewhere], "app")).toEqual([]);
  expect(refusedChanges([set([claim("1Gi")])], [], "app")).toEqual([]);
});

test("what to do names the object, and the data first where there are any", () => {
  const step = (before: Manifest, after: Manifest): string => refusedChanges([before], [after], "app").map(replacingStep).join();
  expect(step(set([claim("1Gi")]), set([claim("2Gi")]))).toMatch(/^save its data, then `kubectl -n app delete statefulset db --cascade=orphan`/);
  expect(step(pvc("1Gi"), pvc("1Gi", "longhorn"))).toBe(
    "save its data, then `kubectl -n app delete persistentvolumeclaim db`, run the stack again, and restore them",
  );
  expect(step(object("Deployment", { selector: { a: 1 } }), object("Deployment", { selector: { a: 2 } }))).toBe(
    "`kubectl -n app delete deployment db --cascade=orphan`, and run the stack again",
  );
});
