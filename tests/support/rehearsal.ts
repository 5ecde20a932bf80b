/** A lab of a test's own, started and driven as a person does it: by the `homelab` executable. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";

const ROOT = path.join(__dirname, "..", "..");

const recordSchema = z.object({ seq: z.number(), system: z.string(), target: z.string(), kind: z.enum(["read", "write"]), action: z.string() });
export type LabRecord = z.infer<typeof recordSchema>;

const proxmoxSchema = z.object({
  vms: z.array(z.object({ vmid: z.number(), node: z.string(), status: z.string(), config: z.record(z.string(), z.string()) })),
});
export type LabVm = z.infer<typeof proxmoxSchema>["vms"][number];

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunningCommand {
  child: ChildProcess;
  done: Promise<Finished>;
  /** Resolves when this text has been printed; rejects when the command ended without it. */
  printed(text: string): Promise<void>;
}

export class Rehearsal {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-"));
  readonly #env: NodeJS.ProcessEnv;
  #control = "";

  constructor() {
    // Nothing of the machine's own: no Pulumi, no helm, no home, only what Node needs.
    this.#env = { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, HOME: path.join(this.dir, "home"), HOMELAB_LAB_DIR: this.dir, NO_COLOR: "1" };
    fs.mkdirSync(path.join(this.dir, "home"));
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCommand {
    const child = spawn(process.execPath, [path.join(ROOT, "orchestrator", "bin", "homelab"), ...args], {
      cwd: ROOT,
      env: { ...this.#env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    const watchers = new Set<() => void>();
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      for (const watch of watchers) watch();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
    });
    const done = new Promise<Finished>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
    const printed = (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (!stdout.includes(text)) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
        done.then(() => reject(new Error(`ended without printing "${text}":\n${stdout}\n${stderr}`)), reject);
      });
    return { child, done, printed };
  }

  homelab(...args: string[]): Promise<Finished> {
    return this.start(args).done;
  }

  async startLab(): Promise<void> {
    const { code, stderr } = await this.homelab("lab", "start", "--latency", "zero", "--proxy-port", "0", "--bastion-port", "0", "--control-port", "0");
    if (code !== 0) throw new Error(`the lab did not start: ${stderr}`);
    this.#control = z.object({ control: z.string() }).parse(JSON.parse(fs.readFileSync(path.join(this.dir, "lab.json"), "utf8"))).control;
  }

  async #get(route: string): Promise<unknown> {
    const response = await fetch(`${this.#control}${route}`);
    if (!response.ok) throw new Error(`${route}: ${response.status}`);
    return response.json();
  }

  /** What the outside world saw, oldest first. */
  async records(since = 0): Promise<LabRecord[]> {
    return z.array(recordSchema).parse(await this.#get(`/records?since=${since}`));
  }

  /** Those that changed something. */
  async writes(since = 0): Promise<LabRecord[]> {
    return (await this.records(since)).filter(({ kind }) => kind === "write");
  }

  async lastSeq(): Promise<number> {
    return (await this.records()).at(-1)?.seq ?? 0;
  }

  async unhandled(): Promise<unknown> {
    return this.#get("/unhandled");
  }

  async vms(): Promise<LabVm[]> {
    return proxmoxSchema.parse(await this.#get("/proxmox")).vms;
  }

  /** Stops the lab and removes its folder. */
  async close(): Promise<void> {
    await this.homelab("lab", "stop");
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
