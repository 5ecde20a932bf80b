/** Our providers find no change in states of the official plugins, which contain nulls and empty values, and do no more than was asked. */
import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../../../common/paths";
import { createContext, type OwnedContext } from "../../../lab/core/context";
import { startVault } from "../../../lab/vault";
import { provider as command } from "../../../providers/command/provider";
import { provider as kubernetes } from "../../../providers/kubernetes/provider";
import { Secret, type Values } from "../../../providers/sdk/values";
import { FILE, ProxmoxLab, VM } from "../../support/proxmox-lab";
import { sdkInputs } from "../../support/sdk-inputs";
import { sshKeyPair, startSshServer } from "../../support/ssh-server";
import { TestProvider } from "../../support/test-provider";
import { DRIFT_CASES } from "../kubernetes/drift-cases";
import { type KubernetesUnderTest, startLabApi } from "../kubernetes/under-test";
import { AUDIT, BACKEND, CONFIG, MOUNT, POLICY, ROLE, SECRET, TOKEN, VaultUnderTest } from "../vault/under-test";
import { migrated, SPELLINGS } from "./official-state";

interface Row {
  type: string;
  module: string;
  args: string;
  given: Values;
  /** A change that is made in place; undefined if every change replaces the resource. */
  change?: Values;
  shows?: string[];
}

const named = (rows: readonly Row[]): [string, (typeof SPELLINGS)[number], Row][] =>
  rows.flatMap((row) => SPELLINGS.map((spelling): [string, typeof spelling, Row] => [row.type, spelling, row]));

async function expectMigrates(plugin: TestProvider, sdk: string, row: Row, spelling: (typeof SPELLINGS)[number], depth?: number): Promise<void> {
  const { type, module, args, given, change, shows } = row;
  const made = await plugin.make(type, given);
  const inputs = sdkInputs(sdk, module, args, depth);
  const { wrong, state } = await migrated(plugin, { type, inputs, given, change, shows: shows ?? [] }, made, spelling);
  await plugin.delete(type, state);
  expect(wrong).toEqual([]);
}

describe("proxmoxve", () => {
  const storage = { resourceId: "moved", contents: ["images"] };
  const ROWS: Row[] = [
    {
      type: VM,
      module: "vmLegacy",
      args: "VmLegacyArgs",
      given: {
        ...{
          nodeName: "node03",
          vmId: 115,
          name: "web",
          tags: ["homelab", "template"],
          clone: { vmId: 9003, full: true },
          agent: { enabled: true, waitForIp: { disabled: true } },
        },
        ...{ cpu: { cores: 1, type: "host" }, disks: [{ interface: "scsi0", datastoreId: "local-lvm", size: 20 }], memory: { dedicated: 1024 } },
        ...{ networkDevices: [{ bridge: "vmbr0" }], serialDevices: [{ device: "socket" }], operatingSystem: { type: "l26" } },
        initialization: {
          datastoreId: "local-lvm",
          ipConfigs: [{ ipv4: { address: "192.168.1.15/24", gateway: "192.168.1.1" } }],
          userAccount: { username: "u" },
        },
      },
      change: { description: "changed" },
      shows: ["description"],
    },
    {
      type: FILE,
      module: "download/fileLegacy",
      args: "FileLegacyArgs",
      given: {
        ...{ nodeName: "node03", datastoreId: "homelab", contentType: "import", url: "http://images.example.org/other.img", fileName: "other.qcow2" },
        overwrite: false,
      },
      change: { overwriteUnmanaged: true },
      shows: ["overwriteUnmanaged"],
    },
    {
      type: "proxmoxve:network/linux/bridge:Bridge",
      module: "network/linux/bridge/bridge",
      args: "BridgeArgs",
      given: { nodeName: "node03", name: "vmbr9" },
      change: { comment: "changed" },
      shows: ["comment"],
    },
    {
      type: "proxmoxve:storage/directory:Directory",
      module: "storage/directory",
      args: "DirectoryArgs",
      given: { resourceId: "moved", path: "/srv/moved", contents: ["iso"] },
      change: { disable: true },
      shows: ["disable"],
    },
    {
      type: "proxmoxve:storage/lvm:Lvm",
      module: "storage/lvm",
      args: "LvmArgs",
      given: { ...storage, volumeGroup: "pve" },
      change: { disable: true },
      shows: ["disable"],
    },
    {
      type: "proxmoxve:storage/lvmthin:Lvmthin",
      module: "storage/lvmthin",
      args: "LvmthinArgs",
      given: { ...storage, volumeGroup: "pve", thinPool: "data" },
      change: { disable: true },
      shows: ["disable"],
    },
    {
      type: "proxmoxve:storage/zfspool:Zfspool",
      module: "storage/zfspool",
      args: "ZfspoolArgs",
      given: { ...storage, zfsPool: "tank", nodes: ["node03"] },
      change: { disable: true },
      shows: ["disable"],
    },
  ];
  let lab: ProxmoxLab;
  beforeAll(async () => {
    lab = await ProxmoxLab.start();
    await lab.template();
  });
  afterAll(() => lab.stop());

  test.each(named(ROWS))("%s, %s", async (_type, spelling, row) => {
    const module = fs.existsSync(path.join(projectRoot(), "node_modules/@muhlba91/pulumi-proxmoxve", `${row.module}.d.ts`))
      ? row.module
      : path.dirname(row.module);
    const mark = lab.mark();
    await expectMigrates(lab.plugin, "@muhlba91/pulumi-proxmoxve", { ...row, module }, spelling);
    // Neither the migration nor the changed description restarts the VM.
    if (row.type === VM) expect(lab.writes(mark).filter((write) => /reboot|shutdown/.test(write))).toEqual([]);
  });
});

