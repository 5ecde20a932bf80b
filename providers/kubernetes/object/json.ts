/** Reads objects of the API, which are JSON of any shape. */
import type { Json, JsonObject } from "../../sdk/values";

export const map = (value: Json | undefined): JsonObject => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {});
export const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
export const text = (value: Json | undefined): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
export const number = (value: Json | undefined, fallback = 0): number => (typeof value === "number" ? value : fallback);

/** An annotation; undefined where it is not set or empty. */
export const annotation = (object: JsonObject, name: string): string | undefined => text(map(map(object["metadata"])["annotations"])[name]);

/** An entry of `status.conditions`. */
export function condition(object: JsonObject, type: string): JsonObject | undefined {
  return list(map(object["status"])["conditions"])
    .map(map)
    .find((entry) => entry["type"] === type);
}

/** The group of `apps/v1` is `apps`, that of `v1` is empty. */
const groupOf = (apiVersion: string): string => (apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "");

/** Kinds of the API server itself, in contrast to those of CustomResourceDefinitions. */
export function isOwnKind(apiVersion: string): boolean {
  const group = groupOf(apiVersion);
  return !group.includes(".") || OWN_GROUPS.has(group);
}

const OWN_GROUPS = new Set(
  [
    ...["admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization", "certificates", "coordination", "discovery"],
    ...[
      "events",
      "flowcontrol.apiserver",
      "internal.apiserver",
      "networking",
      "node",
      "rbac.authorization",
      "resource",
      "scheduling",
      "storage",
      "storagemigration",
    ],
  ].map((name) => `${name}.k8s.io`),
);
