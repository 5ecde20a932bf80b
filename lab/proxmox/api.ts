import type * as http from "node:http";
import * as https from "node:https";
import { requestUrl } from "../core/request-url";
import { listenOn } from "../core/server";
import type { LabContext, Stoppable } from "../core/world";
import { CLUSTER_ROUTES } from "./cluster";
import { PveError } from "./errors";
import type { Pve } from "./model";
import { NETWORK_ROUTES } from "./network";
import { checkDeclared, match, NOT_IN_SCHEMA, type Route } from "./router";
import { STORAGE_ROUTES } from "./storage";
import { STORAGE_CONFIG_ROUTES } from "./storage-config";
import { VM_ROUTES } from "./vms";

/** Every call that the lab models. */
export const ROUTES: readonly Route[] = [...CLUSTER_ROUTES, ...STORAGE_CONFIG_ROUTES, ...NETWORK_ROUTES, ...STORAGE_ROUTES, ...VM_ROUTES];
const PREFIX = "/api2/json";
const MAX_BODY = 8 * 1024 ** 2;

/** An API token: `USER@REALM!ID` and its secret. */
export interface ApiToken {
  id: string;
  secret: string;
}

/** The API of the cluster over TLS, at its address and names in the lab's network. */
export async function startApi(pve: Pve, token: ApiToken): Promise<Stoppable> {
  const { ctx } = pve;
  const { address, names, port: apiPort } = pve.site.proxmox;
  const hosts = [...new Set([address, ...names])];
  const server = https.createServer(await ctx.tls.issue([...hosts, "localhost", "127.0.0.1"]), (request, response) => {
    answer(pve, token, request, response).catch((error: unknown) => {
      ctx.unhandled.add({
        system: "proxmox",
        target: "api",
        what: `the lab failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      });
      reply(response, 500, "internal error in the lab", null);
    });
  });
  const port = await listenOn(server, 0);
  for (const host of hosts) ctx.network.listen(host, apiPort, { port });
  return {
    stop: () =>
      new Promise((resolve) => {
        for (const host of hosts) ctx.network.unlisten(host, apiPort);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(pve: Pve, token: ApiToken, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const { ctx } = pve;
  const url = requestUrl(request);
  const method = request.method ?? "GET";
  const body = await readBody(request);
  try {
    const user = authenticate(request.headers.authorization, token);
    const outage = ctx.faults.take("proxmox.unavailable", "api");
    if (outage) throw new PveError(Number(outage["status"] ?? 596), String(outage["message"] ?? "Connection timed out"));
    const path = url.pathname.startsWith(`${PREFIX}/`) ? url.pathname.slice(PREFIX.length).replace(/\/$/, "") : undefined;
    const found = path === undefined ? undefined : match(ROUTES, method, path);
    if (!found) return unknown(ctx, response, method, path ?? url.pathname);
    const sent = { ...Object.fromEntries(url.searchParams), ...bodyParameters(request, body) };
    // Clients may repeat in the body what the path says; the path wins.
    const parameters = Object.fromEntries(Object.entries(sent).filter(([name]) => !(name in found.path)));
    checkDeclared(found.route, parameters);
    const call = { pve, path: found.path, parameters, user };
    const data = await found.route.handler(call);
    // The cluster carried the request out; only the answer is lost.
    if (method !== "GET" && ctx.faults.take("proxmox.reply-lost", "api")) return void request.socket.destroy();
    if (method === "GET") ctx.records.add({ system: "proxmox", target: "api", kind: "read", action: `GET ${path}` });
    reply(response, 200, "OK", { ...found.route.attributes(call), data: data ?? null });
  } catch (error) {
    if (!(error instanceof PveError)) throw error;
    for (const [name, problem] of Object.entries(error.errors ?? {}))
      if (problem === NOT_IN_SCHEMA)
        ctx.unhandled.add({ system: "proxmox", target: "api", what: `${method} ${url.pathname}: the parameter ${name} is not modelled` });
    const errors = error.errors === undefined ? {} : { errors: error.errors };
    reply(response, error.status, error.message, { data: null, ...errors, message: `${error.message}\n` });
  }
}

function authenticate(header: string | undefined, token: ApiToken): string {
  const found = /^PVEAPIToken=([^=]+)=(.+)$/.exec(header ?? "");
  if (!found) throw new PveError(401, "No ticket");
  const [, id = "", secret = ""] = found;
  if (id !== token.id) throw new PveError(401, `no such token '${id.split("!")[1] ?? ""}' for user '${id.split("!")[0]}'`);
  if (secret !== token.secret) throw new PveError(401, "invalid token value!");
  return id;
}

function unknown(ctx: LabContext, response: http.ServerResponse, method: string, path: string): void {
  ctx.unhandled.add({ system: "proxmox", target: "api", what: `${method} ${path}` });
  const message = `Method '${method} ${path}' not implemented`;
  reply(response, 501, message, { data: null, message: `${message}\n` });
}

/** Proxmox reports the error in the reason of the status line, which cannot hold line breaks. */
function reply(response: http.ServerResponse, status: number, reason: string, body: unknown): void {
  if (response.headersSent) return;
  const line = reason.replace(/[^\x20-\x7e]+/g, " ").trim();
  response.writeHead(status, line, { "content-type": "application/json;charset=UTF-8", server: "pve-api-daemon/3.0", "cache-control": "max-age=0" });
  response.end(body === null ? undefined : JSON.stringify(body));
}

function bodyParameters(request: http.IncomingMessage, body: string): Record<string, string> {
  if (body === "") return {};
  if (!/json/.test(request.headers["content-type"] ?? "")) return Object.fromEntries(new URLSearchParams(body));
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new PveError(400, "Parameter verification failed.", { body: "malformed JSON string" });
  }
  const text = (value: unknown): string => (typeof value === "boolean" ? (value ? "1" : "0") : String(value));
  return Object.fromEntries(Object.entries(Object(parsed)).map(([key, value]) => [key, text(value)]));
}

function readBody(request: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY) chunks.push(chunk);
    });
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("error", reject);
  });
}
