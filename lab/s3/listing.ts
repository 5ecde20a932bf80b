import type { Bucket } from "./state";
import { element, text } from "./xml";

const MOST_KEYS = 1000;

/** ListObjects, version 1 or 2. */
export function listing(name: string, bucket: Bucket, query: URLSearchParams): string {
  const second = query.get("list-type") === "2";
  const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter") ?? ""];
  const token = query.get("continuation-token");
  const after = second ? (token === null ? (query.get("start-after") ?? "") : Buffer.from(token, "base64").toString("utf8")) : (query.get("marker") ?? "");
  const limit = Math.min(Number(query.get("max-keys") ?? MOST_KEYS), MOST_KEYS);
  const shown = (value: string): string => text(query.get("encoding-type") === "url" ? encodeURIComponent(value).replaceAll("%2F", "/") : value);
  /** A key, or the folder that stands for all keys in it. */
  const entries = new Map<string, boolean>();
  for (const key of Object.keys(bucket.objects).sort()) {
    if (!key.startsWith(prefix)) continue;
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const entry = cut < 0 ? key : key.slice(0, cut + delimiter.length);
    if (entry > after) entries.set(entry, cut >= 0);
  }
  const page = [...entries].slice(0, limit);
  const more = entries.size > page.length;
  const last = page.at(-1)?.[0] ?? "";
  const contents = page
    .filter(([, folder]) => !folder)
    .map(([key]) => {
      const object = bucket.objects[key];
      const facts = [
        element("Key", shown(key)),
        element("LastModified", object?.modified ?? ""),
        element("ETag", text(object?.etag ?? "")),
        element("Size", String(object?.size ?? 0)),
        element("StorageClass", "STANDARD"),
      ];
      return element("Contents", facts.join(""));
    });
  const folders = page.filter(([, folder]) => folder).map(([entry]) => element("CommonPrefixes", element("Prefix", shown(entry))));
  const paging = second
    ? [element("KeyCount", String(page.length)), ...(more ? [element("NextContinuationToken", Buffer.from(last).toString("base64"))] : [])]
    : [element("Marker", shown(after)), ...(more ? [element("NextMarker", shown(last))] : [])];
  const head = [
    element("Name", name),
    element("Prefix", shown(prefix)),
    element("Delimiter", shown(delimiter)),
    element("MaxKeys", String(limit)),
    element("IsTruncated", String(more)),
  ];
  return `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${[...head, ...paging, ...contents, ...folders].join("")}</ListBucketResult>`;
}
