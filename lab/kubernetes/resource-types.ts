/** Which resources there are: the built-in ones as a real server lists them, and those that CustomResourceDefinitions add. */
import * as fs from "node:fs";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { projectRoot } from "../../common/paths";
import { at, groupVersionOf, type KubeObject, listAt, mapAt, textAt } from "./objects";

export interface ResourceType {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  verbs: string[];
  subresources: Set<string>;
  /** The definition that made it, of a custom one. */
  crd: KubeObject | undefined;
}

const resourceSchema = z.looseObject({
  name: z.string(),
  singularName: z.string(),
  namespaced: z.boolean(),
  kind: z.string(),
  verbs: z.array(z.string()),
  shortNames: z.array(z.string()).optional(),
  categories: z.array(z.string()).optional(),
  group: z.string().optional(),
  version: z.string().optional(),
});
const listSchema = z.looseObject({ kind: z.literal("APIResourceList"), groupVersion: z.string(), resources: z.array(resourceSchema) });

export function readData(name: string): unknown {
  return JSON.parse(gunzipSync(fs.readFileSync(path.join(projectRoot(), "lab", "kubernetes", "data", name))).toString("utf8"));
}

let recorded: Record<string, unknown> | undefined;
/** Discovery documents of a real kube-apiserver 1.34.2, by path. Shared by all clusters, never changed. */
export function discoveryDocuments(): Record<string, unknown> {
  recorded ??= z.record(z.string(), z.unknown()).parse(readData("discovery.json.gz"));
  return recorded;
}

let builtin: ResourceType[] | undefined;
function builtinTypes(): ResourceType[] {
  builtin ??= Object.values(discoveryDocuments()).flatMap((document) => {
    const parsed = listSchema.safeParse(document);
    if (!parsed.success) return [];
    const { group, version } = groupVersionOf(parsed.data.groupVersion);
    const main = parsed.data.resources.filter((r) => !r.name.includes("/"));
    return main.map((r) => ({
      group,
      version,
      kind: r.kind,
      plural: r.name,
      singular: r.singularName,
      namespaced: r.namespaced,
      shortNames: r.shortNames ?? [],
      categories: r.categories ?? [],
      verbs: r.verbs,
      subresources: new Set(parsed.data.resources.filter((s) => s.name.startsWith(`${r.name}/`)).map((s) => s.name.slice(r.name.length + 1))),
      crd: undefined,
    }));
  });
  return builtin;
}

const ALL_VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

function customTypes(crd: KubeObject): ResourceType[] {
  const names = mapAt(crd, "spec", "names");
  const texts = (key: string): string[] => {
    const list = names[key];
    return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
  };
  return listAt(crd, "spec", "versions")
    .filter((version) => version["served"] === true)
    .map((version) => ({
      group: textAt(crd, "spec", "group") ?? "",
      version: textAt(version, "name") ?? "",
      kind: textAt(names, "kind") ?? "",
      plural: textAt(names, "plural") ?? "",
      singular: textAt(names, "singular") ?? (textAt(names, "kind") ?? "").toLowerCase(),
      namespaced: textAt(crd, "spec", "scope") === "Namespaced",
      shortNames: texts("shortNames"),
      categories: texts("categories"),
      verbs: ALL_VERBS,
      subresources: new Set([
        ...(at(version, "subresources", "status") !== undefined ? ["status"] : []),
        ...(at(version, "subresources", "scale") !== undefined ? ["scale"] : []),
      ]),
      crd,
    }));
}

/** The types of one cluster. */
export class ResourceTypes {
  readonly #custom = new Map<string, ResourceType[]>();

  /** Adds or replaces what a definition serves. */
  define(crd: KubeObject): void {
    this.#custom.set(crd.metadata.name, customTypes(crd));
  }

  undefine(name: string): void {
    this.#custom.delete(name);
  }

  custom(): ResourceType[] {
    return [...this.#custom.values()].flat();
  }

  find(group: string, version: string, plural: string): ResourceType | undefined {
    const matches = (t: ResourceType): boolean => t.group === group && t.version === version && t.plural === plural;
    return builtinTypes().find(matches) ?? this.custom().find(matches);
  }

  /** By apiVersion and kind. */
  byKind(apiVersion: string, kind: string): ResourceType | undefined {
    const { group, version } = groupVersionOf(apiVersion);
    const matches = (t: ResourceType): boolean => t.group === group && t.version === version && t.kind === kind;
    return builtinTypes().find(matches) ?? this.custom().find(matches);
  }

  /** Types whose objects live in namespaces; one version of each. */
  namespaced(): ResourceType[] {
    const seen = new Set<string>();
    return [...builtinTypes(), ...this.custom()].filter((t) => {
      const key = `${t.group}/${t.plural}`;
      if (!t.namespaced || !t.verbs.includes("list") || seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  }
}

export const apiVersionOf = ({ group, version }: { group: string; version: string }): string => (group === "" ? version : `${group}/${version}`);
/** Where objects of a type are kept: the same for all its versions. */
export const storageKey = ({ group, plural }: { group: string; plural: string }): string => `${group}/${plural}`;
