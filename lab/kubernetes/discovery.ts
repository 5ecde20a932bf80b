/** Discovery: the recorded documents of the built-in groups, and those of custom resources. */
import { discoveryDocuments, type ResourceType, type ResourceTypes } from "./resource-types";

interface GroupVersions {
  name: string;
  versions: string[];
}

const entry = (name: string, version: string): { groupVersion: string; version: string } => ({ groupVersion: `${name}/${version}`, version });

/** Versions as the server prefers them: stable before beta before alpha, higher before lower. */
function byPreference(a: string, b: string): number {
  const rank = (v: string): [number, number, number] => {
    const [, major = "0", stage, minor = "0"] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(v) ?? [];
    return [stage === undefined ? 2 : stage === "beta" ? 1 : 0, Number(major), Number(minor)];
  };
  const [x, y] = [rank(a), rank(b)];
  return y[0] - x[0] || y[1] - x[1] || y[2] - x[2];
}

function customGroups(types: ResourceTypes): GroupVersions[] {
  const groups = new Map<string, Set<string>>();
  for (const { group, version } of types.custom()) groups.set(group, (groups.get(group) ?? new Set()).add(version));
  return [...groups].map(([name, versions]) => ({ name, versions: [...versions].sort(byPreference) }));
}

const groupDocument = ({ name, versions }: GroupVersions): Record<string, unknown> => ({
  name,
  versions: versions.map((version) => entry(name, version)),
  preferredVersion: entry(name, versions[0] ?? ""),
});

function resourceEntry(type: ResourceType): Record<string, unknown>[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories, group, version } = type;
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    storageVersionHash: Buffer.from(`${group}/${plural}`).toString("base64").slice(0, 11).concat("="),
  };
  const subs = [...type.subresources].map((sub) =>
    sub === "scale"
      ? { name: `${plural}/scale`, singularName: "", namespaced, group: "autoscaling", version: "v1", kind: "Scale", verbs: ["get", "patch", "update"] }
      : { name: `${plural}/${sub}`, singularName: "", namespaced, kind, verbs: ["get", "patch", "update"] },
  );
  void version;
  return [main, ...subs];
}

/** The document at a discovery path, or undefined. */
export function discoveryDocument(path: string, types: ResourceTypes, serverAddress: string): unknown {
  const recorded = discoveryDocuments();
  const groups = customGroups(types);
  if (path === "/api") return { ...(recorded["/api"] as object), serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }] };
  if (path === "/apis") {
    const list = recorded["/apis"] as { groups: unknown[] };
    return { ...list, groups: [...list.groups, ...groups.map(groupDocument)] };
  }
  if (recorded[path] !== undefined) return recorded[path];
  const [, , group, version] = path.split("/");
  if (group !== undefined && version === undefined) {
    const builtin = (recorded["/apis"] as { groups: { name: string }[] }).groups.find((g) => g.name === group);
    const custom = groups.find((g) => g.name === group);
    const found = builtin ?? (custom && groupDocument(custom));
    return found && { kind: "APIGroup", apiVersion: "v1", ...found };
  }
  const own = types.custom().filter((t) => t.group === group && t.version === version);
  return own.length === 0
    ? undefined
    : { kind: "APIResourceList", apiVersion: "v1", groupVersion: `${group}/${version}`, resources: own.flatMap(resourceEntry) };
}
