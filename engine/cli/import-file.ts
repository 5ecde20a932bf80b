/** `preview --import-file`: the creations of a preview as a file for `import --file`, which only lacks the IDs. */
import { writeFileAtomic } from "../../common/files";
import type { EngineEventPayload, StepMetadata } from "../contracts";
import { CliError } from "../errors";
import type { Plan } from "../plans/plan";
import { type SecretsCodec, writeProperties } from "../snapshot/serialize";
import { isDefaultProvider } from "../steps/step";
import { exactJson } from "../wire/exact-json";
import { isProviderType, parseProviderReference, STACK_TYPE, urnName, urnType } from "../wire/urn";
import { containsUnknowns, isObject, type PropertyMap, withoutSecrets } from "../wire/values";

/** What the owner fills in. */
export const PLACEHOLDER = "<PLACEHOLDER>";

/** A name that is used in the file, and the resource that has it. */
interface Named {
  urn: string;
  name: string;
}

const titled = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const textOf = (map: PropertyMap | undefined, key: string): string | undefined => {
  const value = map?.[key];
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** Collects while the preview runs; keys and names as the CLI writes them. */
export class ImportFile {
  readonly #all = new Map<string, Named>();
  /** The same by name. */
  readonly #holders = new Map<string, Named>();
  readonly #created: StepMetadata[] = [];
  readonly #createdUrns = new Set<string>();
  readonly #providers = new Map<string, PropertyMap>();

  event(event: EngineEventPayload): void {
    if (!("resourcePreEvent" in event)) return;
    const { metadata } = event.resourcePreEvent;
    const { urn, op, type } = metadata;
    this.#name(urn);
    if (isProviderType(type)) this.#providers.set(urn, (metadata.new ?? metadata.old)?.inputs ?? {});
    if (op !== "create" || type === STACK_TYPE || this.#createdUrns.has(urn)) return;
    this.#createdUrns.add(urn);
    if (!isDefaultProvider(type, urnName(urn))) this.#created.push(metadata);
  }

  /**
   * Gives a resource its name in the file: its own, unless another resource has it. Then the type's name is appended, and a number if
   * that name is taken as well. A resource takes its own name back from one that only got it by such an addition.
   */
  #name(urn: string): void {
    if (this.#all.has(urn)) return;
    const own = urnName(urn);
    const holder = this.#holders.get(own);
    const displaced = holder !== undefined && urnName(holder.urn) !== own;
    if (displaced) {
      holder.name = this.#unique(holder.urn);
      this.#holders.set(holder.name, holder);
    }
    const named = { urn, name: holder === undefined || displaced ? own : this.#unique(urn) };
    this.#all.set(urn, named);
    this.#holders.set(named.name, named);
  }

  #unique(urn: string): string {
    const base = `${urnName(urn)}${titled(urnType(urn).split(":").at(-1) ?? "")}`;
    if (!this.#holders.has(base)) return base;
    for (let count = 2; ; count++) if (!this.#holders.has(`${base}${count}`)) return `${base}${count}`;
  }

  #nameOf(urn: string): string {
    return this.#all.get(urn)?.name ?? urnName(urn);
  }

  /**
   * @param plan of the same preview: it holds the inputs of providers whole
   * @param warn takes each property that could not be written, with its resource
   */
  text(plan: Plan, codec: SecretsCodec, warn: (message: string) => void): string {
    const table: Record<string, string> = {};
    const resources = this.#created.map((metadata) => {
      const { urn, type, new: state } = metadata;
      const known = (other: string): string => {
        const name = this.#nameOf(other);
        if (!this.#createdUrns.has(other)) table[name] = other;
        return name;
      };
      const custom = state?.custom === true;
      const parent = state?.parent === undefined || state.parent === "" || urnType(state.parent) === STACK_TYPE ? undefined : known(state.parent);
      const reference = state?.provider ? parseProviderReference(state.provider).urn : undefined;
      const settings = reference === undefined ? undefined : this.#providers.get(reference);
      const internal = settings?.["__internal"];
      const name = this.#nameOf(urn);
      return {
        type,
        name,
        id: custom && !isProviderType(type) ? PLACEHOLDER : undefined,
        parent,
        provider: reference === undefined || isDefaultProvider(urnType(reference), urnName(reference)) ? undefined : known(reference),
        version: textOf(settings, "version"),
        pluginDownloadUrl: isObject(internal) ? textOf(internal, "pluginDownloadURL") : undefined,
        component: custom ? undefined : true,
        remote: !custom && reference !== undefined ? true : undefined,
        inputs: isProviderType(type) ? this.#settings(urn, plan, codec, warn) : undefined,
        logicalName: name === urnName(urn) ? undefined : urnName(urn),
      };
    });
    const names = Object.keys(table).sort();
    const nameTable = names.length === 0 ? undefined : Object.fromEntries(names.map((name) => [name, table[name]]));
    return `${exactJson({ nameTable, resources: resources.length === 0 ? undefined : resources }, 4)}\n`;
  }

  /** Inputs of a provider that an import makes. */
  #settings(urn: string, plan: Plan, codec: SecretsCodec, warn: (message: string) => void): PropertyMap | undefined {
    const inputs = plan.get(urn)?.goal?.inputDiff.adds ?? {};
    const keys = Object.keys(inputs).sort();
    const unknown = keys.filter((key) => containsUnknowns(withoutSecrets(inputs[key] ?? null)));
    if (unknown.length > 0)
      warn(
        `configuration of provider ${urn} is not known during the preview and has been omitted from the import file, fill it in before importing: ${unknown.join(", ")}`,
      );
    const known = keys.filter((key) => !unknown.includes(key)).map((key) => [key, inputs[key] ?? null] as const);
    return known.length === 0 ? undefined : writeProperties(Object.fromEntries(known), codec);
  }

  /** @throws CliError where it cannot be written */
  write(file: string, ...content: Parameters<ImportFile["text"]>): void {
    const text = this.text(...content);
    try {
      writeFileAtomic(file, text, 0o600);
    } catch (cause) {
      throw new CliError(`the import file ${file} cannot be written`, 1, { cause });
    }
  }
}
