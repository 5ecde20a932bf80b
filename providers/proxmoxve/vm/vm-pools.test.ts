import { FAKE_TOKEN, type FakePve, startFakePve } from "../../../tests/support/fake-pve";
import { type State, TestProvider } from "../../../tests/support/test-provider";
import { clone, template, VM } from "../../../tests/support/vm-inputs";
import type { Values } from "../../sdk/values";
import { provider } from "../provider";

let pve: FakePve;
let plugin: TestProvider;
beforeEach(async () => {
  pve = await startFakePve();
  plugin = await TestProvider.start(provider, { endpoint: `${pve.endpoint}/`, apiToken: FAKE_TOKEN });
});
afterEach(async () => {
  await plugin.close();
  await pve.close();
});

const made = (inputs: Values): Promise<State> => plugin.make(VM, inputs);

test("a VM goes from pool to pool, and out of the last one", async () => {
  await made(template);
  let state = await made(clone);
  const moves: [string | undefined, string | undefined][] = [
    ["lab", "lab"],
    ["home", "home"],
    [undefined, undefined],
  ];
  for (const [poolId, pool] of moves) {
    const { inputs } = await plugin.check(VM, { ...clone, ...(poolId === undefined ? {} : { poolId }) }, state.inputs);
    state = await plugin.update(VM, state, inputs);
    expect(pve.pools.get(120)).toBe(pool);
  }
});

test("a VM leaves a pool that somebody deleted, or that it was taken out of", async () => {
  await made(template);
  const state = await made({ ...clone, poolId: "lab" });
  const { inputs } = await plugin.check(VM, clone, state.inputs);
  for (const message of ["pool 'lab' does not exist", "no such pool 'lab'", "update pools failed: VM 120 is not a pool member"]) {
    pve.failNext(/^PUT pools\/lab/, { status: 500, message });
    expect((await plugin.update(VM, state, inputs)).outputs["poolId"]).toBeUndefined();
  }
  pve.failNext(/^PUT pools\/lab/, { status: 403, message: "Permission check failed (/pool/lab, Pool.Allocate)" });
  await expect(plugin.update(VM, state, inputs)).rejects.toMatchObject({ details: expect.stringContaining("Permission check failed") });
});

test("a pool that is cleared by an empty text is left, and the time limits of migration, restart and move change without a call to Proxmox", async () => {
  await made(template);
  const state = await made({ ...clone, poolId: "lab" });
  const limits = { timeoutMigrate: 11, timeoutReboot: 12, timeoutMoveDisk: 13 };
  const { inputs } = await plugin.check(VM, { ...clone, poolId: "lab", ...limits }, state.inputs);
  pve.calls.length = 0;
  const longer = await plugin.update(VM, state, inputs);
  expect(longer.outputs).toMatchObject(limits);
  expect(pve.calls.filter((call) => !call.startsWith("GET"))).toEqual([]);
  const cleared = await plugin.check(VM, { ...clone, poolId: "", ...limits }, longer.inputs);
  await plugin.update(VM, longer, cleared.inputs);
  expect(pve.pools.get(120)).toBeUndefined();
});
