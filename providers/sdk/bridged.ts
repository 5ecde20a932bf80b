/** Resource definitions of bridged packages: a schema and four calls, the rest follows. */
import { asError, HomelabError } from "../../common/errors";
import { saysNothing, withNullsOf } from "./nulls";
import { specOfFields } from "./package-schema";
import { type CallContext, type CheckFailure, type DiffResult, PartialFailure, type ReadResult, type ResourceDefinition } from "./resource";
import type { Fields } from "./schema";
import { checkSchema, withoutNotes } from "./schema-check";
import { diffSchema, driftedInputs, importedInputs, inputsBeside } from "./schema-compare";
import { plannedOutputs } from "./schema-plan";
import { isUnanswered } from "./unanswered";
import { type JsonObject, UNKNOWN, type Values, withoutNulls } from "./values";

export interface BridgedCall<P> extends CallContext {
  provider: P;
  urn: string;
}

export interface BridgedResource<P> {
  token: string;
  fields: Fields;
  /** Outputs that are no inputs, and optional inputs that the target system fills in. */
  computed: readonly string[];
  computedOnUpdate?: readonly string[];
  secretInputs?: readonly string[];
  secretOutputs?: readonly string[];
  /** The property with its name in the target system, if names are unique there. */
  nameProperty?: string;
  /**
   * Defaults that newer Terraform resources (plugin framework) plan where the program gives nothing. They are compared, but are no
   * inputs. If this is set, values that a refresh finds beside the inputs are a difference, too.
   */
  planDefaults?: JsonObject;
  /** Properties that force a replacement for certain values of others: a change of one of these replaces the resource. */
  replacesBeside?(news: Values): readonly string[];
  /** A replacement always deletes first: old and new would be in each other's way. */
  deleteFirst?: boolean;
  /** Checks of several properties together. Values may be unknown. */
  validate?(inputs: Values): CheckFailure[];
  /**
   * The id of the object that these inputs make, if they determine it. After a creation that was not answered, the object is looked up
   * by this id, and kept in the state if it matches the inputs. Left out, or undefined: such a creation is an error, and people must find
   * what it made.
   */
  idOf?(inputs: JsonObject): string | undefined;
  /** Inputs that a creation sets by a later request. An object that lacks them still counts as made by this creation. */
  setAfterwards?: readonly string[];
  /** Returns the id, and outputs that only the creation knows. The inputs have no `__…` keys. */
  create(inputs: JsonObject, call: BridgedCall<P>): Promise<{ id: string; outputs?: JsonObject }>;
  /** Converts an id as an import may write it to the form that a creation returns. Left out: there is only one form. */
  canonicalId?(id: string): string;
  /**
   * Reads the object, by output names; undefined: it does not exist.
   * @param id as an import writes it, or as the state has it
   * @param known the outputs so far; after a creation, also an interrupted one, the inputs and what the creation returned
   */
  read(id: string, known: JsonObject, call: BridgedCall<P>): Promise<JsonObject | undefined>;
  /**
   * Throws where a change in place is impossible, so that the preview fails and not the update. Values may be unknown.
   * Not asked where the resource is replaced.
   */
  assertPossible?(olds: Values, news: Values): void;
  /** Warnings of a preview about an update. Values may be unknown. */
  announce?(id: string, olds: Values, news: Values): string[];
  /** Warnings of a preview about a replacement. */
  announceReplacement?(id: string, olds: Values, news: Values): string[];
  /** Left out: every change replaces. */
  update?(id: string, change: { olds: JsonObject; news: JsonObject; outputs: JsonObject }, call: BridgedCall<P>): Promise<void>;
  delete(id: string, outputs: JsonObject, call: BridgedCall<P>): Promise<void>;
}

/**
 * After a write, the object is read back, and that is the state. The id is among the outputs too, as the bridge writes it: some official
 * resources read and delete by that one alone.
 */
