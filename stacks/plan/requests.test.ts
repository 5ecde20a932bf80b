import { app, chosen } from "../../tests/support/platform-input";
import type { ChosenModule, PlannedApplication } from "./platform-types";
import { mebibytes, milliCpu, requestsOf, requestsText } from "./requests";

const DEFAULTS = { cpu: "10m", memory: "64Mi", memoryLimit: "512Mi" };
const MACHINE = { name: "k8s-dev", cores: 4, memoryMiB: 4096, diskGiB: 30 };

const of = (modules: readonly ChosenModule[], apps: readonly PlannedApplication[] = [], machines = [MACHINE]) =>
  requestsOf("dev", machines, modules, apps, DEFAULTS);

test("amounts as Kubernetes writes them", () => {
  expect(["250m", "2", "0.5"].map(milliCpu)).toEqual([250, 2000, 500]);
  expect(["64Mi", "2Gi", "1.5Gi", "1Ti", "1024Ki"].map(mebibytes)).toEqual([64, 2048, 1536, 1048576, 1]);
  expect(() => milliCpu("2 cores")).toThrow('"2 cores" is no amount of processors');
  expect(() => mebibytes("2GB")).toThrow('"2GB" is no amount of memory');
});

test("what is asked for is added up over replicas, with the namespace's defaults for what says nothing, and what the machine needs is taken off", () => {
  const modules = [
    chosen("a", { workloads: [{ name: "x" }, { name: "y", replicas: 2, cpu: "100m", memory: "256Mi" }], volumes: [{ name: "v", size: "15Gi", count: 2 }] }),
  ];
  expect(of(modules, [{ ...app("shop", []), requests: { replicas: 3, cpu: "100m", memory: "128Mi" } }])).toEqual({
    asked: { cpu: 510, memoryMiB: 960, diskGiB: 30 },
    room: { cpu: 3500, memoryMiB: 2560, diskGiB: 22 },
    by: [
      { name: "a", cpu: 210, memoryMiB: 576, diskGiB: 30 },
      { name: "shop", cpu: 300, memoryMiB: 384, diskGiB: 0 },
    ],
    problems: [
      "dev: its modules and applications ask for 30 GiB of volumes, and k8s-dev has 22 GiB for them (a 30 GiB); take something out, or give the machine more",
    ],
    warnings: [],
  });
});

test.each([
  ["2Gi", { problems: 0, warnings: 0 }],
  ["2.2Gi", { problems: 0, warnings: 1 }],
  ["2.5Gi", { problems: 0, warnings: 1 }],
  ["2.6Gi", { problems: 1, warnings: 0 }],
])("%s of memory where there are 2.5 GiB", (memory, expected) => {
  const { problems, warnings } = of([chosen("a", { workloads: [{ name: "x", memory }] })]);
  expect({ problems: problems.length, warnings: warnings.length }).toEqual(expected);
});

test("machines add up; volumes on disks of an unknown size are not counted", () => {
  const machines = [MACHINE, { ...MACHINE, name: "k8s-dev-2", diskGiB: undefined as never }];
  const found = of([chosen("a", { workloads: [{ name: "x", cpu: "7100m" }], volumes: [{ name: "v", size: "1Ti" }] })], [], machines);
  expect(found.problems).toEqual([
    "dev: its modules and applications ask for 7.1 of processors, and k8s-dev and k8s-dev-2 have 7 for them (a 7.1); take something out, or give the machine more",
  ]);
  expect(requestsText(found)).toBe("7.1 of 7 processors, 0.1 GiB of 5 GiB of memory, 1024 GiB of an unknown amount of volumes");
});

test("a message names the four that ask for most, and says how many more there are", () => {
  const modules = [300, 500, 400, 600, 10, 700].map((mebi, i) => chosen(`m${i}`, { workloads: [{ name: "x", memory: `${mebi}Mi` }] }));
  expect(of(modules).warnings).toEqual([
    "dev: its modules and applications ask for 2.5 GiB of memory, and k8s-dev has 2.5 GiB for them (m5 0.7 GiB, m3 0.6 GiB, m1 0.5 GiB, m2 0.4 GiB and 2 more)",
  ]);
});
