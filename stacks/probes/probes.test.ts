import * as net from "node:net";
import { clockFinding, endFinding, roomFinding } from "./finding";
import { readAnswer } from "./hosts";
import { probeNames } from "./names";
import { rightsFinding, storageFindings } from "./proxmox";

const GIB = 1024 ** 3;
const DAY = 86_400_000;

test.each([
  [0, "ok", "as this machine's"],
  [9_000, "ok", "9 s ahead of this machine's"],
  [-30_000, "look", "30 s behind this machine's"],
  [90_000, "wrong", "90 s ahead of this machine's"],
])("a clock that differs by %d ms: %s", (difference, verdict, says) => {
  expect(clockFinding("clock", 1_000_000_000 + difference, 1_000_000_000)).toMatchObject({ verdict, says });
});

test.each([
  [60, "ok"],
  [20, "look"],
  [-1, "wrong"],
])("a certificate that ends in %d days: %s", (days, verdict) => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(endFinding("x", new Date(now + days * DAY + 1_000).toUTCString(), now, "renew it")).toMatchObject({ verdict });
});

test.each([
  [50, "ok"],
  [9, "look"],
  [1, "wrong"],
])("a disk of 100 GiB with %d free: %s", (free, verdict) => {
  expect(roomFinding("disk", free * GIB, 100 * GIB, "make room")).toMatchObject({ verdict, says: `${free}.0 of 100.0 GiB free` });
});

test("what a host answers, and what is no such answer", () => {
  expect(readAnswer("1700000000\n/dev/sda1 1048576 2048 1000000 1% /\n")).toEqual({ seconds: 1_700_000_000, total: GIB, free: 1_000_000 * 1024 });
  expect(readAnswer("bash: df: command not found\n")).toBeUndefined();
});

const ALL = [
  "Allocate",
  "Audit",
  "Clone",
  "PowerMgmt",
  "Config.CPU",
  "Config.Cloudinit",
  "Config.Disk",
  "Config.HWType",
  "Config.Memory",
  "Config.Network",
  "Config.Options",
]
  .map((name) => `VM.${name}`)
  .concat("Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit", "Sys.Audit", "Sys.Modify", "SDN.Use");
const granted = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 1]));

test("a token's rights: at the root, or on the path that needs them; what is missing is named with its path", () => {
  expect(rightsFinding({ "/": granted(ALL) })).toMatchObject({ verdict: "ok" });
  const split = {
    "/": granted(["Sys.Audit", "Sys.Modify"]),
    "/vms": granted(ALL.filter((name) => name.startsWith("VM."))),
    "/storage": granted(ALL.filter((name) => name.startsWith("Datastore."))),
    "/sdn/zones": granted(["SDN.Use"]),
  };
  expect(rightsFinding(split)).toMatchObject({ verdict: "ok" });
  const less = { ...split, "/vms/100": split["/vms"], "/vms": granted(["VM.Audit"]), "/sdn/zones": {} };
  expect(rightsFinding(less)).toMatchObject({
    verdict: "wrong",
    says: expect.stringMatching(/^may not: VM\.Allocate on \/vms, .*SDN\.Use on \/sdn\/zones\/localnetwork$/),
    next: expect.stringContaining("docs/vms.md"),
  });
  expect(rightsFinding(less).says).not.toContain("VM.Audit");
});

describe("storages of a node", () => {
  const node = {
    ...{ name: "pve", hardware: "", memoryMiB: 1, reservedMiB: 0, threads: 1, bridges: ["vmbr0"], isos: [], templateId: 9_000 },
    ...{ storages: ["fast"], fileStorage: "local", isoStorages: ["shelf"], templateStorage: "fast" },
  };
  const fast = { storage: "fast", content: "images,rootdir", active: 1, avail: 50 * GIB, total: 100 * GIB };
  const local = { storage: "local", content: "iso,import,vztmpl", active: 1, avail: 50 * GIB, total: 100 * GIB };
  const shelf = { storage: "shelf", content: "iso", active: 1 };
  const unwell = (found: Parameters<typeof storageFindings>[1]) =>
    storageFindings(node, found)
      .filter(({ verdict }) => verdict !== "ok")
      .map(({ name, verdict, says, next }) => [name, verdict, says, next]);

  test.each([
    ["as they should be", [fast, local, shelf], []],
    ["one that is not there", [fast, shelf], [["storage pve/local", "wrong", "is not there", "add it in Proxmox, or correct its name in site/nodes.ts"]]],
    ["one that is not active", [fast, local, { ...shelf, active: 0 }], [["storage pve/shelf", "wrong", "is not active", "look at it on pve: `pvesm status`"]]],
    [
      "one that does not take images of clouds",
      [fast, { ...local, content: "iso" }, shelf],
      [["storage pve/local", "wrong", "takes iso, and not import", "`pvesm set local --content iso,import`"]],
    ],
    [
      "one that is nearly full",
      [{ ...fast, avail: 5 * GIB }, local, shelf],
      [["storage pve/fast", "look", "5.0 of 100.0 GiB free", "delete volumes that no VM uses, or add disks"]],
    ],
  ])("%s", (_what, found, expected) => {
    expect(unwell(found)).toEqual(expected);
  });

  test("one that the site defines is made by a run", () => {
    const made = { ...node, storages: [{ name: "fast", type: "dir" as const, content: ["images" as const], path: "/fast" }] };
    expect(storageFindings(made as unknown as typeof node, [local, shelf]).map(({ name }) => name)).toEqual(["storage pve/local", "storage pve/shelf"]);
  });
});

test("something that is no name server is a finding, and does not end the probes", async () => {
  const server = net.createServer((socket) =>
    socket.on("error", () => undefined).on("data", () => socket.write(Buffer.from("\0\u0014HTTP/1.1 400 Bad Req", "latin1"))),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const [finding, ...more] = await probeNames("127.0.0.1", ["vault.example.org"], (server.address() as net.AddressInfo).port);
    expect([finding?.verdict, more]).toEqual(["wrong", []]);
    expect(finding?.says).toContain("what answers at 127.0.0.1 is no name server");
  } finally {
    server.close();
  }
});
