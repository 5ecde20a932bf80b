import { FAKE_TOKEN, type FakePve, startFakePve } from "../../../tests/support/fake-pve";
import { TestProvider } from "../../../tests/support/test-provider";
import { clone, template, VM } from "../../../tests/support/vm-inputs";
import { provider } from "../provider";

let pve: FakePve;
let plugin: TestProvider;
beforeEach(async () => {
  pve = await startFakePve();
  plugin = await TestProvider.start(provider, { endpoint: `${pve.endpoint}/`, apiToken: FAKE_TOKEN });
  await plugin.make(VM, template);
  pve.agentAddress = undefined;
});
afterEach(async () => {
  await plugin.close();
  await pve.close();
});

test("an agent that tells nothing is a warning and no failure", async () => {
  const state = await plugin.make(VM, { ...clone, agent: { enabled: true, timeout: "100ms" } });
  expect(state.outputs).toMatchObject({ started: true, ipv4Addresses: [] });
});

test("an agent that tells nothing does not hold up each later run as well: a VM that has been up for longer is asked for a moment", async () => {
  const state = await plugin.make(VM, { ...clone, agent: { enabled: true, timeout: "100ms" } });
  pve.uptime = 901;
  const read = await plugin.read(VM, { ...state, outputs: { ...state.outputs, agent: { enabled: true, timeout: "15m" } } });
  expect(read?.outputs).toMatchObject({ started: true, ipv4Addresses: [] });
});

test("a VM whose addresses nobody waits for is not asked for them", async () => {
  const agent = { enabled: true, waitForIp: { disabled: true } };
  const state = await plugin.make(VM, { ...clone, agent });
  expect(state.outputs).toMatchObject({ started: true, ipv4Addresses: [], agent });
  expect(await plugin.diff(VM, state, (await plugin.check(VM, { ...clone, agent }, state.inputs)).inputs)).toMatchObject({ changes: "none" });
});
