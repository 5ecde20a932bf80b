import * as fs from "node:fs";
import { forgetMachine } from "./forget-machine";
import { type EngineCommand, settleRemade } from "./pending-creates";

const urn = (type: string, name: string): string => `urn:pulumi:dev::homelab::${type}::${name}`;
const pending = (type: string, name: string, inputs: object = {}) => ({ type: "creating", resource: { urn: urn(type, name), type, inputs } });

/** An engine with this state. */
function engine(resources: (string | object)[], operations: object[]) {
  const imported: { deployment: { pending_operations: { resource: { urn: string } }[]; resources: unknown[]; manifest: unknown } }[] = [];
  const run: EngineCommand = async ([, verb, , file = ""]) => {
    if (verb === "import") imported.push(JSON.parse(fs.readFileSync(file, "utf8")));
    return JSON.stringify({
      version: 3,
      deployment: {
        manifest: { magic: "m" },
        resources: resources.map((one) => (typeof one === "string" ? { urn: one, x: 1 } : one)),
        pending_operations: operations,
      },
    });
  };
  return { run, imported };
}

const COMMAND = "command:local:Command";
const VM = "proxmoxve:index/vmLegacy:VmLegacy";
const MAP = "kubernetes:core/v1:ConfigMap";
const RELEASE = "kubernetes:helm.sh/v3:Release";

test("a command and a named object that were made again are no longer pending; the rest of the state stays as it is", async () => {
  const operations = [pending(COMMAND, "boot"), pending(MAP, "map", { metadata: { name: "map" } })];
  const { run, imported } = engine([urn(COMMAND, "boot"), urn(MAP, "map")], operations);
  expect(await settleRemade(run, "dev")).toEqual([urn(COMMAND, "boot"), urn(MAP, "map")]);
  expect(imported).toEqual([
    {
      version: 3,
      deployment: { manifest: { magic: "m" }, resources: [urn(COMMAND, "boot"), urn(MAP, "map")].map((one) => ({ urn: one, x: 1 })), pending_operations: [] },
    },
  ]);
});

test("a release of Helm that was made again under its name is no longer pending; one whose name the engine makes up may be there twice", async () => {
  const named = pending(RELEASE, "loki", { name: "loki", namespace: "logs", chart: "loki" });
  const unnamed = pending(RELEASE, "other", { namespace: "logs", chart: "loki" });
  const { run, imported } = engine([urn(RELEASE, "loki"), urn(RELEASE, "other")], [named, unnamed]);
  expect(await settleRemade(run, "dev")).toEqual([urn(RELEASE, "loki")]);
  expect(imported[0]?.deployment.pending_operations).toEqual([unnamed]);
});

test.each([
  ["an entry of Vault", "vault:kv/secretV2:SecretV2", { mount: "kv", name: "clusters/prod" }],
  ["a role of Vault", "vault:kubernetes/authBackendRole:AuthBackendRole", { backend: "kubernetes-prod", roleName: "eso" }],
  ["a policy of Vault", "vault:index/policy:Policy", { name: "cluster-prod" }],
  ["a file on a storage", "proxmoxve:download/fileLegacy:FileLegacy", { nodeName: "a", datastoreId: "local", contentType: "iso", fileName: "d.img" }],
  ["a VM that has the number of its definition", VM, { nodeName: "a", vmId: 112 }],
])("%s that was made again at its own place is no longer pending", async (_what, type, inputs) => {
  const { run, imported } = engine([urn(type, "one")], [pending(type, "one", inputs)]);
  expect(await settleRemade(run, "dev")).toEqual([urn(type, "one")]);
  expect(imported[0]?.deployment.pending_operations).toEqual([]);
});

describe("what was not made again, or may be there twice", () => {
  test.each([
    ["a token of Vault, of which there are two now", [urn("vault:index/token:Token", "t")], [pending("vault:index/token:Token", "t", { policies: ["p"] })]],
    ["a command that the program did not run again", [], [pending(COMMAND, "boot")]],
    ["a VM, of which there may be two now", [urn(VM, "vm")], [pending(VM, "vm")]],
    ["an object whose name the engine makes up", [urn(MAP, "map")], [pending(MAP, "map", { metadata: {} })]],
    ["an update that was cut", [urn(COMMAND, "boot")], [{ ...pending(COMMAND, "boot"), type: "updating" }]],
    ["nothing", [urn(COMMAND, "boot")], []],
  ])("%s stays pending, and the state is not written", async (_, resources, operations) => {
    const { run, imported } = engine(resources, operations);
    expect([await settleRemade(run, "dev"), imported]).toEqual([[], []]);
  });
});

test("of several pending creations, only the settled ones are removed", async () => {
  const { run, imported } = engine([urn(COMMAND, "boot"), urn(VM, "vm")], [pending(VM, "vm"), pending(COMMAND, "boot")]);
  expect(await settleRemade(run, "dev")).toEqual([urn(COMMAND, "boot")]);
  expect(imported[0]?.deployment.pending_operations.map(({ resource }) => resource.urn)).toEqual([urn(VM, "vm")]);
});

test("a VM that is forgotten goes with all that refers to it, and what was made in it stays as it is", async () => {
  const vm = "urn:pulumi:dev::homelab::homelab:hosts:Vm$proxmoxve:index/vmLegacy:VmLegacy::k8s-dev-vm";
  const boot = { urn: urn(COMMAND, "boot"), parent: "p", inputs: { note: [vm] }, outputs: { note: vm } };
  const needs = { dependencies: ["other", vm], propertyDependencies: { triggers: [vm], dir: null }, deletedWith: vm };
  const { run, imported } = engine(
    [
      { urn: vm, type: VM },
      { ...boot, ...needs },
      { urn: urn(MAP, "map"), deletedWith: boot.urn },
    ],
    [pending(COMMAND, "x")],
  );
  await expect(forgetMachine(run, "dev", "k8s-dve")).rejects.toMatchObject({ code: "E_VM_UNKNOWN", hint: "did you mean k8s-dev?" });
  expect(imported).toEqual([]);
  expect(await forgetMachine(run, "dev", "k8s-dev")).toBe(vm);
  expect(imported.map(({ deployment }) => deployment)).toEqual([
    {
      manifest: { magic: "m" },
      resources: [
        { ...boot, dependencies: ["other"], propertyDependencies: { triggers: [], dir: null } },
        { urn: urn(MAP, "map"), deletedWith: boot.urn },
      ],
      pending_operations: [pending(COMMAND, "x")],
    },
  ]);
  await expect(forgetMachine(engine([], []).run, "dev", "k8s-dev")).rejects.toMatchObject({ hint: "it has no VM at all" });
});
