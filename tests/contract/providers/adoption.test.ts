/**
 * A creation that was cut leaves its inputs in the state, and no outputs. `homelab pending --adopt` computes the ids of some types.
 * For each of these types, reading that id with nothing but the inputs gives the state that the creation would have given.
 */
import { createContext } from "../../../lab/core/context";
import { startVault } from "../../../lab/vault";
import { ID_OF } from "../../../orchestrator/state/pending-creates";
import { plainValues, type Values } from "../../../providers/sdk/values";
import { DIRECTORY, FILE, FILES, IMAGE, ProxmoxLab, VM } from "../../support/proxmox-lab";
import { homelabRuns } from "../../support/stack-run";
import type { TestProvider } from "../../support/test-provider";
import { VaultUnderTest } from "../vault/under-test";

const runs = homelabRuns();
const STORAGE = "proxmoxve:storage/";
const ZFS = `${STORAGE}zfspool:Zfspool`;
const GIVEN: Record<string, Values> = {
  [FILE]: IMAGE,
  [VM]: {
    nodeName: "node03",
    vmId: 140,
    name: "web",
    started: false,
    memory: { dedicated: 1024 },
    disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: 8 }],
  },
  "proxmoxve:network/linux/bridge:Bridge": { nodeName: "node03", name: "vmbr1", comment: "guests" },
  [DIRECTORY]: { ...FILES, resourceId: "more", path: "/var/lib/more" },
  [`${STORAGE}lvm:Lvm`]: { resourceId: "lvm", volumeGroup: "pve", contents: ["images"] },
  [`${STORAGE}lvmthin:Lvmthin`]: { resourceId: "thin", volumeGroup: "pve", thinPool: "data", contents: ["images"] },
  "vault:index/mount:Mount": { path: "apps", type: "kv", options: { version: "2" }, description: "entries" },
  "vault:index/policy:Policy": { name: "reader", policy: 'path "apps/*" { capabilities = ["read"] }' },
  "vault:index/authBackend:AuthBackend": { type: "kubernetes", path: "kubernetes/dev" },
  "vault:index/audit:Audit": { type: "file", options: { file_path: "stdout" } },
};

/** Types without a known id: the next `up` creates them again. Each with the reason why that does no harm. */
const MADE_AGAIN: Record<string, string> = {
  "command:local:Command": "a command runs again, and changes nothing that it has done",
  "command:remote:Command": "a role runs again, and changes nothing that it has done",
  kubernetes: "an object, and a release, is applied to what is there under its name",
  "vault:index/token:Token": "Vault gives each creation a token of its own; one that nobody renews ends with its period",
  "vault:kubernetes/authBackendConfig:AuthBackendConfig": "a write under a fixed path",
  "vault:kubernetes/authBackendRole:AuthBackendRole": "a write under a fixed path",
  "vault:kv/secretV2:SecretV2": "a write under a fixed path",
};

async function adopted(plugin: TestProvider, type: string): Promise<void> {
  const { inputs, failures } = await plugin.check(type, GIVEN[type] ?? {});
  expect(failures).toEqual([]);
  const made = await plugin.create(type, inputs);
  const id = ID_OF[type]?.(plainValues(inputs)) ?? "no id";
  const found = await plugin.read(type, { id, inputs, outputs: {} });
  expect(found).toEqual(await plugin.read(type, made));
  expect(found?.id).toBe(made.id);
  expect((await plugin.diff(type, found ?? made, inputs)).detailed).toEqual({});
  // What was adopted can be deleted under either form of its id.
  await plugin.delete(type, { ...made, id });
  expect(await plugin.read(type, made)).toBeUndefined();
}

describe("of Proxmox", () => {
  let lab: ProxmoxLab;
  beforeAll(async () => {
    lab = await ProxmoxLab.start();
  });
  afterAll(async () => {
    await lab.stop();
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });
  const types = Object.keys(ID_OF).filter((type) => type.startsWith("proxmoxve:") && type !== ZFS);
  test.each(types)("%s", (type) => adopted(lab.plugin, type));

  test(`${ZFS}, which the lab's nodes cannot have, is named as the other storages are`, () => {
    expect(ID_OF[ZFS]?.({ resourceId: "tank", zfsPool: "tank" })).toBe("tank");
  });
});

describe("of Vault", () => {
  let vault: VaultUnderTest;
  beforeAll(async () => {
    const context = await createContext();
    const server = await startVault("vault", context);
    vault = new VaultUnderTest({
      address: `http://127.0.0.1:${server.port}`,
      token: undefined,
      kubernetes: false,
      wraps: false,
      reach: () => () => undefined,
      close: async () => {
        await server.stop();
        expect(context.unhandled.all()).toEqual([]);
      },
    });
    const { body } = await vault.call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 }, "");
    await vault.call("PUT", "sys/unseal", { key: body["keys"]?.[0] }, "");
    vault.root = String(body["root_token"]);
  });
  afterAll(() => vault.close());
  test.each(Object.keys(ID_OF).filter((type) => type.startsWith("vault:")))("%s", async (type) => {
    const plugin = await vault.plugin();
    try {
      await adopted(plugin, type);
    } finally {
      await plugin.close();
    }
  });
});

test("each type that a stack registers can be adopted, or is made again without harm", async () => {
  const types = new Set<string>();
  for (const stack of runs.names) {
    const registered = (await runs.registeredBy(stack)).filter(({ custom, type }) => custom && !type.startsWith("pulumi:"));
    for (const { type } of registered) types.add(type);
  }
  expect(types.size).toBeGreaterThan(15);
  const unknown = [...types].filter((type) => !(type in ID_OF) && !(type in MADE_AGAIN) && !((type.split(":")[0] ?? "") in MADE_AGAIN));
  expect(unknown).toEqual([]);
  expect(Object.keys(MADE_AGAIN).filter((known) => ![...types].some((type) => type === known || type.startsWith(`${known}:`)))).toEqual([]);
});
