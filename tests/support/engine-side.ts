/**
 * An engine as a process, the CLI or the embedded one. The program, which is data, and the provider are servers in this process, to which
 * the engine connects. So an operation starts no process but the engine's.
 */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import * as language from "@pulumi/pulumi/proto/language_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { parseCheckpoint } from "../../engine/backend/checkpoint";
import type { ResourceState, Snapshot } from "../../engine/snapshot/types";
import { FakeProvider } from "./fake-provider";
import { type ProgramResource, runResources, type Stop } from "./monitor-client";
import { cliEnvironment } from "./real-cli";

export interface EngineEvent {
  resourcePreEvent?: { metadata: { op: string; urn: string; keys?: string[] } };
  summaryEvent?: { resourceChanges: Record<string, number> };
  diagnosticEvent?: { severity: string; urn?: string; message: string };
}

export interface EngineAnswer {
  exitCode: number;
  stderr: string;
  events: EngineEvent[];
}

export class EngineSide {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-side-"));
  readonly #server = new grpc.Server();
  #port = 0;
  #operations = 0;
  #program: { resources: readonly ProgramResource[]; ends: Stop | undefined } = { resources: [], ends: undefined };

  private constructor(
    private readonly pulumi: string,
    readonly provider: FakeProvider,
  ) {}

  /** @param pulumi the executable: the part "pulumi", or `engine/bin/pulumi` */
  static async start(pulumi: string): Promise<EngineSide> {
    const side = new EngineSide(pulumi, await FakeProvider.start());
    side.#server.addService(LanguageRuntimeService as unknown as grpc.ServiceDefinition, side.#runtime());
    side.#port = await new Promise((resolve, reject) =>
      side.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
    );
    fs.mkdirSync(path.join(side.#folder, "backend"));
    fs.writeFileSync(path.join(side.#folder, "Pulumi.yaml"), "name: test\nruntime: nodejs\n");
    const made = await side.#call(["stack", "init", "dev"]);
    if (made.exitCode !== 0) throw new Error(`${pulumi} stack init ended with ${made.exitCode}: ${made.stderr}`);
    return side;
  }

  close(): void {
    this.#server.forceShutdown();
    this.provider.close();
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  #runtime(): Record<string, grpc.UntypedHandleCall> {
    const others = Object.keys(LanguageRuntimeService).map((name) => [
      name,
      (_call: unknown, callback: grpc.sendUnaryData<never>) => callback({ code: grpc.status.UNIMPLEMENTED, details: name }),
    ]);
    return {
      ...Object.fromEntries(others),
      run: ({ request }: { request: language.RunRequest }, callback: grpc.sendUnaryData<language.RunResponse>) => {
        const { resources, ends } = this.#program;
        void runResources(request.getMonitorAddress(), resources, { dryRun: request.getDryrun(), ends, outputs: undefined, prepare: undefined }).then(
          (stop) => {
            const reply = new language.RunResponse();
            if (stop === "bail") reply.setBail(true);
            else if (stop !== undefined) reply.setError(stop.throws);
            callback(null, reply);
          },
        );
      },
      cancel: (_call: unknown, callback: grpc.sendUnaryData<Empty>) => callback(null, new Empty()),
    };
  }

  #call(args: readonly string[]): Promise<{ exitCode: number; stderr: string }> {
    const env = {
      ...process.env,
      ...cliEnvironment(this.pulumi, this.#folder),
      PULUMI_BACKEND_URL: `file://${this.#folder}/backend`,
      PULUMI_CONFIG_PASSPHRASE: "fuzz",
      PULUMI_DEBUG_PROVIDERS: `exp:${this.provider.address.split(":")[1]}`,
    };
    return new Promise((resolve) => {
      const child = execFile(this.pulumi, [...args, "--non-interactive"], { cwd: this.#folder, env, maxBuffer: 1 << 26 }, (error, _stdout, stderr) =>
        resolve({ exitCode: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stderr }),
      );
      child.stdin?.end();
    });
  }

  /** @param ends how the program ends after its registrations */
  async run(kind: string, program: readonly ProgramResource[], flags: readonly string[], ends?: Stop): Promise<EngineAnswer> {
    this.#program = { resources: program, ends };
    const log = path.join(this.#folder, `events-${this.#operations++}.jsonl`);
    const client = kind === "up" || kind === "preview" ? [`--client=127.0.0.1:${this.#port}`] : [];
    const confirm = kind === "preview" ? [] : ["--yes", "--skip-preview"];
    const done = await this.#call([kind, "--stack", "dev", "--event-log", log, ...client, ...confirm, ...flags]);
    const events = fs.existsSync(log) ? fs.readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
    return { ...done, events: events.map((line) => JSON.parse(line) as EngineEvent) };
  }

  /** The state in the backend's file. */
  state(): Pick<Snapshot, "resources" | "pendingOperations"> {
    const file = path.join(this.#folder, "backend/.pulumi/stacks/test/dev.json");
    const { latest } = parseCheckpoint(fs.readFileSync(file, "utf8"), file);
    return {
      resources: (latest?.resources ?? []) as unknown as ResourceState[],
      pendingOperations: (latest?.pending_operations ?? []) as unknown as Snapshot["pendingOperations"],
    };
  }
}