export function defineBridged<P>(resource: BridgedResource<P>): ResourceDefinition<P> {
  const { fields, nameProperty, planDefaults } = resource;
  const planned = plannedOf(resource);
  const canonical = canonicalOf(resource);
  const live = liveOf(resource);
  // The inputs of a state that an official plugin wrote hold null for each optional input without a value.
  return {
    token: resource.token,
    spec: () => specOfFields(resource.token, fields, resource.computed),
    computed: resource.computed,
    computedOnUpdate: resource.computedOnUpdate ?? [],
    secretInputs: resource.secretInputs ?? [],
    secretOutputs: resource.secretOutputs ?? [],
    async check({ news, olds, name, randomSeed }) {
      const { inputs, failures } = checkSchema(fields, news, olds && withoutNulls(olds), { name, seed: randomSeed });
      return { inputs, failures: failures.length > 0 ? failures : (resource.validate?.(withoutNotes(inputs)) ?? []) };
    },
    async diff({ id, oldInputs, news, log }) {
      const [before, after] = [planned(withoutNulls(oldInputs)), planned(news)];
      const result = replacingBeside(diffSchema(fields, before, after, nameProperty), resource.replacesBeside?.(after) ?? []);
      if (!result.changed) return result;
      if (result.replaces.length === 0) {
        resource.assertPossible?.(withoutNotes(before), withoutNotes(after));
        return result;
      }
      for (const line of resource.announceReplacement?.(id, withoutNotes(before), withoutNotes(after)) ?? []) log("warning", line);
      return resource.deleteFirst === true ? { ...result, deleteBeforeReplace: true } : result;
    },
    async previewCreate({ inputs }) {
      const unknown = resource.computed.filter((name) => !(name in inputs));
      return { ...plannedOutputs(fields, planned(withoutNotes(inputs)), undefined), ...unknownsOf(unknown) };
    },
    async previewUpdate({ id, inputs, oldInputs, oldOutputs, log }) {
      const news = planned(withoutNotes(inputs));
      for (const line of resource.announce?.(id, planned(withoutNotes(withoutNulls(oldInputs))), news) ?? []) log("warning", line);
      return { ...oldOutputs, ...plannedOutputs(fields, news, oldOutputs), ...unknownsOf(resource.computedOnUpdate ?? []) };
    },
    async create({ inputs, ...call }) {
      const plain = planned(withoutNotes(inputs));
      const { id, outputs } = await resource.create(plain, call).catch(async (thrown: unknown) => {
        throw (await madeUnanswered(resource, inputs, call, thrown)) ?? thrown;
      });
      const known = { ...plain, ...outputs };
      try {
        return { id, outputs: await live(id, known, call) };
      } catch (cause) {
        // It exists: the state must not forget it because it could not be read back.
        throw new PartialFailure(id, { ...known, id }, [asError(cause).message], { cause });
      }
    },
    async read({ id, inputs: asked, outputs: state, ...call }): Promise<ReadResult | undefined> {
      const inputs = saidOf(fields, withoutNulls(asked));
      const told = outputsOf(state);
      // An interrupted creation left inputs and no outputs: nothing else is known.
      const outputs = Object.keys(told).length === 0 ? planned(withoutNotes(inputs)) : told;
      const found = await resource.read(id, outputs, call);
      if (found === undefined) return undefined;
      const given = Object.keys(inputs).length > 0 ? driftedInputs(fields, inputs, found) : importedInputs(fields, found);
      const beside = planDefaults === undefined ? {} : inputsBeside(fields, given, found, planDefaults);
      const own = canonical(id);
      return { id: own, outputs: { ...merged(outputs, found), id: own }, inputs: withNullsOf(asked, { ...given, ...beside }) };
    },
    ...updateOf(resource, live),
    delete: ({ id, outputs, ...call }) => resource.delete(canonical(id), withoutNulls(outputs), call),
  };
}

/** Reads an object back after a write. */
type Live<P> = (id: string, known: JsonObject, call: BridgedCall<P>) => Promise<JsonObject>;

const liveOf =
  <P>(resource: BridgedResource<P>): Live<P> =>
  async (id, known, call) => {
    const found = await resource.read(id, known, call);
    if (found === undefined) throw new Error(`${resource.token} ${id} is not there right after it was written`);
    return { ...merged(known, found), id };
  };

const canonicalOf =
  <P>(resource: BridgedResource<P>) =>
  (id: string): string =>
    resource.canonicalId?.(id) ?? id;

const plannedOf =
  <P>({ planDefaults }: BridgedResource<P>) =>
  <T extends Values>(inputs: T): T => ({ ...planDefaults, ...inputs });

