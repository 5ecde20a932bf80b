/** A client of a provider that makes the engine's calls, for tests of providers. */
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Status } from "@pulumi/pulumi/proto/status_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { GRPC_OPTIONS } from "../../common/grpc-options";
import type { ProviderDefinition } from "../../providers/sdk/resource";
import { serveProvider } from "../../providers/sdk/serve";
import type { Values } from "../../providers/sdk/values";
import { fromStruct, toStruct } from "../../providers/sdk/wire";

export interface TestDiff {
  changes: "none" | "some" | "unknown";
  replaces: string[];
  diffs: string[];
  deleteBeforeReplace: boolean;
  /** Path → kind number of the protocol (0 add, 1 add-replace, 2 delete, 3 delete-replace, 4 update, 5 update-replace). */
  detailed: Record<string, number>;
}

export interface State {
  id: string;
  inputs: Values;
  outputs: Values;
}

type Unary<Q, R> = (request: Q, callback: (error: grpc.ServiceError | null, response: R) => void) => unknown;

const PROVIDER_URN = "urn:pulumi:test::homelab::pulumi:providers:it::it";

/** The details of a partial failure, or undefined. */
export function partialFailure(thrown: unknown): { id: string; outputs: Values; inputs?: Values; reasons: string[] } | undefined {
  if (!(thrown instanceof Error && "metadata" in thrown && thrown.metadata instanceof grpc.Metadata)) return undefined;
  const [raw] = thrown.metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(raw)) return undefined;
  const detail = Status.deserializeBinary(raw).getDetailsList()[0];
  if (detail?.getTypeName() !== "pulumirpc.ErrorResourceInitFailed") return undefined;
  const failed = pb.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
  const inputs = failed.getInputs();
  const found = { id: failed.getId(), outputs: fromStruct(failed.getProperties()), reasons: failed.getReasonsList() };
  return inputs === undefined ? found : { ...found, inputs: fromStruct(inputs) };
}

/** A served provider and a client of it. Close it after the test. */
export class TestProvider {
  readonly client: ResourceProviderClient;

  private constructor(
    port: number,
    private readonly stop: () => Promise<void>,
  ) {
    this.client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  }

  static async start<P>(definition: ProviderDefinition<P>, config: Values | undefined = {}, engineAddress?: string): Promise<TestProvider> {
    const running = await serveProvider(definition, engineAddress);
    const provider = new TestProvider(running.port, () => running.close());
    if (config !== undefined) await provider.configure(config);
    return provider;
  }

  /** Connects to a provider that something else serves, for example a plugin process. */
  static connect(port: number, stop: () => Promise<void>): TestProvider {
    return new TestProvider(port, stop);
  }

  async close(): Promise<void> {
    this.client.close();
    await this.stop();
  }

  call<Q, R>(method: Unary<Q, R>, request: Q): Promise<R> {
    return new Promise((resolve, reject) => method.call(this.client, request, (error, response) => (error === null ? resolve(response) : reject(error))));
  }

  /** @param packageName if given, the settings are also sent as variables, which older providers read */
  async configure(config: Values, packageName?: string): Promise<void> {
    const request = new pb.ConfigureRequest();
    if (packageName !== undefined)
      for (const [key, value] of Object.entries(config)) request.getVariablesMap().set(`${packageName}:config:${key}`, String(value));
    request.setArgs(toStruct(config));
    request.setAcceptsecrets(true);
    request.setAcceptresources(true);
    await this.call<pb.ConfigureRequest, pb.ConfigureResponse>(this.client.configure, request);
  }

  async checkConfig(news: Values, urn = PROVIDER_URN): Promise<{ inputs: Values; failures: string[] }> {
    const request = new pb.CheckRequest();
    request.setUrn(urn);
    request.setNews(toStruct(news));
    const response = await this.call<pb.CheckRequest, pb.CheckResponse>(this.client.checkConfig, request);
    return { inputs: fromStruct(response.getInputs()), failures: response.getFailuresList().map((f) => `${f.getProperty()}: ${f.getReason()}`) };
  }

  async diffConfig(olds: Values, news: Values, urn = PROVIDER_URN): Promise<TestDiff> {
    const request = new pb.DiffRequest();
    request.setUrn(urn);
    request.setOlds(toStruct(olds));
    request.setOldInputs(toStruct(olds));
    request.setNews(toStruct(news));
    return diffOf(await this.call<pb.DiffRequest, pb.DiffResponse>(this.client.diffConfig, request));
  }

  async invoke(token: string, args: Values): Promise<{ result: Values; failures: string[] }> {
    const request = new pb.InvokeRequest();
    request.setTok(token);
    request.setArgs(toStruct(args));
    const response = await this.call<pb.InvokeRequest, pb.InvokeResponse>(this.client.invoke, request);
    return { result: fromStruct(response.getReturn()), failures: response.getFailuresList().map((f) => `${f.getProperty()}: ${f.getReason()}`) };
  }

