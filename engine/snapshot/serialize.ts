/** Resource states to and from the state file's form (deployment v3; engine-contract G3, G4). */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { exactJson, parseExactJson } from "../wire/exact-json";
import { isObject, isSecret, makeSecret, mapProperties, numberOf, type PropertyMap, secretValue, signatureOf, storedNumber, type Value } from "../wire/values";
import { emptyState, HOOK_TYPES, type HookBindings, type PendingKind, type PendingOperation, type ResourceState, type Snapshot } from "./types";

/** Converts the JSON text of a secret value into its form in the file, and back. */
export interface SecretsCodec {
  encrypt(plaintext: string): string;
  decrypt(ciphertext: string): string;
  /** Secrets are written in the clear, because the user asked for it. */
  shows?: true;
}

/** For parsed JSON, which holds nothing but such values. */
const jsonMap = z.record(z.string(), z.custom<Value>());
const strings = z.array(z.string());

const resourceSchema = z.looseObject({
  urn: z.string(),
  custom: z.boolean().default(false),
  delete: z.boolean().optional(),
  id: z.string().optional(),
  type: z.string(),
  inputs: jsonMap.nullish(),
  outputs: jsonMap.nullish(),
  parent: z.string().optional(),
  protect: z.boolean().optional(),
  taint: z.boolean().optional(),
  external: z.boolean().optional(),
  dependencies: strings.nullish(),
  initErrors: strings.nullish(),
  provider: z.string().optional(),
  propertyDependencies: z.record(z.string(), strings.nullable()).nullish(),
  pendingReplacement: z.boolean().optional(),
  additionalSecretOutputs: strings.nullish(),
  aliases: strings.nullish(),
  customTimeouts: z.record(z.string(), z.number()).nullish(),
  importID: z.string().optional(),
  retainOnDelete: z.boolean().optional(),
  deletedWith: z.string().optional(),
  replaceWith: strings.nullish(),
  replacementTrigger: z.custom<Value>().optional(),
  created: z.string().optional(),
  modified: z.string().optional(),
  sourcePosition: z.string().optional(),
  ignoreChanges: strings.nullish(),
  replaceOnChanges: strings.nullish(),
  hideDiff: strings.nullish(),
  resourceHooks: z.partialRecord(z.enum(HOOK_TYPES), strings).nullish(),
});

const KNOWN_FIELDS = new Set(Object.keys(resourceSchema.shape));
/** Fields that are refused: to copy them without acting on them would break their meaning. */
const REFUSED_FIELDS = ["viewOf", "snippetID", "extensionRef", "refreshBeforeUpdate"];

/** A resource reference as the state file has it. */
function storedReference({ urn, id, packageVersion }: PropertyMap): PropertyMap {
  return {
    [SIGNATURE_KEY]: SIGNATURE.resource,
    ...(id === undefined ? {} : { id }),
    packageVersion: packageVersion ?? "",
    ...(urn === undefined ? {} : { urn }),
  };
}

/** A secret inside another secret is only encrypted together with it. In the other's text it has the form of an encrypted one, as in the CLI. */
const WITHIN_A_SECRET: SecretsCodec = { encrypt: (plaintext) => plaintext, decrypt: (ciphertext) => ciphertext };

/**
 * Integers beyond 2^53 in maps and lists that were read, by their keys. Values are doubles, as on the wire; an integer that an
 * operation does not change is written with all of its digits again.
 */
const exactIntegers = new WeakMap<object, ReadonlyMap<string, bigint>>();

function remembered<T extends PropertyMap | Value[]>(made: T, raw: object): T {
  const found = Object.entries(raw).filter((entry): entry is [string, bigint] => typeof entry[1] === "bigint");
  if (found.length > 0) exactIntegers.set(made, new Map(found));
  return made;
}

/** Writes the integers of a map or list again as they were read. */
function withExactIntegers<T extends PropertyMap | Value[]>(made: T, from: object): T {
  const exact = exactIntegers.get(from);
  if (exact === undefined) return made;
  const written = Array.isArray(made) ? [...made] : { ...made };
  const entries = written as Record<string, Value | bigint>;
  for (const [key, integer] of exact) if (entries[key] === Number(integer)) entries[key] = integer;
  return written as T;
}

