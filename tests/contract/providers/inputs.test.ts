/** Every input of every supported type of vault, proxmoxve and command is implemented or refused by name, and never dropped. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import { provider as command } from "../../../providers/command/provider";
import { provider as proxmox } from "../../../providers/proxmoxve/provider";
import { Secret, type Values } from "../../../providers/sdk/values";
import { provider as vault } from "../../../providers/vault/provider";
import { FAKE_TOKEN, startFakePve } from "../../support/fake-pve";
import { type SdkInput, sdkInputs } from "../../support/sdk-inputs";
import { sshKeyPair, startSshServer } from "../../support/ssh-server";
import { partialFailure, type State, TestProvider } from "../../support/test-provider";
import { at, merged, sampleOf, type Walked, walk } from "./input-walk";

/** Creates, reads and deletes a resource, as far as that goes: a failure is no failure of the test. */
async function life(plugin: TestProvider, type: string, given: Values): Promise<void> {
  const { inputs } = await plugin.check(type, given);
  // The requests before a failure are recorded.
  const kept = (thrown: unknown): State | undefined => {
    const failed = partialFailure(thrown);
    return failed && { id: failed.id, inputs, outputs: failed.outputs };
  };
  const state = await plugin.create(type, inputs).catch(kept);
  if (state === undefined) return;
  await plugin.read(type, state).catch(kept);
  await plugin.delete(type, state);
}

