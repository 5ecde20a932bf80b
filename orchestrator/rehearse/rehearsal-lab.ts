/** A lab for one rehearsal, in a folder that is removed with it, and `homelab` run in it as a person runs it. */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { spawn } from "../../common/children";
import { childEnv, ENV } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { EXIT } from "../cli/exit-codes";
import { type RunReport, reportSchema } from "../report/report-schema";
import { control } from "../target/lab-client";

/** How many characters of a command's output are kept. */
const TAIL = 8_000;

export interface Ended {
  /** null: it was ended because it took too long. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** Of a run that wrote one. */
  report: RunReport | undefined;
}

const labSchema = z.object({ control: z.string(), proxy: z.string(), caFile: z.string() });
const recordSchema = z.object({ seq: z.number(), system: z.string(), target: z.string(), kind: z.enum(["read", "write"]), action: z.string() });
export type LabRecord = z.infer<typeof recordSchema>;

const vmsSchema = z.object({ vms: z.array(z.object({ vmid: z.number(), config: z.record(z.string(), z.string()) })) });
const faultsSchema = z.object({ names: z.array(z.string()), waiting: z.array(z.looseObject({ name: z.string() })), chances: z.record(z.string(), z.number()) });

export interface QueuedFault {
  name: string;
  target?: string;
  times?: number;
  after?: number;
  parameters?: Readonly<Record<string, unknown>>;
}

export class RehearsalLab {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-rehearsal-"));
  #files: z.infer<typeof labSchema> | undefined;
  readonly #running = new Set<ChildProcess>();
  /** More environment variables of each command, such as the credentials of the state backend. */
  env: Readonly<Record<string, string>> = {};
  #interrupted = false;

  /** @param timeout milliseconds after which a command counts as hanging, and is killed */
  constructor(private readonly timeout: number) {}

