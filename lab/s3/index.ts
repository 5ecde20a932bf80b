/** A small S3 server: path-style buckets and objects, as much as clients of the homelab use. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { LabContext } from "../core/world";

const stateSchema = z.object({
  buckets: z.record(z.string(), z.record(z.string(), z.object({ body: z.string(), type: z.string(), modified: z.string(), etag: z.string() }))),
});
type S3State = z.infer<typeof stateSchema>;

export interface S3Server {
  port: number;
  save(): unknown;
  stop(): Promise<void>;
}

const xml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

class S3Error extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Streaming uploads wrap the content in signed chunks. */
function unchunk(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf("\r\n", at);
    if (end < 0) break;
    const size = Number.parseInt(body.subarray(at, end).toString("latin1").split(";")[0] ?? "0", 16);
    if (size === 0) break;
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

/** @param credentials access key that is accepted; undefined = any */
export async function startS3(
  name: string,
  ctx: LabContext,
  options: { saved?: unknown; credentials?: () => { accessKey: string } | undefined; buckets?: readonly string[] } = {},
): Promise<S3Server> {
  const state: S3State = options.saved === undefined ? { buckets: {} } : stateSchema.parse(options.saved);
  for (const bucket of options.buckets ?? []) state.buckets[bucket] ??= {};
  const record = (kind: "read" | "write", action: string): void => {
    ctx.records.add({ system: "s3", target: name, kind, action });
    if (kind === "write") ctx.changed();
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://s3");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const body = String(request.headers["x-amz-content-sha256"] ?? "").startsWith("STREAMING") ? unchunk(raw) : raw;
    const access = /Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1];
    if (url.pathname.startsWith("/minio/health/")) {
      response.writeHead(200);
      response.end();
      return;
    }
    const wanted = options.credentials?.();
    if (access === undefined || (wanted !== undefined && wanted.accessKey !== access))
      throw new S3Error(403, access === undefined ? "AccessDenied" : "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.");
    const send = (status: number, text = "", headers: Record<string, string> = {}): void => {
      response.writeHead(status, { ...(text === "" ? {} : { "content-type": "application/xml" }), ...headers });
      response.end(text === "" ? undefined : `<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
    };
    const [bucket = "", ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
    const key = rest.join("/");
    const objects = state.buckets[bucket];
    const { method } = request;
    if (bucket === "")
      return send(
        200,
        `<ListAllMyBucketsResult><Buckets>${Object.keys(state.buckets)
          .map((b) => `<Bucket><Name>${xml(b)}</Name></Bucket>`)
          .join("")}</Buckets></ListAllMyBucketsResult>`,
      );
    if (key === "" && method === "PUT") {
      if (objects === undefined) record("write", `bucket-create ${bucket}`);
      state.buckets[bucket] ??= {};
      return send(200);
    }
    if (objects === undefined) throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist");
    if (key === "") {
      if (method === "HEAD") return send(200);
      if (method === "GET" && url.searchParams.has("location")) return send(200, "<LocationConstraint/>");
      if (method === "GET") return send(200, list(bucket, objects, url.searchParams));
      if (method === "DELETE") {
        delete state.buckets[bucket];
        record("write", `bucket-delete ${bucket}`);
        return send(204);
      }
    }
    const existing = objects[key];
    const source = request.headers["x-amz-copy-source"];
    if (method === "PUT") {
      const [fromBucket = "", ...from] = typeof source === "string" ? decodeURIComponent(source).replace(/^\//, "").split("/") : [];
      const copied = typeof source === "string" ? state.buckets[fromBucket]?.[from.join("/")] : undefined;
      if (typeof source === "string" && copied === undefined) throw new S3Error(404, "NoSuchKey", "The specified key does not exist.");
      const content = copied === undefined ? body.toString("base64") : copied.body;
      const etag = `"${createHash("md5").update(Buffer.from(content, "base64")).digest("hex")}"`;
      objects[key] = { body: content, type: request.headers["content-type"] ?? "binary/octet-stream", modified: new Date(ctx.clock.now()).toISOString(), etag };
      record("write", `put ${bucket}/${key}`);
      return copied === undefined ? send(200, "", { etag }) : send(200, `<CopyObjectResult><ETag>${etag}</ETag></CopyObjectResult>`);
    }
    if (method === "DELETE") {
      if (existing !== undefined) record("write", `delete ${bucket}/${key}`);
      delete objects[key];
      return send(204);
    }
    if (existing === undefined) throw new S3Error(404, "NoSuchKey", "The specified key does not exist.");
    const content = Buffer.from(existing.body, "base64");
    response.writeHead(200, {
      "content-type": existing.type,
      "content-length": content.length,
      etag: existing.etag,
      "last-modified": new Date(existing.modified).toUTCString(),
    });
    response.end(method === "HEAD" ? undefined : content);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((thrown: unknown) => {
      const error = thrown instanceof S3Error ? thrown : new S3Error(500, "InternalError", String(thrown));
      if (!(thrown instanceof S3Error)) ctx.unhandled.add({ system: "s3", target: name, what: String(thrown) });
      response.writeHead(error.status, { "content-type": "application/xml" });
      response.end(
        request.method === "HEAD" ? undefined : `<?xml version="1.0"?><Error><Code>${error.code}</Code><Message>${xml(error.message)}</Message></Error>`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    save: () => state,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function list(bucket: string, objects: S3State["buckets"][string], query: URLSearchParams): string {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const keys = Object.keys(objects)
    .filter((key) => key.startsWith(prefix))
    .sort();
  const folders = new Set<string>();
  const direct = keys.filter((key) => {
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (at >= 0) folders.add(key.slice(0, at + delimiter.length));
    return at < 0;
  });
  const contents = direct.map(
    (key) =>
      `<Contents><Key>${xml(key)}</Key><LastModified>${objects[key]?.modified}</LastModified><ETag>${xml(objects[key]?.etag ?? "")}</ETag><Size>${Buffer.from(objects[key]?.body ?? "", "base64").length}</Size></Contents>`,
  );
  return `<ListBucketResult><Name>${xml(bucket)}</Name><Prefix>${xml(prefix)}</Prefix><KeyCount>${direct.length + folders.size}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>${contents.join("")}${[...folders].map((f) => `<CommonPrefixes><Prefix>${xml(f)}</Prefix></CommonPrefixes>`).join("")}</ListBucketResult>`;
}
