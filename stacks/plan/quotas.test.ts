import type { ModuleParts } from "../../components/platform/module";
import { app, chosen } from "../../tests/support/platform-input";
import { loadEstate } from "../load/estate";
import { CONTAINER_DEFAULTS } from "./namespaces";
import { planEstate } from "./plan";
import type { PlannedApplication } from "./platform-types";
import { quotasOf } from "./quotas";

const shop = (replicas: number): PlannedApplication => ({ ...app("shop", []), requests: { replicas, cpu: "100m", memory: "128Mi" } });
const of = (parts: Partial<ModuleParts>, machines = 1, apps: readonly PlannedApplication[] = []) =>
  Object.fromEntries(quotasOf([chosen("m", parts)], apps, machines, CONTAINER_DEFAULTS));

const NOTHING = { "requests.cpu": "500m", "requests.memory": "1024Mi", pods: "10", "requests.storage": "0Mi" };

test.each<[string, Partial<ModuleParts>, number, object]>([
  ["a namespace of nothing that runs", { namespaces: ["a"] }, 1, { a: NOTHING }],
  [
    "a pod, and a second of it while it is updated",
    { namespaces: ["a"], workloads: [{ name: "x", cpu: "100m", memory: "256Mi" }] },
    1,
    { a: { ...NOTHING, "requests.cpu": "700m", "requests.memory": "1536Mi", pods: "12" } },
  ],
  [
    "one on each of three machines, and one that is new",
    { namespaces: ["a"], workloads: [{ name: "x", cpu: "100m", memory: "256Mi" }] },
    3,
    { a: { ...NOTHING, "requests.cpu": "900m", "requests.memory": "2048Mi", pods: "14" } },
  ],
  [
    "those that a program makes, as many as it may",
    { namespaces: ["a"], workloads: [{ name: "x", replicas: 4, cpu: "1", memory: "1Gi", onDemand: true }] },
    1,
    { a: { ...NOTHING, "requests.cpu": "4500m", "requests.memory": "5120Mi", pods: "14" } },
  ],
  [
    "a volume on a disk of its own",
    {
      namespaces: ["a"],
      volumes: [
        { name: "v", size: "10Gi" },
        { name: "w", size: "500Gi", ownDisk: true },
      ],
    },
    1,
    { a: { ...NOTHING, "requests.storage": `${(10 + 10 + 500) * 1024}Mi` } },
  ],
  [
    "volumes, and the greatest of them anew",
    {
      namespaces: ["a"],
      volumes: [
        { name: "v", size: "10Gi", count: 2 },
        { name: "w", size: "1Gi" },
      ],
    },
    1,
    { a: { ...NOTHING, "requests.storage": "31744Mi" } },
  ],
  [
    "each namespace by itself",
    { namespaces: ["a", "b"], workloads: [{ name: "x" }, { name: "y", namespace: "b" }] },
    1,
    {
      a: { ...NOTHING, "requests.cpu": "520m", "requests.memory": "1152Mi", pods: "12" },
      b: { ...NOTHING, "requests.cpu": "520m", "requests.memory": "1152Mi", pods: "12" },
    },
  ],
  ["none where the module says why", { namespaces: ["a", "b"], withoutQuota: { a: "nobody knows" } }, 1, { b: NOTHING }],
])("%s", (_, parts, machines, expected) => {
  expect(of(parts, machines)).toEqual(expected);
});

test("an application by its replicas", () => {
  expect(of({}, 1, [shop(3)])).toEqual({ shop: { ...NOTHING, "requests.cpu": "1100m", "requests.memory": "1792Mi", pods: "16" } });
});

test("every namespace of every environment has a quota and what a container gets that names nothing, or its module says why not", () => {
  for (const { platform } of planEstate(loadEstate()).values()) {
    const free = platform.modules.flatMap(({ parts }) => Object.entries(parts.withoutQuota));
    for (const [, why] of free) expect(why).toMatch(/\w+ \w+/);
    const without = [...platform.namespaces].filter(([, { quota }]) => quota === undefined).map(([name]) => name);
    expect(without.toSorted()).toEqual(free.map(([namespace]) => namespace).toSorted());
    for (const { containerDefaults } of platform.namespaces.values()) expect(containerDefaults).toMatchObject({ cpu: "10m", memory: "64Mi" });
  }
});
