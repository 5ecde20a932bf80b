import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import { streamDecode, streamEncode } from "dns-packet";
import { PROXY_VARIABLES } from "../../common/proxy";
import { createAuthority } from "../../lab/core/tls";
import { startRecordingProxy } from "../../tests/support/recording-proxy";
import { clockFinding, endFinding, roomFinding } from "./finding";
import { readAnswer } from "./hosts";
import { probeNames } from "./names";
import { probeProxmox, rightsFinding, storageFindings } from "./proxmox";

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
  [21, "ok"],
  [20, "look"],
  [0, "look"],
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
  // What a token without any right lacks is the table of docs/vms.md, but for VM.Monitor, which Proxmox 9 does not have, and for what only own storages and bridges need.
  const says = rightsFinding({}).says.replace("may not: ", "").split(", ");
  const rows = [...fs.readFileSync("docs/vms.md", "utf8").matchAll(/^\| (`\w+\.\w.*?`) \| `(\/\S*)` \|/gm)];
  const listed = rows.flatMap(([, privileges = "", path]) => [...privileges.matchAll(/`([\w.*]+)`/g)].map(([, name]) => `${name} on ${path}`));
  const only = ["VM.Monitor on /vms", "Datastore.Allocate on /storage", "Sys.Modify on /nodes"];
  expect([...new Set(says.map((each) => each.replace(/VM\.Config\.\w+/, "VM.Config.*")))].toSorted()).toEqual(
    listed.filter((each) => !only.includes(each)).toSorted(),
  );
  expect(only.filter((each) => !listed.includes(each))).toEqual([]);
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

const listening = async (server: net.Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as net.AddressInfo).port;
};

/** One that knows every name, or some. */
const nameServer = (knows: (name: string) => boolean = () => true): net.Server =>
  net.createServer((socket) =>
    socket
      .on("error", () => undefined)
      .on("data", (data) => {
        const { id = 0, questions = [] } = streamDecode(data) ?? {};
        const answers = questions.filter(({ name }) => knows(name)).map(({ name }) => ({ type: "A" as const, name, ttl: 1, data: "192.0.2.7" }));
        socket.end(streamEncode({ type: "response", id, questions, answers }));
      }),
  );

test("names that the server does not know are in one line; all that it knows are a number", async () => {
  const server = nameServer((name) => name.startsWith("known"));
  const port = await listening(server);
  const asked = (...names: string[]) => probeNames("127.0.0.1", names, port);
  try {
    expect(await asked("a.example.org", "known.example.org", "b.example.org")).toEqual([
      {
        ...{ name: "names", verdict: "look", says: "127.0.0.1 does not know a.example.org, b.example.org" },
        next: "look at external-dns of the cluster that serves them: its log says what Pi-hole refused",
      },
    ]);
    expect(await asked("known.example.org", "known2.example.org")).toMatchObject([{ verdict: "ok", says: "127.0.0.1 knows all 2 host names" }]);
  } finally {
    server.close();
  }
});

/** A SOCKS 5 proxy (RFC 1928, RFC 1929) that takes everybody to one port. */
const socksProxy = (upstream: number, seen: string[]): net.Server =>
  net.createServer((client) => {
    const steps = [
      (data: Buffer) => client.write(Buffer.from([5, data.includes(2, 2) ? 2 : 0])),
      (data: Buffer) => {
        const user = data[1] ?? 0;
        seen.push(`${data.subarray(2, 2 + user)}:${data.subarray(3 + user)}`);
        client.write(Buffer.from([1, 0]));
      },
      (data: Buffer) => {
        const port = data.readUInt16BE(data.length - 2);
        seen.push(`${data[3] === 1 ? data.subarray(4, 8).join(".") : data.subarray(5, -2)}:${port}`);
        client.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
        const onward = net.connect(upstream, "127.0.0.1");
        onward.on("error", () => client.destroy());
        client.pipe(onward).pipe(client);
      },
    ];
    client.on("error", () => undefined).on("data", (data) => steps.shift()?.(data));
  });

describe("behind a proxy", () => {
  const before = PROXY_VARIABLES.map((name) => [name, process.env[name]] as const);
  const servers: net.Server[] = [];
  let answering: number;
  beforeEach(async () => {
    for (const name of PROXY_VARIABLES) delete process.env[name];
    answering = await listening(started(nameServer()));
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  const started = (server: net.Server): net.Server => {
    servers.push(server);
    return server;
  };
  const asked = () => probeNames("192.0.2.53", ["vault.example.org"]);
  const FOUND = [{ name: "names", verdict: "ok", says: "192.0.2.53 knows the one host name" }];

  test("names are looked up by its tunnel, with its credentials", async () => {
    const proxy = await startRecordingProxy({ plain: answering, tls: answering });
    process.env["HTTPS_PROXY"] = proxy.url.replace("//", "//me:p%40ss@");
    try {
      expect([await asked(), proxy.seen]).toEqual([FOUND, ["CONNECT 192.0.2.53:53 me:p@ss"]]);
    } finally {
      proxy.close();
    }
  });

  test("of SOCKS, too", async () => {
    const seen: string[] = [];
    process.env["HTTPS_PROXY"] = `socks5://me:p%40ss@127.0.0.1:${await listening(started(socksProxy(answering, seen)))}`;
    expect([await asked(), seen]).toEqual([FOUND, ["me:p@ss", "192.0.2.53:53"]]);
  });

  test("that speaks TLS, it is asked by TLS", async () => {
    const authority = await createAuthority("proxies");
    process.env["HTTPS_PROXY"] = `https://me:p%40ss@127.0.0.1:${await listening(started(https.createServer(await authority.issue(["127.0.0.1"]))))}`;
    const [finding] = await asked();
    expect(finding?.says).toMatch(/^the name server 192\.0\.2\.53 does not answer: the proxy 127\.0\.0\.1:\d+ cannot be used \(.*certificate/);
  });

  test("that refuses, it is said without its password", async () => {
    const refusing = http.createServer().on("connect", (_, socket) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
    process.env["HTTPS_PROXY"] = `http://me:p%40ss@127.0.0.1:${await listening(started(refusing))}`;
    const [finding] = await asked();
    expect(finding?.says).toMatch(/192\.0\.2\.53:53 cannot be reached through the proxy 127\.0\.0\.1:\d+: it answers 407$/);
  });
});

test.each([
  ["<html>Log in</html>", "GET /version: the answer is no JSON"],
  ['{"data":{"version":9}}', "GET /version: the answer is not of the expected form: data.version: Invalid input: expected string, received number"],
])("what answers %s is no Proxmox, and no bug of ours", async (body, message) => {
  const server = http.createServer((_, response) => response.end(body));
  const access = { endpoint: `http://127.0.0.1:${await listening(server)}/`, tokenId: "a@pve!b", secret: "hunter2" };
  try {
    await expect(probeProxmox(access, { nodes: [] } as unknown as Parameters<typeof probeProxmox>[1], () => 0)).rejects.toMatchObject({
      code: "E_ANSWER",
      message,
    });
  } finally {
    server.close();
  }
});
