/** What the state keeps of an object whose write got no answer: a relay before the lab's API cuts the connection. */
import { provider } from "../../../providers/kubernetes/provider";
import { type CuttingRelay, startCuttingRelay } from "../../support/cutting-relay";
import { partialFailure, TestProvider } from "../../support/test-provider";
import { type KubernetesUnderTest, startLabApi } from "./under-test";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const background = { "pulumi.com/deletionPropagationPolicy": "background" };

let api: KubernetesUnderTest;
let relay: CuttingRelay;
let plugin: TestProvider;

beforeAll(async () => {
  api = await startLabApi();
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(api.kubeconfig)?.[1]);
  relay = await startCuttingRelay(port);
  const server = `127.0.0.1:${relay.port}`;
  plugin = await TestProvider.start(provider, { kubeconfig: api.kubeconfig.replace(`127.0.0.1:${port}`, server), enableConfigMapMutable: true });
});
afterAll(async () => {
  await plugin.close();
  await relay.close();
  await api.stop();
});
afterEach(() => relay.calm());

test("an object that may have been applied is kept, gone on with and deleted by the next runs", async () => {
  await plugin.make(CONFIG_MAP, { metadata: { name: "first", annotations: background }, data: {} });
  const { inputs } = await plugin.check(CONFIG_MAP, { metadata: { name: "it", annotations: background }, data: { a: "1" } });
  relay.loseAll();
  const failed = partialFailure(await plugin.create(CONFIG_MAP, inputs).catch((thrown: unknown) => thrown));
  expect(failed).toMatchObject({
    id: "default/it",
    reasons: [expect.stringMatching(/^ConfigMap it was sent, but the API did not answer: whether it was applied is not known: .*no answer/)],
  });
  relay.calm();
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
