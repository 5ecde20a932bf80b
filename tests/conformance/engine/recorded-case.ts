/** Runs one recorded case against an executable: its own folder, backend, home and world. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { SIGNATURE, SIGNATURE_KEY } from "../../../common/signatures";
import { parseCheckpoint } from "../../../engine/backend/checkpoint";
import { stateSecrets } from "../../../engine/cli/stack-context";
import { isObject, isSecret, type Value } from "../../../engine/wire/values";
import { EngineProcess } from "../../support/engine-process";
import { handedKey } from "../../support/handed-key";
import { cliEnvironment } from "../../support/real-cli";
import { type Entry, grouped, type Json, Normaliser, orderFaults } from "./normalise";

export interface RecordedStep {
  op?: string;
  args?: string[];
  argv?: string[];
  spec?: Json;
  env?: Record<string, string>;
  /** Marker files of the provider's world: content, or null to take it away. */
  world?: Record<string, string | null>;
  compareStdout?: boolean;
  expect: Record<string, Json>;
}

export interface RecordedCase {
  name: string;
  /** Folder of the program that is run. Default: `program`, which SPEC describes. */
  program?: string;
  steps: RecordedStep[];
}

interface Event {
  resourcePreEvent?: { metadata: { op: string; urn: string; keys?: string[]; diffs?: string[] } };
  summaryEvent?: { resourceChanges: Json };
  diagnosticEvent?: { severity: string; urn?: string };
}

const PASSPHRASE = "conformance";
const ROOT = path.join(__dirname, "../../..");
/** Settings of the first stack, as its creation left them. */
let salted: string | undefined;
export const EMBEDDED = path.join(ROOT, "engine/bin/pulumi");

const lines = <T>(file: string): T[] =>
  fs.existsSync(file)
    ? fs
        .readFileSync(file, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as T)
    : [];

function withPlaintext(value: Value, decrypt: (ciphertext: string) => string): Value {
  if (Array.isArray(value)) return value.map((item) => withPlaintext(item, decrypt));
  if (!isObject(value)) return value;
  if (isSecret(value) && typeof value["ciphertext"] === "string") return { [SIGNATURE_KEY]: SIGNATURE.secret, plaintext: decrypt(value["ciphertext"]) };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withPlaintext(item, decrypt)]));
}

