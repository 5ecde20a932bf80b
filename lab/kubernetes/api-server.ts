/** The HTTP side of a cluster's API. */
import { type IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { acceptedUrl } from "../core/request-url";
import { actingAs, authenticate, authorize } from "./auth";
import { Answers, type ApiServerOptions, type Call, readBody } from "./call";
import { documentAt, isDocument, isHealth } from "./documents";
import type { KubeObject } from "./objects";
import { OpenAnswers } from "./open-answers";
import { OPENAPI_PROTOBUF, openapiProtobuf } from "./openapi-protobuf";
import type { PARAMETERS } from "./parameters";
import { PodStreams } from "./pod-streams";
import { Reads } from "./reads";
import { parseResourcePath, type ResourcePath } from "./request";
import { reviews } from "./reviews";
import { forbidden, methodNotAllowed, noResource, qualified, StatusError } from "./status";
import type { Upgrade } from "./streams/upgrade";
import { Writes } from "./writes";

const VERBS: Record<string, string> = { GET: "get", POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

export class ApiServer {
  readonly #server: Server;
  readonly #answers: Answers;
  readonly #open = new OpenAnswers();
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #pods: PodStreams;

  constructor(private readonly options: ApiServerOptions) {
    this.#answers = new Answers(options);
    this.#reads = new Reads(options, this.#answers, this.#open);
    this.#writes = new Writes(options, this.#answers);
    this.#pods = new PodStreams(options, this.#answers, this.#open);
    const { key, cert, ca } = options.tls;
    const answer = (request: IncomingMessage, response: ServerResponse, upgrade?: Upgrade): void => {
      this.#handle(request, response, upgrade).catch((thrown: unknown) => this.#answers.fail(response, thrown));
    };
    this.#server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => answer(request, response));
    // exec and port-forward ask for an upgrade of the protocol. A request that does not get it is answered in HTTP.
    this.#server.on("upgrade", (request, socket, head) => {
      // From here on the connection is this server's: HTTP neither hears of its errors nor ends it.
      socket.on("error", () => socket.destroy());
      socket.on(
        "close",
        this.#open.add(() => socket.destroy()),
      );
      const response = new ServerResponse(request);
      response.assignSocket(socket as Socket);
      response.setHeader("connection", "close");
      // Without a reader a connection never comes to its end.
      response.on("finish", () => socket.end().resume());
      answer(request, response, { socket, head });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#open.close();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #handle(request: IncomingMessage, response: ServerResponse, upgrade: Upgrade | undefined): Promise<void> {
    const { store, tokens } = this.options;
    const url = acceptedUrl(request, response);
    if (url === undefined) return;
    if (url.pathname.startsWith("//")) return this.#noRoute(response);
    const user = authenticate(request.socket as TLSSocket, request.headers.authorization, tokens, store);
    if (user === undefined) throw new StatusError(401, "Unauthorized", "Unauthorized");
    const call: Call = { request, response, url, user: actingAs(user, request.headers, store), upgrade };
    if (this.#general(call)) return;
    this.#outage(response);
    try {
      await this.#resource(call, parseResourcePath(url.pathname, store.types));
    } catch (thrown) {
      if (thrown instanceof StatusError && [405, 501].includes(thrown.code)) this.#answers.unhandled(`${request.method} ${url.pathname}`);
      throw thrown;
    }
  }

  /** The server's answer for a path under none of its roots. It has no status object. */
  #noRoute(response: ServerResponse): void {
    response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
    response.end("404 page not found\n");
  }

  /** As an API server that is overloaded (429, which says when to come back) or not there for a moment (503). */
  #outage(response: ServerResponse): void {
    const { ctx, cluster } = this.options;
    const outage = ctx.faults.take("kubernetes.unavailable", cluster);
    if (outage === undefined) return;
    const status = Number(outage["status"] ?? 503);
    if (status === 429) response.setHeader("retry-after", "1");
    throw status === 429
      ? new StatusError(429, "TooManyRequests", "Too many requests, please try again later.")
      : new StatusError(status, "ServiceUnavailable", "the server is currently unable to handle the request");
  }

  /** Paths that are no resources: health, version, discovery, OpenAPI. */
  #general(call: Call): boolean {
    const { response, url, user, request } = call;
    const { store, address } = this.options;
    const path = url.pathname.replace(/\/+$/, "") || "/";
    if (isHealth(path)) {
      this.#answers.checkParameters(call, "health");
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      response.end("ok");
      return true;
    }
    if (!isDocument(path)) return false;
    if (path !== "/version" && user.name === "system:anonymous")
      throw forbidden(`forbidden: User "system:anonymous" cannot ${(request.method ?? "GET").toLowerCase()} path "${url.pathname}"`, {});
    this.#answers.checkParameters(call, "document");
    if (path === "/openapi/v2" && /proto-openapi/.test(String(request.headers.accept ?? ""))) {
      response.writeHead(200, { "content-type": OPENAPI_PROTOBUF });
      response.end(openapiProtobuf());
      return true;
    }
    this.#answers.send(response, 200, documentAt(path, store.types, `${address}:6443`));
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
    this.#authorize(call, path);
    const review = reviews(path, this.options);
    if (review !== undefined && request.method === "POST") {
      this.#answers.checkParameters(call, "review");
      const body = this.#writes.parsed(await readBody(request), request.headers["content-type"] ?? "application/json", path);
      this.#answers.send(response, 201, review(body as KubeObject, call.user));
      return;
    }
    if (path.subresource !== undefined && !path.type.subresources.has(path.subresource)) throw noResource();
    if (path.type.kind === "Pod" && path.subresource !== undefined && path.subresource !== "status" && path.name !== undefined) {
      await this.#pods.answer(call, path, path.name);
      return;
    }
    if (path.subresource !== undefined && !["status", "scale", "finalize"].includes(path.subresource)) throw methodNotAllowed();
    this.#answers.checkParameters(call, parametersOf(call, path));
    switch (request.method) {
      case "GET":
        if (path.name === undefined) this.#reads.list(call, path);
        else this.#reads.get(call, path, path.name);
        return;
      case "POST":
      case "PUT":
      case "PATCH":
        await this.#writes.write(call, path);
        return;
      case "DELETE":
        await this.#writes.delete(call, path);
        return;
      default:
        throw methodNotAllowed();
    }
  }
}

/** What a request to a resource does, as its parameters are looked up. */
function parametersOf({ request, url }: Call, { name }: ResourcePath): keyof typeof PARAMETERS {
  if (request.method === "GET" && name === undefined) return ["1", "true"].includes(url.searchParams.get("watch") ?? "") ? "watch" : "list";
  const verbs = { POST: "create", PUT: "update", PATCH: "patch", DELETE: name === undefined ? "deletecollection" : "delete" } as const;
  return verbs[request.method as keyof typeof verbs] ?? "get";
}
