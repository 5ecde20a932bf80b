/**
 * Each request of a creation in turn gets no answer: by customTimeouts, by a cancellation, by a connection that is cut. Then the state has
 * what was made, with the reason, or the next run can create it as if nothing had happened. Nothing is left behind that blocks the next run.
 */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { createContext } from "../../../lab/core/context";
import { startVault } from "../../../lab/vault";
import { provider as kubernetes } from "../../../providers/kubernetes/provider";
import { provider as proxmox } from "../../../providers/proxmoxve/provider";
import { Secret, type Values } from "../../../providers/sdk/values";
import { provider as vault } from "../../../providers/vault/provider";
import { type CuttingRelay, type Loss, startCuttingRelay } from "../../support/cutting-relay";
import { FILE, IMAGE, LAB_TOKEN, ProxmoxLab } from "../../support/proxmox-lab";
import { partialFailure, type State, TestProvider } from "../../support/test-provider";
import { startLabApi } from "../kubernetes/under-test";
import { AUDIT, BACKEND, CONFIG, MOUNT, POLICY, ROLE, SECRET, TOKEN, VaultUnderTest } from "../vault/under-test";

jest.setTimeout(240_000);

type End = "time-out" | "signal" | "cut" | "page" | "gateway";
const ENDS: readonly End[] = ["time-out", "signal", "cut"];
/** Also for plain HTTP, in which the relay can put another answer in place of the server's. */
const PLAIN_ENDS: readonly End[] = [...ENDS, "page", "gateway"];
const lossOf = (end: End): Loss => (end === "time-out" || end === "signal" ? "silence" : end);
/** An upper limit: no creation here makes that many requests. */
const MOST = 30;

interface World {
  relay: CuttingRelay;
  /** Starts a provider that reaches the server by the relay. */
  start(): Promise<TestProvider>;
}

/** @returns `kept`: what the state has afterwards. `whole`: whether the creation succeeded */
async function brokenOff(world: World, type: string, inputs: Values, end: End, after: number): Promise<{ kept: State | undefined; whole: boolean }> {
  const plugin = await world.start();
  world.relay.loseAnswer(after, lossOf(end));
  const creation = plugin.create(type, inputs, end === "time-out" ? { timeout: 0.3 } : {});
  creation.catch(() => undefined);
  if (end === "signal") {
    // Wait until the answer was lost or the creation ended, then cancel.
    const settled = creation.then(
      () => true,
      () => true,
    );
    const pause = (): Promise<false> => new Promise((resolve) => setTimeout(() => resolve(false), 25));
    while (!world.relay.lost() && !(await Promise.race([settled, pause()])));
    if (world.relay.lost()) await plugin.cancel();
  }
  try {
    return { kept: await creation, whole: !world.relay.lost() };
  } catch (thrown) {
    const failed = partialFailure(thrown);
    if (failed === undefined) return { kept: undefined, whole: false };
    expect(failed.reasons.join()).not.toBe("");
    return { kept: { id: failed.id, inputs, outputs: failed.outputs }, whole: false };
  } finally {
    world.relay.calm();
    await plugin.close();
  }
}

/** Loses the first answer of a creation, then of another creation the second one, and so on until all requests were covered. */
async function atEachRequest(world: World, type: string, given: Values, end: End): Promise<void> {
  for (let after = 0; after < MOST; after++) {
    const plugin = await world.start();
    const { inputs, failures } = await plugin.check(type, given);
    expect(failures).toEqual([]);
    const { kept, whole } = await brokenOff(world, type, inputs, end, after);
    // The next run updates what the state has, and creates what it does not have.
    const state = kept ?? (await plugin.create(type, inputs));
    const mended = kept === undefined || whole ? state : await plugin.update(type, state, inputs);
    const found = await plugin.read(type, mended);
    if (found === undefined) throw new Error(`${type}: in the state after answer ${after}, and not there`);
    expect([after, (await plugin.diff(type, found, inputs)).detailed]).toEqual([after, {}]);
    expect([after, (await plugin.diff(type, mended, inputs)).detailed]).toEqual([after, {}]);
    await plugin.delete(type, mended);
    expect(await plugin.read(type, mended)).toBeUndefined();
    await plugin.close();
    if (whole) return;
  }
  throw new Error(`${type} was never made within ${MOST} answers`);
}

