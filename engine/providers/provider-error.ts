/** What a provider's failed call says, beyond its message. */
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Status } from "@pulumi/pulumi/proto/status_pb.js";
import { type Failure, STATUS } from "../../common/grpc/messages";
import { fromStruct } from "../wire/struct";
import type { PropertyMap } from "../wire/values";

/** Beside the message of a failed call. */
type Trailers = NonNullable<Failure["trailers"]>;
const DETAILS = "grpc-status-details-bin";

/** Status codes of calls that got no answer. */
const CUT: ReadonlySet<number> = new Set([STATUS.UNAVAILABLE, STATUS.CANCELLED, STATUS.DEADLINE_EXCEEDED]);

/** A call that failed. `partial`: the resource exists nevertheless, half initialised. */
export class ProviderError extends Error {
  constructor(
    message: string,
    readonly code: number,
    readonly partial: { id: string; properties: PropertyMap; inputs: PropertyMap; reasons: string[] } | undefined,
    /** The plugin's process ended in the middle of the call: nobody knows what it did. */
    readonly crashed = false,
    /** Failure codes, which only this project's providers send (common/failure-codes.ts); undefined where the provider sent none. */
    readonly codes: readonly string[] | undefined = undefined,
  ) {
    super(message);
    this.name = "ProviderError";
  }

  /** Nobody knows what the call did: its plugin, or the connection to it, ended before it was answered. */
  get inDoubt(): boolean {
    return this.crashed || (this.partial === undefined && CUT.has(this.code));
  }

  get unimplemented(): boolean {
    return this.code === STATUS.UNIMPLEMENTED;
  }
}

/** The resource that exists although the call failed. */
export function partialOf(trailers: Trailers): ProviderError["partial"] {
  const raw = trailers[DETAILS];
  if (!(raw instanceof Uint8Array)) return undefined;
  for (const detail of Status.deserializeBinary(raw).getDetailsList()) {
    if (detail.getTypeName() !== "pulumirpc.ErrorResourceInitFailed") continue;
    const failed = pb.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
    return { id: failed.getId(), properties: fromStruct(failed.getProperties()), inputs: fromStruct(failed.getInputs()), reasons: failed.getReasonsList() };
  }
  return undefined;
}

/** Settings that the provider misses, a line each. */
export function missingKeys(trailers: Trailers): string[] {
  const raw = trailers[DETAILS];
  if (!(raw instanceof Uint8Array)) return [];
  return Status.deserializeBinary(raw)
    .getDetailsList()
    .filter((detail) => detail.getTypeName() === "pulumirpc.ConfigureErrorMissingKeys")
    .flatMap((detail) => pb.ConfigureErrorMissingKeys.deserializeBinary(detail.getValue_asU8()).getMissingkeysList())
    .map(
      (key) =>
        `missing required configuration key "${key.getName()}": ${key.getDescription()}\nset a value with \`pulumi config set ${key.getName()} <value>\``,
    );
}
