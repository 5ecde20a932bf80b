/** Reads an object into the state: its live values are its inputs from then on. */
import { HomelabError } from "../../../common/errors";
import { withNullsOf } from "../../sdk/nulls";
import { PartialFailure, type ReadCall, type ReadResult } from "../../sdk/resource";
import { type JsonObject, type Values, withoutNulls } from "../../sdk/values";
import type { ClusterTarget } from "../settings";
import { asSdkWrites } from "./dashed-keys";
import { idOf, type ObjectType, refOfId } from "./identity";
import { text } from "./json";
import { importedInputs, normalised, pruned } from "./live-inputs";
import { fieldManagerOf, isMissingKind } from "./managers";
import { outputsOf } from "./outputs";
import { isReadWithReadiness } from "./readiness";
import { lookOnce } from "./wait";

/** The object; undefined: it is not there, and with it the kind may be gone. */
async function find(type: ObjectType, { provider: { client }, id, inputs, signal }: ReadCall<ClusterTarget>): Promise<JsonObject | undefined> {
  try {
    return await client.get(refOfId(id, text(inputs["apiVersion"]) ?? type.apiVersion, text(inputs["kind"]) ?? type.kind), signal);
  } catch (thrown) {
    if (isMissingKind(thrown)) return undefined;
    throw thrown;
  }
}

/**
 * @returns undefined where it is gone
 * @throws PartialFailure where it is there and not ready
 */
export async function readObject(type: ObjectType, call: ReadCall<ClusterTarget>): Promise<ReadResult | undefined> {
  const { inputs, outputs, id, provider, signal, log } = call;
  let live: JsonObject | undefined;
  try {
    live = await find(type, call);
  } catch (thrown) {
    if (!(thrown instanceof HomelabError) || thrown.code !== "E_HTTP") throw thrown;
    const { deleteUnreachable, skipUpdateUnreachable } = provider.settings;
    if (!deleteUnreachable && !skipUpdateUnreachable) throw thrown;
    log(
      "warning",
      `the cluster cannot be reached: the resource is ${deleteUnreachable ? "removed from the state (deleteUnreachable)" : "left as the state has it (skipUpdateUnreachable)"}`,
    );
    return deleteUnreachable ? undefined : { id, outputs, inputs };
  }
  if (live === undefined) return undefined;
  const imported = Object.keys(inputs).length === 0;
  const found = asSdkWrites(live);
  const known = (imported ? importedInputs(found) : pruned(found, normalised(withoutNulls(inputs), type.apiVersion, type.kind))) as JsonObject;
  const state: Values = outputsOf(live, known, fieldManagerOf(known, outputs));
  if (!imported && isReadWithReadiness(live)) {
    const readiness = await lookOnce(live, { client: provider.client, inputs, signal });
    if (readiness.state !== "ready") {
      const reason = readiness.state === "failed" ? readiness.reason : readiness.missing;
      throw new PartialFailure(id, state, [`${type.kind} ${idOf(live)} is not ready: ${reason}`], { inputs: withNullsOf(inputs, known) });
    }
  }
  return { id, outputs: state, inputs: imported ? known : withNullsOf(inputs, known) };
}
