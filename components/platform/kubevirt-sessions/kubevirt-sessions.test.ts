import { loadEstate } from "../../../stacks/load/estate";
import { planEstate } from "../../../stacks/plan/plan";
import { sessionObjects } from "../../../stacks/sessions";
import { HOMELAB, HOMELAB_FILES } from "../../../tests/support/homelab";
import { builtModule, graphOf } from "../../../tests/support/module-build";
import { plain } from "../../../tests/support/pulumi-mocks";
import { kubevirtSessions } from "./module";

const { goldenImage } = kubevirtSessions.example;
const WHOLE = { ...goldenImage, namespace: "vm-templates", storageClass: "local-path", diskSize: "10Gi" };

/** In an order of their own: what waits for nothing is registered first. */
const sorted = (all: readonly object[]): object[] => all.toSorted((one, other) => JSON.stringify(identity(one)).localeCompare(JSON.stringify(identity(other))));
const identity = (object: object): unknown[] => {
  const { kind, metadata } = object as { kind: string; metadata: { name: string } };
  return [kind, metadata.name];
};

/** What is registered, without namespaces. */
async function objects(options: object = {}): Promise<object[]> {
  const registered = await builtModule(kubevirtSessions, { options: { goldenImage, ...options } });
  return registered.filter(({ custom, type }) => custom && !type.endsWith(":Namespace")).map(({ inputs }) => plain(inputs) as object);
}

test("it makes the objects that `homelab sessions` prints, and no other", async () => {
  const printed = [
    ...sessionObjects(JSON.stringify({ of: "reaper", namespace: "session-reaper" })),
    ...sessionObjects(JSON.stringify({ of: "golden-image", settings: WHOLE })),
  ];
  expect(sorted(await objects())).toEqual(sorted(printed));
});

test("the reaper looks when it is told to", async () => {
  expect(await objects({ schedule: "*/10 * * * *" })).toContainEqual(
    expect.objectContaining({ kind: "CronJob", spec: expect.objectContaining({ schedule: "*/10 * * * *" }) }),
  );
});

test("what limits the reaper is there before its rights, and the Job begins when it may do all that it does", async () => {
  const graph = graphOf(await builtModule(kubevirtSessions, { options: { goldenImage } }));
  const after = (end: string): string => Object.entries(graph).find(([resource]) => resource.endsWith(` kubevirt-sessions-${end}`))?.[1] ?? "";
  expect(after("reaper-cluster-role-binding")).toContain("kubevirt-sessions-reaper-validating-admission-policy-binding");
  for (const needed of ["image-role-binding", "image-config-map", "image-service-account"]) expect(after("image-job")).toContain(`kubevirt-sessions-${needed}`);
});

test("the stack with KubeVirt may have it", () => {
  const { stacks } = HOMELAB_FILES as unknown as { stacks: Record<string, { platform: object }> };
  const sandboxy = { ...stacks["sandboxy"], platform: { ...stacks["sandboxy"]?.platform, "kubevirt-sessions": { goldenImage } } };
  const files = { ...HOMELAB_FILES, stacks: { ...stacks, sandboxy } } as unknown as typeof HOMELAB_FILES;
  const { platform } = planEstate(loadEstate(files, HOMELAB)).get("sandboxy") ?? {};
  expect(platform?.modules.map(({ name }) => name)).toEqual(expect.arrayContaining(["kubevirt", "cdi", "kubevirt-sessions"]));
});
