/** Runs a program that is data against a resource monitor, as the SDK does. */
import * as grpc from "@grpc/grpc-js";
import { Alias } from "@pulumi/pulumi/proto/alias_pb.js";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb.js";
import { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { Value as ProtoValue } from "google-protobuf/google/protobuf/struct_pb.js";
import { GRPC_OPTIONS } from "../../common/grpc-options";
import { UNKNOWN } from "../../common/signatures";
import { fromStruct, toStruct } from "../../engine/wire/struct";
import type { PropertyMap, Value } from "../../engine/wire/values";

export interface AliasOption {
  urn?: string;
  name?: string;
  type?: string;
  parent?: string;
  noParent?: boolean;
  stack?: string;
  project?: string;
}

/** One resource of a program. Resources refer to each other by their names. */
export interface ProgramResource {
  n: string;
  /** Inputs. */
  a?: PropertyMap;
  /** Inputs that are outputs of earlier resources: input → `name.output`. */
  refs?: Record<string, string>;
  kind?: "resource" | "component" | "provider" | "read";
  type?: string;
  /** The id to read, of a resource of kind `read`. */
  id?: string;
  /** The outputs that a component registers. */
  outputs?: PropertyMap;
  parent?: string;
  dependsOn?: string[];
  provider?: string;
  version?: string;
  pluginDownloadUrl?: string;
  protect?: boolean;
  retainOnDelete?: boolean;
  deletedWith?: string;
  replaceWith?: string[];
  replacementTrigger?: Value;
  deleteBeforeReplace?: boolean;
  ignoreChanges?: string[];
  replaceOnChanges?: string[];
  additionalSecretOutputs?: string[];
  hideDiffs?: string[];
  import?: string;
  customTimeouts?: { create?: string; update?: string; delete?: string };
  aliases?: AliasOption[];
  transforms?: Callback[];
  hooks?: Partial<pb.RegisterResourceRequest.ResourceHooksBinding.AsObject>;
}

export type Stop = "bail" | { throws: string };

interface Made {
  urn: string;
  id: string;
  outputs: PropertyMap;
}

/** The monitor has ended. Then the program ends without an error, as with the SDK. */
class MonitorGone extends Error {}

class Program {
  readonly made = new Map<string, Made>();

  constructor(
    private readonly client: ResourceMonitorClient,
    private readonly dryRun: boolean,
  ) {}

  call<Q, R>(method: (request: Q, callback: (error: grpc.ServiceError | null, reply: R) => void) => unknown, request: Q): Promise<R> {
    return new Promise((resolve, reject) => {
      method.call(this.client, request, (error, reply) => {
        if (error === null) resolve(reply);
        else if (error.code === grpc.status.UNAVAILABLE || error.code === grpc.status.CANCELLED) reject(new MonitorGone(error.details));
        else reject(error);
      });
    });
  }

  #get(name: string): Made {
    const made = this.made.get(name);
    if (made === undefined) throw new Error(`the program names ${name} before it makes it`);
    return made;
  }

  async register(r: ProgramResource, stack: string): Promise<void> {
    const kind = r.kind ?? "resource";
    const inputs = { ...r.a };
    const request = new pb.RegisterResourceRequest();
    const needs = new Set((r.dependsOn ?? []).map((name) => this.#get(name).urn));
    for (const key of Object.keys(inputs)) request.getPropertydependenciesMap().set(key, new pb.RegisterResourceRequest.PropertyDependencies());
    for (const [key, reference] of Object.entries(r.refs ?? {})) {
      const [name = "", output = ""] = reference.split(".");
      const from = this.#get(name);
      inputs[key] = from.outputs[output] ?? (this.dryRun ? UNKNOWN : null);
      needs.add(from.urn);
      const dependencies = new pb.RegisterResourceRequest.PropertyDependencies();
      dependencies.setUrnsList([from.urn]);
      request.getPropertydependenciesMap().set(key, dependencies);
    }
    if (kind === "read") return this.#read(r, inputs, stack, [...needs]);
    request.setType(r.type ?? { resource: "exp:index:Res", component: "my:index:Component", provider: "pulumi:providers:exp" }[kind]);
    request.setName(r.n);
    request.setCustom(kind !== "component");
    request.setParent(r.parent === undefined ? stack : this.#get(r.parent).urn);
    request.setObject(toStruct(inputs));
    request.setDependenciesList([...needs]);
    request.setAcceptsecrets(true);
    request.setAcceptresources(true);
    request.setSupportspartialvalues(true);
    request.setSupportsresultreporting(true);
    this.#options(request, r);
    const reply = await this.call<pb.RegisterResourceRequest, pb.RegisterResourceResponse>(this.client.registerResource, request);
    if (reply.getResult() !== pb.Result.SUCCESS) return;
    this.made.set(r.n, { urn: reply.getUrn(), id: reply.getId(), outputs: fromStruct(reply.getObject()) });
    if (r.outputs !== undefined) await this.outputs(reply.getUrn(), r.outputs);
  }

  #options(request: pb.RegisterResourceRequest, r: ProgramResource): void {
    if (r.provider !== undefined) request.setProvider(`${this.#get(r.provider).urn}::${this.#get(r.provider).id || UNKNOWN}`);
    if (r.version !== undefined) request.setVersion(r.version);
    if (r.pluginDownloadUrl !== undefined) request.setPlugindownloadurl(r.pluginDownloadUrl);
    if (r.protect !== undefined) request.setProtect(r.protect);
    if (r.retainOnDelete !== undefined) request.setRetainondelete(r.retainOnDelete);
    if (r.deletedWith !== undefined) request.setDeletedwith(this.#get(r.deletedWith).urn);
    if (r.replaceWith !== undefined) request.setReplaceWithList(r.replaceWith.map((name) => this.#get(name).urn));
    if (r.replacementTrigger !== undefined) request.setReplacementTrigger(ProtoValue.fromJavaScript(r.replacementTrigger));
    if (r.deleteBeforeReplace !== undefined) {
      request.setDeletebeforereplace(r.deleteBeforeReplace);
      request.setDeletebeforereplacedefined(true);
    }
    request.setIgnorechangesList(r.ignoreChanges ?? []);
    request.setReplaceonchangesList(r.replaceOnChanges ?? []);
    request.setAdditionalsecretoutputsList(r.additionalSecretOutputs ?? []);
    request.setHidediffsList(r.hideDiffs ?? []);
    if (r.import !== undefined) request.setImportid(r.import);
    if (r.customTimeouts !== undefined) {
      const timeouts = new pb.RegisterResourceRequest.CustomTimeouts();
      timeouts.setCreate(r.customTimeouts.create ?? "");
      timeouts.setUpdate(r.customTimeouts.update ?? "");
      timeouts.setDelete(r.customTimeouts.delete ?? "");
      request.setCustomtimeouts(timeouts);
    }
    request.setTransformsList(r.transforms ?? []);
    if (r.hooks !== undefined) {
      const { beforeCreateList = [], afterCreateList = [], beforeUpdateList = [], afterUpdateList = [] } = r.hooks;
      const { beforeDeleteList = [], afterDeleteList = [], onErrorList = [] } = r.hooks;
      const binding = new pb.RegisterResourceRequest.ResourceHooksBinding();
      binding.setBeforeCreateList(beforeCreateList).setAfterCreateList(afterCreateList);
      binding.setBeforeUpdateList(beforeUpdateList).setAfterUpdateList(afterUpdateList);
      binding.setBeforeDeleteList(beforeDeleteList).setAfterDeleteList(afterDeleteList).setOnErrorList(onErrorList);
      request.setHooks(binding);
    }
    request.setAliasspecs(true);
    request.setAliasesList((r.aliases ?? []).map((option) => aliasOf(option)));
  }

  async #read(r: ProgramResource, properties: PropertyMap, stack: string, needs: string[]): Promise<void> {
    const request = new pb.ReadResourceRequest();
    request.setType(r.type ?? "exp:index:Res");
    request.setName(r.n);
    request.setId(r.id ?? "");
    request.setParent(r.parent === undefined ? stack : this.#get(r.parent).urn);
    request.setProperties(toStruct(properties));
    request.setDependenciesList(needs);
    if (r.provider !== undefined) request.setProvider(`${this.#get(r.provider).urn}::${this.#get(r.provider).id || UNKNOWN}`);
    request.setAcceptsecrets(true);
    const reply = await this.call<pb.ReadResourceRequest, pb.ReadResourceResponse>(this.client.readResource, request);
    this.made.set(r.n, { urn: reply.getUrn(), id: r.id ?? "", outputs: fromStruct(reply.getProperties()) });
  }

  async outputs(urn: string, outputs: PropertyMap): Promise<void> {
    const request = new pb.RegisterResourceOutputsRequest();
    request.setUrn(urn);
    request.setOutputs(toStruct(outputs));
    await this.call(this.client.registerResourceOutputs, request);
  }
}

function aliasOf(option: AliasOption): Alias {
  const alias = new Alias();
  if (option.urn !== undefined) {
    alias.setUrn(option.urn);
    return alias;
  }
  const spec = new Alias.Spec();
  spec.setName(option.name ?? "");
  spec.setType(option.type ?? "");
  spec.setStack(option.stack ?? "");
  spec.setProject(option.project ?? "");
  if (option.noParent) spec.setNoparent(true);
  else if (option.parent !== undefined) spec.setParenturn(option.parent);
  alias.setSpec(spec);
  return alias;
}

/** Registers the stack, then each resource in order or all at once. @returns how the program ended */
export async function runResources(
  monitor: string,
  resources: readonly ProgramResource[],
  options: {
    dryRun: boolean;
    ends: Stop | undefined;
    outputs: PropertyMap | undefined;
    prepare: ((client: ResourceMonitorClient) => Promise<void>) | undefined;
    atOnce?: boolean | undefined;
  },
): Promise<Stop | undefined> {
  const client = new ResourceMonitorClient(monitor, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  const program = new Program(client, options.dryRun);
  try {
    await options.prepare?.(client);
    await program.register({ n: "test-dev", kind: "component", type: "pulumi:pulumi:Stack" }, "");
    const stack = program.made.get("test-dev")?.urn ?? "";
    if (options.atOnce === true) await Promise.all(resources.map((resource) => program.register(resource, stack)));
    for (const resource of options.atOnce === true ? [] : resources) {
      const named = [
        resource.parent,
        resource.provider,
        resource.deletedWith,
        ...(resource.replaceWith ?? []),
        ...(resource.dependsOn ?? []),
        ...Object.values(resource.refs ?? {}).map((r) => r.split(".")[0]),
      ];
      // A resource that depends on a failed one is not registered, since the SDK rejects the outputs of the failed one.
      if (named.some((name) => name !== undefined && !program.made.has(name))) continue;
      await program.register(resource, stack);
    }
    if (options.outputs !== undefined) await program.outputs(stack, options.outputs);
    // A program that ends without an error waits for the end of the deployment, which may still call its functions.
    if (options.ends === undefined) await program.call(client.signalAndWaitForShutdown, new Empty());
    return options.ends;
  } catch (thrown) {
    if (thrown instanceof MonitorGone) return "bail";
    return { throws: thrown instanceof Error ? thrown.message : String(thrown) };
  } finally {
    client.close();
  }
}
