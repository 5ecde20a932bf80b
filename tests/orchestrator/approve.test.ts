/** Neither --yes nor one keystroke suffices for changes that lose data. The workers are stand-ins that record what they were asked to do. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../../common/clock";
import { HomelabError } from "../../common/errors";
import { createRedactor } from "../../common/redact";
import { parseArguments } from "../../orchestrator/cli/arguments";
import { APPROVE, RUN_FLAGS, YES } from "../../orchestrator/cli/flags";
import type { Session } from "../../orchestrator/cli/session";
import { createSinks } from "../../orchestrator/cli/sinks";
import type { RunParts } from "../../orchestrator/run/run-setup";
import { runStacks } from "../../orchestrator/run/run-stacks";
import { StackGraph, type StackNode } from "../../orchestrator/target/graph";
import type { ResourceStep } from "../../orchestrator/worker/worker-protocol";
import { generateIdentity } from "../../secrets/age";
import { encryptSopsFile } from "../../secrets/sops-file";
import { treeAt } from "../../secrets/vault-paths";
import { LAB_SITE } from "../support/lab-site";

const identity = generateIdentity();
let folder: string;
let ran: string[];
let printed: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-approve-"));
  fs.mkdirSync(path.join(folder, "secrets", "common"), { recursive: true });
  fs.writeFileSync(path.join(folder, "secrets", "common", "x.yaml"), encryptSopsFile(treeAt("x", { key: "value-of-x" }), [identity.recipient], new Date(0)));
  process.env["HOMELAB_SECRETS_DIR"] = path.join(folder, "secrets");
  process.env["SOPS_AGE_KEY"] = identity.secret;
  [ran, printed] = [[], ""];
});
afterEach(() => {
  for (const name of ["HOMELAB_SECRETS_DIR", "SOPS_AGE_KEY"]) delete process.env[name];
  fs.rmSync(folder, { recursive: true });
});

const step = (op: string, name: string): ResourceStep => ({
  op,
  urn: `urn:pulumi:dev::homelab::proxmoxve:index/vmLegacy:VmLegacy::${name}`,
  type: "proxmoxve:index/vmLegacy:VmLegacy",
  name,
  component: false,
  diffs: [],
  keys: [],
  values: [],
});

/** A homelab with one stack, whose next run has these steps. */
const parts = (...steps: ResourceStep[]): RunParts => partsOf({}, ...steps);

/** The same, with more properties of the stack. */
const partsOf = (more: Pick<StackNode, "production" | "backup">, ...steps: ResourceStep[]): RunParts => ({
  openSite: async () => ({ kind: "real", workDir: folder, runsDir: path.join(folder, "runs"), env: {}, lab: undefined }),
  describeProgram: async () => ({
    project: "homelab",
    site: "example.org",
    warnings: [],
    lab: { site: LAB_SITE },
    graph: new StackGraph([{ name: "dev", description: "", needs: [], ...more }]),
    vms: new Map(),
    vaultStack: undefined,
  }),
  changeSince: () => Promise.reject(new Error("no range was given")),
  workers: () => ({
    run: ({ operation }, onMessage) => {
      ran.push(operation);
      for (const one of steps) onMessage({ kind: "step-done", step: one });
      return { result: Promise.resolve({ ok: true, changes: {} }), cancel: () => undefined };
    },
    warm: () => undefined,
    close: () => undefined,
  }),
});

function go(operation: "preview" | "up" | "destroy", flags: string[], given: RunParts, typed?: string): Promise<number> {
  const redactor = createRedactor();
  const sink = {
    write: (text: string) => {
      printed += text;
    },
  };
  const sinks = createSinks(redactor, sink, sink);
  const session: Session = {
    ...sinks,
    terminal: { interactive: false, asks: typed !== undefined, colour: false, columns: () => 80, rows: () => 24 },
    ask: async (question) => {
      sinks.out(question);
      return typed;
    },
    clock: systemClock,
    onInterrupt: () => () => undefined,
    redactor,
  };
  return runStacks(operation, parseArguments(flags, [...RUN_FLAGS, YES, APPROVE, { name: "plan", value: "FILE", help: "" }]), session, given);
}

const replaced = parts(step("replace", "a-vm"), step("update", "b-vm"));

test("--yes shows first, and refuses what nobody agreed to; nothing is changed", async () => {
  const refused = await go("up", ["--yes"], replaced).catch((thrown: unknown) => thrown);
  expect(refused).toBeInstanceOf(HomelabError);
  expect(refused).toMatchObject({
    code: "E_REFUSED",
    message: "homelab up would do what cannot be undone, and --yes does not agree to that:\n  dev/a-vm: replaces the VM",
    hint: "agree to each by --approve dev/a-vm",
  });
  expect(ran).toEqual(["preview"]);
  await expect(go("up", ["--yes", "--approve", "dev/b-vm"], replaced)).rejects.toThrow("cannot be undone");
  await expect(go("destroy", ["--yes"], parts(step("delete", "a-vm")))).rejects.toThrow("dev/a-vm: deletes the VM");
  expect(ran).toEqual(["preview", "preview", "preview-destroy"]);
});

test.each(["dev/a-vm", "dev/*", "all"])("--yes --approve %s goes on", async (approve) => {
  expect(await go("up", ["--yes", "--approve", approve], replaced)).toBe(0);
  expect(ran).toEqual(["preview", "up"]);
});

test("--yes alone is enough for what can be undone", async () => {
  expect(await go("up", ["--yes"], parts(step("create", "a-vm"), step("update", "b-vm")))).toBe(0);
  expect(ran).toEqual(["preview", "up"]);
});

