/** A small S3 server, as MinIO is one: path-style buckets and whole objects. */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { decodedPath } from "../core/decoded-path";
import { acceptedUrl } from "../core/request-url";
import { listenOn } from "../core/server";
import type { LabContext, Persistent, Stoppable } from "../core/world";
import { noSuchBucket, noSuchKey, S3Error } from "./errors";
import { listing } from "./listing";
import { undeclared } from "./operations";
import { type Credentials, checkSignature, unwrapChunks } from "./signature";
import { type Bucket, type S3State, type StoredObject, s3StateSchema, type User } from "./state";
import { checkUser } from "./users";
import { element, objectsToDelete, text } from "./xml";

export type { Credentials } from "./signature";

export interface S3Server extends Persistent, Stoppable {
  readonly port: number;
  /** Makes buckets, as MinIO's client does with the root user. Existing ones are not changed. */
  makeBuckets(wanted: readonly WantedBucket[]): void;
  /** Makes users, by access key. Existing ones get the given keys and statements. */
  makeUsers(wanted: Readonly<Record<string, User>>): void;
}

export interface WantedBucket {
  name: string;
  versioning: boolean;
}

export interface S3Options {
  credentials: Credentials;
  /** What `save` gave. */
  saved?: unknown;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  body: Buffer;
}

const KEPT_HEADERS = /^(content-type|content-encoding|content-disposition|content-language|cache-control|x-amz-meta-.+)$/;
class S3 {
  state: S3State = { buckets: {} };

  constructor(
    private readonly name: string,
    private readonly ctx: LabContext,
  ) {}