function encryptSecrets(value: Value, codec: SecretsCodec): Value {
  if (Array.isArray(value))
    return withExactIntegers(
      value.map((item) => encryptSecrets(item, codec)),
      value,
    );
  if (typeof value === "number") return storedNumber(value);
  if (!isObject(value)) return value;
  if (signatureOf(value) === SIGNATURE.resource) return storedReference(value);
  if (isSecret(value)) {
    const text = exactJson(encryptSecrets(secretValue(value), codec.shows ? { ...WITHIN_A_SECRET, shows: true } : WITHIN_A_SECRET));
    return { [SIGNATURE_KEY]: SIGNATURE.secret, ...(codec.shows ? { plaintext: text } : { ciphertext: codec.encrypt(text) }) };
  }
  return withExactIntegers(
    mapProperties(value, (item) => encryptSecrets(item, codec)),
    value,
  );
}

function decryptSecrets(value: Value | bigint, codec: SecretsCodec): Value {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value))
    return remembered(
      value.map((item) => decryptSecrets(item, codec)),
      value,
    );
  if (!isObject(value)) return value;
  const number = numberOf(value);
  if (number !== undefined) return number;
  if (signatureOf(value) === SIGNATURE.resource && value["packageVersion"] === "") {
    const { packageVersion: _none, ...rest } = value;
    return rest;
  }
  if (isSecret(value)) {
    const { ciphertext, plaintext } = value;
    const text = typeof plaintext === "string" ? plaintext : typeof ciphertext === "string" ? codec.decrypt(ciphertext) : undefined;
    // A state of an earlier version of this engine holds an inner secret as it is on the wire.
    return text === undefined ? value : makeSecret(decryptSecrets(parseExactJson(text) as Value, WITHIN_A_SECRET));
  }
  return remembered(
    mapProperties(value, (item) => decryptSecrets(item, codec)),
    value,
  );
}

/** Properties as they stand in a file. */
export const writeProperties = (map: PropertyMap, codec: SecretsCodec): PropertyMap => encryptSecrets(map, codec) as PropertyMap;
export const readProperties = (map: PropertyMap, codec: SecretsCodec): PropertyMap => decryptSecrets(map, codec) as PropertyMap;

const orAbsent = <T>(value: T, absent: boolean): T | undefined => (absent ? undefined : value);
const list = (values: string[]): string[] | undefined => orAbsent(values, values.length === 0);
const flag = (value: boolean): true | undefined => (value ? true : undefined);
const map = (value: PropertyMap, codec: SecretsCodec): Value | undefined => (Object.keys(value).length === 0 ? undefined : encryptSecrets(value, codec));

/** Types in the order of the alphabet, as the CLI writes maps. */
function hooks(bindings: HookBindings): HookBindings | undefined {
  const bound = [...HOOK_TYPES].sort().filter((type) => (bindings[type] ?? []).length > 0);
  return bound.length === 0 ? undefined : Object.fromEntries(bound.map((type) => [type, bindings[type]]));
}

