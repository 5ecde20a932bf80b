/** A provider in this process with the real protocol. Its methods are optional functions; a missing one behaves like a simple store. */
import * as grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Status } from "@pulumi/pulumi/proto/status_pb.js";
import { Any } from "google-protobuf/google/protobuf/any_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { FAILURE_CODES_KEY } from "../../common/failure-codes";
import { UNKNOWN } from "../../common/signatures";
import { fromStruct, toStruct } from "../../engine/wire/struct";
import { type PropertyMap, sameValue } from "../../engine/wire/values";

export interface Call {
  method: string;
  name: string;
  id?: string;
  olds?: PropertyMap;
  news?: PropertyMap;
  oldInputs?: PropertyMap;
  seed?: Uint8Array;
  timeout?: number;
  ignoreChanges?: string[];
  preview?: boolean;
}

/** A failure of a call. With `partial`, the resource exists but is not fully initialised, for these reasons. */
export class Failing extends Error {
  constructor(
    message: string,
    readonly partial?: string[],
    readonly code: grpc.status = grpc.status.UNKNOWN,
    /** Failure codes, in the form of this project's providers (common/failure-codes.ts). */
    readonly codes: readonly string[] = [],
  ) {
    super(message);
  }
}

export interface Difference {
  changes?: "none" | "some" | "unknown";
  replaces?: string[];
  diffs?: string[];
  detailed?: Record<string, pb.PropertyDiff.Kind>;
  deleteBeforeReplace?: boolean;
}

/** The methods. Each may throw {@link Failing}, or take any time. */
export interface Behaviour {
  check?(call: Call): Promise<{ inputs?: PropertyMap; failures?: [property: string, reason: string][] } | undefined> | undefined;
  diff?(call: Call): Difference | undefined;
  diffConfig?(call: Call): Difference | undefined;
  create?(call: Call): Promise<PropertyMap | undefined> | undefined;
  update?(call: Call): Promise<PropertyMap | undefined> | undefined;
  /** Returns null if the resource does not exist. */
  read?(call: Call): Promise<{ id?: string; inputs?: PropertyMap; outputs: PropertyMap } | null | undefined> | undefined;
  delete?(call: Call): Promise<void> | undefined;
  invoke?(call: Call): PropertyMap;
  acceptSecrets?: boolean;
  /** An old provider: it has no handshake, and its Create and Update do not support previews. */
  old?: true;
}

const CHANGES = { none: 1, some: 2, unknown: 0 } as const;

/** The default compares inputs key by key. Keys that begin with `r` need a replacement; `dbr` means delete before replace. */
function defaultDiff({ oldInputs = {}, news = {} }: Call): Difference {
  const diffs = [...new Set([...Object.keys(oldInputs), ...Object.keys(news)])].filter((key) => !sameValue(oldInputs[key], news[key]));
  return {
    changes: diffs.length > 0 ? "some" : "none",
    diffs,
    replaces: diffs.filter((key) => key.startsWith("r")),
    deleteBeforeReplace: news["dbr"] === true,
  };
}

function diffReply({ changes = "some", replaces = [], diffs = [], detailed, deleteBeforeReplace = false }: Difference): pb.DiffResponse {
  const reply = new pb.DiffResponse();
  reply.setChanges(CHANGES[changes]);
  reply.setReplacesList(replaces);
  reply.setDiffsList(diffs);
  reply.setDeletebeforereplace(deleteBeforeReplace);
  reply.setHasdetaileddiff(detailed !== undefined);
  for (const [path, kind] of Object.entries(detailed ?? {})) {
    const entry = new pb.PropertyDiff();
    entry.setKind(kind);
    reply.getDetaileddiffMap().set(path, entry);
  }
  return reply;
}

function errorOf(thrown: unknown, id: string, properties: PropertyMap): Partial<grpc.ServiceError> {
  if (!(thrown instanceof Failing)) return { code: grpc.status.INTERNAL, details: String(thrown) };
  const told = new grpc.Metadata();
  if (thrown.codes.length > 0) told.set(FAILURE_CODES_KEY, thrown.codes.join(","));
  if (thrown.partial === undefined) return { code: thrown.code, details: thrown.message, metadata: told };
  const detail = new pb.ErrorResourceInitFailed();
  detail.setId(id);
  detail.setProperties(toStruct(properties));
  detail.setReasonsList(thrown.partial);
  const any = new Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(thrown.message);
  status.addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details: thrown.message, metadata };
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";

