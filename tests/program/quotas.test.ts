/** What each stack's programs and charts ask for in a namespace fits its quota: a Kubernetes that keeps them refuses what does not. */
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

/** MiB of volumes that an object asks for. */
function storageOf(object: Rendered): number {
  const size = (claim: unknown): number => mebibytes(String(at(claim, "spec", "resources", "requests", "storage")));
  if (object["kind"] === "PersistentVolumeClaim") return size(object);
  if (object["kind"] === "Cluster") return Number(at(object, "spec", "instances")) * mebibytes(String(at(object, "spec", "storage", "size")));
  const templates = object["kind"] === "StatefulSet" ? ((at(object, "spec", "volumeClaimTemplates") ?? []) as unknown[]) : [];
  return Number(at(object, "spec", "replicas") ?? 1) * templates.reduce<number>((sum, claim) => sum + size(claim), 0);
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

test("volumes were found", () => {
  // A small site has one: Vault's.
  expect(seen.size).toBeGreaterThan(0);
});
