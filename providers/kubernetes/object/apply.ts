/** Writes an object by server-side apply, and finds out whether a write that was not answered took effect. */
import { startGrace } from "../../../common/deadline";
import { HomelabError } from "../../../common/errors";
import { isUnanswered as noAnswer } from "../../sdk/unanswered";
import type { JsonObject } from "../../sdk/values";
import { ApiError, type KubernetesClient, type ObjectRef } from "../client";
import { mayHaveArrived } from "../retry";
import { asApiWrites } from "./dashed-keys";
import { annotation, map } from "./json";
import { hasManagers, isApplied, takenOver, withIgnoredLeft } from "./managed-fields";

/** A write that is under way when the operation is cancelled may finish: otherwise nobody would know what exists. */
const WRITE_GRACE_MS = 10_000;
const LOOK_MS = 5_000;
/** How often the managers are written again after somebody else changed the object in between. */
const TAKE_OVER_TRIES = 5;

export interface Write {
  client: KubernetesClient;
  ref: ObjectRef;
  /** What the program gave, complete with API version and kind. */
  object: JsonObject;
  fieldManager: string;
  /** Whether fields of other managers are taken over, whatever the object's annotation says. */
  force: boolean;
  signal: AbortSignal;
}

/** The API did not answer a write, and does not answer now: the object may or may not be there. */
export class UnknownOutcome extends HomelabError {
  constructor(ref: ObjectRef, cause: unknown) {
    super("E_UNKNOWN_OUTCOME", `${ref.kind} ${ref.name} was sent, but the API did not answer: whether it was applied is not known`, { cause });
  }
}

const isForced = ({ object, force }: Write): boolean => force || annotation(object, "pulumi.com/patchForce") === "true";

/** The conflict in the API's words, and how to end it. */
function explained(thrown: unknown, ref: ObjectRef): unknown {
  if (!(thrown instanceof ApiError) || thrown.status !== 409 || thrown.reason !== "Conflict") return thrown;
  return new ApiError(thrown.status, thrown.reason, thrown.apiMessage, `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ""}${ref.name}`, {
    cause: thrown,
    hint: 'set the annotation `pulumi.com/patchForce: "true"` to take the fields over, or leave them to their manager with `ignoreChanges`',
  });
}

/** Whether a request was sent, and not answered. */
function isUnanswered(thrown: unknown): boolean {
  return noAnswer(thrown) && !(thrown instanceof HomelabError && thrown.code === "E_HTTP" && !mayHaveArrived(thrown));
}

async function outcome({ client, ref, fieldManager }: Write, thrown: unknown): Promise<JsonObject> {
  let live: JsonObject | undefined;
  try {
    live = await client.get(ref, AbortSignal.timeout(LOOK_MS));
  } catch {
    // The read failed, too: the error of the write says why.
    throw new UnknownOutcome(ref, thrown);
  }
  if (live === undefined || !isApplied(live, fieldManager)) throw thrown;
  return live;
}

/** @returns the object as the API has it from then on */
export async function apply(write: Write): Promise<JsonObject> {
  const { client, ref, object, fieldManager, signal } = write;
  signal.throwIfAborted();
  const grace = startGrace(signal, WRITE_GRACE_MS);
  try {
    return await client.apply(ref, asApiWrites(object), fieldManager, grace.signal, { force: isForced(write) });
  } catch (thrown) {
    if (isUnanswered(thrown)) return await outcome(write, thrown);
    throw explained(thrown, ref);
  } finally {
    grace.end();
  }
}

/** Makes an object that must not be there yet. */
export async function applyNew(write: Write): Promise<JsonObject> {
  const { client, ref, signal } = write;
  if ((await client.get(ref, signal)) === undefined) return apply(write);
  throw new ApiError(409, "AlreadyExists", "it exists already", `${ref.kind} ${ref.namespace ?? client.defaultNamespace}/${ref.name}`, {
    hint: "import it, or let the provider take it over with `upsertExistingObjects`",
  });
}

/** Takes the fields of kubectl and of client-side apply over. */
async function takeOver({ client, ref, fieldManager, signal }: Write, found: JsonObject, ignoreChanges: readonly string[]): Promise<JsonObject> {
  let live = found;
  for (let left = TAKE_OVER_TRIES; ; left--) {
    const managers = takenOver(live, fieldManager, ignoreChanges);
    if (managers === undefined) return live;
    try {
      return await client.patch(
        ref,
        [
          { op: "replace", path: "/metadata/managedFields", value: managers },
          { op: "replace", path: "/metadata/resourceVersion", value: map(live["metadata"])["resourceVersion"] ?? "" },
        ],
        signal,
      );
    } catch (thrown) {
      // Somebody else wrote in between.
      if (!(thrown instanceof ApiError) || thrown.status !== 409 || left === 0) throw thrown;
      const again = await client.get(ref, signal);
      if (again === undefined) throw thrown;
      live = again;
    }
  }
}

/** Applies a change to an existing object; one that somebody has deleted is created again. */
export async function applyChange(write: Write, ignoreChanges: readonly string[]): Promise<JsonObject> {
  const { client, ref, object, fieldManager, signal } = write;
  const found = await client.get(ref, signal);
  if (found === undefined) return apply(write);
  const live = await takeOver(write, found, ignoreChanges);
  const changed = withIgnoredLeft(object, live, fieldManager, ignoreChanges);
  return apply({ ...write, object: changed, force: isForced(write) || !hasManagers(live) });
}

/** A manager that is no longer used gives up its fields. */
export async function relinquish({ client, ref, signal }: Write, formerManager: string): Promise<void> {
  const { apiVersion, kind, name } = ref;
  const metadata = { name, ...((await client.isNamespaced(apiVersion, kind, signal)) ? { namespace: ref.namespace ?? client.defaultNamespace } : {}) };
  await client.apply(ref, { apiVersion, kind, metadata }, formerManager, signal, { force: false });
}