describe("vault", () => {
  let server: http.Server;
  let plugin: TestProvider;
  let seen: string[] = [];
  let last: Promise<string[]> = Promise.resolve([]);
  beforeAll(async () => {
    // Accepts every write and answers every read with 404.
    server = http.createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on("end", () => {
        seen.push(`${request.method} ${request.url} ${body} ${String(request.headers["x-vault-wrap-ttl"])}`);
        response.writeHead(request.method === "GET" ? 404 : 204, { "content-type": "application/json" }).end(request.method === "GET" ? '{"errors":[]}' : "");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    plugin = await TestProvider.start(vault, {
      address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: new Secret("t"),
      skipChildToken: "true",
    });
  });
  afterAll(async () => {
    await plugin.close();
    await new Promise((resolve) => server.close(resolve));
  });

  const TYPES: [string, string, Omit<Walked, "inputs"> & { refused?: string[] }][] = [
    ["mount", "MountArgs", { type: "vault:index/mount:Mount", base: { path: "p", type: "kv" } }],
    [
      "kv/secretV2",
      "SecretV2Args",
      {
        type: "vault:kv/secretV2:SecretV2",
        base: { mount: "m", name: "n", dataJson: "{}" },
        samples: { dataJson: '{"a":1}' },
        refused: ["dataJsonWo", "dataJsonWoVersion"],
      },
    ],
    ["policy", "PolicyArgs", { type: "vault:index/policy:Policy", base: { name: "p", policy: "path" } }],
    [
      "token",
      "TokenArgs",
      {
        type: "vault:index/token:Token",
        base: {},
        silent: { renewMinLease: "read when less is left than it says", renewIncrement: "asked for when it is renewed" },
      },
    ],
    ["audit", "AuditArgs", { type: "vault:index/audit:Audit", base: { type: "file", options: { file_path: "stdout" } } }],
    [
      "authBackend",
      "AuthBackendArgs",
      { type: "vault:index/authBackend:AuthBackend", base: { type: "kubernetes" }, silent: { disableRemount: "says what a new path means" } },
    ],
    [
      "kubernetes/authBackendConfig",
      "AuthBackendConfigArgs",
      {
        type: "vault:kubernetes/authBackendConfig:AuthBackendConfig",
        base: { kubernetesHost: "https://h" },
        refused: ["tokenReviewerJwtWo", "tokenReviewerJwtWoVersion"],
      },
    ],
    [
      "kubernetes/authBackendRole",
      "AuthBackendRoleArgs",
      {
        type: "vault:kubernetes/authBackendRole:AuthBackendRole",
        base: { roleName: "r", boundServiceAccountNames: ["a"], boundServiceAccountNamespaces: ["n"] },
      },
    ],
  ];
  test.each(TYPES)("%s", async (module, args, { refused: expected = [], ...walked }) => {
    const { refused, wrong } = await walk(
      { ...walked, inputs: sdkInputs("@pulumi/vault", module, args) },
      async (type, inputs) => (await plugin.check(type, inputs)).failures,
      (type, inputs) => {
        // One after the other: the server cannot tell which resource a request belongs to.
        last = last.then(async () => {
          seen = [];
          await life(plugin, type, inputs);
          return seen;
        });
        return last;
      },
    );
    expect({ wrong, refused: refused.sort() }).toEqual({ wrong: [], refused: ["namespace", ...expected].sort() });
  });
});

describe("proxmoxve", () => {
  const limit = "how long is waited";
  const disk = { interface: "scsi0" };
  const TYPES: [string, string, string[], Omit<Walked, "inputs">][] = [
    [
      "vmLegacy",
      "VmLegacyArgs",
      [
        ...["amdSev", "audioDevice", "cdrom.enabled", "cpu.architecture", "disks[].fileId", "efiDisk", "hookScriptFileId", "hostpcis", "macAddresses"],
        ...["memory.hugepages", "memory.keepHugepages", "memory.shared", "migrate", "numas", "rngs", "smbios", "tpmState", "usbs", "virtiofs"],
      ],
      {
        type: "proxmoxve:index/vmLegacy:VmLegacy",
        base: { nodeName: "node01", vmId: 120, started: false, disks: [disk] },
        samples: { vmId: 121, "clone.vmId": 9000, "clone.nodeName": "node02", "disks[].interface": "scsi1" },
        beside: {
          "watchdog.action": { watchdog: { enabled: true } },
          "watchdog.model": { watchdog: { enabled: true } },
          reboot: { started: true },
          stopOnDestroy: { started: true, agent: { enabled: true } },
          timeoutShutdownVm: { started: true, agent: { enabled: true } },
          timeoutStartVm: { started: true },
        },
        silent: {
          "agent.timeout": limit,
          "agent.waitForIp.disabled": "what is waited for",
          "agent.waitForIp.ipv4": "what is waited for",
          "agent.waitForIp.ipv6": "what is waited for",
          "clone.retries": "how often is tried",
          rebootAfterUpdate: "about updates that need a restart",
          ...Object.fromEntries(["Clone", "Create", "Migrate", "MoveDisk", "Reboot", "StopVm"].map((name) => [`timeout${name}`, limit])),
        },
      },
    ],
    [
      "download/fileLegacy",
      "FileLegacyArgs",
      [],
      {
        type: "proxmoxve:download/fileLegacy:FileLegacy",
        base: { nodeName: "node01", datastoreId: "local", contentType: "iso", url: "https://h/f.iso", fileName: "f.iso" },
        samples: { checksumAlgorithm: "sha256", contentType: "vztmpl", decompressionAlgorithm: "zst", url: "https://h/g.iso" },
        silent: {
          overwrite: "about a file that the datastore has already",
          overwriteUnmanaged: "about a file that the datastore has already",
          uploadTimeout: limit,
        },
      },
    ],
    [
      "network/linux/bridge",
      "BridgeArgs",
      [],
      {
        type: "proxmoxve:network/linux/bridge:Bridge",
        base: { nodeName: "node01", name: "vmbr9" },
        samples: {
          ...{ address: "192.168.9.1/24", address6: "fd00::10/64", gateway: "192.168.9.254", gateway6: "fd00::1" },
          ...{ mtu: 1500, timeoutReload: 7, vids: "1 20" },
        },
        beside: { vids: { vlanAware: true } },
        silent: { timeoutReload: limit },
      },
    ],
    [
      "storage/directory",
      "DirectoryArgs",
      [],
      {
        type: "proxmoxve:storage/directory:Directory",
        base: { resourceId: "dd", path: "/srv" },
        samples: { resourceId: "other", path: "/opt", preallocation: "full", contents: ["iso"] },
      },
    ],
    [
      "storage/lvm",
      "LvmArgs",
      [],
      { type: "proxmoxve:storage/lvm:Lvm", base: { resourceId: "ll", volumeGroup: "vg" }, samples: { resourceId: "other", contents: ["images"] } },
    ],
    [
      "storage/lvmthin",
      "LvmthinArgs",
      [],
      {
        type: "proxmoxve:storage/lvmthin:Lvmthin",
        base: { resourceId: "tt", volumeGroup: "vg", thinPool: "p" },
        samples: { resourceId: "other", contents: ["images"] },
      },
    ],
    [
      "storage/zfspool",
      "ZfspoolArgs",
      [],
      {
        type: "proxmoxve:storage/zfspool:Zfspool",
        base: { resourceId: "zz", zfsPool: "tank" },
        samples: { resourceId: "other", contents: ["images"], blocksize: "8k" },
      },
    ],
  ];
  test.each(TYPES)("%s", async (module, args, expected, walked) => {
    const checker = await TestProvider.start(proxmox, { endpoint: "http://127.0.0.1:1/", apiToken: FAKE_TOKEN });
    const { refused, wrong } = await walk(
      { ...walked, inputs: sdkInputs("@muhlba91/pulumi-proxmoxve", module, args) },
      async (type, inputs) => (await checker.check(type, inputs)).failures,
      async (type, inputs) => {
        const pve = await startFakePve();
        pve.vms.set(9000, { node: "node01", config: { template: "1", scsi0: "local-lvm:vm-9000-disk-0,size=3G" }, running: false, lock: 0 });
        const plugin = await TestProvider.start(proxmox, { endpoint: `${pve.endpoint}/`, apiToken: FAKE_TOKEN });
        await life(plugin, type, inputs);
        await plugin.close();
        await pve.close();
        return pve.calls;
      },
    );
    await checker.close();
    expect({ wrong, refused }).toEqual({ wrong: [], refused: expected });
  });
});

describe("command", () => {
  const key = sshKeyPair();
  const made = { create: "create it", delete: "delete it" };
  const silent = { triggers: "says when it is made anew", logging: "which output the engine is told" };
  const samples = { logging: "stderr", environment: { LANG: "C" } };
  const refused = ["archivePaths", "assetPaths"];
  const life = async (plugin: TestProvider, type: string, given: Values): Promise<Values[]> => {
    const state = await plugin.make(type, given);
    const { inputs } = await plugin.check(type, { ...given, stdin: "changed" }, state.inputs);
    const updated = await plugin.update(type, state, inputs);
    await plugin.delete(type, updated);
    return [state, updated].map(({ outputs }) => ({ stdout: outputs["stdout"] ?? "", stderr: outputs["stderr"] ?? "" }));
  };

  test("remote", async () => {
    const server = await startSshServer({ allowedKey: key.publicKey, acceptEnv: ["LANG", "PULUMI_COMMAND_STDOUT"], exec: () => ({ stdout: "done" }) });
    const plugin = await TestProvider.start(command, {});
    const connection = { host: "127.0.0.1", port: server.port, privateKey: key.privateKey };
    const inputs = sdkInputs("@pulumi/command", "remote/command", "CommandArgs");
    // How a host is reached is tested in the provider's own folder.
    const ofConnection = (one: SdkInput) => one.path.startsWith("connection.");
    for (const one of inputs.filter(ofConnection))
      expect([
        one.path,
        (await plugin.check("command:remote:Command", merged({ connection: { host: "h", proxy: { host: "b" } } }, at(one.path, sampleOf(one))) as Values))
          .failures,
      ]).toEqual([one.path, []]);
    const { refused: named, wrong } = await walk(
      {
        type: "command:remote:Command",
        inputs: inputs.filter((one) => !ofConnection(one)),
        base: { ...made, connection },
        samples: { ...samples, connection },
        silent,
      },
      async (type, given) => (await plugin.check(type, given)).failures,
      async (type, given) => {
        server.execs.length = 0;
        await life(plugin, type, given);
        return server.execs.map((exec) => ({ ...exec }));
      },
      1,
    );
    await plugin.close();
    await server.close();
    expect({ wrong, refused: named }).toEqual({ wrong: [], refused: [] });
  });

  test("local", async () => {
    const plugin = await TestProvider.start(command, {});
    const note = "echo $LANG $PWD $PULUMI_COMMAND_STDOUT; cat";
    const { refused: named, wrong } = await walk(
      {
        type: "command:local:Command",
        inputs: sdkInputs("@pulumi/command", "local/command", "CommandArgs"),
        base: { create: note },
        samples: { ...samples, create: "echo created", update: "echo updated", delete: "true", dir: os.tmpdir(), interpreter: ["/bin/echo"] },
        silent: { ...silent, delete: "leaves nothing that is told" },
      },
      async (type, given) => (await plugin.check(type, given)).failures,
      (type, given) => life(plugin, type, given),
    );
    await plugin.close();
    expect({ wrong, refused: named.sort() }).toEqual({ wrong: [], refused });
  });
});
