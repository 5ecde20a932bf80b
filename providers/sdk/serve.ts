/** Serves a provider over pulumirpc.ResourceProvider: one gRPC server for one instance. */
import { type PluginAttach, PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Status } from "@pulumi/pulumi/proto/status_pb.js";
import { Any } from "google-protobuf/google/protobuf/any_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { describeError } from "../../common/errors";
import { FAILURE_CODES_KEY, failureCodesOf } from "../../common/failure-codes";
import { type Failure, STATUS } from "../../common/grpc/messages";
import { type Handler, type Handlers, UnaryServer } from "../../common/grpc/unary-server";
import { createEngineLog } from "./engine-log";
import { NotImplemented, ProviderInstance, ReportedFailure, type ResourceRef } from "./instance";
import { type CheckFailure, type DiffKind, type DiffResult, PartialFailure, type ProviderDefinition } from "./resource";
import { fromStruct, toStruct } from "./wire";

export interface RunningProvider {
  /** On 127.0.0.1. */
  port: number;
  close(): Promise<void>;
}

/** @param engineAddress where log lines go; undefined: nowhere */
export async function serveProvider<P>(definition: ProviderDefinition<P>, engineAddress: string | undefined): Promise<RunningProvider> {
  const instance = new ProviderInstance(definition, createEngineLog(engineAddress));
  const server = new UnaryServer();
  server.add(ResourceProviderService, handlers(instance));
  const port = await server.listen();
  return {
    port,
    async close() {
      server.close();
      await instance.close();
    },
  };
}

/** A known error as text, with its codes in the trailer; a partial failure with the state there, where the engine looks for it. */
function failureOf(thrown: unknown): Failure {
  const codes = failureCodesOf(thrown);
  const trailers = codes.length > 0 ? { [FAILURE_CODES_KEY]: codes.join(",") } : {};
  if (thrown instanceof NotImplemented) return { code: STATUS.UNIMPLEMENTED, details: thrown.message };
  if (thrown instanceof ReportedFailure) return { code: STATUS.UNKNOWN, details: thrown.message, trailers };
  if (!(thrown instanceof PartialFailure)) return { code: STATUS.UNKNOWN, details: describeError(thrown), trailers };
  const failed = new pb.ErrorResourceInitFailed();
  failed.setId(thrown.id);
  failed.setProperties(toStruct(thrown.outputs));
  if (thrown.inputs !== undefined) failed.setInputs(toStruct(thrown.inputs));
  failed.setReasonsList([...thrown.reasons]);
  const detail = new Any();
  detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status();
  status.setCode(STATUS.UNKNOWN);
  status.setMessage(thrown.message);
  status.addDetails(detail);
  return { code: STATUS.UNKNOWN, details: thrown.message, trailers: { ...trailers, "grpc-status-details-bin": status.serializeBinary() } };
}

const unary =
  <Request, Response>(work: (request: Request) => Promise<Response> | Response): Handler<Request, Response> =>
  (call, callback) => {
    Promise.resolve()
      .then(() => work(call.request))
      .then(
        (response) => callback(null, response),
        (thrown) => callback(failureOf(thrown)),
      );
  };

const refOf = (request: { getUrn(): string; getType(): string; getName(): string }): ResourceRef => {
  const [urn, type, name] = [request.getUrn(), request.getType(), request.getName()];
  // Engines before 3.140 send the URN alone.
  const parts = urn.split("::");
  return { urn, type: type || (parts[2]?.split("$").at(-1) ?? ""), name: name || parts.slice(3).join("::") };
};

function failureMessages(failures: readonly CheckFailure[]): pb.CheckFailure[] {
  return failures.map(({ property, reason }) => {
    const message = new pb.CheckFailure();
    message.setProperty(property);
    message.setReason(reason);
    return message;
  });
}

const KINDS: Record<DiffKind, 0 | 1 | 2 | 3 | 4 | 5> = { add: 0, "add-replace": 1, delete: 2, "delete-replace": 3, update: 4, "update-replace": 5 };

function diffMessage(diff: DiffResult): pb.DiffResponse {
  const message = new pb.DiffResponse();
  message.setChanges(diff.changed ? 2 : 1);
  message.setReplacesList(diff.replaces);
  message.setDeletebeforereplace(diff.deleteBeforeReplace === true);
  message.setDiffsList(diff.diffs);
  message.setHasdetaileddiff(true);
  for (const [path, { kind, inputDiff }] of Object.entries(diff.detailed)) {
    const entry = new pb.PropertyDiff();
    entry.setKind(KINDS[kind]);
    entry.setInputdiff(inputDiff !== false);
    message.getDetaileddiffMap().set(path, entry);
  }
  return message;
}

/** Methods that are not here are answered UNIMPLEMENTED by the server: mappings, lists. */
function handlers<P>(instance: ProviderInstance<P>): Handlers {
  return { ...configHandlers(instance), ...planHandlers(instance), ...changeHandlers(instance), ...componentHandlers(instance) };
}

