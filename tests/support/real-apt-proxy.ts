/** A proxy that lets a test host reach the archives of this machine's apt, and nothing else. */
import { execFileSync } from "node:child_process";
import * as http from "node:http";
import type * as net from "node:net";
import { Agent, type Dispatcher, ProxyAgent, request } from "undici";

export interface AptProxy {
  /** The value for apt's `Acquire::http::Proxy`. */
  url: string;
  /** Requests that were refused because they were for another server. */
  refused: string[];
  stop(): Promise<void>;
}

function aptConfig(name: string): string | undefined {
  const value = execFileSync("apt-config", ["shell", "value", name], { encoding: "utf8" });
  return /^value='(.+)'$/m.exec(value)?.[1];
}

/** Servers that apt's sources on this machine name. */
function archives(): Set<string> {
  const list = execFileSync("apt-get", ["indextargets", "--format", "$(REPO_URI)"], { encoding: "utf8" });
  return new Set(list.split("\n").flatMap((uri) => (uri === "" ? [] : [new URL(uri).host])));
}

/** @param address of this machine's end of the link to the host; only that host reaches it */
export async function startAptProxy(address: string): Promise<AptProxy> {
  const allowed = archives();
  const upstream = aptConfig("Acquire::http::Proxy");
  const dispatcher: Dispatcher = upstream === undefined || upstream === "DIRECT" ? new Agent() : new ProxyAgent(upstream);
  const refused: string[] = [];
  const server = http.createServer((incoming, outgoing) => {
    void forward(incoming, outgoing);
  });

  async function forward(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const url = URL.canParse(incoming.url ?? "") ? new URL(incoming.url ?? "") : undefined;
    if (url === undefined || !allowed.has(url.host)) {
      refused.push(incoming.url ?? "");
      outgoing.writeHead(403).end("this machine's apt does not use that server\n");
      return;
    }
    try {
      const { connection: _connection, "proxy-connection": _proxy, ...headers } = incoming.headers;
      const response = await request(url, { dispatcher, headers });
      outgoing.writeHead(response.statusCode, response.headers as http.OutgoingHttpHeaders);
      response.body.on("error", () => outgoing.destroy()).pipe(outgoing);
    } catch (error) {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end(`${String(error)}\n`);
    }
  }

  server.on("connect", (incoming, socket) => {
    refused.push(incoming.url ?? "");
    // The HTTP server does not handle errors of a CONNECT's socket.
    socket.on("error", () => socket.destroy());
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, address, resolve));
  return {
    url: `http://${address}:${(server.address() as net.AddressInfo).port}`,
    refused,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await dispatcher.destroy();
    },
  };
}
