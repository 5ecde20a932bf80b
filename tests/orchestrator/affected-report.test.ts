/** A run over the stacks that a change affects leaves one report, whichever these are. The workers and the comparison are stand-ins. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../../common/clock";
import { createRedactor } from "../../common/redact";
import { parseArguments } from "../../orchestrator/cli/arguments";
import { AFFECTED_FLAGS, RUN_FLAGS, YES } from "../../orchestrator/cli/flags";
import type { Session } from "../../orchestrator/cli/session";
import { createSinks } from "../../orchestrator/cli/sinks";
import { type RunReport, reportSchema } from "../../orchestrator/report/report-schema";
import type { Affected } from "../../orchestrator/run/affected";
import type { RunParts } from "../../orchestrator/run/run-setup";
import { runStacks } from "../../orchestrator/run/run-stacks";
import { StackGraph } from "../../orchestrator/target/graph";
import { generateIdentity } from "../../secrets/age";
import { encryptSopsFile } from "../../secrets/sops-file";
import { treeAt } from "../../secrets/vault-paths";
import { LAB_SITE } from "../support/lab-site";

const identity = generateIdentity();
let folder: string;
let ran: string[];
let removedFormer: number;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-affected-"));
  fs.mkdirSync(path.join(folder, "secrets", "common"), { recursive: true });
  fs.writeFileSync(path.join(folder, "secrets", "common", "x.yaml"), encryptSopsFile(treeAt("x", { key: "value-of-x" }), [identity.recipient], new Date(0)));
  process.env["HOMELAB_SECRETS_DIR"] = path.join(folder, "secrets");
  process.env["SOPS_AGE_KEY"] = identity.secret;
  [ran, removedFormer] = [[], 0];
});
afterEach(() => {
  for (const name of ["HOMELAB_SECRETS_DIR", "SOPS_AGE_KEY"]) delete process.env[name];
  fs.rmSync(folder, { recursive: true });
});

const gone = { name: "old", description: "", needs: [], inputs: {}, consumes: [] };
const changed: Affected["stacks"] = [{ stack: "dev", reason: { kind: "changed", inputs: ["vm dev"] } }];

/** @param failing stacks whose run fails */
const partsOf = (affected: Affected, failing: readonly string[] = []): RunParts => ({
  openSite: async () => ({ kind: "real", workDir: folder, runsDir: path.join(folder, "runs"), env: {}, lab: undefined }),
  describeProgram: async () => ({
    project: "homelab",
    site: "example.org",
    warnings: ["a warning"],
    lab: { site: LAB_SITE },
    graph: new StackGraph(["dev", "stg"].map((name) => ({ name, description: "", needs: [] }))),
    vms: new Map(),
    vaultStack: undefined,
  }),
  changeSince: async (range) => ({ affected, former: { commit: range, dir: folder, remove: () => void removedFormer++ } }),
  workers: () => ({
    run: ({ operation, stack }) => {
      ran.push(`${operation} ${stack}`);
      const error = { code: "E_ENGINE", message: `${stack} is broken` };
      return {
        result: Promise.resolve(failing.includes(stack) ? { ok: false, changes: {}, error } : { ok: true, changes: { update: 1 } }),
        cancel: () => undefined,
      };
    },
    warm: () => undefined,
    close: () => undefined,
  }),
});

async function preview(given: RunParts): Promise<{ code: number; report: RunReport; comment: string }> {
  const redactor = createRedactor();
  const sinks = createSinks(redactor, { write: () => undefined }, { write: () => undefined });
  const session: Session = {
    ...sinks,
    terminal: { interactive: false, asks: false, colour: false, columns: () => 80, rows: () => 24 },
    ask: async () => undefined,
    clock: systemClock,
    onInterrupt: () => () => undefined,
    redactor,
  };
  const [report, markdown] = [path.join(folder, "report.json"), path.join(folder, "comment.md")];
  const args = parseArguments(["--affected", "main", "--report", report, "--markdown", markdown], [...RUN_FLAGS, ...AFFECTED_FLAGS, YES]);
  const code = await runStacks("preview", args, session, given);
  expect(removedFormer).toBe(1);
  return { code, report: reportSchema.parse(JSON.parse(fs.readFileSync(report, "utf8"))), comment: fs.readFileSync(markdown, "utf8") };
}
const stacksOf = ({ stacks }: RunReport) => stacks.map(({ stack, status, why }) => [stack, status, why]);

test("a change that concerns no stack has a report and a comment of its own, which say so", async () => {
  const { code, report, comment } = await preview(partsOf({ stacks: [], removed: [] }));
  expect([code, ran, report.ok, report.changed, report.stacks]).toEqual([0, [], true, false, []]);
  expect(comment).toContain("## No changes\n\nNo stack is built from anything that was changed.\n");
});

test("only the stacks that it concerns are shown, each with why", async () => {
  const { code, report, comment } = await preview(partsOf({ stacks: changed, removed: [] }));
  expect([code, ran, stacksOf(report)]).toEqual([0, ["preview dev"], [["dev", "succeeded", "changed: vm dev"]]]);
  expect(comment).toMatch(/\| why \|\n.*\n\| dev \|.*\| `changed: vm dev` \|/);
});

test("a stack that is gone from the program and one that was changed are in one report", async () => {
  const { code, report, comment } = await preview(partsOf({ stacks: changed, removed: [gone] }));
  expect([code, ran]).toEqual([0, ["preview-destroy old", "preview dev"]]);
  expect(stacksOf(report)).toEqual([
    ["old", "succeeded", "not in the program any more"],
    ["dev", "succeeded", "changed: vm dev"],
  ]);
  expect([report.operation, report.warnings]).toEqual(["preview", ["a warning"]]);
  expect(comment).toMatch(/## This changes the homelab\n[\s\S]*\| old \|.*`not in the program any more`/);
});

test("a stack that alone is gone has its report, and one that cannot be shown ends the run with it", async () => {
  expect(stacksOf((await preview(partsOf({ stacks: [], removed: [gone] }))).report)).toEqual([["old", "succeeded", "not in the program any more"]]);
  removedFormer = 0;
  const { code, report } = await preview(partsOf({ stacks: changed, removed: [gone] }, ["old"]));
  expect([code, ran.includes("preview dev"), stacksOf(report)]).toEqual([1, false, [["old", "failed", "not in the program any more"]]]);
});
