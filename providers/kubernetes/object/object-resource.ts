/** Any Kubernetes object as a resource (`kubernetes:<group>/<version>:<Kind>`), by server-side apply as the official provider does. */
import type { ResourceCall, ResourceDefinition } from "../../sdk/resource";
import type { JsonObject } from "../../sdk/values";
import type { ObjectRef } from "../client";
import { specOfKind } from "../kinds";
import type { ClusterTarget } from "../settings";
import { apply, applyChange, applyNew, relinquish, UnknownOutcome } from "./apply";
import { checkObject } from "./check";
import { diffObject } from "./compare";
import { kindOfToken, refOf, refOfId } from "./identity";
import { map, text } from "./json";
import { isSecretKind, normalised } from "./live-inputs";
import { fieldManagerOf } from "./managers";
import { secretOutputs } from "./outputs";
import { readObject } from "./read";
import { removeObject } from "./remove";
import { settled, unsettled } from "./settle";

/** The definition for one kind. */
export function objectResource(token: string): ResourceDefinition<ClusterTarget> {
  const type = kindOfToken(token);
  const { apiVersion, kind } = type;
  const full = (inputs: JsonObject): JsonObject => ({ ...inputs, apiVersion: text(inputs["apiVersion"]) ?? apiVersion, kind: text(inputs["kind"]) ?? kind });
  const written = async (call: ResourceCall<ClusterTarget>, ref: ObjectRef, object: JsonObject, manager: string, write: () => Promise<JsonObject>) => {
    try {
      return await settled(call, ref, await write(), object, manager);
    } catch (thrown) {
      if (thrown instanceof UnknownOutcome) throw await unsettled(call, ref, object, manager, thrown);
      throw thrown;
    }
  };
  return {
    token,
    spec: () => specOfKind(token),
    ...(isSecretKind(apiVersion, kind) ? { secretInputs: ["data", "stringData"] } : {}),
    secretOutputs: secretOutputs(apiVersion, kind),
    check: (call) => checkObject(type, call),
    diff: (call) => diffObject(type, call),
    create: async ({ inputs, ...call }) => {
      const object = full(inputs);
      const ref = refOf(object, call.provider.client);
      const fieldManager = fieldManagerOf(object, {});
      const { client, settings } = call.provider;
      const write = { ...call, client, force: settings.enablePatchForce, ref, object, fieldManager };
      return written(call, ref, object, fieldManager, () => (settings.upsertExistingObjects ? apply(write) : applyNew(write)));
    },
    read: (call) => readObject(type, call),
    update: async ({ id, inputs, oldOutputs, ignoreChanges, ...call }) => {
      const { client } = call.provider;
      const object = normalised(full(inputs), apiVersion, kind) as JsonObject;
      const known = refOfId(id, apiVersion, kind);
      const ref = { ...refOf(object, client), name: text(map(object["metadata"])["name"]) ?? known.name };
      const fieldManager = fieldManagerOf(object, oldOutputs);
      const former = text(oldOutputs["__fieldManager"]);
      const write = { ...call, client, force: call.provider.settings.enablePatchForce, ref, object, fieldManager };
      const { outputs } = await written(call, ref, object, fieldManager, async () => {
        const live = await applyChange(write, ignoreChanges);
        if (former !== undefined && former !== fieldManager) await relinquish(write, former);
        return live;
      });
      return outputs;
    },
    delete: (call) => removeObject(type, call),
  };
}
