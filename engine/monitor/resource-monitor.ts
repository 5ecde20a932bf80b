/** The ResourceMonitor service: what the running program talks to (engine-contract C). */
import type { Callback } from "@pulumi/pulumi/proto/callback_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { STATUS } from "../../common/grpc/messages";
import type { Callback as Answer, Handlers } from "../../common/grpc/unary-server";
import { DeploymentError, StepFailed, StepSkipped } from "../errors";
import { ProviderError } from "../providers/provider-error";
import type { ResourceState } from "../snapshot/types";
import { withAssetHashes } from "../wire/assets";
import { fromStruct, toStruct } from "../wire/struct";
import { isProviderType, makeUrn, STACK_TYPE } from "../wire/urn";
import { isUnknown, type PropertyMap, withoutSecrets, withoutUnknowns } from "../wire/values";
import { aliasUrns } from "./aliases";
import { Functions } from "./functions";
import type { ReadGoal } from "./goal";
import type { MonitorBackend } from "./monitor-backend";
import { Packages } from "./packages";
import { DefaultProviders, isBuiltin, namedProvider } from "./providers";
import { goalOf, inherit, type Registered, type RegistrationFacts } from "./registration";
import { construct, type PluginCaller } from "./remote";
import { needOutputsUrn, needReadUrns, needRegistrationUrns } from "./requested-urns";
import { Transforms } from "./transforms";
import { unary } from "./unary";

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

function providersOf(request: pb.RegisterResourceRequest): Map<string, string> {
  const own = new Map<string, string>();
  request.getProvidersMap().forEach((reference: string, name: string) => {
    own.set(name, reference);
  });
  return own;
}

export class ResourceMonitor {
  readonly #registered = new Map<string, Registered>();
  readonly #packages = new Packages();
  readonly #defaults: DefaultProviders;
  readonly #transforms: Transforms;
  readonly #functions: Functions;
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
    this.#functions = new Functions({
      ...{ backend, packages: this.#packages, defaults: this.#defaults, transforms: this.#transforms },
      plugin: () => this.#plugin(),
      registered: (urn) => this.#registered.get(urn)?.goal,
    });
  }

  /** The handlers of the service. */
  implementation(): Handlers {
    const { hooks } = this.backend.ctx;
    const answered = <Request, Reply>(handler: (request: Request) => Promise<Reply>) => unary(handler, (error) => this.backend.fail(error));
    const noted = <Request>(note: (request: Request) => void) =>
      answered(async (request: Request) => {
        note(request);
        return new Empty();
      });
    return {
      supportsFeature: answered<pb.SupportsFeatureRequest, pb.SupportsFeatureResponse>(async (request) => {
        const reply = new pb.SupportsFeatureResponse();
        reply.setHassupport(FEATURES.has(request.getId()));
        return reply;
      }),
      registerResource: answered((request: pb.RegisterResourceRequest) => this.#register(request)),
      readResource: answered((request: pb.ReadResourceRequest) => this.#read(request)),
      registerResourceOutputs: answered(async (request: pb.RegisterResourceOutputsRequest) => {
        needOutputsUrn(request);
        await this.backend.registerOutputs(request.getUrn(), withAssetHashes(fromStruct(request.getOutputs()), this.#facts().programDir));
        return new Empty();
      }),
      invoke: answered((request: pb.ResourceInvokeRequest) => this.#functions.invoke(request)),
      registerPackage: answered(async (request: pb.RegisterPackageRequest) => this.#packages.register(request)),
      signalAndWaitForShutdown: answered(async () => {
        if (this.#programSignalled) throw new DeploymentError("the program has said already that it is done");
        this.#programSignalled = true;
        await this.backend.programDone();
        return new Empty();
      }),
      call: answered((request: pb.ResourceCallRequest) => this.#functions.call(request)),
      registerStackTransform: noted((callback: Callback) => this.#transforms.addStack(callback)),
      registerStackInvokeTransform: noted((callback: Callback) => this.#transforms.addInvoke(callback)),
      registerResourceHook: noted((request: pb.RegisterResourceHookRequest) => hooks.register(request)),
      registerErrorHook: noted((request: pb.RegisterErrorHookRequest) => hooks.registerError(request)),
      getDeploymentInfo: (_call: unknown, callback: Answer<never>) => callback({ code: STATUS.UNIMPLEMENTED, details: "GetDeploymentInfo" }),
    };
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
    const reference = managed ? request.getProvider() || named || (await this.#defaults.get(this.#packages.wish(type, request), urn)) : undefined;
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
      // A limited operation may leave a resource under its former URN.
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
      // A partly created resource is answered with the outputs that are known.
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
    const reference = builtin ? await this.#defaults.builtin() : request.getProvider() || (await this.#defaults.get(this.#packages.wish(type, request), urn));
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

  /** With `--continue-on-error`, a resource that cannot be read has no properties, and the program goes on. */
  async #readOrEmpty(goal: ReadGoal): Promise<{ outputs: PropertyMap }> {
    try {
      return await this.backend.read(goal);
    } catch (thrown) {
      if (thrown instanceof StepFailed && this.backend.ctx.request.options.continueOnError) return { outputs: {} };
      throw thrown;
    }
  }

  /** @throws DeploymentError where a transform fails */
  async #transform(request: pb.RegisterResourceRequest, urn: string, parent: string | undefined, provider: string | undefined): Promise<Callback[]> {
    try {
      return await this.#transforms.apply(request, parent, provider);
    } catch (thrown) {
      throw new DeploymentError(`a transform of ${urn} failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`, urn);
    }
  }

  #plugin(): PluginCaller {
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
}
