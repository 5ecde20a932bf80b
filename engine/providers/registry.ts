import { randomUUID } from "node:crypto";
import { createRedactor } from "../../common/redact";
import { UNKNOWN } from "../../common/signatures";
import type { DeploymentRequest } from "../contracts";
import { DeploymentError } from "../errors";
import type { ResourceState } from "../snapshot/types";
import { parseProviderReference, providerPackage, urnName, urnType } from "../wire/urn";
import { containsUnknowns, isObject, isSecret, mapValue, type PropertyMap, secretValue, type Value } from "../wire/values";
import { BUILTIN_PACKAGE, BuiltinProvider, type Provider } from "./builtin";
import { findPlugin } from "./lookup";
import { PluginLauncher } from "./plugin-process";
import { ProviderClient } from "./provider-client";
import type { ResourceRef } from "./provider-messages";

/** The key of a provider resource's inputs that only the engine uses. */
const INTERNAL = "__internal";

export function withoutInternal(inputs: PropertyMap): PropertyMap {
  const { [INTERNAL]: _internal, ...rest } = inputs;
  return rest;
}

/** The package that the engine itself provides has no plugin. */
const isBuiltin = (urn: string): boolean => providerPackage(urnType(urn)) === BUILTIN_PACKAGE;

const refOf = (urn: string): ResourceRef => ({ urn, type: urnType(urn), name: urnName(urn) });

/** Time for a provider to answer Cancel. */
const CANCEL_MS = 5_000;

/** Every text inside a value. */
function textsOf(value: Value): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

type Log = (message: string, severity: "info" | "info#err" | "debug", urn: string) => void;

/** The provider instances of one deployment: one for each provider resource, by its reference. */
export class ProviderRegistry {
  readonly #launcher = new PluginLauncher();
  readonly #byReference = new Map<string, Promise<ProviderClient>>();
  /** Checked and not configured yet, by URN. */
  readonly #checked = new Map<string, ProviderClient>();
  readonly #running = new Set<ProviderClient>();
  #known = new Map<string, ResourceState>();
  readonly #redactor = createRedactor();
  readonly #builtin: BuiltinProvider;
  #secretsOf: () => readonly PropertyMap[] = () => [];

  constructor(
    private readonly request: Pick<DeploymentRequest, "project" | "signal" | "config" | "pluginsDir" | "attachedProviders" | "stackOutputs">,
    private readonly engine: { readonly address: string },
    private readonly log: Log,
  ) {
    this.#builtin = new BuiltinProvider((name) => this.request.stackOutputs(name));
  }

  /** @param maps gives the properties, with secrets, that plugins may know. It is only called when a plugin writes something. */
  secretsAreIn(maps: () => readonly PropertyMap[]): void {
    this.#secretsOf = maps;
  }

  /** A plugin's output without secrets: those of the given maps, of all calls under way (some plugins share a process), and of the state. */
  redact(text: string, maps: readonly PropertyMap[] = []): string {
    const redactor = this.#redactor;
    const { values, secretKeys } = this.request.config;
    for (const key of secretKeys) redactor.register(values[key] ?? "");
    const underWay = [...this.#running].flatMap((client) => client.mapsUnderWay());
    for (const map of [...maps, ...underWay, ...this.#secretsOf()])
      mapValue(map, (value) => {
        if (isSecret(value)) for (const secret of textsOf(secretValue(value))) redactor.register(secret);
        return value;
      });
    return redactor.redact(text);
  }

  /** Providers of the state: started when the first step needs one, with the inputs that the state holds. */
  remember(resources: readonly ResourceState[]): void {
    this.#known = new Map(resources.filter((r) => r.id !== undefined && r.type.startsWith("pulumi:providers:")).map((r) => [`${r.urn}::${r.id}`, r]));
  }

  async #launch(urn: string, inputs: PropertyMap): Promise<ProviderClient> {
    const { project, pluginsDir, config } = this.request;
    const name = providerPackage(urnType(urn));
    const version = typeof inputs["version"] === "string" && name !== "pulumi-nodejs" ? inputs["version"] : undefined;
    const internal = inputs[INTERNAL];
    if (isObject(internal) && internal["parameterization"] !== undefined) {
      throw new DeploymentError(`package ${name} is parameterized, which the embedded engine does not support; the Pulumi CLI has it`, urn);
    }
    const prefix = `${name}:`;
    const own = Object.fromEntries(
      Object.entries(config.values).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
    );
    const attached = this.request.attachedProviders?.[name];
    const plugin = await this.#launcher.launch({
      source: attached === undefined ? findPlugin(name, version, project, pluginsDir) : { kind: "attached", address: attached },
      package: name,
      engineAddress: this.engine.address,
      project,
      config: own,
      signal: this.request.signal,
      onLog: (line, stream) => this.log(this.redact(line), stream, urn),
    });
    const client = new ProviderClient(name, plugin, project.programDir, (text, maps) => this.redact(text, maps));
    this.#running.add(client);
    if (attached !== undefined) await client.attach(this.engine.address);
    await client.handshake(this.engine.address);
    return client;
  }