  async cancel(): Promise<void> {
    await this.call<Empty, Empty>(this.client.cancel, new Empty());
  }

  async check(type: string, news: Values, olds: Values = {}, name = "it"): Promise<{ inputs: Values; failures: string[] }> {
    const request = about(new pb.CheckRequest(), type, name);
    request.setNews(toStruct(news));
    request.setOlds(toStruct(olds));
    const response = await this.call<pb.CheckRequest, pb.CheckResponse>(this.client.check, request);
    return { inputs: fromStruct(response.getInputs()), failures: response.getFailuresList().map((f) => `${f.getProperty()}: ${f.getReason()}`) };
  }

  async diff(type: string, state: State, news: Values, ignoreChanges: readonly string[] = []): Promise<TestDiff> {
    const request = about(new pb.DiffRequest(), type, "it");
    request.setIgnorechangesList([...ignoreChanges]);
    request.setId(state.id);
    request.setOldInputs(toStruct(state.inputs));
    request.setOlds(toStruct(state.outputs));
    request.setNews(toStruct(news));
    return diffOf(await this.call<pb.DiffRequest, pb.DiffResponse>(this.client.diff, request));
  }

  /** @param inputs as Check returned them */
  async create(type: string, inputs: Values, options: { preview?: boolean; timeout?: number; name?: string } = {}): Promise<State> {
    const request = about(new pb.CreateRequest(), type, options.name ?? "it");
    request.setProperties(toStruct(inputs));
    request.setPreview(options.preview === true);
    request.setTimeout(options.timeout ?? 0);
    const response = await this.call<pb.CreateRequest, pb.CreateResponse>(this.client.create, request);
    return { id: response.getId(), inputs, outputs: fromStruct(response.getProperties()) };
  }

  async update(
    type: string,
    state: State,
    inputs: Values,
    options: { preview?: boolean; ignoreChanges?: readonly string[]; timeout?: number } = {},
  ): Promise<State> {
    const request = about(new pb.UpdateRequest(), type, "it");
    request.setId(state.id);
    request.setOldInputs(toStruct(state.inputs));
    request.setOlds(toStruct(state.outputs));
    request.setNews(toStruct(inputs));
    request.setPreview(options.preview === true);
    request.setIgnorechangesList([...(options.ignoreChanges ?? [])]);
    request.setTimeout(options.timeout ?? 0);
    const response = await this.call<pb.UpdateRequest, pb.UpdateResponse>(this.client.update, request);
    return { id: state.id, inputs, outputs: fromStruct(response.getProperties()) };
  }

  /** @returns undefined if the resource does not exist */
  async read(type: string, state: State): Promise<State | undefined> {
    const request = about(new pb.ReadRequest(), type, "it");
    request.setId(state.id);
    request.setInputs(toStruct(state.inputs));
    request.setProperties(toStruct(state.outputs));
    const response = await this.call<pb.ReadRequest, pb.ReadResponse>(this.client.read, request);
    if (response.getId() === "") return undefined;
    return { id: response.getId(), inputs: fromStruct(response.getInputs()), outputs: fromStruct(response.getProperties()) };
  }

  async delete(type: string, state: State, options: { timeout?: number } = {}): Promise<void> {
    const request = about(new pb.DeleteRequest(), type, "it");
    request.setTimeout(options.timeout ?? 0);
    request.setId(state.id);
    request.setOldInputs(toStruct(state.inputs));
    request.setProperties(toStruct(state.outputs));
    await this.call<pb.DeleteRequest, Empty>(this.client.delete, request);
  }

  /** Check and create, as the engine does for a new resource. @throws Error on check failures */
  async make(type: string, news: Values): Promise<State> {
    const { inputs, failures } = await this.check(type, news);
    if (failures.length > 0) throw new Error(failures.join("\n"));
    return this.create(type, inputs);
  }
}

function diffOf(response: pb.DiffResponse): TestDiff {
  const detailed: Record<string, number> = {};
  response.getDetaileddiffMap().forEach((entry: pb.PropertyDiff, path: string) => {
    detailed[path] = entry.getKind();
  });
  return {
    changes: (["unknown", "none", "some"] as const)[response.getChanges()],
    replaces: response.getReplacesList(),
    diffs: response.getDiffsList(),
    deleteBeforeReplace: response.getDeletebeforereplace(),
    detailed,
  };
}

function about<R extends { setUrn(v: string): unknown; setType(v: string): unknown; setName(v: string): unknown }>(request: R, type: string, name: string): R {
  request.setUrn(`urn:pulumi:test::homelab::${type}::${name}`);
  request.setType(type);
  request.setName(name);
  return request;
}
