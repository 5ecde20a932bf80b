import * as fs from "node:fs";
import { type EngineCommand, settleRemade } from "./pending-creates";

const urn = (type: string, name: string): string => `urn:pulumi:dev::homelab::${type}::${name}`;
const pending = (type: string, name: string, inputs: object = {}) => ({ type: "creating", resource: { urn: urn(type, name), type, inputs } });

/** An engine with this state. */
function engine(resources: string[], operations: object[]) {
  const imported: { deployment: { pending_operations: { resource: { urn: string } }[]; resources: unknown[]; manifest: unknown } }[] = [];
  const run: EngineCommand = async ([, verb, , file = ""]) => {
    if (verb === "import") imported.push(JSON.parse(fs.readFileSync(file, "utf8")));
    return JSON.stringify({
      version: 3,
      deployment: { manifest: { magic: "m" }, resources: resources.map((one) => ({ urn: one, x: 1 })), pending_operations: operations },
    });
  };
  return { run, imported };
}

const COMMAND = "command:local:Command";
const VM = "proxmoxve:index/vmLegacy:VmLegacy";
const MAP = "kubernetes:core/v1:ConfigMap";

test("a command and a named object that were made again are pending no more; the rest of the state stays as it is", async () => {
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

test.each([
  ["a command that the program did not run again", [], [pending(COMMAND, "boot")]],
  ["a VM, of which there may be two now", [urn(VM, "vm")], [pending(VM, "vm")]],
  ["an object whose name the engine makes up", [urn(MAP, "map")], [pending(MAP, "map", { metadata: {} })]],
  ["an update that was cut", [urn(COMMAND, "boot")], [{ ...pending(COMMAND, "boot"), type: "updating" }]],
  ["nothing", [urn(COMMAND, "boot")], []],
])("%s stays pending, and the state is not written", async (_, resources, operations) => {
  const { run, imported } = engine(resources, operations);
  expect([await settleRemade(run, "dev"), imported]).toEqual([[], []]);
});

test("of several only what is settled goes", async () => {
  const { run, imported } = engine([urn(COMMAND, "boot"), urn(VM, "vm")], [pending(VM, "vm"), pending(COMMAND, "boot")]);
  expect(await settleRemade(run, "dev")).toEqual([urn(COMMAND, "boot")]);
  expect(imported[0]?.deployment.pending_operations.map(({ resource }) => resource.urn)).toEqual([urn(VM, "vm")]);
});