  /** Where its servers are. @throws Error before `start` */
  get files(): z.infer<typeof labSchema> {
    if (this.#files === undefined) throw new Error("the rehearsal's lab was not started");
    return this.#files;
  }

  /** An interrupt does not end it: a lab that is half started could not be stopped. @throws HomelabError E_LAB_START */
  async start(): Promise<void> {
    const ports = ["--proxy-port", "0", "--bastion-port", "0", "--control-port", "0"];
    const { code, stderr } = await this.#spawn("", ["lab", "start", "--latency", "zero", ...ports], new Set());
    if (code !== 0) throw new HomelabError("E_LAB_START", `the rehearsal's lab did not start: ${stderr.trim()}`, { subject: this.dir });
    this.#files = labSchema.parse(JSON.parse(fs.readFileSync(path.join(this.dir, "lab.json"), "utf8")));
  }

  /** One command line, without a terminal and without input. */
  homelab(...args: string[]): Promise<Ended> {
    return this.homelabWith("", ...args);
  }

  /** @param input its standard input: secrets never are arguments */
  async homelabWith(input: string, ...args: string[]): Promise<Ended> {
    if (this.#interrupted) return { code: EXIT.interrupted, stdout: "", stderr: "interrupted before it began", report: undefined };
    return this.#spawn(input, args, this.#running);
  }

  /** @param running contains the process while it runs; an interrupt is sent to those in {@link #running} */
  #spawn(input: string, args: readonly string[], running: Set<ChildProcess>): Promise<Ended> {
    return new Promise((resolve, reject) => {
      // A process group of its own: Ctrl-C in the terminal reaches only this process, which passes it on.
      const child = spawn(process.execPath, [path.join(projectRoot(), "orchestrator", "bin", "homelab"), ...args], {
        env: childEnv({ ...this.env, [ENV.labDir]: this.dir, NO_COLOR: "1" }),
        detached: true,
        stdio: ["pipe", "pipe", "pipe"],
      });
      // A command need not read its input.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
      running.add(child);
      let [stdout, stderr, slow] = ["", "", false];
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        stdout = (stdout + chunk).slice(-TAIL);
      });
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        stderr = (stderr + chunk).slice(-TAIL);
      });
      const timer = setTimeout(() => {
        slow = true;
        endGroup(child);
      }, this.timeout);
      child.on("error", reject);
      child.on("close", (code) => {
        clearTimeout(timer);
        running.delete(child);
        resolve({ code: slow ? null : code, stdout, stderr, report: undefined });
      });
    });
  }

  /** A run, with its report where it wrote one. */
  async run(...args: string[]): Promise<Ended> {
    const file = path.join(this.dir, "report.json");
    fs.rmSync(file, { force: true });
    const ended = await this.homelab(...args, "--report", file);
    return { ...ended, report: fs.existsSync(file) ? reportSchema.parse(JSON.parse(fs.readFileSync(file, "utf8"))) : undefined };
  }

  /** Asks the lab's control API. An answer may take as long as a command: `POST /settle` answers when the lab has nothing left to do. */
  async control(method: string, route: string, body?: unknown): Promise<unknown> {
    return control(this.files, method, route, body, this.timeout);
  }

  /** Names of all faults that the lab's code knows. */
  async faultNames(): Promise<string[]> {
    return faultsSchema.parse(await this.control("GET", "/faults")).names;
  }

  /** How often each fault could have struck in this lab. */
  async chances(): Promise<Readonly<Record<string, number>>> {
    return faultsSchema.parse(await this.control("GET", "/faults")).chances;
  }

  async queueFault(fault: QueuedFault): Promise<void> {
    await this.control("POST", "/faults", fault);
  }

  /** Faults that have not struck yet. */
  async waitingFaults(): Promise<number> {
    return faultsSchema.parse(await this.control("GET", "/faults")).waiting.length;
  }

  async clearFaults(): Promise<void> {
    await this.control("DELETE", "/faults");
  }

  /** What changed something, the oldest first. */
  async writes(since = 0): Promise<LabRecord[]> {
    return z
      .array(recordSchema)
      .parse(await this.control("GET", `/records?since=${since}`))
      .filter(({ kind }) => kind === "write");
  }

  async lastSeq(): Promise<number> {
    return (
      z
        .array(recordSchema)
        .parse(await this.control("GET", "/records?since=0"))
        .at(-1)?.seq ?? 0
    );
  }

  async settle(): Promise<void> {
    await this.control("POST", "/settle");
  }

  /** Calls that the lab does not model. */
  async unhandled(): Promise<string[]> {
    return z
      .array(z.object({ system: z.string(), target: z.string(), what: z.string() }))
      .parse(await this.control("GET", "/unhandled"))
      .map(({ system, target, what }) => `${system} ${target}: ${what}`);
  }

  /** Names of the machines, templates left out. */
  async machines(): Promise<string[]> {
    const { vms } = vmsSchema.parse(await this.control("GET", "/proxmox"));
    return vms.filter(({ config }) => config["template"] !== "1").map(({ config }) => config["name"] ?? "");
  }

  /** Names of machines that were started and did not come to the network. */
  async unbooted(): Promise<string[]> {
    const records = z.array(recordSchema).parse(await this.control("GET", "/records?since=0"));
    return [...new Set(records.filter(({ action }) => action === "no-network").map(({ target }) => target))];
  }

  /** As a person does it on Proxmox's page. */
  async resetVm(name: string): Promise<void> {
    await this.control("POST", "/proxmox/reset", { vm: name });
  }

  get isInterrupted(): boolean {
    return this.#interrupted;
  }

  /** Asks running commands to end. One that does not is killed when its time is over. No further command begins. */
  interrupt(): void {
    this.#interrupted = true;
    for (const child of this.#running) child.kill("SIGINT");
  }

  /** Ends what runs in it, stops it, and removes its folder. */
  async close(): Promise<void> {
    for (const child of this.#running) endGroup(child);
    if (this.#files !== undefined) await this.#spawn("", ["lab", "stop"], new Set());
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Runs a command that must succeed. @throws Error with its output where it does not */
export async function succeed(lab: Pick<RehearsalLab, "homelab">, ...words: string[]): Promise<void> {
  const { code, stdout, stderr } = await lab.homelab(...words);
  if (code !== 0) throw new Error(`homelab ${words.join(" ")} ${code === null ? "hung" : `ended with ${code}`}: ${stderr.trim() || stdout.trim()}`);
}

function endGroup({ pid, exitCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The process has ended meanwhile.
  }
}
