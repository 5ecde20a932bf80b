/** How a list is answered: page by page, as objects, as their metadata, or as a table. */
import type { KubeObject } from "./objects";
import { apiVersionOf, type ResourceType } from "./resource-types";
import { partial, table } from "./tables";

/** In which form a client wants objects; undefined = as they are. */
export type ObjectForm = "Table" | "PartialObjectMetadata" | undefined;

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ""}/${metadata.name}`;

/** The page that a request asks for, with the continue token of the next one. */
function page(objects: readonly KubeObject[], resourceVersion: string, query: URLSearchParams): { objects: KubeObject[]; metadata: Record<string, unknown> } {
  const mark = query.get("continue");
  const after = mark ? (JSON.parse(Buffer.from(mark, "base64").toString("utf8")) as { start: string }).start : undefined;
  const wanted = objects.filter((object) => after === undefined || keyOf(object) > after);
  const limit = Number(query.get("limit") ?? 0);
  const shown = limit > 0 ? wanted.slice(0, limit) : wanted;
  const last = shown.at(-1);
  if (last === undefined || shown.length === wanted.length) return { objects: shown, metadata: { resourceVersion } };
  const next = Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: Number(resourceVersion), start: keyOf(last) })).toString("base64");
  // With a selector the server does not say how many are left.
  const selects = query.get("labelSelector") || query.get("fieldSelector");
  return { objects: shown, metadata: { resourceVersion, continue: next, ...(selects ? {} : { remainingItemCount: wanted.length - limit }) } };
}

export function listAnswer(type: ResourceType, selected: readonly KubeObject[], resourceVersion: string, url: URL, form: ObjectForm, now: number): unknown {
  const { objects, metadata } = page(selected, resourceVersion, url.searchParams);
  if (form === "Table") return table(type, objects, metadata, now);
  if (form === "PartialObjectMetadata")
    return { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1", metadata, items: objects.map((object) => partial(object)) };
  // Items of built-in lists carry no type; those of custom ones do.
  const items = type.crd ? objects : objects.map(({ apiVersion: _apiVersion, kind: _kind, ...rest }) => rest);
  return { kind: `${type.kind}List`, apiVersion: apiVersionOf(type), metadata, items };
}
