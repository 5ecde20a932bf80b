/** A Pi-hole 6 in its container: HTTP API on port 80, names on port 53, its data in the folder /etc/pihole. */
import { createServer, type IncomingMessage } from "node:http";
import { decodedPath } from "../core/decoded-path";
import { requestUrl } from "../core/request-url";
import { listenOn } from "../core/server";
import type { LabContext, Stoppable } from "../core/world";
import { answerApi, type PiholeState } from "./api";
import { readConfig, writeToml } from "./config";
import { dnsServer } from "./dns";
import { lookUp, nameTable } from "./names";
import { Sessions } from "./sessions";

/** The container's folder /etc/pihole. */
export interface PiholeFolder {
  /** undefined where there is no such file. */
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
  /** Names in a folder below; none where it is missing. */
  list(folder: string): Promise<string[]>;
}

export interface PiholeOptions {
  /** The host's name, for the records. */
  hostname: string;
  address: string;
  ctx: LabContext;
  environment: Readonly<Record<string, string>>;
  folder: PiholeFolder;
}

const HTTP_PORT = 80;
const DNS_PORT = 53;
/** FTL writes the records of its settings into `custom.list`; dnsmasq ignores the backup files of editors. */
const isHostsFile = (name: string): boolean => name !== "custom.list" && !name.startsWith(".") && !name.endsWith("~");

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function answerTo(
  state: Parameters<typeof answerApi>[0],
  { method = "", headers }: IncomingMessage,
  url: URL,
  body: string,
): ReturnType<typeof answerApi> {
  const segments = url.pathname.slice("/api/".length).split("/").map(decodedPath);
  const path = segments.filter((segment) => segment !== undefined);
  if (path.length < segments.length) return { status: 400, body: { error: { key: "bad_request", message: "Invalid URL escape", hint: url.pathname } } };
  return answerApi(state, { method, path, query: url.searchParams, headers, body });
}

/**
 * @throws HomelabError E_PIHOLE_CONFIG for settings that stop it, E_LAB_ADDRESS_TAKEN when something has its ports
 */
export async function startPihole({ hostname, address, ctx, environment, folder }: PiholeOptions): Promise<Stoppable> {
  const unhandled = (what: string): void => ctx.unhandled.add({ system: "pihole", target: hostname, what });
  const config = readConfig(environment, await folder.read("pihole.toml"), unhandled);
  const hostsFiles = async (): Promise<string[]> => {
    const names = (await folder.list("hosts")).filter(isHostsFile).sort();
    return (await Promise.all(names.map((name) => folder.read(`hosts/${name}`)))).map((text) => text ?? "");
  };
  const files = await hostsFiles();
  let table = nameTable(config, files);
  const state: PiholeState = {
    config,
    sessions: new Sessions(ctx.clock),
    unhandled,
    changed: async (action) => {
      table = nameTable(config, files);
      await folder.write("pihole.toml", writeToml(config));
      ctx.records.add({ system: "pihole", target: hostname, kind: "write", action });
      ctx.changed();
    },
  };
  await folder.write("pihole.toml", writeToml(config));

  const web = createServer((request, response) => {
    const started = ctx.clock.now();
    const send = (status: number, body: Record<string, unknown> | undefined, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
      response.end(body === undefined ? undefined : JSON.stringify({ ...body, took: (ctx.clock.now() - started) / 1000 }));
    };
    const url = requestUrl(request);
    if (url.pathname === "/admin/" && (request.method === "GET" || request.method === "HEAD")) return send(302, undefined, { location: "/admin/login" });
    if (url.pathname === "/admin/login" && request.method === "GET") return send(200, { lab: "the lab's Pi-hole has no pages" });
    if (!url.pathname.startsWith("/api/")) {
      unhandled(`${request.method} ${url.pathname}`);
      return send(404, { error: { key: "not_found", message: "Not found", hint: url.pathname } });
    }
    textOf(request)
      .then((body) => answerTo(state, request, url, body))
      .then(
        (reply) => send(reply.status, reply.body),
        (thrown: unknown) => {
          unhandled(`the lab failed to answer ${request.method} ${url.pathname}: ${String(thrown)}`);
          send(500, { error: { key: "internal_error", message: "Internal server error", hint: null } });
        },
      );
    return undefined;
  });
  const dns = dnsServer(() => table, { isOwn: (name) => ctx.network.isOwn(name), onUnhandled: unhandled });
  const ports = { web: await listenOn(web, 0), dns: await listenOn(dns, 0) };
  ctx.network.listen(address, HTTP_PORT, { port: ports.web });
  ctx.network.listen(address, DNS_PORT, { port: ports.dns });
  const forget = ctx.network.serveNames((name) => lookUp(table, name).addresses[0]);
  return {
    stop: async () => {
      forget();
      ctx.network.unlisten(address, HTTP_PORT);
      ctx.network.unlisten(address, DNS_PORT);
      web.closeAllConnections();
      await Promise.all([web, dns].map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    },
  };
}
