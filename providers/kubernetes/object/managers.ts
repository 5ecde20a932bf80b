import { randomBytes } from "node:crypto";
import { HomelabError } from "../../../common/errors";
import type { JsonObject } from "../../sdk/values";
import { annotation, text } from "./json";

/** The field manager's name: the one that the program gives, the one so far, or a new one. */
export function fieldManagerOf(object: JsonObject, outputs: JsonObject): string {
  return annotation(object, "pulumi.com/patchFieldManager") ?? text(outputs["__fieldManager"]) ?? `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
}

/** An object of a kind that the cluster does not serve is not there either. */
export const isMissingKind = (thrown: unknown): boolean => thrown instanceof HomelabError && thrown.code === "E_NO_KIND";
