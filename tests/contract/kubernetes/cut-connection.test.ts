/** What is kept of an object whose write was not answered: the connection is cut behind the lab's API. */
import * as net from "node:net";
import { provider } from "../../../providers/kubernetes/provider";
import { partialFailure, TestProvider } from "../../support/test-provider";
import { type KubernetesUnderTest, startLabApi } from "./under-test";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const background = { "pulumi.com/deletionPropagationPolicy": "background" };

let api: KubernetesUnderTest;
let relay: net.Server;
let plugin: TestProvider;
/** Bytes that the API still may answer before every connection is cut; undefined: as many as it likes. */
let cutAfter: number | undefined;
const open = new Set<net.Socket>();

beforeAll(async () => {
  api = await startLabApi();
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(api.kubeconfig)?.[1]);
  relay = net.createServer((inner) => {
    const outer = net.connect(port, "127.0.0.1");
    for (const socket of [inner, outer]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        open.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.pipe(outer);
    outer.on("data", (chunk: Buffer) => {
      if (cutAfter !== undefined) {
        cutAfter -= chunk.length;
        if (cutAfter < 0) for (const socket of open) socket.destroy();
      }
      if (!inner.destroyed) inner.write(chunk);
    });
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const server = `127.0.0.1:${(relay.address() as net.AddressInfo).port}`;
  plugin = await TestProvider.start(provider, { kubeconfig: api.kubeconfig.replace(`127.0.0.1:${port}`, server), enableConfigMapMutable: true });
});
afterAll(async () => {
  await plugin.close();
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => relay.close(resolve));
  await api.stop();
});
afterEach(() => {
  cutAfter = undefined;
});

test("an object that may have been applied is kept, gone on with and deleted by the next runs", async () => {
  await plugin.make(CONFIG_MAP, { metadata: { name: "first", annotations: background }, data: {} });
  const { inputs } = await plugin.check(CONFIG_MAP, { metadata: { name: "it", annotations: background }, data: { a: "1" } });
  cutAfter = 0;
  const failed = partialFailure(await plugin.create(CONFIG_MAP, inputs).catch((thrown: unknown) => thrown));
  expect(failed).toMatchObject({
    id: "default/it",
    reasons: [expect.stringMatching(/^ConfigMap it was sent, but the API did not answer: whether it was applied is not known: .*no answer/)],
  });
  cutAfter = undefined;
  if (failed === undefined) return;
  const state = { id: failed.id, inputs, outputs: failed.outputs };
  const updated = await plugin.update(CONFIG_MAP, state, inputs);
  expect(updated.outputs).toMatchObject({ data: { a: "1" }, metadata: { name: "it" } });
  await plugin.delete(CONFIG_MAP, updated);
  expect(await plugin.read(CONFIG_MAP, updated)).toBeUndefined();
});

test("a cluster that cannot be reached is an error, or what the settings say", async () => {
  const made = await plugin.make(CONFIG_MAP, { metadata: { name: "unreachable", annotations: background }, data: {} });
  const dead = api.kubeconfig.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1");
  const startWith = (settings: Record<string, boolean>) => TestProvider.start(provider, { kubeconfig: dead, ...settings });
  const [plain, deletes, skips] = [await startWith({}), await startWith({ deleteUnreachable: true }), await startWith({ skipUpdateUnreachable: true })];
  await Promise.all([
    expect(plain.read(CONFIG_MAP, made)).rejects.toThrow(/no answer/),
    expect(plain.delete(CONFIG_MAP, made)).rejects.toThrow(/no answer/),
    expect(deletes.read(CONFIG_MAP, made)).resolves.toBeUndefined(),
    expect(deletes.delete(CONFIG_MAP, made)).resolves.toBeUndefined(),
    expect(skips.read(CONFIG_MAP, made)).resolves.toEqual(made),
  ]);
  await Promise.all([plain, deletes, skips].map((one) => one.close()));
});
