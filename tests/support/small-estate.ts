/**
 * A homelab of a few stacks whose resources are those of a small provider (bench/engine/plugin). Orchestrator, workers and engine are this
 * checkout's; the program and what describes it are a few lines. The folder `world` and its log are what the outside world saw.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type RunReport, reportSchema } from "../../orchestrator/report/report-schema";
import { generateIdentity } from "../../secrets/age";
import { encryptSopsFile } from "../../secrets/sops-file";
import { treeAt } from "../../secrets/vault-paths";
import { runCommand } from "./run-command";
import { type Finished, type RunningCommand, runningCommand } from "./running-command";
import { until } from "./served-engines";

const ROOT = path.join(__dirname, "..", "..");
/** Of these, no more than the orchestrator needs. */
const COPIED = ["bin/common", "bin/engine", "bin/orchestrator", "bin/providers", "bin/scaffold", "bin/secrets", "engine/bin", "orchestrator/bin"];

/** What the engine made for this passphrase, so that no run writes it into the settings. */
const PASSPHRASE = "lab-only";
const SETTINGS = "encryptionsalt: v1:kWfzfobmCgs=:v1:72TQLKskLAmTWhut:zxaWcU0/hwybULTI+9G73LEB5GW2nw==\nconfig: {}\n";

export interface SmallStack {
  needs?: string[];
  production?: true;
  /** Inputs of its resources by name: what the provider does with each. */
  things?: Record<string, object>;
}

/** Looks until something holds: two minutes at most. */
export const soon = (holds: () => boolean): Promise<void> => until(holds, 6_000);

/** How the orchestrator's clock is told that time has passed: the file has the milliseconds. Waits below a second are as they are. */
const CLOCK = `
const fs = require("node:fs");
const real = { ...systemClock };
const passed = () => Number(process.env.SMALL_CLOCK === undefined ? 0 : fs.readFileSync(process.env.SMALL_CLOCK, "utf8"));
const now = () => real.now() + passed();
Object.assign(systemClock, {
  now,
  sleep: async (ms, signal) => {
    const end = now() + ms;
    if (ms < 1000) return real.sleep(ms, signal);
    while (now() < end) await real.sleep(20, signal);
  },
});
`;

const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const { things = {} } = JSON.parse(require("node:fs").readFileSync(__dirname + "/stacks.json", "utf8"))[pulumi.getStack()];
for (const [name, inputs] of Object.entries(things)) new pulumi.CustomResource("world:index:Thing", name, { name, ...inputs });
module.exports = { stack: pulumi.getStack() };
`;

/** Answers for the program's own commands, which the orchestrator starts as processes. */
const ANSWER = `
const stacks = Object.entries(JSON.parse(require("node:fs").readFileSync(__dirname + "/../../stacks.json", "utf8")))
  .map(([name, { needs = [], production }]) => ({ name, needs, production, description: "of a test", vms: [], vault: false, modules: [] }));
const lab = { failure: { code: "E_LAB_SITE", message: "none" } };
process.stdout.write(JSON.stringify({ version: 1, project: "small", site: "small.example.org", warnings: [], nodes: [], stacks, lab }));
`;

/** What each stack is built from, for `--affected`: all that `stacks.json` says of it. */
const INPUTS = `
const { key } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const digest = (value) => require("node:crypto").createHmac("sha256", key).update(JSON.stringify(value)).digest("hex");
const stacks = Object.entries(JSON.parse(require("node:fs").readFileSync(__dirname + "/../../stacks.json", "utf8")))
  .map(([name, { needs = [], production, things }]) => ({ name, needs, production, description: "of a test", consumes: [], inputs: { things: digest(things) } }));
