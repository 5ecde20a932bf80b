import * as fs from "node:fs";
import type { EngineCommand } from "../state/pending-creates";
import { FailedCreations, type PlannedStep, upTakingOver } from "./take-over";

const VM = "proxmoxve:index/vmLegacy:VmLegacy";
const COMMAND = "command:local:Command";
const urnOf = (type: string, name: string): string => `urn:pulumi:tools::homelab::${type}::${name}`;

interface Wanted {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}
const vm = (name: string, vmId: number): Wanted => ({ type: VM, name, inputs: { nodeName: "node01", vmId, name } });

interface State {
  deployment: { resources: { urn: string }[]; pending_operations: { resource: { urn: string; type: string; parent?: string } }[] };
}

/** An engine with an empty state, and a world in which these exist already. @param replaced what an `up` would replace once it is in the state */
function world(wanted: readonly Wanted[], existing: ReadonlySet<string>, replaced: ReadonlySet<string> = new Set()) {
  const state: State = { deployment: { resources: [{ urn: urnOf("pulumi:pulumi:Stack", "s") }], pending_operations: [] } };
  const ran: string[] = [];
  const said: string[] = [];
  const failed = new FailedCreations();
  const holds = (urn: string): boolean => state.deployment.resources.some((resource) => resource.urn === urn);
  const run: EngineCommand = async (args) => {
    const [command, verb, word = ""] = args;
    ran.push(args.slice(0, 2).join(" "));
    if (command === "stack" && verb === "import") state.deployment = (JSON.parse(fs.readFileSync(args[3] ?? "", "utf8")) as State).deployment;
    if (command === "refresh") {
      const ids = args.filter((_, at) => args[at - 1] === "--import-pending-creates");
      for (let at = 0; at < ids.length; at += 2) if (existing.has(ids[at + 1] ?? "")) state.deployment.resources.push({ urn: ids[at] ?? "" });
      state.deployment.pending_operations = [];
    }
    if (command === "state" && verb === "delete") state.deployment.resources = state.deployment.resources.filter(({ urn }) => urn !== word);
    return JSON.stringify(state);
  };
  const attempt = async (): Promise<void> => {
    let broken = false;
    for (const { type, name, inputs } of wanted) {
      const urn = urnOf(type, name);
      if (holds(urn)) continue;
      const metadata = { op: "create", urn, type, new: { urn, type, custom: true, parent: urnOf("pulumi:pulumi:Stack", "s"), provider: "p::1", inputs } };
      failed.read({ resourcePreEvent: { metadata } });
      if (existing.has(`${String(inputs["nodeName"])}/${String(inputs["vmId"])}`) || inputs["fails"] === true) {
        failed.read({ resOpFailedEvent: { metadata: { urn } } });
        broken = true;
      } else state.deployment.resources.push({ urn });
    }
    if (broken) throw new Error("the update failed");
  };
  const preview = async (): Promise<PlannedStep[]> =>
    state.deployment.resources.map(({ urn }) => ({ urn, op: replaced.has(urn) ? "replace" : "same", keys: replaced.has(urn) ? ["name"] : [] }));
  return { state, ran, said, holds, parts: { run, stack: "tools", failed, attempt, preview, say: (_: string, message: string) => said.push(message) } };
}

test("what exists under the id of a creation that failed comes into the state, and is not made again", async () => {
  const { parts, said, holds, state } = world([vm("dns", 103), vm("new", 104)], new Set(["node01/103"]));
  await upTakingOver(parts);
  expect([holds(urnOf(VM, "dns")), holds(urnOf(VM, "new")), state.deployment.pending_operations]).toEqual([true, true, []]);
  expect(said).toEqual(["dns is there already, as node01/103: it is taken into the state"]);
});

test("where the resource does not exist, the failure is the run's own", async () => {
  const { parts, ran } = world([{ type: VM, name: "broken", inputs: { nodeName: "node01", vmId: 9, fails: true } }], new Set());
  await expect(upTakingOver(parts)).rejects.toThrow("the update failed");
  expect(ran).toContain("refresh --yes");
});

test("a creation whose inputs determine no id is not looked for", async () => {
  const { parts, ran } = world([{ type: COMMAND, name: "role", inputs: { fails: true } }], new Set());
  await expect(upTakingOver(parts)).rejects.toThrow("the update failed");
  expect(ran).toEqual([]);
});

test("an existing resource that would be replaced is not the program's: it is named, removed from the state, and left untouched", async () => {
  const { parts, holds } = world([vm("dns", 103)], new Set(["node01/103"]), new Set([urnOf(VM, "dns")]));
  await expect(upTakingOver(parts)).rejects.toMatchObject({
    code: "E_NOT_OURS",
    message: "dns: what is there as node01/103 is not what the program describes (name)",
  });
  expect(holds(urnOf(VM, "dns"))).toBe(false);
});
