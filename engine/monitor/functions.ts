/** Calls of a program that register nothing: functions of a package (Invoke) and methods of resources (Call). */
import * as provider from "@pulumi/pulumi/proto/provider_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { STATUS } from "../../common/grpc/messages";
import { DeploymentError } from "../errors";
import { invokeBuiltin } from "../providers/builtin";
import { ProviderError } from "../providers/provider-error";
import { fromStruct, toStruct } from "../wire/struct";
import { PROVIDER_PREFIX } from "../wire/urn";
import { isObject, makeSecret, mapProperties, withoutSecrets } from "../wire/values";
import type { MonitorBackend } from "./monitor-backend";
import type { Packages } from "./packages";
import { type DefaultProviders, isBuiltin } from "./providers";
import { call, type PluginCaller } from "./remote";
import { needReference } from "./requested-urns";
import type { Transforms } from "./transforms";

/** Adds the function's name to a provider's error. */
function invokeFailed(token: string): (thrown: unknown) => never {
  return (thrown) => {
    if (!(thrown instanceof ProviderError)) throw thrown;
    throw new ProviderError(`invocation of ${token} returned an error: ${thrown.message}`, STATUS.UNKNOWN, undefined);
  };
}

/** The parts of the monitor that functions need. */
interface FunctionsContext {
  readonly backend: MonitorBackend;
  readonly packages: Packages;
  readonly defaults: DefaultProviders;
  readonly transforms: Transforms;
  /** What a plugin is told about the deployment. */
  plugin(): PluginCaller;
  /** The provider of a registered resource; undefined within if it has none of its own. */
  registered(urn: string): { readonly provider: string | undefined } | undefined;
}

export class Functions {
  constructor(private readonly of: FunctionsContext) {}

  async invoke(request: pb.ResourceInvokeRequest): Promise<provider.InvokeResponse> {
    const token = request.getTok();
    const args = fromStruct(request.getArgs());
    const reply = new provider.InvokeResponse();
    if (isBuiltin(token)) {
      // The answer does not need this provider. It is registered because the CLI has it in its states: otherwise each change of engine
      // would add or delete it.
      await this.of.defaults.builtin();
      const result = await invokeBuiltin(this.of.backend.ctx.request, token, withoutSecrets(args), (urn) => this.of.backend.state(urn)).catch(
        invokeFailed(token),
      );
      reply.setReturn(toStruct(result));
      return reply;
    }
    const options = new pb.TransformInvokeOptions();
    options.setProvider(request.getProvider());
    options.setVersion(request.getVersion());
    options.setPluginDownloadUrl(request.getPlugindownloadurl());
    const wanted = await this.of.transforms.applyInvoke(token, { args, options });
    needReference(wanted.options.getProvider());
    const wish = {
      getVersion: () => wanted.options.getVersion(),
      getPlugindownloadurl: () => wanted.options.getPluginDownloadUrl(),
      getPackageref: () => request.getPackageref(),
    };
    const reference = wanted.options.getProvider() || (await this.of.defaults.get(this.of.packages.wish(token, wish), token));
    const client = await this.of.backend.ctx.registry.get(reference);
    if (!client.configured) return reply;
    const { result, failures, strippedSecrets } = await client.invoke(token, wanted.args, this.of.backend.ctx.preview).catch(invokeFailed(token));
    reply.setReturn(toStruct(strippedSecrets ? mapProperties(result, makeSecret) : result));
    for (const { property, reason } of failures) {
      const failure = new provider.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      reply.addFailures(failure);
    }
    return reply;
  }

  /**
   * The provider that has the method: `__self__` if it is a provider, else the one that the request names, that of `__self__`, or the
   * package's default one.
   */
  async #callee(request: pb.ResourceCallRequest): Promise<string> {
    const token = request.getTok();
    const self = fromStruct(request.getArgs())["__self__"];
    const urn = isObject(self) && typeof self["urn"] === "string" ? self["urn"] : undefined;
    if (token.startsWith(PROVIDER_PREFIX)) {
      if (!isObject(self) || urn === undefined || typeof self["id"] !== "string")
        throw new DeploymentError(`the call of ${token} does not say whose method it is (__self__ is no provider)`);
      return `${urn}::${self["id"]}`;
    }
    needReference(request.getProvider());
    if (request.getProvider() !== "") return request.getProvider();
    const goal = urn === undefined ? undefined : this.of.registered(urn);
    if (urn !== undefined && goal === undefined) throw new DeploymentError(`unknown resource ${urn}`);
    return goal?.provider ?? this.of.defaults.get(this.of.packages.wish(token, request), token);
  }

  async call(request: pb.ResourceCallRequest): Promise<provider.CallResponse> {
    const client = await this.of.backend.ctx.registry.get(await this.#callee(request));
    if (!client.configured) return new provider.CallResponse();
    try {
      return await call(client, request, this.of.plugin());
    } catch (thrown) {
      if (!(thrown instanceof ProviderError)) throw thrown;
      throw new DeploymentError(`call to function '${request.getTok()}' failed: ${thrown.message}`);
    }
  }
}