process.stdout.write(JSON.stringify({ version: 1, stacks }));
`;

/** Of the checkout of a former commit: nothing is compiled here. */
const BUILD = 'require("node:fs").cpSync(__dirname + "/../answers", __dirname + "/../bin/stacks", { recursive: true });\n';

export class SmallEstate {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "small-estate-"));
  readonly runs = this.file(".homelab", "runs");
  readonly #env: Record<string, string>;
  readonly #running = new Set<RunningCommand>();

  constructor(stacks: Record<string, SmallStack>) {
    for (const name of COPIED) fs.cpSync(path.join(ROOT, name), this.file(name), { recursive: true });
    fs.symlinkSync(path.join(ROOT, "node_modules"), this.file("node_modules"));
    fs.appendFileSync(this.file("bin/common/clock.js"), CLOCK);
    const plugins = `plugins:\n  providers:\n    - name: world\n      path: ${path.join(ROOT, "bench/engine/plugin")}\n`;
    this.write("Pulumi.yaml", `name: small\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n${plugins}`);
    this.write("package.json", JSON.stringify({ name: "small", version: "0.0.0", private: true, main: "program.js" }));
    this.write("program.js", PROGRAM);
    for (const name of ["describe", "stack-list"]) this.write(`answers/${name}.js`, ANSWER);
    for (const name of ["preload", "preload-command"]) this.write(`answers/${name}.js`, "");
    this.write("answers/inputs.js", INPUTS);
    fs.cpSync(this.file("answers"), this.file("bin/stacks"), { recursive: true });
    this.write("build/ensure.cjs", "");
    this.write("build/build.cjs", BUILD);
    for (const name of ["state", "home", "world"]) fs.mkdirSync(this.file(name));
    this.write("clock", "0");
    const identity = generateIdentity();
    this.write("secrets/common/x.yaml", encryptSopsFile(treeAt("x", { key: "value-of-x" }), [identity.recipient], new Date(0)));
    this.#env = {
      PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: this.file("home"),
      WORLD_DIR: this.file("world"),
      WORLD_LOG: this.file("world.log"),
      SMALL_CLOCK: this.file("clock"),
      SOPS_AGE_KEY: identity.secret,
      PULUMI_HOME: this.file("home"),
      PULUMI_BACKEND_URL: `file://${this.file("state")}`,
      PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      NO_COLOR: "1",
    };
    this.define(stacks);
  }

  file(...names: string[]): string {
    return path.join(this.dir, ...names);
  }

  write(name: string, text: string): void {
    fs.mkdirSync(path.dirname(this.file(name)), { recursive: true });
    fs.writeFileSync(this.file(name), text);
  }

  /** The stacks from now on; nothing was run and seen yet. */
  define(stacks: Record<string, SmallStack>): void {
    fs.rmSync(this.runs, { recursive: true, force: true });
    this.change(stacks);
  }

  /** The same stacks with other resources; earlier runs stay. */
  change(stacks: Record<string, SmallStack>): void {
    this.write("world.log", "");
    this.write("stacks.json", JSON.stringify(stacks));
    for (const name of Object.keys(stacks)) if (!fs.existsSync(this.file(`Pulumi.${name}.yaml`))) this.write(`Pulumi.${name}.yaml`, SETTINGS);
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}, uid = process.getuid?.()): RunningCommand {
    const line = [this.file("orchestrator/bin/homelab"), ...args];
    const command = runningCommand(
      spawn(process.execPath, line, { cwd: this.dir, env: { ...this.#env, ...env }, ...(uid === undefined ? {} : { uid }), stdio: ["pipe", "pipe", "pipe"] }),
    );
    this.#running.add(command);
    const over = (): void => void this.#running.delete(command);
    command.done.then(over, over);
    return command;
  }

  homelab(...args: string[]): Promise<Finished> {
    return this.start(args).done;
  }

  up(...flags: string[]): RunningCommand {
    return this.start(["up", "--yes", ...flags]);
  }

  /** The stacks that are in doubt, as `status` says them. */
  async inDoubt(): Promise<string | undefined> {
    return /in doubt: ([^;\n]*)/.exec((await this.homelab("status")).stdout)?.[1];
  }

  async #git(...args: string[]): Promise<string> {
    const who = ["-c", "user.name=a test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
    const { code, out, err } = await runCommand(spawn("git", [...who, ...args], { cwd: this.dir, stdio: ["pipe", "pipe", "pipe"] }));
    if (code !== 0) throw new Error(`git ${args.join(" ")}: ${err}`);
    return out.trim();
  }

  /** Commits the program as it is. @returns the commit */
  async commit(): Promise<string> {
    if (!fs.existsSync(this.file(".git"))) await this.#git("init", "--quiet");
    const settings = fs.readdirSync(this.dir).filter((name) => /^Pulumi.*\.yaml$/.test(name));
    await this.#git("add", "--update");
    await this.#git("add", "answers", "build", "package.json", "program.js", "stacks.json", ...settings);
    await this.#git("commit", "--quiet", "--allow-empty", "--message", "a change");
    return this.#git("rev-parse", "HEAD");
  }

  /** From now on the orchestrator's clock is so many minutes later. */
  pass(minutes: number): void {
    const passed = Number(fs.readFileSync(this.file("clock"), "utf8"));
    this.write("clock.new", String(passed + minutes * 60_000));
    fs.renameSync(this.file("clock.new"), this.file("clock"));
  }

  /** Passes time again and again until the command has ended. */
  async passUntilEnd(minutes: number, { done }: Pick<RunningCommand, "done">): Promise<Finished> {
    let ended: Finished | undefined;
    void done.then((finished) => {
      ended = finished;
    });
    await soon(() => {
      this.pass(minutes);
      return ended !== undefined;
    });
    return done;
  }

  /** The creations that began and that were done, in order. */
  saw(): string[] {
    return fs
      .readFileSync(this.file("world.log"), "utf8")
      .split("\n")
      .filter((line) => /^(Create|Done) /.test(line));
  }

  begun(name: string): Promise<void> {
    return soon(() => this.saw().includes(`Create ${name}`));
  }

  /** Lets one more creation count as begun, for a thing that `meets` others. */
  release(): void {
    fs.appendFileSync(this.file("world.log"), "Create by-hand\n");
  }

  /** A file of the newest run's folder. */
  ofLastRun(name: string): string {
    const last =
      fs
        .readdirSync(this.runs)
        .filter((entry) => /^\d/.test(entry))
        .toSorted()
        .at(-1) ?? "";
    return fs.readFileSync(path.join(this.runs, last, name), "utf8");
  }

  report(): RunReport {
    return reportSchema.parse(JSON.parse(this.ofLastRun("report.json")));
  }

  /** How each stack of the newest run ended. */
  ends(): [stack: string, status: string, code: string | undefined][] {
    return this.report().stacks.map(({ stack, status, error }) => [stack, status, error?.code]);
  }

  /** Ends what a test that failed has left: its workers end with it. */
  async kill(): Promise<void> {
    for (const { child, done } of this.#running) {
      child.kill("SIGKILL");
      await done.catch(() => undefined);
    }
  }

  close(): void {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