test("at a terminal yes is not enough: what is lost is shown, and the homelab's name is asked for", async () => {
  expect(await go("up", [], replaced, "yes")).toBe(4);
  expect(printed).toContain("This cannot be undone:\n  dev/a-vm: replaces the VM\nThis changes as shown the homelab example.org. Type its name to go on: ");
  expect(ran).toEqual(["preview"]);
  expect(await go("up", [], replaced, "example.org")).toBe(0);
  expect(await go("up", [], parts(step("update", "b-vm")), "yes")).toBe(0);
});

test("any change of production needs a word of its own, and one that loses something needs its own on top", async () => {
  const production = (...steps: ResourceStep[]): RunParts => partsOf({ production: true }, ...steps);
  const update = production(step("update", "a-vm"), step("same", "b-vm"));
  await expect(go("up", ["--yes"], update)).rejects.toMatchObject({
    message: "homelab up would change production, and --yes does not agree to that:\n  dev: changes production, in 1 resource",
    hint: "agree to each by --approve dev",
  });
  await expect(go("up", ["--yes", "--approve", "production"], production(step("delete", "a-vm")))).rejects.toThrow("dev/a-vm: deletes the VM");
  await expect(go("up", ["--yes", "--approve", "dev/a-vm"], production(step("delete", "a-vm")))).rejects.toThrow("dev: changes production, in 1 resource");
  expect(ran).toEqual(["preview", "preview", "preview"]);
  expect(await go("up", ["--yes", "--approve", "production"], update)).toBe(0);
  expect(await go("up", ["--yes", "--approve", "dev"], update)).toBe(0);
  expect(await go("up", ["--yes", "--approve", "dev/*"], production(step("delete", "a-vm")))).toBe(0);
  expect(await go("up", ["--yes"], production(step("same", "a-vm")))).toBe(0);
  expect(await go("up", [], update, "yes")).toBe(4);
  expect(printed).toContain("This is production:\n  dev: changes production, in 1 resource\n");
  expect(await go("up", [], update, "example.org")).toBe(0);
});

test("a plan that was reviewed is done without a question; what would be something else now is refused, and the summary says each difference", async () => {
  const [plan, summary] = [path.join(folder, "plan.json"), path.join(folder, "summary.md")];
  const memory = (to: string): ResourceStep => ({ ...step("update", "a-vm"), diffs: ["memory"], values: [{ path: "memory", from: "1", to }] });
  expect(await go("preview", ["--plan", plan], parts(memory("2")))).toBe(0);
  expect(await go("up", ["--plan", plan, "--markdown", summary], parts(memory("2")))).toBe(0);
  expect(ran).toEqual(["preview", "preview", "up"]);
  ran = [];
  const other = go("up", ["--plan", plan, "--yes", "--markdown", summary], parts(memory("3"), step("create", "c-vm")));
  await expect(other).rejects.toMatchObject({ code: "E_REFUSED", message: expect.stringContaining("dev: ~ update VmLegacy a-vm: other values of memory") });
  expect(ran).toEqual(["preview"]);
  const text = fs.readFileSync(summary, "utf8");
  expect(text).toMatch(/## The up was refused\n\nIt ended before the first stack\.\n\n```\n/);
  expect(text).toContain("dev: ~ update VmLegacy a-vm: other values of memory\n");
  expect(text).toContain("dev: + create VmLegacy c-vm: not in the plan\n");
});

/** A backup command that writes HOMELAB_BACKUP to a file, and exits with this code. */
const backup = (code: number) => [
  process.execPath,
  "-e",
  `require("fs").writeFileSync(${JSON.stringify(path.join(folder, "saved"))}, process.env.HOMELAB_BACKUP); process.exit(${code})`,
];
const saved = (): unknown => (fs.existsSync(path.join(folder, "saved")) ? JSON.parse(fs.readFileSync(path.join(folder, "saved"), "utf8")) : undefined);

test("a backup is made before resources with data are deleted; where it fails, nothing is changed", async () => {
  const given = (code: number): RunParts => partsOf({ backup: backup(code) }, step("replace", "a-vm"), step("update", "b-vm"));
  await expect(go("up", ["--yes", "--approve", "all"], given(3))).rejects.toMatchObject({
    code: "E_BACKUP",
    message: "the backup command of dev ended with exit code 3: nothing was changed",
  });
  expect([ran, saved()]).toEqual([["preview"], { version: 1, stack: "dev", resources: [{ what: "dev/a-vm", how: "replaces the VM" }] }]);
  await expect(go("up", [], partsOf({ backup: ["/no/such/command"] }, step("delete", "a-vm")), "example.org")).rejects.toThrow("could not be started");
  expect(ran).not.toContain("up");
  expect(await go("up", ["--yes", "--approve", "all"], given(0))).toBe(0);
  expect(ran.at(-1)).toBe("up");
});

test("a refusal saves nothing, and neither does what loses nothing; a stack without a backup says so", async () => {
  await expect(go("up", ["--yes"], partsOf({ backup: backup(0) }, step("delete", "a-vm")))).rejects.toThrow("cannot be undone");
  expect(await go("up", [], partsOf({ backup: backup(0) }, step("delete", "a-vm")), "no")).toBe(4);
  expect(await go("up", ["--yes"], partsOf({ backup: backup(0) }, step("update", "a-vm")))).toBe(0);
  expect(saved()).toBeUndefined();
  expect(await go("up", ["--yes", "--approve", "all"], replaced)).toBe(0);
  expect(printed).toContain("note: dev has no backup command");
});
