/** Runs operations of the engine in this process, with a stack in memory, a program that is data, and a fake provider. */
import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import * as language from "@pulumi/pulumi/proto/language_pb.js";
import type { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import type { EngineEventPayload, OperationKind, OperationOptions } from "../../engine/contracts";
import { runDeployment } from "../../engine/deployment/deployment";
import type { Plan } from "../../engine/plans/plan";
import { type SnapshotChange, SnapshotComposition } from "../../engine/snapshot/composition";
import { brokenRule } from "../../engine/snapshot/integrity";
import type { SnapshotJournal } from "../../engine/snapshot/manager";
import type { ResourceState, Snapshot } from "../../engine/snapshot/types";
import type { PropertyMap } from "../../engine/wire/values";
import { type Behaviour, FakeProvider } from "./fake-provider";
import { type ProgramResource, runResources, type Stop } from "./monitor-client";

export const urn = (name: string, type = "exp:index:Res"): string => `urn:pulumi:dev::test::${type}::${name}`;
export const STACK_URN = urn("test-dev", "pulumi:pulumi:Stack");
export const PROVIDER_URN = urn("default", "pulumi:providers:exp");

export interface Outcome {
  ok: boolean;
  /** `op name` of each step in order, without those of the stack and the default provider. A replacement has its keys after the name. */
  steps: string[];
  changes: Record<string, number>;
  /** `name: message` of each error; no name for those of the run. */
  errors: string[];
  codes: string[][];
  warnings: string[];
  state: ResourceState[];
  events: EngineEventPayload[];
  /** The plan of a preview with `writePlan`. */
  plan: Plan | undefined;
}

export interface RunOptions extends Partial<OperationOptions> {
  previewOf?: "update" | "refresh" | "destroy";
  config?: Record<string, string>;
  /** How the program ends after its registrations. */
  ends?: Stop;
  outputs?: PropertyMap;
  /** What the program does before its registrations. */
  prepare?(client: ResourceMonitorClient): Promise<void>;
  /** The program sends all registrations at once, in order. None may refer to another. */
  atOnce?: boolean;
  signal?: AbortSignal;
  terminate?: AbortSignal;
  /** Removes pending creations before the run, as the command line does. */
  clearPendingCreates?: boolean;
  /** Called before and after each durable write; throws to kill the run there. */
  onWrite?(moment: "before" | "after"): void;
  /** Gets each write as well. */
  journal?: SnapshotJournal;
  stackOutputs?(name: string): Promise<PropertyMap | undefined>;
  /** The plan that the run must follow. */
  plan?: Plan | undefined;
  writePlan?: boolean;
}

const DEFAULTS: OperationOptions = {
  parallel: 1,
  targets: [],
  targetDependents: false,
  excludes: [],
  excludeDependents: false,
  replaces: [],
  refresh: false,
  continueOnError: false,
  excludeProtected: false,
  debug: false,
};

const nameOf = (full: string): string => full.split("::").at(-1) ?? "";

function stepsOf(events: readonly EngineEventPayload[]): string[] {
  return events.flatMap((event) => {
    if (!("resourcePreEvent" in event)) return [];
    const { op, urn: of, keys } = event.resourcePreEvent.metadata;
    if (of === STACK_URN || of === PROVIDER_URN) return [];
    return [`${op} ${nameOf(of)}${keys ? ` [${keys.join()}]` : ""}`];
  });
}

/** The failure codes of each error that has any. */
const codesOf = (events: readonly EngineEventPayload[]): string[][] =>
  events.flatMap((event) => ("diagnosticEvent" in event && event.diagnosticEvent.codes !== undefined ? [[...event.diagnosticEvent.codes]] : []));

function diagnosticsOf(events: readonly EngineEventPayload[], severity: string): string[] {
  return events.flatMap((event) => {
    if (!("diagnosticEvent" in event) || event.diagnosticEvent.severity !== severity) return [];
    const { urn: of, message } = event.diagnosticEvent;
    return [`${of ? `${nameOf(of)}: ` : ""}${message.trimEnd()}`];
  });
}

export class EngineWorld {
  snapshot: Snapshot = { resources: [], pendingOperations: [] };
  #program: (monitor: string, dryRun: boolean) => Promise<Stop | undefined> = async () => undefined;
  readonly #server = new grpc.Server();
  #port = 0;

  private constructor(readonly provider: FakeProvider) {}

  static async start(behaviour: Behaviour = {}): Promise<EngineWorld> {
    const world = new EngineWorld(await FakeProvider.start(behaviour));
    world.#server.addService(LanguageRuntimeService as unknown as grpc.ServiceDefinition, {
      run: ({ request }: { request: language.RunRequest }, callback: grpc.sendUnaryData<language.RunResponse>) => {
        void world.#program(request.getMonitorAddress(), request.getDryrun()).then((stop) => {
          const reply = new language.RunResponse();
          if (stop === "bail") reply.setBail(true);
          else if (stop !== undefined) reply.setError(stop.throws);
          callback(null, reply);
        });
      },
      cancel: (_call: unknown, callback: grpc.sendUnaryData<Empty>) => callback(null, new Empty()),
      ...Object.fromEntries(
        Object.keys(LanguageRuntimeService)
          .filter((name) => name !== "run" && name !== "cancel")
          .map((name) => [name, (_call: unknown, callback: grpc.sendUnaryData<never>) => callback({ code: grpc.status.UNIMPLEMENTED, details: name })]),
      ),
    });
    world.#port = await new Promise((resolve, reject) =>
      world.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
    );
    return world;
  }

  close(): void {
    this.#server.forceShutdown();
    this.provider.close();
  }

  up(program: ProgramResource[], options: RunOptions = {}): Promise<Outcome> {
    return this.run("update", program, options);
  }

  preview(program: ProgramResource[], options: RunOptions = {}): Promise<Outcome> {
    return this.run("preview", program, options);
  }

  /** @param program if given, it is run, and its resources are read by its providers */
  refresh(options: RunOptions = {}, program?: ProgramResource[]): Promise<Outcome> {
    return this.run("refresh", program, program === undefined ? options : { ...options, refreshByProgram: true });
  }

  /** @param program if given, it is run for its hooks */
  destroy(options: RunOptions = {}, program?: ProgramResource[]): Promise<Outcome> {
    return this.run("destroy", program, options);
  }

  /** The resource of this name in the state, if it does not wait for its deletion. */
  state(name: string): ResourceState | undefined {
    return this.snapshot.resources.find((r) => nameOf(r.urn) === name && !r.delete);
  }

  get names(): string[] {
    return this.snapshot.resources.filter((r) => r.urn !== STACK_URN && r.urn !== PROVIDER_URN).map((r) => `${nameOf(r.urn)}${r.delete ? " (delete)" : ""}`);
  }

  async run(kind: OperationKind, program: ProgramResource[] | undefined, options: RunOptions): Promise<Outcome> {
    const events: EngineEventPayload[] = [];
    const {
      clearPendingCreates,
      terminate,
      previewOf,
      config = {},
      ends,
      outputs,
      prepare,
      atOnce,
      signal,
      onWrite,
      journal,
      stackOutputs,
      plan,
      writePlan = false,
      ...given
    } = options;
    this.#program = (monitor, dryRun) => runResources(monitor, program ?? [], { dryRun, ends, outputs, prepare, atOnce });
    let base = this.snapshot;
    if (clearPendingCreates) base = { ...base, pendingOperations: base.pendingOperations.filter(({ type }) => type !== "creating") };
    // What a state file would contain. It is composed from the written changes and not taken from the run's own snapshot.
    const written = new SnapshotComposition(base);
    for (const [at, operation] of base.pendingOperations.filter(({ type }) => type === "creating").entries()) written.apply({ list: "pending", at, operation });
    const append = (changes: readonly SnapshotChange[], lazy?: boolean): void => {
      onWrite?.("before");
      for (const change of changes) written.apply(change);
      const broken = brokenRule(written.resources());
      if (broken !== undefined) throw new Error(`a write broke the state: ${broken}`);
      journal?.append(changes, lazy);
      onWrite?.("after");
    };
    try {
      const result = await runDeployment({
        kind,
        ...(kind === "preview" ? { previewOf: previewOf ?? "update" } : {}),
        project: { name: "test", root: "/", programDir: "/", entryPoint: ".", runtimeOptions: {}, providerPaths: [] },
        stack: "dev",
        config: { values: config, secretKeys: [] },
        snapshot: base,
        program: program === undefined ? undefined : { kind: "client", address: `127.0.0.1:${this.#port}` },
        options: { ...DEFAULTS, ...given },
        emit: (event) => events.push(event),
        journal: { append, ...(journal?.durable === undefined ? {} : { durable: () => journal.durable?.() }) },
        signal: signal ?? new AbortController().signal,
        ...(terminate ? { terminate } : {}),
        stackOutputs: stackOutputs ?? (async () => undefined),
        pluginsDir: "/nonexistent",
        attachedProviders: { exp: this.provider.address },
        plan,
        writePlan,
      });
      return {
        ok: result.ok,
        steps: stepsOf(events),
        changes: result.changes,
        errors: diagnosticsOf(events, "error"),
        warnings: diagnosticsOf(events, "warning"),
        codes: codesOf(events),
        state: result.snapshot.resources,
        events,
        plan: result.plan,
      };
    } finally {
      if (kind !== "preview") this.snapshot = { resources: written.resources(), pendingOperations: written.pending() };
    }
  }
}
