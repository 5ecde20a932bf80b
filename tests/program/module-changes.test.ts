/** What a change of the matrix touches: a module that is taken away or comes back, and a chart that is raised. */
import type { LoadedStack } from "../../stacks/load/stacks";
import { type Registrations, registrationsOf } from "../support/registrations";
import { changedRuns, homelabRuns } from "../support/stack-run";

type Platform = LoadedStack["platform"];

/** The programs where a stack's row is another one. */
const withRow = (stack: string, change: (platform: Platform) => Platform) =>
  changedRuns((estate) => ({
    ...estate,
    stacks: estate.stacks.map((one) => (one.name === stack ? { ...one, platform: change(one.platform) } : one)),
  }));

const registered = (runs: ReturnType<typeof withRow>, stack: string) => registrationsOf(runs, stack, { preview: false });

type Resource = Registrations["resources"][string];

/** By URN without its stack and project: what is gone, new and other. @param of what is compared of a resource. Default: all of it */
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

/** The unchanged one, run once for all who compare with it. */
const unchanged = new Map<string, Promise<Registrations>>();
function whole(stack: string): Promise<Registrations> {
  const made = unchanged.get(stack) ?? registered(homelabRuns(), stack);
  unchanged.set(stack, made);
  return made;
}

test("a module that is taken away takes its own resources, and of others what was let in from it; put back, all is as it was", async () => {
  const before = await whole("sandboxy");
  const less = await registered(withRow("sandboxy", without("teleport-agent")), "sandboxy");
  const { gone, added, changed } = difference(before, less);
  expect(added).toEqual([]);
  expect(gone.length).toBeGreaterThan(5);
  expect(gone.filter((urn) => !urn.includes("teleport-agent"))).toEqual([]);
  // It shows Longhorn's pages, and so its namespace let it in.
  expect(changed).toEqual(["kubernetes:networking.k8s.io/v1:NetworkPolicy::longhorn-ns-flows"]);
  const back = await registered(
    withRow("sandboxy", (platform) => ({ ...platform })),
    "sandboxy",
  );
  expect(difference(before, back)).toEqual({ gone: [], added: [], changed: [] });
});

test("in Vault's stack its right to read goes with it, and nothing else", async () => {
  const before = await whole("tools");
  const less = await registered(withRow("sandboxy", without("teleport-agent")), "tools");
  // What comes after the grants waits for one less.
  const { gone, added, changed } = difference(before, less, (resource) => resource?.["inputs"]);
  expect({ added, changed }).toEqual({ added: [], changed: [] });
  expect(gone.toSorted()).toEqual([
    "vault:index/policy:Policy::vault-grants-sandboxy-teleport-agent-policy",
    "vault:kubernetes/authBackendRole:AuthBackendRole::vault-grants-sandboxy-teleport-agent-role",
  ]);
});

test("a chart that is raised is one release with another version, and nothing else of the stack", async () => {
  const older = await registered(
    withRow("sandboxy", (platform) => ({ ...platform, longhorn: { version: "1.11.3" } })),
    "sandboxy",
  );
  const { gone, added, changed } = difference(older, await whole("sandboxy"));
  expect({ gone, added }).toEqual({ gone: [], added: [] });
  expect(changed).toEqual(["kubernetes:helm.sh/v3:Release::longhorn-release"]);
});