describe("vault", () => {
  const bound = { boundServiceAccountNames: ["a"], boundServiceAccountNamespaces: ["b"] };
  const ROWS: Row[] = [
    {
      type: MOUNT,
      module: "mount",
      args: "MountArgs",
      given: { path: "moved", type: "kv", options: { version: "2" } },
      change: { description: "changed" },
      shows: ["description"],
    },
    {
      type: SECRET,
      module: "kv/secretV2",
      args: "SecretV2Args",
      given: { mount: "kv2", name: "app", dataJson: new Secret('{"a":1}') },
      change: { dataJson: new Secret('{"a":2}') },
      shows: ["dataJson"],
    },
    {
      type: POLICY,
      module: "policy",
      args: "PolicyArgs",
      given: { name: "moved", policy: 'path "a" {}' },
      change: { policy: 'path "b" {}' },
      shows: ["policy"],
    },
    { type: TOKEN, module: "token", args: "TokenArgs", given: { policies: ["app"] }, change: { renewMinLease: 5 }, shows: ["renewMinLease"] },
    { type: AUDIT, module: "audit", args: "AuditArgs", given: { type: "file", path: "moved", options: { file_path: "stdout" } } },
    {
      type: BACKEND,
      module: "authBackend",
      args: "AuthBackendArgs",
      given: { type: "kubernetes", path: "moved" },
      change: { description: "changed" },
      shows: ["description"],
    },
    {
      type: CONFIG,
      module: "kubernetes/authBackendConfig",
      args: "AuthBackendConfigArgs",
      given: { backend: "cluster", kubernetesHost: "https://127.0.0.1:1", disableLocalCaJwt: true },
      change: { kubernetesHost: "https://127.0.0.1:2" },
      shows: ["kubernetesHost"],
    },
    {
      type: ROLE,
      module: "kubernetes/authBackendRole",
      args: "AuthBackendRoleArgs",
      given: { backend: "cluster", roleName: "app", ...bound },
      change: { tokenTtl: 60 },
      shows: ["tokenTtl"],
    },
  ];
  let context: OwnedContext;
  let vault: VaultUnderTest;
  let plugin: TestProvider;
  beforeAll(async () => {
    context = await createContext();
    const server = await startVault("vault", context);
    const given = { address: `http://127.0.0.1:${server.port}`, token: undefined, kubernetes: true, wraps: false, reach: () => () => undefined };
    vault = new VaultUnderTest({ ...given, close: () => server.stop() });
    const { body } = await vault.call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 }, "");
    const { root_token: root, keys } = body as unknown as { root_token: string; keys: string[] };
    await vault.call("PUT", "sys/unseal", { key: keys[0] }, "");
    vault.root = root;
    plugin = await vault.plugin();
    await plugin.make(MOUNT, { path: "kv2", type: "kv", options: { version: "2" } });
    await plugin.make(BACKEND, { type: "kubernetes", path: "cluster" });
  });
  afterAll(async () => {
    await plugin.close();
    await vault.close();
  });

  test.each(named(ROWS))("%s, %s", (_type, spelling, row) => expectMigrates(plugin, "@pulumi/vault", row, spelling));
});