const table = (rows: [string, Values][], ends = ENDS): [string, End, Values][] =>
  rows.flatMap(([type, given]) => ends.map((end): [string, End, Values] => [type, end, given]));

describe("vault", () => {
  let world: World;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const server = await startVault("vault", await createContext());
    const facts = { address: `http://127.0.0.1:${server.port}`, token: undefined, kubernetes: true, wraps: false, reach: () => () => undefined };
    const lab = new VaultUnderTest({ ...facts, close: () => server.stop() });
    const { body } = await lab.call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 }, "");
    const { root_token: root, keys } = body as unknown as { root_token: string; keys: string[] };
    await lab.call("PUT", "sys/unseal", { key: keys[0] }, "");
    const relay = await startCuttingRelay(server.port);
    const address = `http://127.0.0.1:${relay.port}`;
    world = { relay, start: () => TestProvider.start(vault, { address, token: new Secret(root), skipChildToken: "true" }) };
    const plugin = await world.start();
    await plugin.make(MOUNT, { path: "kv2", type: "kv", options: { version: "2" } });
    await plugin.make(BACKEND, { type: "kubernetes", path: "cluster" });
    await plugin.close();
    close = async () => {
      await relay.close();
      await lab.close();
    };
  });
  afterAll(() => close());

  test.each(
    table(
      [
        [MOUNT, { path: "lost", type: "kv", options: { version: "2" }, description: "d" }],
        [SECRET, { mount: "kv2", name: "lost", dataJson: new Secret('{"a":1}'), customMetadata: { maxVersions: 5 }, deleteAllVersions: true }],
        [POLICY, { name: "lost", policy: 'path "a" { capabilities = ["read"] }' }],
        [BACKEND, { type: "kubernetes", path: "lost", description: "d", tune: { maxLeaseTtl: "2h" } }],
        [ROLE, { backend: "cluster", roleName: "lost", boundServiceAccountNames: ["a"], boundServiceAccountNamespaces: ["b"], tokenTtl: 60 }],
      ],
      PLAIN_ENDS,
    ),
  )("%s, %s", (type, end, given) => atEachRequest(world, type, given, end));

  // The token's secret is lost with the answer. The provider can only name the token to revoke.
  test.each(PLAIN_ENDS)(`${TOKEN}, %s`, async (end) => {
    const given = { policies: ["lost"], ttl: "1h", displayName: `lost-${end}`, metadata: { for: end } };
    const plugin = await world.start();
    const { inputs } = await plugin.check(TOKEN, given);
    const twin = await plugin.make(TOKEN, given);
    world.relay.loseAnswer(0, lossOf(end));
    const creation = plugin.create(TOKEN, inputs, end === "time-out" ? { timeout: 0.3 } : {});
    creation.catch(() => undefined);
    if (end === "signal") {
      while (!world.relay.lost()) await new Promise((resolve) => setTimeout(resolve, 10));
      await plugin.cancel();
    }
    const failed = await creation.then(
      () => "made",
      (thrown: { details: string }) => thrown.details,
    );
    world.relay.calm();
    await plugin.close();
    const [, accessor = ""] = /Vault may have made a token that nobody knows, with the accessor (\S+)/.exec(failed) ?? [failed];
    const again = await world.start();
    const lost = await again.read(TOKEN, { id: accessor, inputs, outputs: {} });
    expect([accessor === twin.id, lost?.outputs["displayName"]]).toEqual([false, `lost-${end}`]);
    await again.delete(TOKEN, { id: accessor, inputs, outputs: {} });
    const state = await again.create(TOKEN, inputs);
    for (const one of [state, twin]) await again.delete(TOKEN, one);
    await again.close();
  });

  // Every change replaces an audit device, so there is no update to test.
  test.each(PLAIN_ENDS)(`${AUDIT}, %s`, async (end) => {
    const given = { type: "file", path: "lost", options: { file_path: "stdout" } };
    const plugin = await world.start();
    const { inputs } = await plugin.check(AUDIT, given);
    const { kept } = await brokenOff(world, AUDIT, inputs, end, 0);
    expect(kept?.id).toBe("lost");
    if (kept !== undefined) await plugin.delete(AUDIT, kept);
    await plugin.make(AUDIT, given).then((made) => plugin.delete(AUDIT, made));
    await plugin.close();
  });

  // A configuration is only deleted with its auth method, and writing it again is harmless.
  test.each(PLAIN_ENDS)(`${CONFIG}, %s`, async (end) => {
    const plugin = await world.start();
    const { inputs } = await plugin.check(CONFIG, { backend: "cluster", kubernetesHost: `https://${end}.example`, disableLocalCaJwt: true });
    const { kept } = await brokenOff(world, CONFIG, inputs, end, 0);
    expect(kept).toMatchObject({ id: "auth/cluster/config", outputs: { kubernetesHost: `https://${end}.example` } });
    await plugin.close();
  });
});

