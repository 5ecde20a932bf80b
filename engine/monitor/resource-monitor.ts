/** The ResourceMonitor service: what the running program talks to (engine-contract C). */
import { randomUUID } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import * as provider from "@pulumi/pulumi/proto/provider_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import type { DeploymentContext } from "../deployment/context";
import { Halted } from "../deployment/executor";
import { DeploymentError, StepFailed, StepSkipped } from "../errors";
import { invokeBuiltin } from "../providers/builtin";
import { ProviderError } from "../providers/provider-client";
import type { ResourceState } from "../snapshot/types";
import { CheckFailed } from "../steps/checking";
import { fromStruct, toStruct } from "../wire/struct";
import { isProviderType, makeUrn, PROVIDER_PREFIX, packageOf, STACK_TYPE } from "../wire/urn";
import { isUnknown, makeSecret, mapProperties, type PropertyMap, withoutSecrets, withoutUnknowns } from "../wire/values";
import { aliasUrns } from "./aliases";
import type { Goal, ReadGoal } from "./goal";
import { DefaultProviders, inheritedProvider, isBuiltin, type PackageWish } from "./providers";
import { goalOf, type Registered, type RegistrationFacts, refuseUnsupported } from "./registration";

/** What the monitor asks of the deployment. */
export interface MonitorBackend {
  ctx: DeploymentContext;
  /** Plans and carries out one registration; resolves with the state that it became. */
  register(goal: Goal): Promise<ResourceState>;
  read(goal: ReadGoal): Promise<ResourceState>;
  registerOutputs(urn: string, outputs: PropertyMap): void;
  formerUrn(urn: string): string | undefined;
  state(urn: string): ResourceState | undefined;
  /** The program has registered all that it will. */
  programDone(): void;
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
]);

type Handler<Req, Res> = (request: Req) => Promise<Res>;

export class ResourceMonitor {
  readonly #registered = new Map<string, Registered>();
  readonly #packages = new Map<string, PackageWish>();
  readonly #defaults: DefaultProviders;
  #rootUrn: string | undefined;

