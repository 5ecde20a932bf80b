import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { listenOn } from "../core/server";
import type { LabContext, Stoppable } from "../core/world";

export interface ConnectProxy extends Stoppable {
  port: number;
}

function split(target: string, defaultPort: number): { host: string; port: number } | undefined {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(target);
  return match?.[1] === undefined ? undefined : { host: match[1].replace(/^\[|\]$/g, ""), port: Number(match[2] ?? defaultPort) };
}

/** HTTP CONNECT proxy (and plain HTTP with absolute URLs) that reaches lab addresses only. */
export async function startConnectProxy(ctx: LabContext, port: number): Promise<ConnectProxy> {
  const sockets = new Set<Duplex>();
  const refuse = (host: string, target: number, what: string): void => {
    if (!ctx.network.isOwn(host)) ctx.unhandled.add({ system: "gateway", target: `${host}:${target}`, what });
  };
  const server = http.createServer((request, response) => forward(ctx, request, response, refuse));
  server.on("connection", (socket: net.Socket) => track(sockets, socket));
  server.on("connect", (request: http.IncomingMessage, client: Duplex, head: Buffer) => {
    client.on("error", () => client.destroy());
    const target = split(request.url ?? "", 443);
    // A name server that does not answer: the proxy cannot look the name up.
    if (target && isName(target.host) && ctx.faults.take("dns.failed", target.host)) {
      client.end(`HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nlookup ${target.host}: server misbehaving\n`);
      return;
    }
    const local = target && !ctx.faults.take("gateway.refuse", target.host) ? ctx.network.resolve(target.host, target.port) : undefined;
    if (target && local && isTls(target.port) && ctx.faults.take("tls.expired", target.host)) {
      serveExpired(ctx, target.host, client, head, sockets);
      return;
    }
    if (!target || !local) {
      if (target) refuse(target.host, target.port, `CONNECT ${request.url}`);
      client.end(`HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${request.url ?? ""}: connection refused\n`);
      return;
    }
    join(client, head, local.port, sockets);
  });
  const actual = await listenOn(server, port, "--proxy-port");
  return {
    port: actual,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

const isName = (host: string): boolean => net.isIP(host) === 0;

/** Of the lab's servers, those that speak TLS from the first byte. */
const isTls = (port: number): boolean => port !== 80 && port !== 22 && port !== 53;

/** Joins a client to a port of this machine. @param head what it has sent already */
function join(client: Duplex, head: Buffer, port: number, sockets: Set<Duplex>): net.Socket {
  const upstream = net.connect({ port, host: "127.0.0.1", noDelay: true }, () => {
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) upstream.write(head);
    upstream.pipe(client);
    client.pipe(upstream);
  });
  track(sockets, upstream);
  upstream.on("error", () => client.destroy());
  client.on("close", () => upstream.destroy());
  upstream.on("close", () => client.destroy());
  return upstream;
}

/** The far end of one connection is a server whose certificate nobody renewed. */
function serveExpired(ctx: LabContext, host: string, client: Duplex, head: Buffer, sockets: Set<Duplex>): void {
  const serve = async (): Promise<void> => {
    const server = https.createServer(await ctx.tls.issue([host], { expired: true }), (_request, response) => response.writeHead(421).end());
    // A client that refuses the certificate closes.
    server.on("tlsClientError", () => client.destroy());
    join(client, head, await listenOn(server, 0), sockets).on("close", () => server.close());
  };
  serve().catch((thrown: unknown) => {
    ctx.unhandled.add({ system: "gateway", target: host, what: `the lab failed to serve an expired certificate: ${String(thrown)}` });
    client.destroy();
  });
}

function track(sockets: Set<Duplex>, socket: Duplex): void {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
}

function forward(
  ctx: LabContext,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  refuse: (host: string, port: number, what: string) => void,
): void {
  const url = URL.canParse(request.url ?? "") ? new URL(request.url ?? "") : undefined;
  if (url?.protocol !== "http:") {
    response.writeHead(400).end("this is the lab's proxy: it takes CONNECT and absolute http:// URLs\n");
    return;
  }
  const port = Number(url.port || 80);
  const local = ctx.network.resolve(url.hostname, port);
  if (!local) {
    refuse(url.hostname, port, `${request.method} ${url.origin}`);
    response.writeHead(502).end(`${url.host}: connection refused\n`);
    return;
  }
  const upstream = http.request(
    {
      host: "127.0.0.1",
      port: local.port,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...request.headers, host: url.host },
      agent: false,
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  upstream.on("error", () => response.destroy());
  request.pipe(upstream);
}
