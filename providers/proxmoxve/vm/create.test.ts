/** Creations of VMs that are cut, killed, refused or too slow. */
import { FAKE_TOKEN, type FakePve, startFakePve } from "../../../tests/support/fake-pve";
import { collectGarbage } from "../../../tests/support/garbage";
import { partialFailure, type State, TestProvider } from "../../../tests/support/test-provider";
import { clone, template, VM } from "../../../tests/support/vm-inputs";
import type { Values } from "../../sdk/values";
import { provider } from "../provider";

describe("a VM's creation", () => {
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

  const made = async (inputs: Values): Promise<State> => {
    const state = await plugin.make(VM, inputs);
    pve.calls.length = 0;
    return state;
  };
  const config = (id: number): Record<string, string> => pve.vms.get(id)?.config ?? {};

  test("a creation that is cut leaves the VM in the state, and the next run completes it", async () => {
    await made(template);
    pve.failNext(/^PUT .*\/120\/config/, { status: 500, message: "storage is offline" });
    const { inputs } = await plugin.check(VM, clone);
    const failed = partialFailure(await plugin.create(VM, inputs).catch((error: unknown) => error));
    expect(failed).toMatchObject({ id: "120", reasons: ["Proxmox: PUT nodes/node01/qemu/120/config: 500: storage is offline"] });
    const state = await plugin.update(VM, { id: "120", inputs, outputs: failed?.outputs ?? {} }, inputs);
    expect(config(120)).toMatchObject({ cores: "4", ciuser: "suporte" });
    expect(state.outputs).toMatchObject({ started: true });
  });

  describe("a creation whose engine was killed", () => {
    const killedAt = async (match: RegExp, inputs: Values, name?: string) => {
      pve.failNext(match, { status: 500, message: "the plug was pulled" });
      const checked = await plugin.check(VM, inputs, {}, name);
      await plugin.create(VM, checked.inputs, name === undefined ? {} : { name }).catch(() => undefined);
      pve.calls.length = 0;
      return checked.inputs;
    };
    const clones = () => pve.calls.filter((call) => call.includes("/clone"));

    test.each([
      ["right after the clone", /PUT .*\/120\/config/, clone],
      ["before it was started", /POST .*\/120\/status\/start/, { ...clone, description: "of dev" }],
      ["before its mark was taken away", /PUT .*\/120\/config\?(delete=description|description=of\+dev)$/, { ...clone, description: "of dev" }],
    ])("%s is completed by the next run of the same resource", async (_, match, inputs) => {
      await made(template);
      const state = await plugin.create(VM, await killedAt(match, inputs as Values));
      expect([clones(), state.id, pve.vms.get(120)?.running]).toEqual([[], "120", true]);
      expect(config(120)).toMatchObject({ cores: "4", ciuser: "suporte" });
      expect(config(120)["description"]).toBe((inputs as Values)["description"]);
    });

    test("after it was made, and before the state was written", async () => {
      await made(template);
      const { inputs } = await plugin.check(VM, clone);
      await plugin.create(VM, inputs);
      pve.calls.length = 0;
      expect([(await plugin.create(VM, inputs)).id, clones()]).toEqual(["120", []]);
    });

    test("is not taken over by another resource, nor is a VM that somebody made", async () => {
      await made(template);
      const inputs = await killedAt(/PUT .*\/120\/config/, clone, "first");
      await expect(plugin.create(VM, inputs, { name: "second" })).rejects.toMatchObject({ details: expect.stringMatching(/^VM 120 is on node01 already/) });
      pve.vms.set(120, { node: "node01", config: { name: "dev", cores: "2" }, running: true, lock: 0 });
      await expect(plugin.create(VM, inputs, { name: "first" })).rejects.toMatchObject({ details: expect.stringMatching(/^VM 120 is on node01 already/) });
      expect(config(120)).toEqual({ name: "dev", cores: "2" });
    });
  });

  test("a failed task tells its exit status and the end of its log", async () => {
    pve.failNext(/^POST nodes\/node01\/qemu/, { task: "no space left" });
    const thrown = await plugin.make(VM, { ...template, vmId: 9001 }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      details: expect.stringMatching(/^Proxmox: qmcreate of 9001 on node01 failed: no space left\nstarting\nTASK ERROR: no space left/),
    });
  });

  test("a clone waits for a lock that goes away, as often as it was told", async () => {
    await made(template);
    pve.failNext(/\/clone/, { status: 500, message: "can't lock file '/var/lock/qemu-server/lock-9000.conf' - got timeout" });
    expect((await plugin.make(VM, { ...clone, clone: { vmId: 9000, retries: 2 } })).id).toBe("120");
  });

  test("an id that is taken is refused before anything is made", async () => {
    await made(template);
    await expect(plugin.make(VM, { ...template, cpu: { cores: 2 } })).rejects.toMatchObject({
      details: expect.stringMatching(/^VM 9000 is on node01 already\n {2}next: choose another vmId, import the VM, or delete it/),
    });
    expect(pve.calls.filter((call) => !call.startsWith("GET"))).toEqual([]);
  });

  test("without an id the next free one is taken", async () => {
    const { vmId: _vmId, ...rest } = template;
    expect((await plugin.make(VM, rest)).outputs["vmId"]).toBe(100);
  });

  describe("what takes too long ends with its limit, in words, also when garbage was collected meanwhile:", () => {
    const untilCalled = async (match: RegExp): Promise<void> => {
      while (!pve.calls.some((call) => match.test(call))) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    const ends = async (operation: Promise<unknown>, call: RegExp): Promise<string> => {
      const outcome = operation.then(
        () => "done",
        (thrown: unknown) => partialFailure(thrown)?.reasons.join() ?? String((thrown as { details?: unknown }).details),
      );
      await untilCalled(call);
      collectGarbage();
      return outcome;
    };

    test("a creation, which stays in the state", async () => {
      await made(template);
      pve.hangNext(/\/clone/);
      const { inputs } = await plugin.check(VM, { ...clone, timeoutClone: 1 });
      expect(await ends(plugin.create(VM, inputs), /\/clone/)).toMatch(/^VM 120 was not made on node01 within 1 s\n {2}next: .*timeoutClone$/);
    });

    test("a start", async () => {
      await made(template);
      pve.hangNext(/status\/start/);
      const { inputs } = await plugin.check(VM, { ...clone, timeoutStartVm: 1 });
      expect(await ends(plugin.create(VM, inputs), /status\/start/)).toBe("Proxmox: status/start of VM 120 on node01 did not end within 1 s");
    });

    test("a restart", async () => {
      await made(template);
      pve.hangNext(/status\/shutdown/);
      const { inputs } = await plugin.check(VM, { ...clone, reboot: true, timeoutReboot: 1 });
      expect(await ends(plugin.create(VM, inputs), /status\/shutdown/)).toMatch(
        /^Proxmox: VM 120 on node01 did not restart within 1 s\n {2}next: .*timeoutReboot/,
      );
    });
  });
});
