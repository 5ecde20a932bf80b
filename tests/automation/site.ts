/** A project in a folder of its own, with a provider whose world is a folder, for the unmodified Automation API on the embedded engine. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";
import { LocalWorkspace, type LocalWorkspaceOptions, PulumiCommand } from "@pulumi/pulumi/automation";
import { EngineProcess } from "../support/engine-process";
import { handedKey } from "../support/handed-key";

const root = path.resolve(__dirname, "../..");
export const ENGINE_ROOT = path.join(root, "engine");

const PASSPHRASE = "automation";

/** `count` of Things, a secret and a plain output; a Thing's size comes from the settings. */
const PROGRAM = `const pulumi = require("@pulumi/pulumi");
const config = new pulumi.Config();
const things = [];
for (let i = 0; i < (config.getNumber("count") ?? 1); i++)
  things.push(new pulumi.CustomResource("world:index:Thing", "thing-" + i, { name: "thing-" + i, size: config.getNumber("size") ?? 1, sleepMs: config.getNumber("sleepMs") ?? 0, password: pulumi.secret("hidden-" + i) }));
exports.names = things.map((thing) => thing.urn.apply((urn) => urn.split("::").pop()));
exports.password = pulumi.secret("s3cr3t");
`;

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface PulumiOptions {
  env?: Record<string, string>;
  input?: string;
  /** @param kill sends the command a signal */
  onOutput?(piece: string, stdin: Writable, stdout: Readable, kill: (signal: NodeJS.Signals) => boolean): void;
}

export class AutomationSite {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "automation-"));
  readonly world = path.join(this.dir, "world");
  readonly env: Record<string, string> = {
    PULUMI_HOME: path.join(this.dir, "home"),
    PULUMI_BACKEND_URL: `file://${path.join(this.dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
    WORLD_DIR: this.world,
  };

  readonly #engine: EngineProcess | undefined;

  /** @param oneProcess runs all command lines without input in one process that stays: for tests that are not about processes */
  constructor({ oneProcess = false }: { oneProcess?: boolean } = {}) {
    if (oneProcess) this.#engine = new EngineProcess();
    for (const name of ["world", "state", "work"]) fs.mkdirSync(path.join(this.dir, name));
    this.write(
      "Pulumi.yaml",
      `name: auto\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nplugins:\n  providers:\n    - name: world\n      path: ${path.join(root, "bench/engine/plugin")}\n`,
    );
    this.write("package.json", '{"name":"auto","private":true,"main":"index.js"}');
    this.write("index.js", PROGRAM);
    fs.symlinkSync(path.join(root, "node_modules"), path.join(this.workDir, "node_modules"));
  }

  get workDir(): string {
    return path.join(this.dir, "work");
  }

  write(name: string, content: string): void {
    fs.writeFileSync(path.join(this.workDir, name), content);
  }

  async options(): Promise<LocalWorkspaceOptions> {
    return { pulumiCommand: await PulumiCommand.get({ root: ENGINE_ROOT }), envVars: this.env, workDir: this.workDir };
  }

  /** With another passphrase than the stack's, the engine gets no key, and derives one itself. */
  #keyFor(env: Record<string, string>): Record<string, string> {
    const given = Object.keys(env).filter((name) => name.startsWith("PULUMI_CONFIG_PASSPHRASE"));
    return given.every((name) => env[name] === PASSPHRASE) ? handedKey(path.join(this.workDir, "Pulumi.dev.yaml"), PASSPHRASE) : {};
  }

  /** Its commands are handed the stack's key, once there is a stack (see handedKey). */
  async workspace(): Promise<LocalWorkspace> {
    const workspace = await LocalWorkspace.create(await this.options());
    Object.defineProperty(workspace.envVars, "HOMELAB_PASSPHRASE_KEY", {
      enumerable: true,
      get: () => this.#keyFor(workspace.envVars)["HOMELAB_PASSPHRASE_KEY"],
    });
    return workspace;
  }

  /** What exists in the world: the names of the Things. */
  things(): string[] {
    return fs
      .readdirSync(this.world)
      .map((id) => JSON.parse(fs.readFileSync(path.join(this.world, id), "utf8")).name)
      .sort();
  }

  /** Takes a Thing away behind the engine's back. */
  removeThing(id: string): void {
    fs.rmSync(path.join(this.world, id));
  }

  /** Runs the command line in the work folder. @param onOutput called for each piece of standard output, to answer it */
  pulumi(args: readonly string[], { env = {}, input, onOutput }: PulumiOptions = {}): Promise<Ran> {
    const all = { ...process.env, ...this.env, ...this.#keyFor({ ...this.env, ...env }), ...env };
    if (this.#engine !== undefined && input === undefined && onOutput === undefined) {
      const provider = { name: "world", file: path.join(root, "bench/engine/plugin/pulumi-resource-world") };
      return this.#engine.run({ argv: [...args], env: all, cwd: this.workDir, provider }).then(({ status, ...said }) => ({ code: status, ...said }));
    }
    return new Promise((resolve) => {
      const child = execFile(path.join(ENGINE_ROOT, "bin", "pulumi"), args, { cwd: this.workDir, env: all }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr }),
      );
      const { stdin, stdout } = child;
      if (stdin === null || stdout === null) throw new Error("a child without pipes");
      if (onOutput === undefined) stdin.end(input ?? "");
      else stdout.on("data", (piece: string | Buffer) => onOutput(String(piece), stdin, stdout, (signal) => child.kill(signal)));
    });
  }

  remove(): void {
    this.#engine?.close();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
