/** The HTTP side of a cluster's API. */
import { type IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import type { LabContext } from "../core/world";
import { actingAs, authenticate, authorize, type Tokens, type User } from "./auth";
import { documentAt, isDocument, isHealth } from "./documents";
import { schemaOf, unknownFields } from "./field-schema";
import { listAnswer, type ObjectForm } from "./list-answer";
import { at, type Json, type JsonMap, type KubeObject, mapAt, numberAt, textAt } from "./objects";
import { OPENAPI_PROTOBUF, openapiProtobuf } from "./openapi-protobuf";
import { type PARAMETERS, undeclaredOption, undeclaredParameter } from "./parameters";
import { patchOf } from "./patch";
import { type PodOutput, sendLog, simulated } from "./pod-output";
import { isProtobuf, protobufBody } from "./protobuf";
import { parseBody, parseResourcePath, type ResourcePath } from "./request";
import { storageKey } from "./resource-types";
import { reviews } from "./reviews";
import { scaleOf } from "./scale";
import { fieldSelector, labelSelector } from "./selectors";
import { badRequest, forbidden, invalid, methodNotAllowed, noResource, qualified, StatusError } from "./status";
import type { ObjectStore, WriteOptions, Written } from "./store";
import { partial, table } from "./tables";
import { watch } from "./watch";

export interface ApiServerOptions {
  cluster: string;
  address: string;
  store: ObjectStore;
  tokens: Tokens;
  ctx: LabContext;
  tls: { key: string; cert: string; ca: string };
  /** What the programs in pods printed. */
  output: PodOutput;
}

interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  user: User;
}

