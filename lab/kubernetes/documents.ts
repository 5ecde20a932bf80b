/** What an API server says of itself: health, version, discovery, OpenAPI. */
import { discoveryDocument } from "./discovery";
import { type ResourceTypes, readData } from "./resource-types";
import { noResource } from "./status";

const VERSION = {
  major: "1",
  minor: "34",
  emulationMajor: "1",
  emulationMinor: "34",
  gitVersion: "v1.34.2+k3s1",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "2025-11-12T00:00:00Z",
  goVersion: "go1.24.9",
  compiler: "gc",
  platform: "linux/amd64",
};

export const isHealth = (path: string): boolean => /^\/(healthz|livez|readyz)(\/ping)?$/.test(path);

/** Whether a path, without a slash at its end, is one of {@link documentAt}. */
export const isDocument = (path: string): boolean => path === "/version" || /^\/api(\/v1)?$|^\/apis(\/[^/]+){0,2}$|^\/openapi\//.test(path);

/**
 * @param address where the server is reached: `10.20.0.12:6443`
 * @throws StatusError 404 where there is none
 */
export function documentAt(path: string, types: ResourceTypes, address: string): unknown {
  if (path === "/version") return VERSION;
  if (path === "/openapi/v2") return readData("openapi-v2.json.gz");
  const found = path.startsWith("/openapi/v3") ? openApi(path) : discoveryDocument(path, types, address);
  if (found === undefined) throw noResource();
  return found;
}

function openApi(path: string): unknown {
  const data = readData("openapi-v3.json.gz") as { index: unknown; documents: Record<string, unknown> };
  return path === "/openapi/v3" ? data.index : data.documents[path];
}