export class CaseRun {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), "conf-"));
  readonly #normaliser = new Normaliser(this.#folder);
  readonly #decrypters = new Map<string, (ciphertext: string) => string>();
  #key: Record<string, string> = {};
  #before: Entry[] = [];
  #index = 0;

  /** @param pulumi an executable, or the embedded engine in a process that stays */
  constructor(
    private readonly pulumi: string | EngineProcess,
    program = "program",
  ) {
    fs.cpSync(path.join(__dirname, program), this.#folder, { recursive: true });
    fs.cpSync(path.join(__dirname, "provider"), path.join(this.#folder, "provider"), { recursive: true });
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(this.#folder, "node_modules"));
    for (const name of ["home", "backend", "world"]) fs.mkdirSync(path.join(this.#folder, name));
  }

  close(): void {
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @param pulumi another executable on the same folder */
  call(args: string[], more: Record<string, string> = {}, pulumi = this.pulumi): Promise<{ status: number; stdout: string; stderr: string }> {
    const env = {
      ...process.env,
      ...cliEnvironment(pulumi instanceof EngineProcess ? EMBEDDED : pulumi, this.#folder),
      PULUMI_BACKEND_URL: `file://${this.#folder}/backend`,
      PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
      EXP_DIR: path.join(this.#folder, "world"),
      ...this.#key,
      ...more,
    };
    const argv = [...args, "--non-interactive"];
    if (pulumi instanceof EngineProcess)
      return pulumi.run({ argv, env, cwd: this.#folder, provider: { name: "exp", file: path.join(this.#folder, "provider/pulumi-resource-exp") } });
    return new Promise((resolve) => {
      const child = execFile(pulumi, argv, { cwd: this.#folder, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr }),
      );
      child.stdin?.end();
    });
  }

  /** The state with secrets in the clear, as `stack export --show-secrets` prints it. */
  #state(): Record<string, Json> {
    const file = path.join(this.#folder, "backend/.pulumi/stacks/conf/dev.json");
    if (!fs.existsSync(file)) return { exportFailed: "no stack" };
    const { latest, journalled } = parseCheckpoint(fs.readFileSync(file, "utf8"), file);
    if (journalled) throw new Error("an operation that ended left its journal");
    if (latest === undefined) return {};
    Object.assign(process.env, { PULUMI_CONFIG_PASSPHRASE: PASSPHRASE, ...this.#key });
    const salt = JSON.stringify(latest.secrets_providers);
    const secrets = stateSecrets(latest);
    const decrypt = this.#decrypters.get(salt) ?? ((ciphertext: string) => secrets?.decrypt(ciphertext) ?? "");
    this.#decrypters.set(salt, decrypt);
    return withPlaintext(latest as Value, decrypt) as Record<string, Json>;
  }

  /** The stack that each case begins with. */
  async init(): Promise<{ status: number; stderr: string }> {
    const settings = path.join(this.#folder, "Pulumi.dev.yaml");
    // Deriving the key of another salt takes longer than the case.
    if (salted !== undefined) fs.writeFileSync(settings, salted);
    this.#key = handedKey(settings, PASSPHRASE);
    const done = await this.call(["stack", "init", "dev"]);
    if (done.status === 0) salted ??= fs.readFileSync(settings, "utf8");
    this.#key = handedKey(settings, PASSPHRASE);
    return done;
  }

  /** Runs a step and returns what was observed, part by part; `faults` is empty where the order was right. */
  async step(step: RecordedStep): Promise<{ seen: Record<string, Json>; faults: string[]; stderr: string }> {
    const world = path.join(this.#folder, "world");
    for (const [name, content] of Object.entries(step.world ?? {})) {
      if (content === null) fs.rmSync(path.join(world, name), { force: true });
      else fs.writeFileSync(path.join(world, name), content);
    }
    const calls = path.join(world, "calls.jsonl");
    fs.rmSync(calls, { force: true });
    const events = path.join(this.#folder, `events-${this.#index++}.jsonl`);
    fs.writeFileSync(events, "");
    const confirm = step.op === "preview" ? [] : ["--yes", "--skip-preview"];
    const argv = step.argv ?? [step.op ?? "", "--stack", "dev", "--parallel", "1", "--event-log", events, ...(step.args ?? []), ...confirm];
    const done = await this.call(argv, { SPEC: JSON.stringify(step.spec ?? []), ...step.env });
    const log = lines<Event>(events);
    const providerCalls = lines<Entry>(calls);
    const state = this.#state();
    const resources = (state["resources"] ?? []) as Entry[];
    this.#normaliser.learn(resources);
    const faults = orderFaults(this.#before, resources, providerCalls);
    this.#before = resources;
    const steps = log.flatMap(({ resourcePreEvent: event }) => {
      if (event === undefined) return [];
      const { op, urn, keys, diffs } = event.metadata;
      return [{ op, urn, ...(keys?.length ? { keys } : {}), ...(diffs?.length ? { diffs: [...diffs].sort() } : {}) }];
    });
    const seen = this.#normaliser.apply({
      exitCode: done.status,
      ...(step.argv && step.compareStdout ? { stdout: done.stdout.trim() } : {}),
      steps: grouped(steps) as Json,
      changes: log.find((event) => event.summaryEvent)?.summaryEvent?.resourceChanges ?? {},
      errors: log.flatMap(({ diagnosticEvent: d }) => (d?.severity === "error" ? [d.urn ?? ""] : [])).sort(),
      calls: grouped(providerCalls) as Json,
      state: { ...state, ...(state["resources"] ? { resources: grouped(resources) as Json } : {}) },
    });
    return { seen: seen as Record<string, Json>, faults, stderr: done.stderr };
  }
}
