/**
 * Plants secrets, lets runs of every kind print them in every form, and searches all output for them. The workers are stand-ins that put
 * secrets into every message. Everything that handles their messages is real.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as fc from "fast-check";
import { systemClock } from "../../common/clock";
import { describeError, HomelabError } from "../../common/errors";
import { createRedactor } from "../../common/redact";
import { parseArguments } from "../../orchestrator/cli/arguments";
import { RUN_FLAGS, YES } from "../../orchestrator/cli/flags";
import type { Session } from "../../orchestrator/cli/session";
import { createSinks } from "../../orchestrator/cli/sinks";
import type { RunParts } from "../../orchestrator/run/run-setup";
import { runStacks } from "../../orchestrator/run/run-stacks";
import { StackGraph } from "../../orchestrator/target/graph";
import type { WorkerMessage, WorkerResult } from "../../orchestrator/worker/worker-protocol";
import { generateIdentity } from "../../secrets/age";
import { encryptSopsFile } from "../../secrets/sops-file";
import { treeAt } from "../../secrets/vault-paths";
import { LAB_SITE } from "../support/lab-site";
import { type Canary, canary, FORMS, leaks } from "./canary-values";

/** Number of random runs; 1,000 in the nightly run. */
const RUNS = Number(process.env["HOMELAB_CANARY_RUNS"] ?? 50);
const identity = generateIdentity();
const KINDS = ["fine", "fails", "worker dies", "program is broken", "internal error", "secret output"] as const;

interface Plan {
  operation: "up" | "preview" | "refresh" | "destroy";
  flags: string[];
  kind: (typeof KINDS)[number];
  interactive: boolean;
  common: Canary;
  own: Canary;
  made: Canary;
  form: number;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  operation: fc.constantFrom("up", "preview", "refresh", "destroy"),
  flags: fc.subarray(["--json", "--plain", "--fail-fast"]),
  kind: fc.constantFrom(...KINDS),
  interactive: fc.boolean(),
  common: canary,
  own: canary,
  made: canary,
  form: fc.nat(FORMS.length - 1),
});

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-canary-"));
  process.env["SOPS_AGE_KEY"] = identity.secret;
  delete process.env["SOPS_AGE_KEY_FILE"];
  process.env["HOMELAB_SECRETS_DIR"] = path.join(folder, "secrets");
});
afterEach(() => {
  delete process.env["HOMELAB_SECRETS_DIR"];
  fs.rmSync(folder, { recursive: true });
});

function plant(environment: string, { value }: Canary): void {
  const file = path.join(folder, "secrets", environment, "canary.yaml");
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, encryptSopsFile(treeAt("canary", { key: value }), [identity.recipient], new Date(0)));
}

/** Messages of a worker with the value in every field. */
function messages(said: string): WorkerMessage[] {
  const step = {
    op: "update",
    urn: `urn:pulumi:dev::homelab::a:b:C::${said}`,
    type: "a:b:C",
    name: said,
    diffs: [`data.${said}`],
    keys: [said],
    component: false,
    values: [{ path: `data.${said}`, from: said, to: `${"x".repeat(115)}${said}` }],
  };
  return [
    { kind: "step-started", step },
    { kind: "step-done", step },
    { kind: "step-done", step: { ...step, op: "replace" } },
    { kind: "step-failed", step },
    ...(["info", "warning", "error"] as const).map((severity) => ({ kind: "diagnostic" as const, severity, urn: step.urn, message: `it said: ${said}` })),
  ];
}

function resultOf({ kind, made }: Plan, stack: string, said: string): WorkerResult {
  if (kind === "fails" || (kind === "worker dies" && stack === "dev"))
    return { ok: false, changes: { update: 1 }, error: { code: "E_STACK_FAILED", message: `failed: ${said}\n${said}`, hint: `not ${said}` } };
  const outputs = kind === "secret output" ? { token: { value: { deep: [made.value] }, secret: true } } : {};
  return { ok: true, changes: { update: 1, replace: 1 }, outputs };
}

