/** A Vault server (HTTP API of 1.21) on a port of 127.0.0.1. What it models is in docs/lab.md. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { posix } from "node:path";
import { acceptedUrl, requestUrl } from "../core/request-url";
import { listenOn } from "../core/server";
import type { LabContext, Persistent, Stoppable } from "../core/world";
import { type Call, type Core, emptyState, noRoute, type PodIdentity } from "./core";
import { badRequest, VaultError } from "./errors";
import { parseBody } from "./json-body";
import { acceptList } from "./list-method";
import { Router } from "./router";
import { vaultStateSchema } from "./state";

export type { PodIdentity } from "./core";

export interface VaultServer extends Persistent, Stoppable {
  /** Of its plain HTTP listener. */
  readonly port: number;
  readonly initialized: boolean;
  readonly sealed: boolean;
}

export interface VaultOptions {
  /** What `save` gave. */
  saved?: unknown;
  /** Starts sealed whatever `saved` says, as a server does that was stopped. */
  sealed?: boolean;
  /** Called after each change of the seal: the pod's readiness depends on it. */
  onSealChange?: () => void;
  /** The pod that it runs in: credentials for Kubernetes logins that name none. */
  pod?: PodIdentity;
}

const ENVELOPE = { lease_id: "", renewable: false, lease_duration: 0, data: null, wrap_info: null, warnings: null, auth: null, mount_type: "" };
/** Paths that answer with the object alone, without the envelope (`request_id`, `data`, …). */
const BARE = /^sys\/(health|seal-status|init|unseal|leader|generate-root\/(attempt|update)|internal\/specs\/openapi)$/;

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return parseBody(text);
}

/** Where Vault wants a patch, it takes no plain JSON. */
function checkContentType({ method, headers }: IncomingMessage): void {
  const given = headers["content-type"] ?? "";
  if (method === "PATCH" && given !== "application/merge-patch+json")
    throw new VaultError(415, `PATCH requires Content-Type of application/merge-patch+json, provided ${given}`);
}

/**
 * Where a path with `..`, `.` or `//` leads: Vault 1.21 redirects there before anything else. It does not where these came encoded; see
 * resolvedPath in kv.ts for what that means.
 */
function cleanPath(url = "/"): string | undefined {
  const [encoded = "", ...query] = url.split("?");
  const clean = posix.normalize(encoded);
  return clean === encoded ? undefined : [clean, ...query].join("?");
}

/** The path as it came: a URL has no `..` any more, and none that came encoded. */
const pathOf = ({ url = "/" }: IncomingMessage): string => (url.startsWith("/") ? url : requestUrl({ url, headers: {} }).pathname).replace(/\?.*$/s, "");

function callOf(request: IncomingMessage, { searchParams }: URL, body: Record<string, unknown>): Call {
  const path = decodeURIComponent(pathOf(request).slice("/v1/".length)).replace(/\/+$/, "");
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
  return { method: method === "GET" && searchParams.get("list") === "true" ? "LIST" : method, path, body, query: searchParams };
}

function coreOf(name: string, ctx: LabContext, options: VaultOptions): Core {
  return {
    name,
    ctx,
    state: options.saved === undefined ? emptyState() : vaultStateSchema.parse(structuredClone(options.saved)),
    pod: options.pod,
    now: () => Math.floor(ctx.clock.now() / 1000),
    time: () => new Date(ctx.clock.now()).toISOString(),
    record: (kind, action) => {
      ctx.records.add({ system: "vault", target: name, kind, action });
      if (kind === "write") ctx.changed();
    },
    notModelled: (what, error) => {
      ctx.unhandled.add({ system: "vault", target: name, what });
      return error ?? noRoute(what.replace(/^\S+ \/v1\//, ""));
    },
  };
}

/** Headers that ask for what the lab does not do. */
function refuseHeaders({ headers }: IncomingMessage, core: Core): void {
  if (headers["x-vault-wrap-ttl"] !== undefined) throw core.notModelled("response wrapping", badRequest("response wrapping is not modelled by the lab"));
  if (String(headers["x-vault-namespace"] ?? "") !== "") throw core.notModelled("a namespace", badRequest("namespaces are not modelled by the lab"));
}

/** Whether a call writes. Calls about the seal and its keys are left out. */
const changes = ({ method = "GET", url = "" }: IncomingMessage): boolean =>
  ["POST", "PUT", "PATCH", "DELETE"].includes(method) && !BARE.test(url.replace(/^\/v1\//, "").replace(/\?.*$/, ""));

interface Answered {
  status: number;
  body: unknown;
  location?: string;
}

async function answer(request: IncomingMessage, url: URL, router: Router, core: Core): Promise<Answered> {
  try {
    const location = cleanPath(request.url);
    if (location !== undefined) return { status: 307, body: undefined, location };
    if (!pathOf(request).startsWith("/v1/")) throw core.notModelled(`${request.method} ${url.pathname}`, new VaultError(404, "404 page not found"));
    refuseHeaders(request, core);
    checkContentType(request);
    const given = request.headers["x-vault-token"] ?? request.headers.authorization?.replace(/^Bearer /, "");
    const call = callOf(request, url, await bodyOf(request));
    const { status, body } = await router.answer(call, typeof given === "string" ? given : undefined);
    return { status, body: body === undefined || BARE.test(call.path) ? body : { request_id: randomUUID(), ...ENVELOPE, ...body } };
  } catch (thrown) {
    if (thrown instanceof VaultError)
      return { status: thrown.status, body: thrown.extra === undefined ? thrown.body() : { request_id: randomUUID(), ...ENVELOPE, ...thrown.extra } };
    core.ctx.unhandled.add({ system: "vault", target: core.name, what: `bug: ${thrown instanceof Error ? thrown.stack : String(thrown)}` });
    return { status: 500, body: { errors: ["internal error"] } };
  }
}

/** @param name how the lab's records call it: cluster, namespace and pod */
export async function startVault(name: string, ctx: LabContext, options: VaultOptions = {}): Promise<VaultServer> {
  const core = coreOf(name, ctx, options);
  if (options.sealed) core.state.sealed = true;
  const router = new Router(core, options.onSealChange ?? (() => undefined));

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = acceptedUrl(request, response);
    if (url === undefined) return;
    const { status, body, location } = await answer(request, url, router, core);
    // The request has taken effect; the client gets no answer.
    if (status < 300 && changes(request) && ctx.faults.take("vault.reply-lost", name) !== undefined) return void request.socket.destroy();
    const text = body === undefined ? "" : `${JSON.stringify(body)}\n`;
    response.writeHead(status, {
      "content-type": "application/json",
      "cache-control": "no-store",
      "strict-transport-security": "max-age=31536000; includeSubDomains",
      ...(location === undefined ? {} : { location }),
    });
    response.end(request.method === "HEAD" ? undefined : text);
  };

  const server = createServer((request, response) => void handle(request, response));
  acceptList(server, () => port);
  const port = await listenOn(server, 0);
  return {
    port,
    get initialized() {
      return core.state.initialized;
    },
    get sealed() {
      return core.state.sealed;
    },
    save: () => structuredClone(core.state),
    restore: async (state) => {
      core.state = vaultStateSchema.parse(structuredClone(state));
      options.onSealChange?.();
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
