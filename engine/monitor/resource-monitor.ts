/** The ResourceMonitor service: what the running program talks to (engine-contract C). */
import { randomUUID } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb.js";
import * as provider from "@pulumi/pulumi/proto/provider_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import type { DeploymentRequest } from "../contracts";
import { CheckFailed, DeploymentError, expectedMessage, Halted, StepFailed, StepSkipped } from "../errors";
import { invokeBuiltin } from "../providers/builtin";
import { ProviderError } from "../providers/provider-error";
import type { ProviderRegistry } from "../providers/registry";
import type { ResourceState } from "../snapshot/types";
import { withAssetHashes } from "../wire/assets";
import { fromStruct, toStruct } from "../wire/struct";
import { isProviderType, makeUrn, PROVIDER_PREFIX, packageOf, STACK_TYPE } from "../wire/urn";
import { isObject, isUnknown, makeSecret, mapProperties, type PropertyMap, withoutSecrets, withoutUnknowns } from "../wire/values";
import { aliasUrns } from "./aliases";
import type { Callbacks } from "./callbacks";
import type { Goal, ReadGoal } from "./goal";
import type { Hooks } from "./hooks";
import { DefaultProviders, isBuiltin, namedProvider, type PackageWish } from "./providers";
import { goalOf, inherit, type Registered, type RegistrationFacts } from "./registration";
import { call, construct } from "./remote";
import { BadRequest, needOutputsUrn, needReadUrns, needReference, needRegistrationUrns } from "./requested-urns";
import { Transforms } from "./transforms";

/** What the monitor uses of the deployment. */
interface MonitorContext {
  readonly request: DeploymentRequest;
  readonly preview: boolean;
  readonly registry: ProviderRegistry;
  readonly hooks: Hooks;
}

/** What the monitor asks of the deployment. */
export interface MonitorBackend {
  readonly ctx: MonitorContext;
  /** Plans and carries out one registration; resolves with the state that it became. */
  register(goal: Goal): Promise<ResourceState>;
  read(goal: ReadGoal): Promise<ResourceState>;
  registerOutputs(urn: string, outputs: PropertyMap): Promise<void>;
  formerUrn(urn: string): string | undefined;
  state(urn: string): ResourceState | undefined;
  /** The program has registered all that it will; resolves when the deployment has ended. */
  programDone(): Promise<void>;
  callbacks: Callbacks;
  /** Something that ends the deployment. */
  fail(error: DeploymentError): void;
}

const FEATURES = new Set([
  "secrets",
  "resourceReferences",
  "outputValues",
  "deletedWith",
  "replaceWith",
  "replacementTrigger",
  "aliasSpecs",
  "parameterization",
  "transforms",
  "invokeTransforms",
  "resourceHooks",
  "errorHooks",
  "sendsOptionsToHooks",
]);

type Handler<Req, Res> = (request: Req) => Promise<Res>;

function providersOf(request: pb.RegisterResourceRequest): Map<string, string> {
  const own = new Map<string, string>();
  request.getProvidersMap().forEach((reference: string, name: string) => {
    own.set(name, reference);
  });
  return own;
}

/** Says of a provider's error which invoke it answers. */
function invokeFailed(token: string): (thrown: unknown) => never {
  return (thrown) => {
    if (!(thrown instanceof ProviderError)) throw thrown;
    throw new ProviderError(`invocation of ${token} returned an error: ${thrown.message}`, grpc.status.UNKNOWN, undefined);
  };
}

export class ResourceMonitor {
  readonly #registered = new Map<string, Registered>();
  readonly #packages = new Map<string, PackageWish>();
  readonly #defaults: DefaultProviders;
  readonly #transforms: Transforms;
  #rootUrn: string | undefined;
  #programSignalled = false;