  /** CheckConfig on a fresh instance, which {@link configure} then makes the provider's. */
  async check(urn: string, olds: PropertyMap, news: PropertyMap) {
    if (isBuiltin(urn)) return { inputs: news, failures: [] };
    const client = await this.#launch(urn, news);
    this.#checked.set(urn, client);
    const internal = news[INTERNAL];
    const { inputs, failures } = await client.checkConfig(refOf(urn), withoutInternal(olds), withoutInternal(news));
    return { inputs: internal === undefined ? inputs : { ...inputs, [INTERNAL]: internal }, failures };
  }

  /** DiffConfig on the instance that was checked last under this URN. */
  async diff(urn: string, old: { inputs: PropertyMap; outputs: PropertyMap }, news: PropertyMap, ignore: string[]) {
    if (isBuiltin(urn)) return undefined;
    const client = this.#checked.get(urn);
    if (client === undefined) throw new Error(`provider ${urn} is compared before it is checked`);
    return client.diffConfig(refOf(urn), { inputs: withoutInternal(old.inputs), outputs: withoutInternal(old.outputs) }, withoutInternal(news), ignore);
  }

  /** DiffConfig between two provider resources, asked of the new one. */
  async diffAcross(newReference: string, old: ResourceState, news: PropertyMap) {
    const { urn } = parseProviderReference(newReference);
    const client = await this.get(newReference);
    return client.diffConfig(refOf(urn), { inputs: withoutInternal(old.inputs), outputs: withoutInternal(old.outputs) }, withoutInternal(news), []);
  }

  /** Makes the checked instance the one that this reference means. */
  async configure(urn: string, id: string, inputs: PropertyMap): Promise<void> {
    if (isBuiltin(urn)) return;
    const client = this.#checked.get(urn) ?? (await this.#launch(urn, inputs));
    this.#checked.delete(urn);
    this.#byReference.set(`${urn}::${id}`, Promise.resolve(client));
    const args = withoutInternal(inputs);
    if (!containsUnknowns(args)) await client.configure(refOf(urn), id, args);
  }

  /** A provider that stays the same: the instance that a refresh has started serves on, else the checked one is configured. */
  async keep(urn: string, id: string, inputs: PropertyMap): Promise<void> {
    const running = this.#byReference.get(`${urn}::${id}`);
    if (running === undefined) return this.configure(urn, id, inputs);
    this.#checked.delete(urn);
    await running;
  }

  /** The instance for a reference: of this run, or started from the state. */
  get(reference: string): Promise<Provider> {
    if (isBuiltin(parseProviderReference(reference).urn)) return Promise.resolve(this.#builtin);
    const running = this.#byReference.get(reference);
    if (running !== undefined) return running;
    const known = this.#known.get(reference);
    const starting = known === undefined ? Promise.reject(new DeploymentError(`unknown provider ${reference}`)) : this.#start(known);
    this.#byReference.set(reference, starting);
    return starting;
  }

  async #start(state: ResourceState): Promise<ProviderClient> {
    const client = await this.#launch(state.urn, state.inputs);
    await client.configure(refOf(state.urn), state.id ?? "", withoutInternal(state.inputs));
    return client;
  }

  /** Asks each provider to end what it does. One that does not answer in time is not waited for. */
  async cancel(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CANCEL_MS);
    });
    await Promise.race([Promise.all([...this.#running].map((client) => client.cancel())), late]);
    clearTimeout(timer);
  }

  /** Ends every plugin that this run has started, now. */
  kill(): void {
    for (const client of this.#running) client.kill();
  }

  async close(): Promise<void> {
    await this.cancel();
    await Promise.all([...this.#running].map((client) => client.stop()));
    this.#launcher.close();
  }
}

/** A new provider's id; unknown in previews. */
export const newProviderId = (preview: boolean): string => (preview ? UNKNOWN : randomUUID());
