/** Which resources a change of the matrix affects: a module that is removed or put back, and a newer chart. */
import type { LoadedStack } from "../../stacks/load/stacks";
import { type Registrations, registrationsOf } from "../support/registrations";
import { changedRuns, homelabRuns } from "../support/stack-run";

type Platform = LoadedStack["platform"];

/** Runs of the programs with another row of a stack in the matrix. */
const withRow = (stack: string, change: (platform: Platform) => Platform) =>
  changedRuns((estate) => ({
    ...estate,
    stacks: estate.stacks.map((one) => (one.name === stack ? { ...one, platform: change(one.platform) } : one)),
  }));

const registered = (runs: ReturnType<typeof withRow>, stack: string) => registrationsOf(runs, stack, { preview: false });

type Resource = Registrations["resources"][string];

/** Resources that are gone, added and changed, by URN without stack and project. @param of the part of a resource to compare. Default: all of it */
function difference(before: Registrations, after: Registrations, of: (resource: Resource | undefined) => unknown = (resource) => resource) {
  const [had, has] = [Object.keys(before.resources), Object.keys(after.resources)];
  const short = (urn: string): string => urn.split("::").slice(2).join("::").split("$").at(-1) ?? urn;
  return {
    gone: had.filter((urn) => !has.includes(urn)).map(short),
    added: has.filter((urn) => !had.includes(urn)).map(short),
    changed: has.filter((urn) => had.includes(urn) && JSON.stringify(of(before.resources[urn])) !== JSON.stringify(of(after.resources[urn]))).map(short),
  };
}

const without = (module: keyof Platform) => (platform: Platform) =>
  Object.fromEntries(Object.entries(platform).filter(([name]) => name !== module)) as Platform;

/** The registrations of the unchanged program, computed once for all tests. */
const unchanged = new Map<string, Promise<Registrations>>();
function whole(stack: string): Promise<Registrations> {
  const made = unchanged.get(stack) ?? registered(homelabRuns(), stack);
  unchanged.set(stack, made);
  return made;
}

test("removing a module removes its resources, and the rules of others that let it in; putting it back restores everything", async () => {
  const before = await whole("sandboxy");
  const less = await registered(withRow("sandboxy", without("teleport-agent")), "sandboxy");
  const { gone, added, changed } = difference(before, less);
  expect(added).toEqual([]);
  expect(gone.length).toBeGreaterThan(5);
  expect(gone.filter((urn) => !urn.includes("teleport-agent"))).toEqual([]);
  // The agent publishes Longhorn's page, so Longhorn's namespace let it in.
  expect(changed).toEqual(["kubernetes:networking.k8s.io/v1:NetworkPolicy::longhorn-ns-flows"]);
  const back = await registered(
    withRow("sandboxy", (platform) => ({ ...platform })),
    "sandboxy",
  );
  expect(difference(before, back)).toEqual({ gone: [], added: [], changed: [] });
});

test("in Vault's stack, removing a module removes its right to read, and nothing else", async () => {
  const before = await whole("tools");
  const less = await registered(withRow("sandboxy", without("teleport-agent")), "tools");
  // Only inputs are compared: dependsOn of what comes after the grants is shorter, too.
  const { gone, added, changed } = difference(before, less, (resource) => resource?.["inputs"]);
  expect({ added, changed }).toEqual({ added: [], changed: [] });
  expect(gone.toSorted()).toEqual([
    "vault:index/policy:Policy::vault-grants-sandboxy-teleport-agent-policy",
    "vault:kubernetes/authBackendRole:AuthBackendRole::vault-grants-sandboxy-teleport-agent-role",
  ]);
});

test("a newer chart changes one release, and nothing else of the stack", async () => {
  const older = await registered(
    withRow("sandboxy", (platform) => ({ ...platform, longhorn: { version: "1.11.3" } })),
    "sandboxy",
  );
  const { gone, added, changed } = difference(older, await whole("sandboxy"));
  expect({ gone, added }).toEqual({ gone: [], added: [] });
  expect(changed).toEqual(["kubernetes:helm.sh/v3:Release::longhorn-release"]);
});
