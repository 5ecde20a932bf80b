/** What `homelab doctor` finds wrong with a Proxmox and with a host, by what these answer. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, sshKeyPair, startSshServer } from "../../tests/support/ssh-server";
import type { Finding } from "./finding";
import { probeHost } from "./hosts";
import { type ProxmoxAccess, probeProxmox } from "./proxmox";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const GIB = 1024 ** 3;

const VM = [
  "Allocate",
  "Clone",
  "Audit",
  "PowerMgmt",
  ...["CPU", "Cloudinit", "Disk", "HWType", "Memory", "Network", "Options"].map((part) => `Config.${part}`),
];
const RIGHTS = [...VM.map((name) => `VM.${name}`), ...["AllocateSpace", "AllocateTemplate", "Audit"].map((name) => `Datastore.${name}`)];
const granted = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 1]));
const ALL = granted([...RIGHTS, "Sys.Audit", "Sys.Modify", "SDN.Use"]);

/** The answers of a Proxmox that is as it should be. */
const WELL = {
  "/version": { version: "9.0.3" } as object,
  "/access/permissions": { "/": ALL } as object,
  "/nodes": [{ node: "pve", status: "online" }] as object,
  "/nodes/pve/storage": [
    { storage: "fast", content: "images", active: 1, avail: 50 * GIB, total: 100 * GIB },
    { storage: "local", content: "import,iso", active: 1, avail: 50 * GIB, total: 100 * GIB },
  ] as object,
};
const NODE = {
  ...{ name: "pve", hardware: "", memoryMiB: 1, reservedMiB: 0, threads: 1, bridges: ["vmbr0"], isos: [], templateId: 9_000 },
  ...{ storages: ["fast"], fileStorage: "local", isoStorages: [], templateStorage: "fast" },
};

/** @param answers that differ. @param skew milliseconds that its clock is ahead. @param status of every answer */
async function probed(answers: Partial<typeof WELL>, { skew = 0, status = 200 } = {}): Promise<Finding[]> {
  const all: Record<string, object> = { ...WELL, ...answers };
  const server = http.createServer(({ url = "" }, response) => {
    const data = all[url.replace("/api2/json", "")];
    response.writeHead(data === undefined ? 501 : status, { date: new Date(NOW + skew).toUTCString() }).end(JSON.stringify({ data }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const access: ProxmoxAccess = { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, tokenId: "a@pve!b", secret: "hunter2" };
  try {
    return (await probeProxmox(access, { nodes: [NODE] } as unknown as Parameters<typeof probeProxmox>[1], () => NOW)).map(({ says, ...finding }) => ({
      ...finding,
      says: says.replace(access.endpoint, "ENDPOINT"),
    }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
const unwell = (found: readonly Finding[]) => found.filter(({ verdict }) => verdict !== "ok").map(({ name, verdict, says }) => [name, verdict, says]);

test("a Proxmox that is as it should be: each thing that was looked at has its line", async () => {
  const found = await probed({});
  expect(found.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
    ...["proxmox ok", "token ok", "storage pve/fast ok", "storage pve/local ok", "clock of Proxmox ok"],
  ]);
});

test.each<[string, Partial<typeof WELL>, { skew?: number }, string[]]>([
  ["an old version", { "/version": { version: "7.4-3" } }, {}, ["proxmox", "look", "7.4-3 at ENDPOINT"]],
  [
    "a token that lacks a right",
    { "/access/permissions": { "/": { ...granted(RIGHTS.filter((name) => name !== "VM.Clone")), "Sys.Audit": 1, "Sys.Modify": 1 } } },
    {},
    ["token", "wrong", "may not: VM.Clone on /vms, SDN.Use on /sdn/zones/localnetwork"],
  ],
  [
    "a storage that takes something else",
    {
      "/nodes/pve/storage": [
        { storage: "fast", content: "iso", active: 1 },
        { storage: "local", content: "import", active: 1 },
      ],
    },
    {},
    ["storage pve/fast", "wrong", "takes iso, and not images"],
  ],
  [
    "a storage without room",
    {
      "/nodes/pve/storage": [
        { storage: "fast", content: "images", avail: GIB, total: 100 * GIB },
        { storage: "local", content: "import" },
      ],
    },
    {},
    ["storage pve/fast", "wrong", "1.0 of 100.0 GiB free"],
  ],
  ["a node that is off", { "/nodes": [{ node: "pve", status: "offline" }] }, {}, ["node pve", "wrong", "is offline"]],
  ["a node of another cluster", { "/nodes": [{ node: "other", status: "online" }] }, {}, ["node pve", "wrong", "is not in the cluster"]],
  ["a clock that is ahead", {}, { skew: 300_000 }, ["clock of Proxmox", "wrong", "300 s ahead of this machine's"]],
  ["a clock that is a little behind", {}, { skew: -20_000 }, ["clock of Proxmox", "look", "20 s behind this machine's"]],
])("%s is found, and nothing else", async (_, answers, how, expected) => {
  const found = await probed(answers, how);
  expect(unwell(found)).toEqual([expected]);
  for (const { verdict, next = "" } of found) expect(verdict === "ok" || next !== "").toBe(true);
});

test("a token that Proxmox does not know, and an answer that is none, are the reason", async () => {
  await expect(probed({}, { status: 401 })).rejects.toThrow("it does not know the token: PROXMOX_TOKEN_ID and PROXMOX_SECRET in secrets/");
  await expect(probed({}, { status: 500 })).rejects.toThrow("GET /version was answered with 500");
});

const keys = sshKeyPair();

async function probedHost(answer: Answer): Promise<Finding[]> {
  const server = await startSshServer({ exec: () => answer, allowedKey: keys.publicKey });
  const host = { address: "127.0.0.1", user: "ops", node: "pve", hostKey: server.hostKey, running: true, groups: [] };
  try {
    return await probeHost({ name: "box", port: server.port, host }, { privateKey: keys.privateKey }, () => NOW);
  } finally {
    await server.close();
  }
}
/** @param late seconds. @param free KiB of a disk of 100 MiB */
const hostSays = (late: number, free: number): Answer => ({ stdout: `${NOW / 1_000 - late}\n/dev/sda1 102400 1 ${free} 1% /\n` });

test.each<[string, Answer, string[][]]>([
  ["is well", hostSays(0, 51_200), []],
  ["has a clock that is behind", hostSays(120, 51_200), [["clock of box", "wrong", "120 s behind this machine's"]]],
  ["has a full disk", hostSays(0, 100), [["disk of box", "wrong", "0.0 of 0.1 GiB free"]]],
  [
    "cannot run anything",
    { code: 127, stderr: "bash: fork: Cannot allocate memory" },
    [["host box", "wrong", "does not run a simple command: bash: fork: Cannot allocate memory"]],
  ],
  ["answers something else", { stdout: "Please change your password\n" }, [["host box", "wrong", "does not run a simple command: exit code 0"]]],
])("a host that %s", async (_, answer, expected) => {
  const found = await probedHost(answer);
  expect(unwell(found)).toEqual(expected);
  for (const { verdict, next = "" } of found) expect(verdict === "ok" || next !== "").toBe(true);
});
