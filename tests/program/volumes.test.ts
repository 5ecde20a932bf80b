/**
 * The volumes of each stack's programs and charts. They fit the quota of their namespace, since Kubernetes refuses volumes beyond it, and
 * those with data outlive the module.
 */
import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";
import { mebibytes } from "../../stacks/plan/requests";
import { plain } from "../support/pulumi-mocks";
import { plannedModules, type Rendered, renderedObjects } from "../support/rendered-stacks";
import { ownRuns } from "../support/stack-run";

const { names, registeredBy } = ownRuns();
const plans = planEstate(loadEstate());

const at = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((node, key) => (typeof node === "object" && node !== null ? (node as Rendered)[key] : undefined), value);

/** How many MiB of volumes an object asks for. */
function storageOf(object: Rendered): number {
  const size = (claim: unknown): number => mebibytes(String(at(claim, "spec", "resources", "requests", "storage")));
  if (object["kind"] === "PersistentVolumeClaim") return size(object);
  if (object["kind"] === "Cluster") return Number(at(object, "spec", "instances")) * mebibytes(String(at(object, "spec", "storage", "size")));
  const templates = object["kind"] === "StatefulSet" ? ((at(object, "spec", "volumeClaimTemplates") ?? []) as unknown[]) : [];
  return Number(at(object, "spec", "replicas") ?? 1) * templates.reduce<number>((sum, claim) => sum + size(claim), 0);
}

/** Whether an object, or its claims, remain when the module is removed. */
function isKept({ type, retainOnDelete, object }: { type?: string; retainOnDelete?: boolean; object: Rendered }): boolean {
  // Kubernetes keeps the claims of a deleted StatefulSet unless its own policy says otherwise.
  if (object["kind"] === "StatefulSet") return at(object, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted") !== "Delete";
  return type === undefined ? at(object, "metadata", "annotations", "helm.sh/resource-policy") === "keep" : retainOnDelete === true;
}

/** Namespaces with volumes. */
const seen = new Set<string>();

test.each(names)("the volumes of %s fit the quotas of their namespaces", async (stack) => {
  const registered = (await registeredBy(stack)).filter(({ type }) => type.startsWith("kubernetes:")).map(({ inputs }) => plain(inputs) as Rendered);
  const rendered = plannedModules().flatMap(({ stack: of, plan, module }) =>
    of === stack ? renderedObjects(module, plan).map((object) => ({ home: module.parts.namespaces[0], object })) : [],
  );
  const asked = new Map<string, number>();
  for (const { home, object } of [...registered.map((made) => ({ home: undefined, object: made })), ...rendered]) {
    const namespace = String(at(object, "metadata", "namespace") ?? home);
    const storage = storageOf(object);
    if (storage > 0) asked.set(namespace, (asked.get(namespace) ?? 0) + storage);
  }
  const tooMuch = [...asked].flatMap(([namespace, mib]) => {
    const quota = plans.get(stack)?.platform.namespaces.get(namespace)?.quota?.["requests.storage"];
    return quota === undefined || mib <= mebibytes(quota) ? [] : [`${namespace}: ${mib}Mi of ${quota}`];
  });
  expect(tooMuch).toEqual([]);
  for (const namespace of asked.keys()) seen.add(`${stack} ${namespace}`);
});

/** Claims that may be deleted with their module, and why nothing is lost with them. */
const MAY_GO: Readonly<Record<string, string>> = {
  "harbor-valkey": "queues",
  "immich-library": "its volume is a folder of the host, which stays",
  "immich-models": "a cache",
  "jaeger-traces": "deleted after some days anyhow",
  loki: "deleted after some days anyhow",
};

test.each(names)("what holds data in %s stays where its module goes, and so does the namespace: Kubernetes deletes all that is in one", async (stack) => {
  const registered = (await registeredBy(stack)).filter(({ type }) => type.startsWith("kubernetes:"));
  const namespaces = new Map(
    registered.flatMap(({ type, inputs, retainOnDelete }) =>
      type === "kubernetes:core/v1:Namespace" ? [[String(at(plain(inputs), "metadata", "name")), retainOnDelete] as const] : [],
    ),
  );
  const rendered = plannedModules().flatMap(({ stack: of, plan, module }) =>
    of === stack ? renderedObjects(module, plan).map((object) => ({ home: module.parts.namespaces[0], object })) : [],
  );
  const made = registered.map(({ type, name, inputs, retainOnDelete }) => ({ type, name, retainOnDelete, object: plain(inputs) as Rendered }));
  const stray = [...made, ...rendered]
    .map((one) => ({ ...one, label: "name" in one ? one.name : String(at(one.object, "metadata", "name")) }))
    .filter(({ object, label }) => storageOf(object) > 0 && !Object.keys(MAY_GO).some((name) => label.startsWith(name)))
    .map((one) => ({ ...one, namespace: String(at(one.object, "metadata", "namespace") ?? ("home" in one ? one.home : "")) }))
    .flatMap((one) => [
      ...(isKept(one) ? [] : [`${one.label} goes`]),
      ...(namespaces.get(one.namespace) === false ? [`${one.label} goes with its namespace ${one.namespace}`] : []),
    ]);
  expect(stray).toEqual([]);
});

test("volumes were found", () => {
  // A small site has only Vault's volume.
  expect(seen.size).toBeGreaterThan(0);
});