/** No-op for a resource whose every change is a replacement. */
function updateOf<P>(resource: BridgedResource<P>, live: Live<P>): Pick<ResourceDefinition<P>, "update"> {
  if (resource.update === undefined) return {};
  const [planned, canonical] = [plannedOf(resource), canonicalOf(resource)];
  return {
    async update({ id: stated, inputs, oldInputs, oldOutputs: state, ...call }) {
      const id = canonical(stated);
      const oldOutputs = outputsOf(state);
      const [before, news] = [planned(withoutNotes(withoutNulls(oldInputs))), planned(withoutNotes(inputs))];
      // An interrupted creation has not set these properties.
      const unset = (resource.setAfterwards ?? []).filter((name) => !(name in oldOutputs));
      const olds = Object.fromEntries(Object.entries(before).filter(([name]) => !unset.includes(name)));
      await resource.update?.(id, { olds, news, outputs: oldOutputs }, call);
      const kept = Object.entries(oldOutputs).filter(([key]) => !(key in olds) || key in news);
      return live(id, { ...Object.fromEntries(kept), ...news }, call);
    },
  };
}

/** Time to look up the result of a call that was not answered. */
const LOOK_MS = 10_000;

/** Looks up what an unanswered creation has made; undefined: nothing, or an object that may be somebody else's. */
async function madeUnanswered<P>(resource: BridgedResource<P>, given: JsonObject, call: BridgedCall<P>, thrown: unknown): Promise<PartialFailure | undefined> {
  const { fields, setAfterwards = [], planDefaults } = resource;
  const inputs = { ...planDefaults, ...withoutNotes(given) };
  const id = resource.idOf?.(inputs);
  const unanswered = call.signal.aborted || isUnanswered(thrown);
  if (id === undefined || !unanswered || thrown instanceof PartialFailure) return undefined;
  const why = asError(thrown).message;
  let found: JsonObject | undefined;
  try {
    found = await resource.read(id, inputs, { ...call, signal: AbortSignal.timeout(LOOK_MS) });
  } catch (cause) {
    throw new HomelabError("E_UNANSWERED", `${why}; whether ${id} was made could not be seen: ${asError(cause).message}`, {
      cause: thrown,
      subject: id,
      hint: `run it again; where that says that it is there already, import it (its id is ${id})`,
    });
  }
  if (found === undefined) return undefined;
  const differ = diffSchema(fields, driftedInputs(fields, inputs, found), inputs).diffs.map((name) => name.split(/[.[]/)[0] ?? name);
  if (differ.some((name) => !setAfterwards.includes(name))) return undefined;
  // Properties that are not set yet are left out of the outputs, so that the next run sets them.
  const set = Object.entries({ ...merged(inputs, found), id }).filter(([name]) => !differ.includes(name));
  return new PartialFailure(id, Object.fromEntries(set), [`${why}; ${id} was made all the same`], { cause: thrown });
}

function replacingBeside(diff: DiffResult, names: readonly string[]): DiffResult {
  const replaces = names.filter((name) => diff.diffs.includes(name) && !diff.replaces.includes(name));
  if (replaces.length === 0) return diff;
  const detailed = Object.entries(diff.detailed).map(([path, entry]): [string, typeof entry] =>
    replaces.includes(path) ? [path, { ...entry, kind: "update-replace" }] : [path, entry],
  );
  return { ...diff, replaces: [...diff.replaces, ...replaces], detailed: Object.fromEntries(detailed) };
}

/** The official bridge's record of what its outputs leave out. It is wrong once another provider has written the outputs. */
const RAW_STATE_NOTE = "__pulumi_raw_state_delta";

/** A state's outputs, whichever plugin wrote it. */
const outputsOf = ({ [RAW_STATE_NOTE]: _, ...outputs }: JsonObject): JsonObject => withoutNulls(outputs);

/** The inputs without empty values of computed properties: what the target system filled in there is no drift. */
const saidOf = (fields: Fields, inputs: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(inputs).filter(([name, value]) => fields[name]?.computed !== true || !saysNothing(value)));

/** The known values, overwritten by those that were read; a read null removes a value. */
const merged = (known: JsonObject, found: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries({ ...known, ...found }).filter(([, value]) => value !== null));

const unknownsOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, UNKNOWN]));