describe("proxmoxve", () => {
  let lab: ProxmoxLab;
  let world: World;
  beforeAll(async () => {
    lab = await ProxmoxLab.start();
    const relay = await startCuttingRelay(Number(new URL(lab.url).port));
    const settings = { endpoint: `https://127.0.0.1:${relay.port}`, apiToken: new Secret(`${LAB_TOKEN.id}=${LAB_TOKEN.secret}`), insecure: "true" };
    world = { relay, start: () => TestProvider.start(proxmox, settings) };
  });
  afterAll(async () => {
    await world.relay.close();
    await lab.stop();
  });

  // They make the same requests as a directory.
  const storage = { resourceId: "lost", contents: ["images"], nodes: ["node03"] };
  test.each<[string, Values]>([
    ["proxmoxve:storage/lvm:Lvm", { ...storage, volumeGroup: "pve" }],
    ["proxmoxve:storage/lvmthin:Lvmthin", { ...storage, volumeGroup: "pve", thinPool: "data" }],
    ["proxmoxve:storage/zfspool:Zfspool", { ...storage, zfsPool: "tank" }],
  ])("%s, cut", (type, given) => atEachRequest(world, type, given, "cut"));

  test.each(
    table([
      ["proxmoxve:storage/directory:Directory", { resourceId: "lost", path: "/srv/lost", contents: ["iso"], nodes: ["node03"] }],
      ["proxmoxve:network/linux/bridge:Bridge", { nodeName: "node03", name: "vmbr8", comment: "lost" }],
      [
        FILE,
        {
          nodeName: "node03",
          datastoreId: "homelab",
          contentType: "import",
          url: "http://images.example.org/lost.img",
          fileName: "lost.qcow2",
          overwrite: false,
        },
      ],
    ]),
  )("%s, %s", (type, end, given) => atEachRequest(world, type, given, end));
});

