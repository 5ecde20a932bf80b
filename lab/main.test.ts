import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { request } from "undici";
import { projectRoot } from "../common/paths";
import { LAB_SITE } from "../tests/support/lab-site";
import type { LabFile } from "./lab";

interface Daemon {
  child: ChildProcess;
  ready: Promise<LabFile>;
  ended: Promise<{ code: number | null; stderr: string }>;
}

const children: ChildProcess[] = [];

function startDaemon(dir: string, flags: string[] = ["--proxy-port", "0", "--bastion-port", "0", "--control-port", "0"]): Daemon {
  const site = fs.existsSync(siteFile) ? ["--site", siteFile] : [];
  const child = spawn(process.execPath, [path.join(projectRoot(), "bin", "lab", "main.js"), "--dir", dir, "--latency", "zero", ...site, ...flags]);
  children.push(child);
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => child.on("close", (code) => resolve({ code, stderr })));
  const ready = new Promise<LabFile>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes("\n")) resolve(JSON.parse(stdout));
    });
    child.on("close", () => reject(new Error(stderr)));
  });
  // A test that waits only for the end ignores it.
  ready.catch(() => undefined);
  return { child, ready, ended };
}

/** Resolves when a file exists. */
function appears(file: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = fs.watch(path.dirname(file), () => look());
    const look = () => {
      if (!fs.existsSync(file)) return;
      watcher.close();
      resolve();
    };
    look();
  });
}

let dir: string;
let siteFile: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "lab-main-"));
  siteFile = path.join(dir, "facts.json");
  fs.writeFileSync(siteFile, JSON.stringify(LAB_SITE));
});
afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  fs.rmSync(dir, { recursive: true, force: true });
});

test("one line when it is up; POST /stop ends it and takes lab.json away", async () => {
  const daemon = startDaemon(dir);
  const lab = await daemon.ready;
  expect(lab).toMatchObject({ ready: true, version: 1, pid: daemon.child.pid, caFile: path.join(dir, "ca.pem"), kubeconfig: path.join(dir, "kubeconfig") });
  const { ready: _ready, ...file } = lab as LabFile & { ready: boolean };
  expect(JSON.parse(fs.readFileSync(path.join(dir, "lab.json"), "utf8"))).toEqual(file);
  expect(fs.statSync(path.join(dir, "lab.json")).mode & 0o777).toBe(0o600);
  const again = await startDaemon(dir).ended;
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain(`is running already (process ${daemon.child.pid},`);
  const fromBrowser = await request(`${lab.control}/stop`, { method: "POST", headers: { origin: "https://evil.example" } });
  expect(fromBrowser.statusCode).toBe(403);
  await fromBrowser.body.dump();
  // A kept connection could be closed for being idle just when the client sends its next call.
  expect(fromBrowser.headers.connection).toBe("close");
  expect((await request(`${lab.control}/stop`, { method: "POST" })).statusCode).toBe(200);
  expect(await daemon.ended).toEqual({ code: 0, stderr: "" });
  expect(fs.existsSync(path.join(dir, "lab.json"))).toBe(false);
});

test("a lab that was killed starts again with its authority and keys", async () => {
  const first = startDaemon(dir);
  const before = await first.ready;
  const ca = fs.readFileSync(before.caFile, "utf8");
  const key = fs.readFileSync(before.bastion.keyFile, "utf8");
  const snapshot = path.join(dir, "snapshot.json");
  await appears(snapshot);
  first.child.kill("SIGKILL");
  await first.ended;
  expect(fs.existsSync(path.join(dir, "lab.json"))).toBe(true);
  const second = startDaemon(dir);
  const after = await second.ready;
  expect(fs.readFileSync(after.caFile, "utf8")).toBe(ca);
  expect(fs.readFileSync(after.bastion.keyFile, "utf8")).toBe(key);
  second.child.kill("SIGTERM");
  expect(await second.ended).toEqual({ code: 0, stderr: "" });
});

test("a port in use names the port and the flag; a damaged state names the file", async () => {
  const first = startDaemon(dir);
  const { proxy } = await first.ready;
  const port = new URL(proxy).port;
  const other = path.join(dir, "other");
  const { code, stderr } = await startDaemon(other, ["--proxy-port", port, "--bastion-port", "0", "--control-port", "0"]).ended;
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `port ${port} on 127.0.0.1 is in use (--proxy-port)\n  next: stop what listens there, or start the lab with --proxy-port <another port>\n`,
  });
  first.child.kill("SIGTERM");
  await first.ended;
  fs.writeFileSync(path.join(dir, "snapshot.json"), '{"version":1,"auth');
  const damaged = await startDaemon(dir).ended;
  expect(damaged.code).toBe(1);
  expect(damaged.stderr).toContain(`the lab's state ${path.join(dir, "snapshot.json")} is damaged`);
});

