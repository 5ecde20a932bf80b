/** The outputs of an object: its live fields, and the fields that the official provider adds. */
import { type JsonObject, type Values, withoutNulls } from "../../sdk/values";
import { asSdkWrites } from "./dashed-keys";
import { isSecretKind } from "./live-inputs";

export function outputsOf(live: JsonObject, inputs: JsonObject, fieldManager: string): Values {
  return {
    // The API writes null where a time was never set; a state of the official provider holds none.
    ...asSdkWrites(withoutNulls(live)),
    __fieldManager: fieldManager,
    __initialApiVersion: String(inputs["apiVersion"] ?? live["apiVersion"]),
    __inputs: asSdkWrites(inputs),
  };
}

/** Outputs that are secret whatever the program said. */
export const secretOutputs = (apiVersion: string, kind: string): string[] =>
  isSecretKind(apiVersion, kind) ? ["data", "stringData", "__inputs.data", "__inputs.stringData"] : [];

/** The live object in a state's outputs; undefined where they hold none. */
export function liveOf(outputs: Values): Values | undefined {
  const live = Object.fromEntries(Object.entries(outputs).filter(([key]) => !key.startsWith("__")));
  return Object.keys(live).length === 0 ? undefined : live;
}
