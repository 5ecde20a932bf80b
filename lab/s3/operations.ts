/** What the lab's S3 takes: for each operation the parameters of its query, and for all of them the headers. The rest is refused. */
import type { IncomingMessage } from "node:http";

type Level = "service" | "bucket" | "object";

interface Operation {
  level: Level;
  method: string;
  /** The query parameter that selects this operation, such as `?location`. Undefined: no parameter is needed. */
  by?: string;
  query: readonly string[];
  /** Headers of S3 that it reads. */
  headers: readonly RegExp[];
  /** Of some headers and parameters, the values that it takes. */
  values?: Readonly<Record<string, RegExp>>;
}

const LIST = ["list-type", "prefix", "delimiter", "continuation-token", "start-after", "marker", "max-keys", "encoding-type"];
const CONTENT = [/^x-amz-meta-.+$/, /^if-(none-)?match$/, /^x-amz-(checksum-.+|sdk-checksum-algorithm|trailer|decoded-content-length)$/];

const LIST_VALUES = { "list-type": /^2$/, "encoding-type": /^url$/, "max-keys": /^\d+$/ };
/** Refused: any other canned ACL (MinIO has `private` alone), one version as the source of a copy (`?versionId=`), and If-None-Match with a digest. */
const PUT_VALUES = { "x-amz-acl": /^private$/, "x-amz-copy-source": /^[^?]*$/, "x-amz-metadata-directive": /^(COPY|REPLACE)$/, "if-none-match": /^\*$/ };
const GET_VALUES = { range: /^bytes=(\d+-\d*|-\d+)$/ };

/** In the order in which they are looked for. */
const OPERATIONS: readonly Operation[] = [
  { level: "service", method: "GET", query: [], headers: [] },
  { level: "bucket", method: "PUT", query: [], headers: [] },
  { level: "bucket", method: "HEAD", query: [], headers: [] },
  { level: "bucket", method: "DELETE", query: [], headers: [] },
  { level: "bucket", method: "GET", by: "location", query: ["location"], headers: [] },
  { level: "bucket", method: "GET", by: "versioning", query: ["versioning"], headers: [] },
  { level: "bucket", method: "GET", query: LIST, headers: [], values: LIST_VALUES },
  { level: "bucket", method: "POST", by: "delete", query: ["delete"], headers: [/^x-amz-(checksum-.+|sdk-checksum-algorithm)$/] },
  { level: "object", method: "PUT", query: [], headers: [...CONTENT, /^x-amz-acl$/, /^x-amz-copy-source$/, /^x-amz-metadata-directive$/], values: PUT_VALUES },
  { level: "object", method: "GET", query: [], headers: [/^if-none-match$/, /^range$/, /^x-amz-checksum-mode$/], values: GET_VALUES },
  { level: "object", method: "HEAD", query: [], headers: [/^if-none-match$/, /^range$/, /^x-amz-checksum-mode$/], values: GET_VALUES },
  { level: "object", method: "DELETE", query: [], headers: [] },
];

/** Headers of every request: its signature, and those that describe the client. */
const EVERYWHERE = /^x-amz-(date|content-sha256|security-token|user-agent)$/;
/** Headers that would change what an operation does. */
const MATTERS = /^(x-amz-.+|if-.+|range)$/;

/** @returns the part of the request that the lab does not model, in words; undefined when it models all of it */
export function undeclared({ method, headers }: IncomingMessage, url: URL, level: Level): string | undefined {
  const names = [...url.searchParams.keys()];
  const operation = OPERATIONS.find((each) => each.level === level && each.method === method && (each.by === undefined || names.includes(each.by)));
  if (operation === undefined) return `the method ${method}${url.search}`;
  // The name of the operation, which some clients send beside it.
  const parameter = names.find((name) => name !== "x-id" && !operation.query.includes(name));
  if (parameter !== undefined) return `the parameter ${parameter}`;
  const header = Object.keys(headers).find((name) => MATTERS.test(name) && !EVERYWHERE.test(name) && !operation.headers.some((known) => known.test(name)));
  if (header !== undefined) return `the header ${header}`;
  const value = Object.entries(operation.values ?? {}).find(([name, known]) => {
    const given = headers[name] ?? url.searchParams.get(name);
    return given !== undefined && given !== null && !known.test(String(given));
  });
  return value === undefined ? undefined : `this value of ${value[0]}`;
}