test("a wrong option is a usage error", async () => {
  expect(await startDaemon(dir, ["--latency", "warp"]).ended).toMatchObject({ code: 2 });
  expect(await startDaemon(dir, ["--colour"]).ended).toMatchObject({ code: 2 });
});

describe("the site that it is given", () => {
  const stop = async (daemon: Daemon): Promise<void> => {
    daemon.child.kill("SIGTERM");
    expect(await daemon.ended).toEqual({ code: 0, stderr: "" });
  };

  test("is shown by the control API, and kept: the next start needs none", async () => {
    const first = startDaemon(dir);
    const site = async ({ control }: LabFile): Promise<unknown> => (await request(`${control}/site`)).body.json();
    expect(await site(await first.ready)).toEqual(LAB_SITE);
    await stop(first);
    fs.rmSync(siteFile);
    const second = startDaemon(dir);
    expect(await site(await second.ready)).toEqual(LAB_SITE);
    await stop(second);
  });

  test("is needed by a new lab", async () => {
    fs.rmSync(siteFile);
    const { code, stderr } = await startDaemon(dir).ended;
    expect([code, stderr]).toEqual([
      1,
      `the lab of ${dir} is new, and was not told which homelab to model
  next: give the site's facts with --site FILE (\`node bin/stacks/lab-site.js\` prints them); \`npx homelab lab start\` does
`,
    ]);
  });

  test("is refused if the folder holds another one; a site that has grown is accepted", async () => {
    await stop(await startedDaemon());
    for (const [other, difference] of [
      [{ ...LAB_SITE, domain: "example.org" }, "the domain is fullstack.pw there and example.org here"],
      [{ ...LAB_SITE, networks: ["192.168.0.0/16"] }, "a network is 192.168.1.0/24 there and none here"],
      [{ ...LAB_SITE, nodes: LAB_SITE.nodes.slice(0, 2), storages: LAB_SITE.storages.slice(0, 3) }, "a node is node03 there and none here"],
      [{ ...LAB_SITE, storages: LAB_SITE.storages.slice(0, 3) }, "a storage is data2 (lvmthin) there and none here"],
    ] as const) {
      fs.writeFileSync(siteFile, JSON.stringify(other));
      const { code, stderr } = await startDaemon(dir).ended;
      expect([code, stderr]).toEqual([
        1,
        `the lab of ${dir} holds another homelab: ${difference}
  next: stop it and remove ${dir} to begin with an empty homelab, or keep it and use another folder: HOMELAB_LAB_DIR=FOLDER
`,
      ]);
    }
    const [first] = LAB_SITE.nodes;
    const grown = { ...LAB_SITE, nodes: [...LAB_SITE.nodes, { ...first, name: "node04", bridges: [{ name: "vmbr0", ports: ["eno1"] }] }] };
    fs.writeFileSync(siteFile, JSON.stringify(grown));
    await stop(await startedDaemon());
  });

  test.each<[what: string, change: (site: Record<string, unknown>) => unknown, said: string]>([
    ["an unknown field", (site) => ({ ...site, colour: "blue" }), 'Unrecognized key: "colour"'],
    ["a field that is missing", ({ domain: _domain, ...site }) => site, "domain"],
    [
      "an address outside the networks",
      (site) => ({ ...site, networks: ["10.0.0.0/24"] }),
      "the address of Proxmox 192.168.1.248 lies in none of the networks 10.0.0.0/24",
    ],
    ["a storage of an unknown node", (site) => ({ ...site, nodes: LAB_SITE.nodes.slice(0, 2) }), "storage data2 is on node node03, which does not exist"],
    ["two nodes of one name", (site) => ({ ...site, nodes: [...LAB_SITE.nodes, LAB_SITE.nodes[0]] }), "there are two nodes node01"],
    [
      "a bridge on a port that is not there",
      (site) => ({ ...site, nodes: LAB_SITE.nodes.map((node) => ({ ...node, ports: ["eth0"] })) }),
      "bridge vmbr0 of node node01 has the port eno1, which the node does not have",
    ],
    [
      "a host of two stacks",
      (site) => ({ ...site, stacks: [...LAB_SITE.stacks, { name: "stg", hosts: ["k8s-dev"] }] }),
      "the host k8s-dev belongs to two stacks",
    ],
    ["no JSON", () => undefined, "cannot be read"],
  ])("%s is an error that names it", async (_what, change, said) => {
    fs.writeFileSync(siteFile, JSON.stringify(change({ ...LAB_SITE })) ?? "{");
    const { code, stderr } = await startDaemon(dir).ended;
    expect(code).toBe(1);
    expect(stderr).toContain(siteFile);
    expect(stderr).toContain(said);
  });

  const startedDaemon = async (): Promise<Daemon> => {
    const daemon = startDaemon(dir);
    await daemon.ready;
    return daemon;
  };
});