/** Keys in the CLI's order; what is empty is left out. */
export function serializeResource(state: ResourceState, codec: SecretsCodec): Record<string, unknown> {
  const fields: Record<string, unknown> = {
    urn: state.urn,
    custom: state.custom,
    delete: flag(state.delete),
    id: orAbsent(state.id, state.id === undefined || state.id === ""),
    type: state.type,
    inputs: map(state.inputs, codec),
    outputs: map(state.outputs, codec),
    parent: state.parent,
    protect: flag(state.protect),
    taint: flag(state.taint),
    external: flag(state.external),
    dependencies: list(state.dependencies),
    initErrors: list(state.initErrors),
    provider: state.provider,
    propertyDependencies: orAbsent(state.propertyDependencies, Object.keys(state.propertyDependencies ?? {}).length === 0),
    pendingReplacement: flag(state.pendingReplacement),
    additionalSecretOutputs: list(state.additionalSecretOutputs),
    customTimeouts: orAbsent(state.customTimeouts, Object.keys(state.customTimeouts ?? {}).length === 0),
    importID: state.importId,
    retainOnDelete: flag(state.retainOnDelete),
    deletedWith: state.deletedWith,
    replaceWith: list(state.replaceWith),
    created: state.created,
    modified: state.modified,
    sourcePosition: state.sourcePosition,
    ignoreChanges: list(state.ignoreChanges),
    hideDiff: list(state.hideDiff),
    replaceOnChanges: list(state.replaceOnChanges),
    replacementTrigger: state.replacementTrigger === undefined ? undefined : encryptSecrets(state.replacementTrigger, codec),
    resourceHooks: hooks(state.resourceHooks),
    ...state.unknownFields,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** @throws HomelabError E_STATE_RESOURCE for an entry that is not a resource, or that needs a feature which only the CLI has */
function deserializeResource(raw: unknown, codec: SecretsCodec): ResourceState {
  const parsed = resourceSchema.safeParse(raw);
  if (!parsed.success) throw new HomelabError("E_STATE_RESOURCE", `the state holds an entry that is not a resource: ${z.prettifyError(parsed.error)}`);
  const r = parsed.data;
  const refused = REFUSED_FIELDS.find((name) => r[name] !== undefined);
  if (refused !== undefined) {
    throw new HomelabError("E_STATE_FEATURE", `${r.urn} uses ${refused}, which the embedded engine does not support`, {
      subject: r.urn,
      hint: "use the Pulumi CLI for this stack",
    });
  }
  const unknownFields = Object.fromEntries(Object.entries(r).filter(([name]) => !KNOWN_FIELDS.has(name))) as PropertyMap;
  return {
    ...emptyState(r.urn, r.type, r.custom),
    delete: r.delete ?? false,
    id: r.id,
    inputs: decryptSecrets(r.inputs ?? {}, codec) as PropertyMap,
    outputs: decryptSecrets(r.outputs ?? {}, codec) as PropertyMap,
    parent: r.parent === "" ? undefined : r.parent,
    protect: r.protect ?? false,
    taint: r.taint ?? false,
    external: r.external ?? false,
    dependencies: r.dependencies ?? [],
    initErrors: r.initErrors ?? [],
    provider: r.provider === "" ? undefined : r.provider,
    propertyDependencies: r.propertyDependencies ? Object.fromEntries(Object.entries(r.propertyDependencies).map(([k, v]) => [k, v ?? []])) : undefined,
    pendingReplacement: r.pendingReplacement ?? false,
    additionalSecretOutputs: r.additionalSecretOutputs ?? [],
    customTimeouts: r.customTimeouts ?? undefined,
    importId: r.importID,
    retainOnDelete: r.retainOnDelete ?? false,
    deletedWith: r.deletedWith === "" ? undefined : r.deletedWith,
    replaceWith: r.replaceWith ?? [],
    replacementTrigger: r.replacementTrigger === undefined ? undefined : decryptSecrets(r.replacementTrigger as Value, codec),
    created: r.created,
    modified: r.modified,
    sourcePosition: r.sourcePosition,
    ignoreChanges: r.ignoreChanges ?? [],
    replaceOnChanges: r.replaceOnChanges ?? [],
    hideDiff: r.hideDiff ?? [],
    resourceHooks: r.resourceHooks ?? {},
    unknownFields,
  };
}

const pendingSchema = z.object({ resource: z.unknown(), type: z.enum(["creating", "updating", "deleting", "reading", "importing"]) });

export interface SerializedSnapshot {
  resources?: Record<string, unknown>[];
  pending_operations?: { resource: Record<string, unknown>; type: PendingKind }[];
}

export function serializePending(operation: PendingOperation, codec: SecretsCodec): { resource: Record<string, unknown>; type: PendingKind } {
  return { resource: serializeResource(operation.resource, codec), type: operation.type };
}

function deserializePending(raw: unknown, codec: SecretsCodec): PendingOperation {
  const { resource, type } = pendingSchema.parse(raw);
  return { resource: deserializeResource(resource, codec), type };
}

export function serializeSnapshot(snapshot: Snapshot, codec: SecretsCodec): SerializedSnapshot {
  return {
    ...(snapshot.resources.length > 0 ? { resources: snapshot.resources.map((r) => serializeResource(r, codec)) } : {}),
    ...(snapshot.pendingOperations.length > 0 ? { pending_operations: snapshot.pendingOperations.map((p) => serializePending(p, codec)) } : {}),
  };
}

export function deserializeSnapshot(
  raw: { resources?: unknown[] | null | undefined; pending_operations?: unknown[] | null | undefined },
  codec: SecretsCodec,
): Snapshot {
  return {
    resources: (raw.resources ?? []).map((r) => deserializeResource(r, codec)),
    pendingOperations: (raw.pending_operations ?? []).map((p) => deserializePending(p, codec)),
  };
}