/** A served provider and its world: the name and inputs of each existing resource, by id. */
export class FakeProvider {
  readonly world = new Map<string, { name: string; inputs: PropertyMap }>();
  readonly calls: Call[] = [];
  readonly #server = new grpc.Server();
  #port = 0;
  #made = 0;
  behaviour: Behaviour = {};

  static async start(behaviour: Behaviour = {}): Promise<FakeProvider> {
    const provider = new FakeProvider();
    provider.behaviour = behaviour;
    provider.#server.addService(ResourceProviderService as unknown as grpc.ServiceDefinition, provider.#implementation());
    provider.#port = await new Promise((resolve, reject) =>
      provider.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
    );
    return provider;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  close(): void {
    this.#server.forceShutdown();
  }

  /** The calls of these methods as `Method name`, in order. Empties the log of calls. */
  take(...methods: string[]): string[] {
    return this.calls
      .splice(0)
      .filter(({ method }) => methods.length === 0 || methods.includes(method))
      .map(({ method, name }) => `${method} ${name}`.trim());
  }

  #implementation(): Record<string, grpc.UntypedHandleCall> {
    const unary =
      <Q, R>(handler: (request: Q) => Promise<R>) =>
      ({ request }: { request: Q }, callback: grpc.sendUnaryData<R>): void => {
        handler(request).then(
          (reply) => callback(null, reply),
          (thrown: unknown) => callback(thrown as grpc.ServiceError),
        );
      };
    const note = (call: Call): Call => {
      this.calls.push(call);
      return call;
    };
    const refuse = (name: string) => (_call: unknown, callback: grpc.sendUnaryData<never>) => callback({ code: grpc.status.UNIMPLEMENTED, details: name });
    return {
      ...Object.fromEntries(["parameterize", "getSchema", "call", "construct", "getMapping", "getMappings", "list"].map((name) => [name, refuse(name)])),
      attach: unary(async () => new Empty()),
      getPluginInfo: unary(async () => new PluginInfo()),
      cancel: unary(async () => new Empty()),
      handshake: unary(async () => {
        if (this.behaviour.old) throw Object.assign(new Error("handshake"), { code: grpc.status.UNIMPLEMENTED, details: "handshake" });
        const reply = new pb.ProviderHandshakeResponse();
        const accepts = this.behaviour.acceptSecrets ?? true;
        reply.setAcceptSecrets(accepts);
        reply.setAcceptResources(accepts);
        reply.setAcceptOutputs(accepts);
        return reply;
      }),
      checkConfig: unary(async (q: pb.CheckRequest) => {
        note({ method: "CheckConfig", name: nameOf(q.getUrn()), news: fromStruct(q.getNews()) });
        const reply = new pb.CheckResponse();
        reply.setInputs(q.getNews());
        return reply;
      }),
      diffConfig: unary(async (q: pb.DiffRequest) => {
        const call = note({ method: "DiffConfig", name: nameOf(q.getUrn()), oldInputs: fromStruct(q.getOldInputs()), news: fromStruct(q.getNews()) });
        return diffReply(this.behaviour.diffConfig?.(call) ?? defaultDiff(call));
      }),
      configure: unary(async (q: pb.ConfigureRequest) => {
        note({ method: "Configure", name: nameOf(q.getUrn() ?? ""), news: fromStruct(q.getArgs()) });
        const reply = new pb.ConfigureResponse();
        reply.setAcceptsecrets(this.behaviour.acceptSecrets ?? true);
        reply.setSupportspreview(this.behaviour.old !== true);
        return reply;
      }),
      check: unary((q: pb.CheckRequest) =>
        this.#check(
          note({ method: "Check", name: nameOf(q.getUrn()), olds: fromStruct(q.getOlds()), news: fromStruct(q.getNews()), seed: q.getRandomseed_asU8() }),
        ),
      ),
      diff: unary(async (q: pb.DiffRequest) => {
        const [olds, oldInputs, news] = [fromStruct(q.getOlds()), fromStruct(q.getOldInputs()), fromStruct(q.getNews())];
        const call = note({ method: "Diff", name: nameOf(q.getUrn()), id: q.getId(), olds, oldInputs, news, ignoreChanges: q.getIgnorechangesList() });
        return diffReply(this.behaviour.diff?.(call) ?? defaultDiff(call));
      }),
      create: unary((q: pb.CreateRequest) => {
        const news = fromStruct(q.getProperties());
        return this.#create(note({ method: "Create", name: nameOf(q.getUrn()), news, preview: q.getPreview(), timeout: q.getTimeout() }));
      }),
      update: unary((q: pb.UpdateRequest) => {
        const [olds, oldInputs, news] = [fromStruct(q.getOlds()), fromStruct(q.getOldInputs()), fromStruct(q.getNews())];
        const more = { preview: q.getPreview(), timeout: q.getTimeout(), ignoreChanges: q.getIgnorechangesList() };
        return this.#update(note({ method: "Update", name: nameOf(q.getUrn()), id: q.getId(), olds, oldInputs, news, ...more }));
      }),
      read: unary((q: pb.ReadRequest) => {
        // An import has no previous outputs.
        const olds = q.getProperties() === undefined ? {} : { olds: fromStruct(q.getProperties()) };
        return this.#read(note({ method: "Read", name: nameOf(q.getUrn()), id: q.getId(), ...olds, oldInputs: fromStruct(q.getInputs()) }));
      }),
      delete: unary(async (q: pb.DeleteRequest) => {
        const [olds, oldInputs] = [fromStruct(q.getProperties()), fromStruct(q.getOldInputs())];
        const call = note({ method: "Delete", name: nameOf(q.getUrn()), id: q.getId(), olds, oldInputs, timeout: q.getTimeout() });
        try {
          await this.behaviour.delete?.(call);
        } catch (thrown) {
          throw errorOf(thrown, q.getId(), {});
        }
        this.world.delete(q.getId());
        return new Empty();
      }),
      invoke: unary(async (q: pb.InvokeRequest) => {
        const call = note({ method: "Invoke", name: q.getTok(), news: fromStruct(q.getArgs()) });
        const reply = new pb.InvokeResponse();
        reply.setReturn(toStruct(this.behaviour.invoke?.(call) ?? { echo: call.news ?? {} }));
        return reply;
      }),
    };
  }

  async #check(call: Call): Promise<pb.CheckResponse> {
    const found = await this.behaviour.check?.(call);
    const reply = new pb.CheckResponse();
    reply.setInputs(toStruct(found?.inputs ?? call.news ?? {}));
    for (const [property, reason] of found?.failures ?? []) {
      const failure = new pb.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      reply.addFailures(failure);
    }
    return reply;
  }

  async #create(call: Call): Promise<pb.CreateResponse> {
    const inputs = call.news ?? {};
    const id = `${call.name}-${call.preview ? "?" : ++this.#made}`;
    const outputs = (more: PropertyMap | undefined) => ({ ...inputs, out: call.preview ? UNKNOWN : `out-of-${id}`, ...more });
    let more: PropertyMap | undefined;
    try {
      if (!call.preview) more = await this.behaviour.create?.(call);
    } catch (thrown) {
      if (thrown instanceof Failing && thrown.partial !== undefined) this.world.set(id, { name: call.name, inputs });
      throw errorOf(thrown, id, outputs(undefined));
    }
    if (!call.preview) this.world.set(id, { name: call.name, inputs });
    const reply = new pb.CreateResponse();
    reply.setId(call.preview ? "" : id);
    reply.setProperties(toStruct(outputs(more)));
    return reply;
  }

  async #update(call: Call): Promise<pb.UpdateResponse> {
    const [id, inputs] = [call.id ?? "", call.news ?? {}];
    const outputs = { ...inputs, out: `out-of-${id}` };
    let more: PropertyMap | undefined;
    try {
      if (!call.preview) more = await this.behaviour.update?.(call);
    } catch (thrown) {
      throw errorOf(thrown, id, outputs);
    }
    if (!call.preview) this.world.set(id, { name: call.name, inputs });
    const reply = new pb.UpdateResponse();
    reply.setProperties(toStruct({ ...outputs, ...more }));
    return reply;
  }

  async #read(call: Call): Promise<pb.ReadResponse> {
    const id = call.id ?? "";
    const reply = new pb.ReadResponse();
    let found: Awaited<ReturnType<NonNullable<Behaviour["read"]>>>;
    try {
      found = await this.behaviour.read?.(call);
    } catch (thrown) {
      throw errorOf(thrown, id, call.olds ?? {});
    }
    const known = this.world.get(id);
    if (found === null || (found === undefined && known === undefined)) return reply;
    const inputs = found?.inputs ?? known?.inputs ?? {};
    reply.setId(found?.id ?? id);
    reply.setInputs(toStruct(inputs));
    reply.setProperties(toStruct(found?.outputs ?? { ...inputs, out: `out-of-${id}` }));
    return reply;
  }
}