const VERBS: Record<string, string> = { GET: "get", POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export class ApiServer {
  readonly #server: Server;
  readonly #watches = new Set<() => void>();

  constructor(private readonly options: ApiServerOptions) {
    const { key, cert, ca } = options.tls;
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch((thrown: unknown) => this.#fail(response, thrown));
    };
    this.#server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: false }, answer);
    // exec and port-forward ask for another protocol, which the lab does not speak: they get an answer all the same.
    this.#server.on("upgrade", (request, socket) => {
      const response = new ServerResponse(request);
      response.assignSocket(socket as Socket);
      response.setHeader("connection", "close");
      response.on("finish", () => socket.end());
      answer(request, response);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const end of this.#watches) end();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #fail(response: ServerResponse, thrown: unknown): void {
    const error =
      thrown instanceof StatusError
        ? thrown
        : new StatusError(500, "InternalError", "Internal error occurred: the lab failed to answer; its log of unhandled calls says why");
    // What went wrong inside is for the lab's log, and for no client.
    if (!(thrown instanceof StatusError)) this.#unhandled(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    if (response.headersSent) response.end();
    else this.#send(response, error.code, error.body());
  }

  #unhandled(what: string): void {
    this.options.ctx.unhandled.add({ system: "kubernetes", target: this.options.cluster, what });
  }

  /** @throws StatusError 400 for a parameter that the lab does not model */
  #checkParameters({ request, url }: Call, what: Parameters<typeof undeclaredParameter>[1]): void {
    const strange = undeclaredParameter(url.searchParams, what);
    if (strange === undefined) return;
    this.#unhandled(`${request.method} ${url.pathname}: the parameter ${strange} is not modelled`);
    throw badRequest(`the parameter ${strange} is not modelled by the lab`);
  }

  #send(response: ServerResponse, status: number, body: unknown, warnings: readonly string[] = []): void {
    const text = `${JSON.stringify(body)}\n`;
    const zip = text.length > 128 * 1024 && /\bgzip\b/.test(String(response.req.headers["accept-encoding"] ?? ""));
    const warning = warnings.map((text) => `299 - "${text.replaceAll('"', '\\"')}"`);
    const headers: Record<string, string | string[]> = { "content-type": "application/json", "cache-control": "no-cache, private" };
    if (zip) headers["content-encoding"] = "gzip";
    if (warning.length > 0) headers["warning"] = warning;
    response.writeHead(status, headers);
    response.end(zip ? gzipSync(text) : text);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { store, tokens } = this.options;
    const url = new URL(request.url ?? "/", "https://kubernetes");
    const user = authenticate(request.socket as TLSSocket, request.headers.authorization, tokens, store);
    if (user === undefined) throw new StatusError(401, "Unauthorized", "Unauthorized");
    const call: Call = { request, response, url, user: actingAs(user, request.headers, store) };
    if (this.#general(call)) return;
    try {
      await this.#resource(call, parseResourcePath(url.pathname, store.types));
    } catch (thrown) {
      if (thrown instanceof StatusError && [405, 501].includes(thrown.code)) this.#unhandled(`${request.method} ${url.pathname}`);
      throw thrown;
    }
  }

  /** Paths that are no resources: health, version, discovery, OpenAPI. */
  #general(call: Call): boolean {
    const { response, url, user, request } = call;
    const { store, address } = this.options;
    const path = url.pathname.replace(/\/+$/, "") || "/";
    if (isHealth(path)) {
      this.#checkParameters(call, "health");
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      response.end("ok");
      return true;
    }
    if (!isDocument(path)) return false;
    if (path !== "/version" && user.name === "system:anonymous")
      throw forbidden(`forbidden: User "system:anonymous" cannot ${(request.method ?? "GET").toLowerCase()} path "${url.pathname}"`, {});
    this.#checkParameters(call, "document");
    if (path === "/openapi/v2" && /proto-openapi/.test(String(request.headers.accept ?? ""))) {
      response.writeHead(200, { "content-type": OPENAPI_PROTOBUF });
      response.end(openapiProtobuf());
      return true;
    }
    this.#send(response, 200, documentAt(path, store.types, `${address}:6443`));
    return true;
  }

  #authorize({ user, request, url }: Call, { type, namespace, name, subresource }: ResourcePath): void {
    const method = request.method ?? "GET";
    const verb =
      method === "GET" && name === undefined
        ? url.searchParams.get("watch")
          ? "watch"
          : "list"
        : method === "DELETE" && name === undefined
          ? "deletecollection"
          : (VERBS[method] ?? "get");
    const own = namespace ?? (type.kind === "Namespace" && type.group === "" ? name : undefined);
    if (authorize(user, { verb, group: type.group, resource: type.plural, subresource, namespace: own, name }, this.options.store)) return;
    const what = qualified(type);
    const scope = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
    throw forbidden(
      `${what}${name === undefined ? "" : ` "${name}"`} is forbidden: User "${user.name}" cannot ${verb} resource "${type.plural}${subresource ? `/${subresource}` : ""}" in API group "${type.group}" ${scope}`,
      {
        ...(name === undefined ? {} : { name }),
        ...(type.group === "" ? {} : { group: type.group }),
        kind: type.plural,
      },
    );
  }

  async #resource(call: Call, path: ResourcePath): Promise<void> {
    const { request, response } = call;
    const { store } = this.options;
    this.#authorize(call, path);
    const review = reviews(path, this.options);
    if (review !== undefined && request.method === "POST") {
      this.#checkParameters(call, "review");
      const body = this.#parsed(await readBody(request), request.headers["content-type"] ?? "application/json", path);
      this.#send(response, 201, review(body as KubeObject, call.user));
      return;
    }
    if (path.subresource !== undefined && !path.type.subresources.has(path.subresource)) throw noResource();
    if (path.type.kind === "Pod" && path.subresource !== undefined && path.subresource !== "status" && path.name !== undefined) {
      this.#podStream(call, path, path.name);
      return;
    }
    if (path.subresource !== undefined && !["status", "scale", "finalize"].includes(path.subresource)) throw methodNotAllowed();
    this.#checkParameters(call, parametersOf(call, path));
    switch (request.method) {
      case "GET":
        if (path.name === undefined) this.#list(call, path);
        else
          this.#sendObject(
            call,
            path,
            200,
            path.subresource === "scale" ? scaleOf(store.get(path.type, path.namespace, path.name)) : store.get(path.type, path.namespace, path.name),
          );
        return;
      case "POST":
      case "PUT":
      case "PATCH":
        await this.#write(call, path);
        return;
      case "DELETE":
        await this.#delete(call, path);
        return;
      default:
        throw methodNotAllowed();
    }
  }

  /** What a pod printed; and no way into one. */
  #podStream(call: Call, { type, namespace, subresource }: ResourcePath, name: string): void {
    const { store, output } = this.options;
    const pod = store.get(type, namespace, name);
    if (subresource !== "log")
      throw subresource === "exec" || subresource === "attach" || subresource === "portforward" ? simulated(pod, subresource) : methodNotAllowed();
    if (call.request.method !== "GET") throw methodNotAllowed();
    this.#checkParameters(call, "log");
    const alive = (): boolean => store.find(type, namespace, name)?.metadata.uid === pod.metadata.uid;
    const end = sendLog(pod, call.url.searchParams, output, call.response, alive);
    this.#watches.add(end);
    call.response.on("close", () => this.#watches.delete(end));
  }

  #selected({ url }: Call, { type, namespace }: ResourcePath): (object: KubeObject) => boolean {
    const labels = labelSelector(url.searchParams.get("labelSelector") ?? "");
    const fields = fieldSelector(url.searchParams.get("fieldSelector") ?? "", type.kind);
    return (object) => (namespace === undefined || object.metadata.namespace === namespace) && labels(object) && fields(object);
  }

  #list(call: Call, path: ResourcePath): void {
    const { store, ctx } = this.options;
    const { url, response } = call;
    const selected = this.#selected(call, path);
    if (["1", "true"].includes(url.searchParams.get("watch") ?? "")) {
      const end = watch({ store, path, key: storageKey(path.type), selected, url, response, as: accepts(call), now: () => ctx.clock.now() });
      this.#watches.add(end);
      response.on("close", () => {
        this.#watches.delete(end);
        end();
      });
      return;
    }
    this.#send(
      response,
      200,
      listAnswer(path.type, store.list(path.type, path.namespace).filter(selected), store.resourceVersion, url, accepts(call), ctx.clock.now()),
    );
  }

  #sendObject(call: Call, path: ResourcePath, status: number, object: unknown, warnings: readonly string[] = []): void {
    const as = accepts(call);
    if (as === "Table")
      this.#send(
        call.response,
        status,
        table(path.type, [object as KubeObject], { resourceVersion: (object as KubeObject).metadata.resourceVersion }, this.options.ctx.clock.now()),
        warnings,
      );
    else this.#send(call.response, status, as === "PartialObjectMetadata" ? partial(object as KubeObject) : ordered(object as KubeObject), warnings);
  }

  /** Checks fields that the kind does not have, as the request asks. */
  #fieldWarnings(call: Call, path: ResourcePath, object: unknown): string[] {
    const mode = call.url.searchParams.get("fieldValidation") ?? "Warn";
    if (mode === "Ignore" || path.type.crd !== undefined) return [];
    const unknown = unknownFields(object, schemaOf(path.type));
    if (unknown.length === 0) return [];
    const texts = unknown.map((name) => `unknown field "${name}"`);
    if (mode === "Warn") return texts;
    throw badRequest(
      `${path.type.kind} in version "${path.type.version}" cannot be handled as a ${path.type.kind}: strict decoding error: ${texts.join(", ")}`,
    );
  }

  /** JSON, YAML, and of the binary format what the lab reads: custom resources have none, and what else it does not read is a gap. */
  #parsed(body: Buffer, contentType: string, { type }: ResourcePath): unknown {
    if (!isProtobuf(contentType)) return parseBody(body.toString("utf8"), contentType, type.kind);
    try {
      if (type.crd === undefined) return protobufBody(body);
    } catch (thrown) {
      if (!(thrown instanceof StatusError)) throw thrown;
      this.#unhandled(thrown.message);
    }
    throw new StatusError(
      415,
      "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
    );
  }

  async #write(call: Call, path: ResourcePath): Promise<void> {
    const { request, url } = call;
    const { store } = this.options;
    const { type, namespace, name, subresource } = path;
    const contentType = request.headers["content-type"] ?? "application/json";
    const body = this.#parsed(await readBody(request), contentType, path) as Json;
    const manager = url.searchParams.get("fieldManager") ?? (String(request.headers["user-agent"] ?? "").split("/")[0] || "unknown");
    const options: WriteOptions = {
      manager: manager.startsWith("node") || manager === "undici" ? "unknown" : manager,
      ...(url.searchParams.get("dryRun") ? { dryRun: true } : {}),
      ...(subresource === "status" ? { subresource } : {}),
    };
    if (request.method === "POST") {
      if (name !== undefined) throw methodNotAllowed();
      const warnings = this.#fieldWarnings(call, path, body);
      this.#written(call, path, store.create(type, namespace, body as unknown as KubeObject, options), "create", warnings);
      return;
    }
    if (name === undefined) throw methodNotAllowed();
    if (subresource === "scale") {
      const replicas = numberAt(body, "spec", "replicas") ?? 0;
      this.#written(
        call,
        path,
        store.modify(type, namespace, name, (o) => ({ ...o, spec: { ...mapAt(o, "spec"), replicas } }), options),
        "scale",
        [],
      );
      return;
    }
    if (subresource === "finalize") {
      if (request.method !== "PUT" || type.kind !== "Namespace") throw methodNotAllowed();
      this.#written(call, path, store.finalize(type, name, at(body, "spec", "finalizers"), options), "finalize", []);
      return;
    }
    if (request.method === "PUT") {
      const warnings = this.#fieldWarnings(call, path, body);
      this.#written(call, path, store.update(type, namespace, name, body as unknown as KubeObject, options), "update", warnings);
      return;
    }
    const warnings = contentType.includes("apply-patch") ? this.#fieldWarnings(call, path, body) : [];
    this.#written(
      call,
      path,
      this.#patch(path, name, contentType, body, options, url.searchParams),
      contentType.includes("apply-patch") ? "apply" : "patch",
      warnings,
    );
  }

  #patch({ type, namespace }: ResourcePath, name: string, contentType: string, body: Json, options: WriteOptions, query: URLSearchParams): Written {
    const { store } = this.options;
    if (contentType.includes("apply-patch")) {
      const manager = query.get("fieldManager");
      if (manager === null)
        throw invalid("PatchOptions", "meta.k8s.io", "", [
          { reason: "FieldValueRequired", message: "Required value: is required for apply patch", field: "fieldManager" },
        ]);
      return store.apply(type, namespace, name, body as unknown as KubeObject, { ...options, manager, force: query.get("force") === "true" });
    }
    const change = patchOf(contentType, type, body);
    return store.modify(type, namespace, name, (object) => change(object as unknown as Json) as unknown as KubeObject, options);
  }

  #written(call: Call, path: ResourcePath, written: Written, verb: string, warnings: readonly string[]): void {
    this.#record(path, written.object.metadata.name, verb, written.changed);
    const body = path.subresource === "scale" ? scaleOf(written.object) : written.object;
    this.#sendObject(call, path, written.created ? 201 : 200, body, warnings);
  }

  #record({ type, namespace, subresource }: ResourcePath, name: string, verb: string, changed: boolean): void {
    const { ctx, cluster } = this.options;
    const where = namespace === undefined ? name : `${namespace}/${name}`;
    const apiVersion = type.group === "" ? type.version : `${type.group}/${type.version}`;
    ctx.records.add({
      system: "kubernetes",
      target: cluster,
      kind: changed ? "write" : "read",
      action: `${verb} ${apiVersion} ${type.plural}${subresource ? `/${subresource}` : ""} ${where}`,
    });
  }

  async #delete(call: Call, path: ResourcePath): Promise<void> {
    const { request, response, url } = call;
    const { store } = this.options;
    const { type, namespace, name } = path;
    const sent = await readBody(request);
    const body = (sent.length === 0 ? {} : this.#parsed(sent, request.headers["content-type"] ?? "application/json", path)) as JsonMap;
    const strange = undeclaredOption(body);
    if (strange !== undefined) {
      this.#unhandled(`DELETE ${url.pathname}: the option ${strange} is not modelled`);
      throw badRequest(`the option ${strange} of a deletion is not modelled by the lab`);
    }
    const dryRun = Boolean(url.searchParams.get("dryRun")) || Array.isArray(body["dryRun"]);
    const uid = textAt(body, "preconditions", "uid");
    const propagation = url.searchParams.get("propagationPolicy") ?? textAt(body, "propagationPolicy");
    const options = { ...(dryRun ? { dryRun } : {}), ...(propagation ? { propagation } : {}), ...(uid ? { uid } : {}) };
    if (name === undefined) {
      const objects = store.list(type, namespace).filter(this.#selected(call, path));
      for (const { metadata } of objects) {
        store.delete(type, metadata.namespace, metadata.name, options);
        this.#record(path, metadata.name, "delete", true);
      }
      const items = objects.map(({ apiVersion: _a, kind: _k, ...rest }) => rest);
      this.#send(response, 200, {
        kind: `${type.kind}List`,
        apiVersion: type.group === "" ? type.version : `${type.group}/${type.version}`,
        metadata: { resourceVersion: store.resourceVersion },
        items,
      });
      return;
    }
    const { object, gone } = store.delete(type, namespace, name, options);
    this.#record(path, name, "delete", !options.dryRun);
    if (!gone) this.#send(response, 200, ordered(object));
    else
      this.#send(response, 200, {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Success",
        details: { name, ...(type.group === "" ? {} : { group: type.group }), kind: type.plural, uid: object.metadata.uid },
      });
  }
}

/** What a request to a resource does, as its parameters are looked up. */
function parametersOf({ request, url }: Call, { name }: ResourcePath): keyof typeof PARAMETERS {
  if (request.method === "GET" && name === undefined) return ["1", "true"].includes(url.searchParams.get("watch") ?? "") ? "watch" : "list";
  const verbs = { POST: "create", PUT: "update", PATCH: "patch", DELETE: name === undefined ? "deletecollection" : "delete" } as const;
  return verbs[request.method as keyof typeof verbs] ?? "get";
}

/** Kind and version first, as servers write them. */
const ordered = ({ kind, apiVersion, metadata, ...rest }: KubeObject): Record<string, unknown> => ({ kind, apiVersion, metadata, ...rest });

function accepts({ request }: Call): ObjectForm {
  const accept = String(request.headers.accept ?? "");
  if (/as=Table;/.test(accept)) return "Table";
  return /as=PartialObjectMetadata(List)?;/.test(accept) ? "PartialObjectMetadata" : undefined;
}