describe("a download that the node goes on with", () => {
  let lab: ProxmoxLab;
  let relay: CuttingRelay;
  let plugin: TestProvider;
  let source: http.Server;
  let release: () => void;
  beforeEach(async () => {
    lab = await ProxmoxLab.start();
    relay = await startCuttingRelay(Number(new URL(lab.url).port));
    const settings = { endpoint: `https://127.0.0.1:${relay.port}`, apiToken: new Secret(`${LAB_TOKEN.id}=${LAB_TOKEN.secret}`), insecure: "true" };
    plugin = await TestProvider.start(proxmox, settings);
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    source = http.createServer((_request, response) => void released.then(() => response.end("an image")));
    await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
    lab.ctx.network.listen("slow.example.org", 80, { port: (source.address() as AddressInfo).port });
  });
  afterEach(async () => {
    release();
    await plugin.close();
    await relay.close();
    await lab.stop();
    await new Promise((resolve) => source.close(resolve));
  });

  const image = { ...IMAGE, url: "http://slow.example.org/slow.img", fileName: "slow.qcow2" };
  const tasks = () => lab.proxmox.state().tasks.filter(({ type }) => type === "download");
  const begun = async (): Promise<void> => {
    while (tasks()[0]?.log.some((line) => line.startsWith("downloading")) !== true) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  test.each<[string, (creation: () => Promise<State>) => Promise<unknown>]>([
    ["its own time-out", (creation) => creation()],
    [
      "the first signal",
      async (creation) => {
        const made = creation();
        await Promise.all([made, begun().then(() => plugin.cancel())]);
      },
    ],
    [
      "an answer that never told its task",
      async (creation) => {
        // The read opens the connection, so that the cut loses an answer and not a handshake.
        await plugin.read(FILE, { id: "homelab:import/none.qcow2", inputs: {}, outputs: { nodeName: "node03", size: 1 } });
        relay.loseAnswer(0, "cut");
        await creation();
      },
    ],
  ])("%s: it is stopped, and its file is in nobody's way", async (why, run) => {
    const { inputs } = await plugin.check(FILE, { ...image, uploadTimeout: why === "its own time-out" ? 1 : 60 });
    await expect(run(() => plugin.create(FILE, inputs))).rejects.toThrow(
      expect.objectContaining({ details: expect.not.stringContaining("could not be stopped") }),
    );
    expect(tasks().map(({ exitstatus }) => exitstatus ?? "goes on")).not.toContain("OK");
    release();
    const again =
      why === "the first signal"
        ? await TestProvider.start(proxmox, { endpoint: lab.url, apiToken: new Secret(`${LAB_TOKEN.id}=${LAB_TOKEN.secret}`), insecure: "true" })
        : plugin;
    const state = await again.create(FILE, inputs);
    expect(state.id).toBe("homelab:import/slow.qcow2");
    expect(tasks().map(({ exitstatus }) => exitstatus)).toEqual(["received interrupt", "OK"]);
    if (again !== plugin) await again.close();
  });

  test("where it cannot be stopped, the error says that the node goes on", async () => {
    const { inputs } = await plugin.check(FILE, { ...image, uploadTimeout: 1 });
    const creation = plugin.create(FILE, inputs);
    creation.catch(() => undefined);
    await begun();
    relay.loseAll();
    await expect(creation).rejects.toThrow(/slow\.qcow2, since it could not be stopped|whether homelab:import\/slow\.qcow2 was made could not be seen/);
    relay.calm();
  });
});

describe("kubernetes", () => {
  let close: () => Promise<void>;
  let world: World;
  beforeAll(async () => {
    const api = await startLabApi({ controllers: false });
    const port = /127\.0\.0\.1:(\d+)/.exec(api.kubeconfig)?.[1] ?? "";
    const relay = await startCuttingRelay(Number(port));
    const settings = { kubeconfig: api.kubeconfig.replace(`127.0.0.1:${port}`, `127.0.0.1:${relay.port}`), enableConfigMapMutable: true };
    world = { relay, start: () => TestProvider.start(kubernetes, settings) };
    close = async () => {
      await relay.close();
      await api.stop();
    };
  });
  afterAll(() => close());

  const annotations = { "pulumi.com/skipAwait": "true", "pulumi.com/deletionPropagationPolicy": "background" };
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx:1.27" }] } };
  // Two kinds suffice, since all are written in the same way. waits-suite.ts tests how a wait ends.
  test.each<[string, Values]>([
    ["kubernetes:core/v1:ConfigMap", { metadata: { name: "lost", annotations }, data: { a: "1" } }],
    ["kubernetes:apps/v1:Deployment", { metadata: { name: "lost", annotations }, spec: { selector: { matchLabels: labels }, template } }],
    ["kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", { metadata: { name: "lost", annotations }, rules: [] }],
  ])("%s, cut", (type, given) => atEachRequest(world, type, given, "cut"));
});