function configHandlers<P>(instance: ProviderInstance<P>): Handlers {
  return {
    handshake: unary<pb.ProviderHandshakeRequest, pb.ProviderHandshakeResponse>(() => {
      const response = new pb.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),
    getPluginInfo: unary<Empty, PluginInfo>(() => {
      const info = new PluginInfo();
      info.setVersion(instance.version);
      return info;
    }),
    getSchema: unary<pb.GetSchemaRequest, pb.GetSchemaResponse>(() => {
      const schema = instance.schema();
      if (schema === undefined) throw new NotImplemented("the embedded provider tells no schema; the official plugin does");
      const response = new pb.GetSchemaResponse();
      response.setSchema(schema);
      return response;
    }),
    checkConfig: unary<pb.CheckRequest, pb.CheckResponse>((request) => {
      const response = new pb.CheckResponse();
      response.setInputs(request.getNews() ?? toStruct({}));
      response.setFailuresList(failureMessages(instance.checkConfig(fromStruct(request.getNews()))));
      return response;
    }),
    diffConfig: unary<pb.DiffRequest, pb.DiffResponse>((request) =>
      diffMessage(instance.diffConfig(fromStruct(request.getOldInputs()), fromStruct(request.getNews()))),
    ),
    configure: unary<pb.ConfigureRequest, pb.ConfigureResponse>(async (request) => {
      await instance.configure(request.getUrn() ?? "", fromStruct(request.getArgs()));
      const response = new pb.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),
    cancel: unary<Empty, Empty>(() => {
      instance.cancel();
      return new Empty();
    }),
    attach: unary<PluginAttach, Empty>(() => new Empty()),
  };
}

function planHandlers<P>(instance: ProviderInstance<P>): Handlers {
  return {
    check: unary<pb.CheckRequest, pb.CheckResponse>(async (request) => {
      const seed = request.getRandomseed_asU8();
      const { inputs, failures } = await instance.check(refOf(request), fromStruct(request.getOlds()), fromStruct(request.getNews()), seed);
      const response = new pb.CheckResponse();
      response.setInputs(toStruct(inputs));
      response.setFailuresList(failureMessages(failures));
      return response;
    }),
    diff: unary<pb.DiffRequest, pb.DiffResponse>(async (request) => {
      const old = { inputs: fromStruct(request.getOldInputs()), outputs: fromStruct(request.getOlds()) };
      return diffMessage(await instance.diff(refOf(request), request.getId(), old, fromStruct(request.getNews()), request.getIgnorechangesList()));
    }),
    read: unary<pb.ReadRequest, pb.ReadResponse>(async (request) => {
      const state = { inputs: fromStruct(request.getInputs()), outputs: fromStruct(request.getProperties()) };
      const found = await instance.read(refOf(request), request.getId(), state);
      const response = new pb.ReadResponse();
      if (found === undefined) return response;
      response.setId(found.id);
      response.setProperties(toStruct(found.outputs));
      response.setInputs(toStruct(found.inputs));
      return response;
    }),
    invoke: unary<pb.InvokeRequest, pb.InvokeResponse>(async (request) => {
      const response = new pb.InvokeResponse();
      response.setReturn(toStruct(await instance.invoke(request.getTok(), fromStruct(request.getArgs()))));
      return response;
    }),
  };
}

function changeHandlers<P>(instance: ProviderInstance<P>): Handlers {
  return {
    create: unary<pb.CreateRequest, pb.CreateResponse>(async (request) => {
      const options = { timeout: request.getTimeout(), preview: request.getPreview() };
      const { id, outputs } = await instance.create(refOf(request), fromStruct(request.getProperties()), options);
      const response = new pb.CreateResponse();
      response.setId(id);
      response.setProperties(toStruct(outputs));
      return response;
    }),
    update: unary<pb.UpdateRequest, pb.UpdateResponse>(async (request) => {
      const old = { inputs: fromStruct(request.getOldInputs()), outputs: fromStruct(request.getOlds()) };
      const options = { timeout: request.getTimeout(), preview: request.getPreview(), ignoreChanges: request.getIgnorechangesList() };
      const outputs = await instance.update(refOf(request), request.getId(), old, fromStruct(request.getNews()), options);
      const response = new pb.UpdateResponse();
      response.setProperties(toStruct(outputs));
      return response;
    }),
    delete: unary<pb.DeleteRequest, Empty>(async (request) => {
      const state = { inputs: fromStruct(request.getOldInputs()), outputs: fromStruct(request.getProperties()) };
      await instance.delete(refOf(request), request.getId(), state, request.getTimeout());
      return new Empty();
    }),
  };
}

/** Components and their methods: no embedded provider has any. */
function componentHandlers<P>(instance: ProviderInstance<P>): Handlers {
  return {
    construct: unary<pb.ConstructRequest, pb.ConstructResponse>((request) => {
      throw instance.unsupported(request.getType());
    }),
    call: unary<pb.CallRequest, pb.CallResponse>((request) => {
      throw instance.unsupported(request.getTok());
    }),
  };
}