  constructor(private readonly backend: MonitorBackend) {
    this.#defaults = new DefaultProviders(backend.ctx.request, async (goal) => {
      const state = await backend.register(goal);
      return `${state.urn}::${state.id ?? ""}`;
    });
  }

  /** The service for a gRPC server. */
  implementation(): Record<string, grpc.UntypedHandleCall> {
    const refuse = (feature: string) =>
      this.#unary<unknown, never>(async () => {
        throw new DeploymentError(`${feature} are not supported by the embedded engine; the Pulumi CLI has them`);
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
        this.backend.registerOutputs(request.getUrn(), fromStruct(request.getOutputs()));
        return new Empty();
      }),
      invoke: this.#unary((request: pb.ResourceInvokeRequest) => this.#invoke(request)),
      registerPackage: this.#unary(async (request: pb.RegisterPackageRequest) => this.#registerPackage(request)),
      signalAndWaitForShutdown: this.#unary(async () => {
        this.backend.programDone();
        return new Empty();
      }),
      call: refuse("calls of methods"),
      registerStackTransform: refuse("stack transforms"),
      registerStackInvokeTransform: refuse("invoke transforms"),
      registerResourceHook: refuse("resource hooks"),
      registerErrorHook: refuse("error hooks"),
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
    if (thrown instanceof ProviderError) return { code: thrown.code, details: thrown.message };
    const error =
      thrown instanceof DeploymentError
        ? thrown
        : new DeploymentError(`bug in the embedded engine: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
    this.backend.fail(error);
    return { code: grpc.status.UNAVAILABLE, details: error.message };
  }

  #facts(): RegistrationFacts {
    const { request } = this.backend.ctx;
    return {
      stack: request.stack,
      project: request.project.name,
      rootDir: request.project.root,
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
    const type = request.getType();
    const facts = this.#facts();
    const parentUrn = request.getParent() || (type === STACK_TYPE ? undefined : this.#rootUrn);
    const urn = makeUrn(facts.stack, facts.project, parentUrn, type, request.getName());
    refuseUnsupported(request, urn);
    const parent = parentUrn === undefined ? undefined : this.#registered.get(parentUrn);
    const own = new Map<string, string>();
    request.getProvidersMap().forEach((reference: string, name: string) => {
      own.set(name, reference);
    });
    let reference: string | undefined;
    if (request.getCustom() && !isProviderType(type)) {
      reference = inheritedProvider(type, request.getProvider(), own, parent) ?? (await this.#defaults.get(this.#wish(type, request), urn));
    }
    const goal = goalOf(request, facts, reference);
    if (type === STACK_TYPE) this.#rootUrn = goal.urn;
    const providers = new Map([...(parent?.providers ?? []), ...own]);
    if (request.getProvider() !== "")
      providers.set(packageOf(request.getProvider().split("::")[2]?.split("$").at(-1)?.slice(PROVIDER_PREFIX.length) ?? type), request.getProvider());
    this.#registered.set(goal.urn, { goal, providers });
    const reply = new pb.RegisterResourceResponse();
    reply.setUrn(goal.urn);
    try {
      const state = await this.backend.register(goal);
      // One that a limited operation leaves under its old name.
      if (state.urn !== goal.urn) this.#registered.set(state.urn, { goal, providers });
      reply.setUrn(state.urn);
      if (state.custom) {
        reply.setId(isUnknown(state.id) ? "" : (state.id ?? ""));
        const outputs = request.getAcceptsecrets() ? state.outputs : withoutSecrets(state.outputs);
        reply.setObject(toStruct(request.getSupportspartialvalues() ? outputs : withoutUnknowns(outputs)));
      }
      return reply;
    } catch (thrown) {
      const goesOn =
        this.backend.ctx.request.options.continueOnError &&
        (thrown instanceof StepFailed || thrown instanceof StepSkipped) &&
        request.getSupportsresultreporting();
      if (!goesOn) throw thrown;
      reply.setResult(thrown instanceof StepSkipped ? pb.Result.SKIP : pb.Result.FAIL);
      return reply;
    }
  }

  async #read(request: pb.ReadResourceRequest): Promise<pb.ReadResourceResponse> {
    const { request: deployment } = this.backend.ctx;
    const [type, name] = [request.getType(), request.getName()];
    const parent = request.getParent() || this.#rootUrn;
    const urn = makeUrn(deployment.stack, deployment.project.name, parent, type, name);
    if (request.getId() === "") throw new DeploymentError(`the read of ${urn} needs an id`, urn);
    const builtin = isBuiltin(type);
    const above = parent === undefined ? undefined : this.#registered.get(parent);
    const reference = builtin
      ? await this.#builtinProvider()
      : (inheritedProvider(type, request.getProvider(), new Map(), above) ?? (await this.#defaults.get(this.#wish(type, request), urn)));
    const state = await this.backend.read({
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

  #builtinProvider(): Promise<string> {
    return this.#defaults.get({ name: "pulumi", version: "", url: "" }, "");
  }

  async #invoke(request: pb.ResourceInvokeRequest): Promise<provider.InvokeResponse> {
    const token = request.getTok();
    const args = fromStruct(request.getArgs());
    const reply = new provider.InvokeResponse();
    if (isBuiltin(token)) {
      const result = await invokeBuiltin(this.backend.ctx.request, token, withoutSecrets(args), (urn) => this.backend.state(urn));
      reply.setReturn(toStruct(result));
      return reply;
    }
    const reference = request.getProvider() || (await this.#defaults.get(this.#wish(token, request), token));
    const client = await this.backend.ctx.registry.get(reference);
    if (!client.configured) return reply;
    const { result, failures, strippedSecrets } = await client.invoke(token, args, this.backend.ctx.preview);
    reply.setReturn(toStruct(strippedSecrets ? mapProperties(result, makeSecret) : result));
    for (const { property, reason } of failures) {
      const failure = new provider.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      reply.addFailures(failure);
    }
    return reply;
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