  #record(kind: "read" | "write", action: string): void {
    this.ctx.records.add({ system: "s3", target: this.name, kind, action });
    if (kind === "write") this.ctx.changed();
  }

  #now(): string {
    return new Date(this.ctx.clock.now()).toISOString();
  }

  #notModelled(what: string): S3Error {
    this.ctx.unhandled.add({ system: "s3", target: this.name, what });
    return new S3Error(501, "NotImplemented", "A header or query you provided implies functionality that is not implemented.");
  }

  makeBuckets(wanted: readonly WantedBucket[]): void {
    for (const { name, versioning } of wanted) {
      if (this.state.buckets[name] !== undefined) continue;
      this.state.buckets[name] = { created: this.#now(), objects: {}, ...(versioning ? { versioning: true as const } : {}) };
      this.#record("write", `bucket-create ${name}`);
    }
  }

  makeUsers(wanted: Readonly<Record<string, User>>): void {
    for (const [name, user] of Object.entries(wanted)) {
      if (JSON.stringify(this.state.users?.[name]) === JSON.stringify(user)) continue;
      this.state.users = { ...this.state.users, [name]: user };
      this.#record("write", `user ${name}`);
    }
  }

  handle(exchange: Exchange): undefined {
    const { request, url } = exchange;
    const [bucket = "", ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
    const key = rest.join("/");
    const strange = undeclared(request, url, bucket === "" ? "service" : key === "" ? "bucket" : "object");
    if (strange !== undefined) throw this.#notModelled(`${request.method} ${url.pathname}: ${strange}`);
    this.#checkBody(exchange);
    if (bucket === "") return this.#service(exchange);
    return key === "" ? this.#bucket(exchange, bucket) : this.#object(exchange, bucket, key);
  }

  /** Refuses a body that did not arrive as it was sent. */
  #checkBody({ request, body }: Exchange): void {
    const digest = request.headers["content-md5"];
    if (digest !== undefined && digest !== createHash("md5").update(body).digest("base64"))
      throw new S3Error(400, "BadDigest", "The Content-Md5 you specified did not match what we received.");
  }

  #service({ request, response }: Exchange): undefined {
    if (request.method !== "GET") throw this.#notModelled(`${request.method} /`);
    const buckets = Object.entries(this.state.buckets).map(([name, { created }]) =>
      element("Bucket", element("Name", text(name)) + element("CreationDate", created)),
    );
    const owner = element("Owner", element("ID", "lab") + element("DisplayName", "lab"));
    return send(
      response,
      200,
      `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${owner}${element("Buckets", buckets.join(""))}</ListAllMyBucketsResult>`,
    );
  }

  #existing(name: string): Bucket {
    const bucket = this.state.buckets[name];
    if (bucket === undefined) throw noSuchBucket();
    return bucket;
  }

  #bucket({ request, response, url, body }: Exchange, name: string): undefined {
    switch (request.method) {
      case "PUT":
        if (this.state.buckets[name] !== undefined)
          throw new S3Error(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.");
        if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw new S3Error(400, "InvalidBucketName", "The specified bucket is not valid.");
        this.state.buckets[name] = { created: this.#now(), objects: {} };
        this.#record("write", `bucket-create ${name}`);
        return send(response, 200, "", { location: `/${name}` });
      case "HEAD":
        this.#existing(name);
        return send(response, 200, "", { "x-amz-bucket-region": "us-east-1" });
      case "GET":
        if (url.searchParams.has("location")) {
          this.#existing(name);
          return send(response, 200, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`);
        }
        if (url.searchParams.has("versioning")) {
          const status = this.#existing(name).versioning === true ? element("Status", "Enabled") : "";
          return send(response, 200, `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${status}</VersioningConfiguration>`);
        }
        return send(response, 200, listing(name, this.#existing(name), url.searchParams));
      case "DELETE":
        if (Object.keys(this.#existing(name).objects).length > 0) throw new S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
        delete this.state.buckets[name];
        this.#record("write", `bucket-delete ${name}`);
        return send(response, 204);
      case "POST":
        if (url.searchParams.has("delete")) return this.#deleteMany(response, name, body.toString("utf8"));
        throw this.#notModelled(`POST /${name}${url.search}`);
      default:
        throw this.#notModelled(`${request.method} /${name}`);
    }
  }

  #deleteMany(response: ServerResponse, name: string, xml: string): undefined {
    const { objects } = this.#existing(name);
    const { keys, quiet, versions } = objectsToDelete(xml);
    if (versions) throw this.#notModelled(`POST /${name}: a VersionId`);
    for (const key of keys) {
      if (objects[key] === undefined) continue;
      delete objects[key];
      this.#record("write", `delete ${name}/${key}`);
    }
    const deleted = quiet ? [] : keys.map((key) => element("Deleted", element("Key", text(key))));
    return send(response, 200, `<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${deleted.join("")}</DeleteResult>`);
  }

  #object(exchange: Exchange, name: string, key: string): undefined {
    const { request, response } = exchange;
    const { objects } = this.#existing(name);
    switch (request.method) {
      case "PUT":
        return this.#put(exchange, objects, name, key);
      case "DELETE":
        if (objects[key] !== undefined) {
          delete objects[key];
          this.#record("write", `delete ${name}/${key}`);
        }
        return send(response, 204);
      case "GET":
      case "HEAD":
        return this.#get(exchange, objects[key], `${name}/${key}`);
      default:
        throw this.#notModelled(`${request.method} /${name}/${key}`);
    }
  }

  #put({ request, response, body }: Exchange, objects: Bucket["objects"], name: string, key: string): undefined {
    const { headers } = request;
    const existing = objects[key];
    const failed = (): S3Error => new S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    if (headers["if-none-match"] === "*" && existing !== undefined) throw failed();
    if (headers["if-match"] !== undefined && headers["if-match"].replaceAll('"', "") !== existing?.etag.replaceAll('"', "")) throw failed();
    const source = headers["x-amz-copy-source"];
    const origin = typeof source === "string" ? this.#copied(source) : undefined;
    const content = origin === undefined ? body : Buffer.from(origin.body, "base64");
    const sent = Object.fromEntries(
      Object.entries(headers).filter((entry): entry is [string, string] => KEPT_HEADERS.test(entry[0]) && typeof entry[1] === "string"),
    );
    const kept = origin !== undefined && headers["x-amz-metadata-directive"] !== "REPLACE" ? origin.headers : sent;
    const etag = `"${createHash("md5").update(content).digest("hex")}"`;
    const modified = this.#now();
    objects[key] = { body: content.toString("base64"), size: content.length, etag, modified, headers: { "content-type": "binary/octet-stream", ...kept } };
    this.#record("write", `put ${name}/${key}`);
    if (origin === undefined) return send(response, 200, "", { etag });
    return send(response, 200, element("CopyObjectResult", element("ETag", text(etag)) + element("LastModified", modified)));
  }

  #copied(source: string): StoredObject {
    const path = source.replace(/\?.*$/, "");
    const [bucket = "", ...parts] = (decodedPath(path) ?? path).replace(/^\//, "").split("/");
    const found = this.#existing(bucket).objects[parts.join("/")];
    if (found === undefined) throw noSuchKey();
    return found;
  }

  #get({ request, response }: Exchange, object: StoredObject | undefined, path: string): undefined {
    if (object === undefined) throw noSuchKey();
    this.#record("read", `get ${path}`);
    const headers = { ...object.headers, etag: object.etag, "last-modified": new Date(object.modified).toUTCString(), "accept-ranges": "bytes" };
    if (request.headers["if-none-match"]?.replaceAll('"', "") === object.etag.replaceAll('"', "")) return send(response, 304, "", headers);
    const whole = Buffer.from(object.body, "base64");
    const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
    const [, from = "", to = ""] = range ?? [];
    const start = from === "" ? (to === "" ? 0 : Math.max(0, whole.length - Number(to))) : Number(from);
    const end = from === "" || to === "" ? whole.length : Math.min(whole.length, Number(to) + 1);
    if (range !== null && start >= whole.length) throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable");
    const part = whole.subarray(start, end);
    const ranged = range === null ? {} : { "content-range": `bytes ${start}-${end - 1}/${whole.length}` };
    response.writeHead(range === null ? 200 : 206, { ...headers, ...ranged, "content-length": part.length });
    response.end(request.method === "HEAD" ? undefined : part);
    return undefined;
  }
}

function send(response: ServerResponse, status: number, xml = "", headers: Record<string, string> = {}): undefined {
  const body = xml === "" ? "" : `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`;
  response.writeHead(status, { ...(body === "" ? { "content-length": 0 } : { "content-type": "application/xml" }), ...headers });
  response.end(body === "" ? undefined : body);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  return String(request.headers["x-amz-content-sha256"] ?? "").startsWith("STREAMING-") ? unwrapChunks(raw) : raw;
}

/** More than the 15 minutes that S3 allows. */
const SKEW_MS = 20 * 60_000;

/** @param name how the lab's records call it: cluster, namespace and pod */
export async function startS3(name: string, ctx: LabContext, options: S3Options): Promise<S3Server> {
  const s3 = new S3(name, ctx);
  const restore = (saved: unknown): void => {
    s3.state = s3StateSchema.parse(structuredClone(saved));
  };
  if (options.saved !== undefined) restore(options.saved);

  const handle = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<undefined> => {
    if (/^\/minio\/health\/(live|ready|cluster)$/.test(url.pathname) && request.method === "GET") return send(response, 200);
    // A request without a bucket's name matches none of MinIO's routes, so that nobody checks its signature.
    if (url.pathname.startsWith("//"))
      throw new S3Error(400, "BadRequest", `An error occurred when parsing the HTTP request ${request.method} at '${decodedPath(url.pathname)}'`);
    const body = await bodyOf(request);
    if (ctx.faults.take("s3.clock-skew", name)) {
      // The answer has the server's time, which clients adopt.
      response.setHeader("date", new Date(ctx.clock.now() + SKEW_MS).toUTCString());
      throw new S3Error(403, "RequestTimeTooSkewed", "The difference between the request time and the server's time is too large.");
    }
    if (request.method !== "GET" && request.method !== "HEAD" && ctx.faults.take("s3.write-refused", name))
      throw new S3Error(507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed.");
    const { accessKey: root, secretKey } = options.credentials;
    const user = checkSignature(request, url, (name) => (name === root ? secretKey : s3.state.users?.[name]?.secretKey));
    if (user !== root) checkUser(s3.state.users?.[user], request, url);
    return s3.handle({ request, response, url, body });
  };
  const server = createServer((request, response) => {
    response.setHeader("x-amz-request-id", randomUUID().replaceAll("-", "").slice(0, 16).toUpperCase());
    response.setHeader("server", "MinIO");
    const url = acceptedUrl(request, response);
    if (url === undefined) return;
    handle(request, response, url).catch((thrown: unknown) => {
      if (!(thrown instanceof S3Error))
        ctx.unhandled.add({ system: "s3", target: name, what: `bug: ${thrown instanceof Error ? thrown.stack : String(thrown)}` });
      const error = thrown instanceof S3Error ? thrown : new S3Error(500, "InternalError", "We encountered an internal error, please try again.");
      const resource = element("Resource", text(decodedPath(url.pathname) ?? "/"));
      const body = element("Error", element("Code", error.code) + element("Message", text(error.message)) + resource);
      send(response, error.status, request.method === "HEAD" ? "" : body);
    });
  });
  const port = await listenOn(server, 0);
  return {
    port,
    makeBuckets: (wanted) => s3.makeBuckets(wanted),
    makeUsers: (wanted) => s3.makeUsers(wanted),
    save: () => structuredClone(s3.state),
    restore: async (saved) => restore(saved),
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
