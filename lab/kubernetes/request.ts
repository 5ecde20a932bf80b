/** A request's path and headers, read once. */
import { parse as parseYaml } from "yaml";
import { compactJson } from "../../common/compact-json";
import type { ResourceType, ResourceTypes } from "./resource-types";
import { badRequest, noResource } from "./status";

export interface ResourcePath {
  type: ResourceType;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** @throws StatusError 404 where no resource is served there */
export function parseResourcePath(path: string, types: ResourceTypes): ResourcePath {
  const parts = path
    .replace(/^\/|\/$/g, "")
    .split("/")
    .map(decodeURIComponent);
  if (parts.includes("")) throw noResource();
  const core = parts[0] === "api";
  const [group, version, rest] = core ? ["", parts[1] ?? "", parts.slice(2)] : [parts[1] ?? "", parts[2] ?? "", parts.slice(3)];
  if (!core && parts[0] !== "apis") throw noResource();
  // `namespaces/x` is the namespace itself; `namespaces/x/pods` is something in it.
  const inside = rest[0] === "namespaces" && rest.length > 2 && !["status", "finalize"].includes(rest[2] ?? "");
  const [plural, name, subresource] = inside ? rest.slice(2) : rest;
  if (plural === undefined) throw noResource();
  const type = types.find(group, version, plural);
  if (type === undefined || (inside && !type.namespaced)) throw noResource();
  return { type, namespace: inside ? rest[1] : undefined, name, subresource };
}

/** JSON, or YAML where the content says so. @throws StatusError 400 */
export function parseBody(text: string, contentType: string, kind: string): unknown {
  if (contentType.includes("yaml")) return compactJson(text) ?? parseYaml(text);
  try {
    return JSON.parse(text);
  } catch {
    const bad = text.trimStart();
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: invalid character '${bad[1] ?? ""}' looking for beginning of object key string (${text.slice(0, 200)})`,
    );
  }
}
