/** One running provider: its protocol as typed calls on property maps, with the handling of secrets that the engine owes it. */
import { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { fromStruct, toStruct } from "../wire/struct";
import {
  annotateSecrets,
  containsSecrets,
  flattenOutputs,
  flattenResources,
  type PropertyMap,
  withContents,
  withNamedResources,
  withOutputValues,
  withoutContents,
  withoutSecrets,
} from "../wire/values";
import { ProviderCalls } from "./provider-calls";
import { ProviderError } from "./provider-error";
import { type CheckFailure, type DiffResult, diffResult, failuresOf, fillRef, type ResourceRef } from "./provider-messages";
import type { RunningPlugin } from "./running-plugin";

export class ProviderClient {
  readonly #calls: ProviderCalls;
  #accepts = { secrets: false, resources: false, outputs: false, previews: false };
  /** The provider said in its handshake what it accepts. Then the reply to Configure is ignored. */
  #shookHands = false;
  /** False where its configuration held unknowns: it must not be asked anything that needs a configured provider. */
  configured = false;

  constructor(
    readonly packageName: string,
    private readonly plugin: RunningPlugin,
    private readonly programDir: string,
    redact: (text: string, maps: readonly PropertyMap[]) => string,
  ) {
    this.#calls = new ProviderCalls(packageName, plugin, redact);
  }

  /** The property maps of calls under way. */
  mapsUnderWay(): PropertyMap[] {
    return this.#calls.mapsUnderWay();
  }

  /** A map in the form that the provider accepts. */
  #outgoing(map: PropertyMap) {
    let sent = this.#accepts.outputs ? map : flattenOutputs(map);
    sent = this.#accepts.resources ? withNamedResources(sent) : flattenResources(sent);
    return toStruct(this.#accepts.secrets ? sent : withoutSecrets(sent));
  }

  /** As {@link #outgoing}, for properties of the existing resource: assets and archives without their contents. */
  #known(map: PropertyMap) {
    return this.#outgoing(withoutContents(map));
  }

  /** An answer with the secrets of the request marked again, where the provider does not keep them itself. */
  #incoming(answer: PropertyMap, ...requests: PropertyMap[]): PropertyMap {
    const whole = requests.reduce((result, request) => withContents(result, request), answer);
    return this.#accepts.secrets ? whole : requests.reduce((result, request) => annotateSecrets(result, request), whole);
  }

  /** Tells a provider that was not started by the engine where the engine is. */
  async attach(engineAddress: string): Promise<void> {
    const request = new PluginAttach();
    request.setAddress(engineAddress);
    await this.#calls.call(ResourceProviderService.attach, request);
  }

  async handshake(engineAddress: string): Promise<void> {
    const request = new pb.ProviderHandshakeRequest();
    request.setEngineAddress(engineAddress);
    request.setRootDirectory(this.programDir);
    request.setProgramDirectory(this.programDir);
    request.setConfigureWithUrn(true);
    try {
      const reply = await this.#calls.call(ResourceProviderService.handshake, request);
      this.#accepts = { secrets: reply.getAcceptSecrets(), resources: reply.getAcceptResources(), outputs: reply.getAcceptOutputs(), previews: true };
      this.#shookHands = true;
    } catch (thrown) {
      if (!(thrown instanceof ProviderError && thrown.unimplemented)) throw thrown;
    }
  }

  /** Secrets are always taken off for CheckConfig and DiffConfig, and marked again by key. */
  async checkConfig(ref: ResourceRef, olds: PropertyMap, news: PropertyMap): Promise<{ inputs: PropertyMap; failures: CheckFailure[] }> {
    const request = new pb.CheckRequest();
    fillRef(request, ref);
    request.setOlds(toStruct(withoutSecrets(olds)));
    request.setNews(toStruct(withoutSecrets(news)));
    try {
      const reply = await this.#calls.call(ResourceProviderService.checkConfig, request, olds, news);
      return {
        inputs: annotateSecrets(fromStruct(reply.getInputs()), news),
        failures: failuresOf(reply),
      };
    } catch (thrown) {
      if (thrown instanceof ProviderError && thrown.unimplemented) return { inputs: news, failures: [] };
      throw thrown;
    }
  }

  /** undefined: the provider does not implement it. */
  async diffConfig(ref: ResourceRef, old: { inputs: PropertyMap; outputs: PropertyMap }, news: PropertyMap, ignore: string[]): Promise<DiffResult | undefined> {
    const request = new pb.DiffRequest();
    fillRef(request, ref);
    request.setOlds(toStruct(withoutSecrets(old.outputs)));
    request.setOldInputs(toStruct(withoutSecrets(old.inputs)));
    request.setNews(toStruct(withoutSecrets(news)));
    request.setIgnorechangesList(ignore);
    try {
      return diffResult(await this.#calls.call(ResourceProviderService.diffConfig, request));
    } catch (thrown) {
      if (thrown instanceof ProviderError && thrown.unimplemented) return undefined;
      throw thrown;
    }
  }

  async configure(ref: ResourceRef, id: string, inputs: PropertyMap): Promise<void> {
    const request = new pb.ConfigureRequest();
    fillRef(request, ref);
    request.setId(id);
    request.setArgs(toStruct(inputs));
    const variables = request.getVariablesMap();
    for (const [key, value] of Object.entries(withoutSecrets(inputs))) {
      if (key !== "version") variables.set(`${this.packageName}:config:${key}`, typeof value === "string" ? value : JSON.stringify(value));
    }
    request.setAcceptsecrets(true);
    request.setAcceptresources(true);
    request.setSendsOldInputs(true);
    request.setSendsOldInputsToDelete(true);
    const reply = await this.#calls.call(ResourceProviderService.configure, request, inputs);
    if (!this.#shookHands) {
      this.#accepts = {
        secrets: reply.getAcceptsecrets(),
        resources: reply.getAcceptresources(),
        outputs: reply.getAcceptoutputs(),
        previews: reply.getSupportspreview(),
      };
    }
    this.configured = true;
  }

  async check(ref: ResourceRef, olds: PropertyMap, news: PropertyMap, seed: Uint8Array): Promise<{ inputs: PropertyMap; failures: CheckFailure[] }> {
    const request = new pb.CheckRequest();
    fillRef(request, ref);
    request.setOlds(this.#outgoing(olds));
    request.setNews(this.#outgoing(news));
    request.setRandomseed(seed);
    try {
      const reply = await this.#calls.call(ResourceProviderService.check, request, olds, news);
      return {
        inputs: this.#incoming(fromStruct(reply.getInputs()), news),
        failures: failuresOf(reply),
      };
    } catch (thrown) {
      if (thrown instanceof ProviderError && thrown.unimplemented) return { inputs: news, failures: [] };
      throw thrown;
    }
  }

  async diff(ref: ResourceRef, id: string, old: { inputs: PropertyMap; outputs: PropertyMap }, news: PropertyMap, ignore: string[]): Promise<DiffResult> {
    const request = new pb.DiffRequest();
    fillRef(request, ref);
    request.setId(id);
    request.setOlds(this.#known(old.outputs));
    request.setOldInputs(this.#known(old.inputs));
    request.setNews(this.#known(news));
    request.setIgnorechangesList(ignore);
    try {
      return diffResult(await this.#calls.call(ResourceProviderService.diff, request, old.inputs, old.outputs, news));
    } catch (thrown) {
      if (thrown instanceof ProviderError && thrown.unimplemented)
        return { changes: "unknown", replaces: [], deleteBeforeReplace: false, diffs: [], detailedDiff: undefined };
      throw thrown;
    }
  }

  /** A provider that does not know previews is not called in one: it would make the resource. Its outputs are the inputs then. */
  async create(ref: ResourceRef, inputs: PropertyMap, timeout: number, preview: boolean): Promise<{ id: string; properties: PropertyMap }> {
    if (preview && !this.#accepts.previews) return { id: "", properties: inputs };
    const request = new pb.CreateRequest();
    fillRef(request, ref);
    request.setProperties(this.#outgoing(inputs));
    request.setTimeout(timeout);
    request.setPreview(preview);
    const reply = await this.#calls.call(ResourceProviderService.create, request, inputs);
    return { id: reply.getId(), properties: this.#incoming(fromStruct(reply.getProperties()), inputs) };
  }

  /** In previews as {@link create}. */
  async update(
    ref: ResourceRef,
    id: string,
    old: { inputs: PropertyMap; outputs: PropertyMap },
    news: PropertyMap,
    options: { timeout: number; ignore: string[]; preview: boolean },
  ): Promise<PropertyMap> {
    if (options.preview && !this.#accepts.previews) return news;
    const request = new pb.UpdateRequest();
    fillRef(request, ref);
    request.setId(id);
    request.setOlds(this.#known(old.outputs));
    request.setOldInputs(this.#known(old.inputs));
    request.setNews(this.#outgoing(news));
    request.setTimeout(options.timeout);
    request.setIgnorechangesList(options.ignore);
    request.setPreview(options.preview);
    const reply = await this.#calls.call(ResourceProviderService.update, request, old.inputs, old.outputs, news);
    return this.#incoming(fromStruct(reply.getProperties()), news);
  }

  /** undefined: the resource does not exist. An import knows neither inputs nor outputs. In the answer, `inputs` is undefined where the provider returned none. */
  async read(
    ref: ResourceRef,
    id: string,
    inputs: PropertyMap | undefined,
    outputs: PropertyMap | undefined,
  ): Promise<{ id: string; outputs: PropertyMap; inputs: PropertyMap | undefined } | undefined> {
    const request = new pb.ReadRequest();
    fillRef(request, ref);
    request.setId(id);
    if (inputs !== undefined) request.setInputs(this.#known(inputs));
    if (outputs !== undefined) request.setProperties(this.#known(outputs));
    const reply = await this.#calls.call(ResourceProviderService.read, request);
    if (reply.getId() === "") return undefined;
    const readInputs = reply.getInputs();
    return {
      id: reply.getId(),
      outputs: this.#incoming(fromStruct(reply.getProperties()), inputs ?? {}, outputs ?? {}),
      inputs: readInputs === undefined ? undefined : this.#incoming(fromStruct(readInputs), inputs ?? {}),
    };
  }

  async delete(ref: ResourceRef, id: string, old: { inputs: PropertyMap; outputs: PropertyMap }, timeout: number): Promise<void> {
    const request = new pb.DeleteRequest();
    fillRef(request, ref);
    request.setId(id);
    request.setProperties(this.#known(old.outputs));
    request.setOldInputs(this.#known(old.inputs));
    request.setTimeout(timeout);
    await this.#calls.call(ResourceProviderService.delete, request, old.inputs, old.outputs);
  }

  async invoke(token: string, args: PropertyMap, preview: boolean): Promise<{ result: PropertyMap; failures: CheckFailure[]; strippedSecrets: boolean }> {
    const request = new pb.InvokeRequest();
    request.setTok(token);
    request.setArgs(this.#outgoing(args));
    request.setPreview(preview);
    const reply = await this.#calls.call(ResourceProviderService.invoke, request, args);
    return {
      result: fromStruct(reply.getReturn()),
      failures: failuresOf(reply),
      strippedSecrets: !this.#accepts.secrets && containsSecrets(args),
    };
  }

  /** Ends its process now. */
  kill(): void {
    this.plugin.kill();
  }

  /** Arguments of components and methods: providers that take output values get secret and unknown ones in that form. */
  componentInputs(map: PropertyMap) {
    const sent = this.#accepts.outputs ? withOutputValues(map) : flattenOutputs(map);
    return toStruct(this.#accepts.resources ? sent : flattenResources(sent));
  }

  construct(request: pb.ConstructRequest): Promise<pb.ConstructResponse> {
    return this.#calls.call(ResourceProviderService.construct, request);
  }

  callMethod(request: pb.CallRequest): Promise<pb.CallResponse> {
    return this.#calls.call(ResourceProviderService.call, request);
  }

  async cancel(): Promise<void> {
    try {
      await this.#calls.call(ResourceProviderService.cancel, new Empty());
    } catch (thrown) {
      // The plugin is being stopped: it does not matter that it has exited already or does not implement Cancel.
      if (!(thrown instanceof ProviderError)) throw thrown;
    }
  }

  async stop(): Promise<void> {
    this.#calls.close();
    await this.plugin.stop();
  }
}