function partsOf(given: Plan): RunParts {
  const form = FORMS[given.form] as (value: string) => string;
  return {
    openSite: async () => ({ kind: "real", workDir: folder, runsDir: path.join(folder, "runs"), env: {}, lab: undefined }),
    describeProgram: async () => {
      if (given.kind === "program is broken") throw new HomelabError("E_CONFIG", "broken", { cause: new Error("about to say it") });
      return {
        project: "homelab",
        site: "example.org",
        warnings: [],
        lab: { site: LAB_SITE },
        graph: new StackGraph([
          { name: "tools", description: "", needs: [] },
          { name: "dev", description: "", needs: ["tools"] },
        ]),
        vms: new Map(),
        vaultStack: undefined,
      };
    },
    changeSince: () => Promise.reject(new Error("no range was given")),
    workers: () => ({
      run: ({ stack, operation }, onMessage) => {
        if (given.kind === "internal error") throw new Error(`bug near ${form(given.common.value)}\n${form(given.own.value)}`);
        // A secret output is known to the redactor only after its message.
        const known = [
          given.common.value,
          given.own.value,
          ...(given.kind === "secret output" && stack === "dev" && operation === "up" ? [given.made.value] : []),
        ];
        for (const value of known) for (const message of messages(form(value))) onMessage(message);
        return { result: Promise.resolve(resultOf(given, stack, known.map(form).join(" and "))), cancel: () => undefined };
      },
      warm: () => undefined,
      close: () => undefined,
    }),
  };
}

async function run(given: Plan): Promise<Buffer[]> {
  fs.rmSync(path.join(folder, "runs"), { recursive: true, force: true });
  plant("common", given.common);
  plant("dev", given.own);
  const printed: string[] = [];
  const sink = { write: (text: string) => printed.push(text) };
  const redactor = createRedactor();
  const session: Session = {
    ...createSinks(redactor, sink, sink),
    terminal: { interactive: given.interactive, asks: false, colour: given.interactive, columns: () => 60, rows: () => 24 },
    ask: async () => undefined,
    clock: systemClock,
    onInterrupt: () => () => undefined,
    redactor,
  };
  const flags = [...given.flags, "--yes", ...(given.operation === "preview" ? ["--markdown", path.join(folder, "runs", "comment.md")] : [])];
  await runStacks(given.operation, parseArguments(flags, [...RUN_FLAGS, YES]), session, partsOf(given)).catch((thrown: unknown) => {
    // Prints an error as main.ts does.
    session.err(`error: ${describeError(thrown)}\n`);
  });
  const written = fs.existsSync(path.join(folder, "runs"))
    ? fs
        .readdirSync(path.join(folder, "runs"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name)))
    : [];
  return [Buffer.from(printed.join("")), ...written];
}

test(
  "nothing that a run prints or writes holds a secret, whatever the run says and however it ends",
  async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const sinks = await run(given);
        const found = [given.common, given.own, given.made].filter((value) => sinks.some((bytes) => leaks(bytes, value)));
        expect(found).toEqual([]);
        // The run printed secrets, and they were redacted.
        if (given.kind !== "program is broken") expect(sinks.some((bytes) => bytes.includes("[secret]"))).toBe(true);
      }),
      { numRuns: RUNS, ...(process.env["HOMELAB_CANARY_SEED"] === undefined ? {} : { seed: Number(process.env["HOMELAB_CANARY_SEED"]) }) },
    );
  },
  60_000 + RUNS * 5_000,
);

test("the search finds a canary that was printed, in each of the forms", async () => {
  await fc.assert(
    fc.property(canary, (value) => {
      for (const form of FORMS.slice(0, 5)) expect([form(value.value), leaks(Buffer.from(form(value.value)), value)]).toEqual([form(value.value), true]);
    }),
    { numRuns: 50 },
  );
});