describe("command", () => {
  const key = sshKeyPair();
  // The official command plugin writes only what it was given; nulls come from programs in other languages.
  test("remote and local, null", async () => {
    const spelling = "null";
    const server = await startSshServer({ allowedKey: key.publicKey, exec: () => ({ stdout: "done" }) });
    const plugin = await TestProvider.start(command, {});
    const connection = { host: "127.0.0.1", port: server.port, privateKey: key.privateKey };
    const [given, change, shows] = [{ create: "true", delete: "true" }, { create: "echo" }, ["create"]];
    await expectMigrates(
      plugin,
      "@pulumi/command",
      { type: "command:remote:Command", module: "remote/command", args: "CommandArgs", given: { ...given, connection }, change, shows },
      spelling,
    );
    await expectMigrates(
      plugin,
      "@pulumi/command",
      { type: "command:local:Command", module: "local/command", args: "CommandArgs", given, change, shows },
      spelling,
    );
    await plugin.close();
    await server.close();
    // Only the creation, the change and the deletion ran a command.
    expect(server.execs.map((exec) => exec.command)).toEqual(["true", "echo", "true"]);
  });
});

describe("kubernetes", () => {
  const UNAWAITED = { "pulumi.com/skipAwait": "true", "pulumi.com/deletionPropagationPolicy": "background" };
  const modulePath = (token: string): string => {
    const [group = "", kind = ""] = token.split(":");
    const folder = group.replace(/^([a-z]+)[^/]*/, "$1");
    return `${folder}/${kind[0]?.toLowerCase()}${kind.slice(1)}`;
  };
  const rows = DRIFT_CASES.flatMap(({ type, inputs }): Row[] => {
    const module = modulePath(type);
    if (!fs.existsSync(path.join(projectRoot(), "node_modules/@pulumi/kubernetes", `${module}.d.ts`))) return [];
    const kind = type.slice(type.indexOf(":") + 1);
    const name = kind === "CustomResourceDefinition" ? "things.drift.example" : "it";
    const metadata = { ...(inputs["metadata"] as object | undefined), name, annotations: UNAWAITED };
    const changed = { metadata: { ...metadata, annotations: { ...UNAWAITED, changed: "yes" } } };
    return [
      { type: `kubernetes:${type}`, module, args: `${kind}Args`, given: { ...inputs, metadata }, change: changed, shows: ["metadata.annotations.changed"] },
    ];
  });
  let api: KubernetesUnderTest;
  let plugin: TestProvider;
  beforeAll(async () => {
    api = await startLabApi({ controllers: false });
    plugin = await TestProvider.start(kubernetes, { kubeconfig: api.kubeconfig });
  });
  afterAll(async () => {
    await plugin.close();
    await api.stop();
  });

  test("the cases cover more than 25 types of the SDK", () => expect(rows.length).toBeGreaterThan(25));

  // Objects with finalizers are not gone after a deletion, since no controllers run. So each spelling has its own name.
  test.each(named(rows))("%s, %s", async (_type, spelling, row) => {
    const { metadata } = row.given as { metadata: { name: string } };
    const rename = (values: Values): Values => ({
      ...values,
      metadata: { ...(values["metadata"] as Values), name: metadata.name.replace(/^/, spelling === "null" ? "" : "a") },
    });
    const renamed = row.type.endsWith(":CustomResourceDefinition") ? row : { ...row, given: rename(row.given), change: rename(row.change ?? {}) };
    await expectMigrates(plugin, "@pulumi/kubernetes", renamed, spelling, 2);
  });
});