  /** @param endpoint where engine and monitor listen; filled in before the first call */
  constructor(
    private readonly backend: MonitorBackend,
    private readonly endpoint: { readonly address: string },
  ) {
    this.#transforms = new Transforms(backend.callbacks);
    this.#defaults = new DefaultProviders(backend.ctx.request, async (goal) => {
      const state = await backend.register(goal);
      return `${state.urn}::${state.id ?? ""}`;
    });
  }

  /** The service for a gRPC server. */
  implementation(): Record<string, grpc.UntypedHandleCall> {
    const { hooks } = this.backend.ctx;
    const noted = <Request>(note: (request: Request) => void) =>
      this.#unary(async (request: Request) => {
        note(request);
        return new Empty();
      });
    return {
      supportsFeature: this.#unary<pb.SupportsFeatureRequest, pb.SupportsFeatureResponse>(async (request) => {
        const reply = new pb.SupportsFeatureResponse();
        reply.setHassupport(FEATURES.has(request.getId()));
        return reply;
      }),
      registerResource: this.#unary((request: pb.RegisterResourceRequest) => this.#register(request)),
      readResource: this.#unary((request: pb.ReadResourceRequest) => this.#read(request)),
      registerResourceOutputs: this.#unary(async (request: pb.RegisterResourceOutputsRequest) => {
        needOutputsUrn(request);
        await this.backend.registerOutputs(request.getUrn(), withAssetHashes(fromStruct(request.getOutputs()), this.#facts().programDir));
        return new Empty();
      }),
      invoke: this.#unary((request: pb.ResourceInvokeRequest) => this.#invoke(request)),
      registerPackage: this.#unary(async (request: pb.RegisterPackageRequest) => this.#registerPackage(request)),
      signalAndWaitForShutdown: this.#unary(async () => {
        if (this.#programSignalled) throw new DeploymentError("the program has said already that it is done");
        this.#programSignalled = true;
        await this.backend.programDone();
        return new Empty();
      }),
      call: this.#unary((request: pb.ResourceCallRequest) => this.#call(request)),
      registerStackTransform: noted((callback: Callback) => this.#transforms.addStack(callback)),
      registerStackInvokeTransform: noted((callback: Callback) => this.#transforms.addInvoke(callback)),
      registerResourceHook: noted((request: pb.RegisterResourceHookRequest) => hooks.register(request)),
      registerErrorHook: noted((request: pb.RegisterErrorHookRequest) => hooks.registerError(request)),
      getDeploymentInfo: (_call: unknown, callback: grpc.sendUnaryData<unknown>) => callback({ code: grpc.status.UNIMPLEMENTED, details: "GetDeploymentInfo" }),
    };
  }

  #unary<Req, Res>(handler: Handler<Req, Res>): grpc.UntypedHandleCall {
    return (call: { request: Req }, callback: grpc.sendUnaryData<Res>) => {
      handler(call.request).then(
        (reply) => callback(null, reply),
        (thrown: unknown) => callback(this.#answer(thrown)),
      );
    };
  }

  /** The error that the SDK gets. UNAVAILABLE makes it end quietly: what happened was shown already, or is shown at the end. */
  #answer(thrown: unknown): grpc.ServiceError | { code: grpc.status; details: string } {
    if (thrown instanceof Halted || thrown instanceof StepFailed || thrown instanceof StepSkipped || thrown instanceof CheckFailed)
      return { code: grpc.status.UNAVAILABLE, details: "resource monitor shut down while waiting on step's done channel" };
    if (thrown instanceof BadRequest || thrown instanceof ProviderError) return { code: thrown.code, details: thrown.message };
    const expected = expectedMessage(thrown);
    const error =
      thrown instanceof DeploymentError
        ? thrown
        : new DeploymentError(expected ?? `bug in the embedded engine: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
    this.backend.fail(error);
    return { code: grpc.status.UNAVAILABLE, details: error.message };
  }

  #facts(): RegistrationFacts {
    const { request } = this.backend.ctx;
    return {
      stack: request.stack,
      project: request.project.name,
      rootDir: request.project.root,
      programDir: request.project.programDir,
      rootUrn: this.#rootUrn,
      registered: (urn) => this.#registered.get(urn),
      formerUrn: (urn) => this.backend.formerUrn(urn),
    };
  }

  #wish(token: string, request: { getVersion(): string; getPlugindownloadurl(): string; getPackageref(): string }): PackageWish {
    const known = this.#packages.get(request.getPackageref());
    return known ?? { name: packageOf(token), version: request.getVersion(), url: request.getPlugindownloadurl() };
  }

  async #register(request: pb.RegisterResourceRequest): Promise<pb.RegisterResourceResponse> {
    needRegistrationUrns(request);
    const type = request.getType();
    const facts = this.#facts();
    const parentUrn = request.getParent() || (type === STACK_TYPE ? undefined : this.#rootUrn);
    const urn = makeUrn(facts.stack, facts.project, parentUrn, type, request.getName());
    const parent = parentUrn === undefined ? undefined : this.#registered.get(parentUrn);
    const managed = request.getRemote() || (request.getCustom() && !isProviderType(type));
    inherit(request, parent?.goal);
    const named = managed ? namedProvider(type, request.getProvider(), providersOf(request), parent) : request.getProvider() || undefined;
    const transforms = await this.#transform(request, urn, parentUrn, named);
    needRegistrationUrns(request);
    // Children of a component use its providers; those of a custom resource only its own, which they inherit by themselves.
    const providers = request.getCustom() ? new Map<string, string>() : new Map([...(parent?.providers ?? []), ...providersOf(request)]);
    const reference = managed ? request.getProvider() || named || (await this.#defaults.get(this.#wish(type, request), urn)) : undefined;
    if (request.getRemote() && reference !== undefined) {
      for (const [name, used] of providers) request.getProvidersMap().set(name, used);
      const reply = await this.#construct(request, parentUrn, reference);
      const made = this.#registered.get(reply.getUrn());
      if (made !== undefined) this.#registered.set(reply.getUrn(), { ...made, providers });
      this.#transforms.keep(reply.getUrn(), parentUrn, transforms);
      return reply;
    }
    const goal = goalOf(request, facts, reference);
    if (type === STACK_TYPE) this.#rootUrn = goal.urn;
    this.#registered.set(goal.urn, { goal, providers });
    this.#transforms.keep(goal.urn, parentUrn, transforms);
    const reply = new pb.RegisterResourceResponse();
    reply.setUrn(goal.urn);
    const answer = (state: ResourceState): void => {
      reply.setId(isUnknown(state.id) ? "" : (state.id ?? ""));
      const outputs = request.getAcceptsecrets() ? state.outputs : withoutSecrets(state.outputs);
      reply.setObject(toStruct(request.getSupportspartialvalues() ? outputs : withoutUnknowns(outputs)));
    };
    try {
      const state = await this.backend.register(goal);
      // One that a limited operation leaves under its old name.
      if (state.urn !== goal.urn) this.#registered.set(state.urn, { goal, providers });
      reply.setUrn(state.urn);
      if (state.custom) answer(state);
      return reply;
    } catch (thrown) {
      const goesOn =
        this.backend.ctx.request.options.continueOnError &&
        (thrown instanceof StepFailed || thrown instanceof StepSkipped) &&
        request.getSupportsresultreporting();
      if (!goesOn) throw thrown;
      // Of a partly made resource, what is known is reported.
      const half = this.backend.state(goal.urn);
      if (thrown instanceof StepFailed && half?.custom && half.initErrors.length > 0) answer(half);
      reply.setResult(thrown instanceof StepSkipped ? pb.Result.SKIP : pb.Result.FAIL);
      return reply;
    }
  }

  async #read(request: pb.ReadResourceRequest): Promise<pb.ReadResourceResponse> {
    needReadUrns(request);
    const { request: deployment } = this.backend.ctx;
    const [type, name] = [request.getType(), request.getName()];
    const parent = request.getParent() || this.#rootUrn;
    const urn = makeUrn(deployment.stack, deployment.project.name, parent, type, name);
    if (request.getId() === "") throw new DeploymentError(`the read of ${urn} needs an id`, urn);
    const builtin = isBuiltin(type);
    const reference = builtin ? await this.#builtinProvider() : request.getProvider() || (await this.#defaults.get(this.#wish(type, request), urn));
    const state = await this.#readOrEmpty({
      urn,
      type,
      name,
      id: request.getId(),
      parent,
      inputs: fromStruct(request.getProperties()),
      dependencies: request.getDependenciesList(),
      provider: reference,
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      aliases: aliasUrns({ stack: deployment.stack, project: deployment.project.name, type, name, parent }, [], [], (other) => this.backend.formerUrn(other)),
      sourcePosition: undefined,
    });
    const reply = new pb.ReadResourceResponse();
    reply.setUrn(urn);
    reply.setProperties(toStruct(request.getAcceptsecrets() ? state.outputs : withoutSecrets(state.outputs)));
    return reply;
  }

  /** With `--continue-on-error`, what cannot be read has no properties, and the program goes on. */
  async #readOrEmpty(goal: ReadGoal): Promise<{ outputs: PropertyMap }> {
    try {
      return await this.backend.read(goal);
    } catch (thrown) {
      if (thrown instanceof StepFailed && this.backend.ctx.request.options.continueOnError) return { outputs: {} };
      throw thrown;
    }
  }

  #builtinProvider(): Promise<string> {
    return this.#defaults.get({ name: "pulumi", version: "", url: "" }, "");
  }

  async #invoke(request: pb.ResourceInvokeRequest): Promise<provider.InvokeResponse> {
    const token = request.getTok();
    const args = fromStruct(request.getArgs());
    const reply = new provider.InvokeResponse();
    if (isBuiltin(token)) {
      // Answered without it; it stands in the CLI's states, and would come and go with each change of engine.
      await this.#builtinProvider();
      const result = await invokeBuiltin(this.backend.ctx.request, token, withoutSecrets(args), (urn) => this.backend.state(urn)).catch(invokeFailed(token));
      reply.setReturn(toStruct(result));
      return reply;
    }
    const options = new pb.TransformInvokeOptions();
    options.setProvider(request.getProvider());
    options.setVersion(request.getVersion());
    options.setPluginDownloadUrl(request.getPlugindownloadurl());
    const wanted = await this.#transforms.applyInvoke(token, { args, options });
    needReference(wanted.options.getProvider());
    const wish = {
      getVersion: () => wanted.options.getVersion(),
      getPlugindownloadurl: () => wanted.options.getPluginDownloadUrl(),
      getPackageref: () => request.getPackageref(),
    };
    const reference = wanted.options.getProvider() || (await this.#defaults.get(this.#wish(token, wish), token));
    const client = await this.backend.ctx.registry.get(reference);
    if (!client.configured) return reply;
    const { result, failures, strippedSecrets } = await client.invoke(token, wanted.args, this.backend.ctx.preview).catch(invokeFailed(token));
    reply.setReturn(toStruct(strippedSecrets ? mapProperties(result, makeSecret) : result));
    for (const { property, reason } of failures) {
      const failure = new provider.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      reply.addFailures(failure);
    }
    return reply;
  }

  /** @throws DeploymentError where a transform fails */
  async #transform(request: pb.RegisterResourceRequest, urn: string, parent: string | undefined, provider: string | undefined): Promise<Callback[]> {
    try {
      return await this.#transforms.apply(request, parent, provider);
    } catch (thrown) {
      throw new DeploymentError(`a transform of ${urn} failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`, urn);
    }
  }

  #plugin() {
    const { request, preview } = this.backend.ctx;
    return { request, preview, address: this.endpoint.address };
  }

  async #construct(request: pb.RegisterResourceRequest, parent: string | undefined, reference: string): Promise<pb.RegisterResourceResponse> {
    const client = await this.backend.ctx.registry.get(reference);
    try {
      return await construct(client, request, parent, this.#plugin());
    } catch (thrown) {
      if (!(thrown instanceof ProviderError)) throw thrown;
      throw new DeploymentError(`${request.getType()} resource '${request.getName()}' has a problem: ${thrown.message}`);
    }
  }

  /** Whose method it is: the provider's own, that of a provider that is named, of the resource's, or of the package's default one. */
  async #callee(request: pb.ResourceCallRequest): Promise<string> {
    const token = request.getTok();
    const self = fromStruct(request.getArgs())["__self__"];
    const urn = isObject(self) && typeof self["urn"] === "string" ? self["urn"] : undefined;
    if (token.startsWith(PROVIDER_PREFIX)) {
      if (!isObject(self) || urn === undefined || typeof self["id"] !== "string")
        throw new DeploymentError(`the call of ${token} lacks the provider whose method it is`);
      return `${urn}::${self["id"]}`;
    }
    needReference(request.getProvider());
    if (request.getProvider() !== "") return request.getProvider();
    const goal = urn === undefined ? undefined : this.#registered.get(urn)?.goal;
    if (urn !== undefined && goal === undefined) throw new DeploymentError(`unknown resource ${urn}`);
    return goal?.provider ?? this.#defaults.get(this.#wish(token, request), token);
  }

  async #call(request: pb.ResourceCallRequest): Promise<provider.CallResponse> {
    const client = await this.backend.ctx.registry.get(await this.#callee(request));
    if (!client.configured) return new provider.CallResponse();
    try {
      return await call(client, request, this.#plugin());
    } catch (thrown) {
      if (!(thrown instanceof ProviderError)) throw thrown;
      throw new DeploymentError(`call to function '${request.getTok()}' failed: ${thrown.message}`);
    }
  }

  #registerPackage(request: pb.RegisterPackageRequest): pb.RegisterPackageResponse {
    if (request.hasParameterization())
      throw new DeploymentError(`package ${request.getName()} is parameterized, which the embedded engine does not support; the Pulumi CLI has it`);
    const wish = { name: request.getName(), version: request.getVersion(), url: request.getDownloadUrl() };
    const known = [...this.#packages].find(([, other]) => other.name === wish.name && other.version === wish.version && other.url === wish.url);
    const ref = known?.[0] ?? randomUUID();
    this.#packages.set(ref, wish);
    const reply = new pb.RegisterPackageResponse();
    reply.setRef(ref);
    return reply;
  }
}
