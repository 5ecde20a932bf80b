/** The way into clusters by host name: TLS ends here, with the certificate of the host's Secret, and the request goes on to the service. */
import { createServer as createHttp, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import { listenOn } from "../core/server";
import { createAuthority } from "../core/tls";
import type { KeyPair, LabContext, Stoppable } from "../core/world";
import type { Cluster } from "../kubernetes";
import { acceptList } from "../vault/list-method";
import type { Controllers } from "./index";
import type { Destination, Routes } from "./ingress-routes";

export interface RunningCluster {
  cluster: Cluster;
  controllers: Controllers;
}

function forward(destination: Destination | undefined, request: IncomingMessage, response: ServerResponse): undefined {
  const text = (status: number, body: string): undefined => {
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "content-length": Buffer.byteLength(body) });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  switch (destination?.kind) {
    case undefined:
      return text(404, "404 page not found\n");
    case "unavailable":
      return text(503, "no available server\n");
    case "page":
      return text(200, destination.text);
    case "program":
      break;
  }
  const onward = httpRequest({ host: "127.0.0.1", port: destination.port, method: request.method, path: request.url, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => {
    if (response.headersSent) response.destroy();
    else text(502, "Bad Gateway\n");
  });
  request.pipe(onward);
  return undefined;
}

/**
 * Answers for every host of every route, on ports 443 and 80.
 * @param clusters the clusters that run now; of two with the same host the first one answers
 */
export async function startIngress(ctx: LabContext, clusters: () => Iterable<RunningCluster>): Promise<Stoppable> {
  // No client trusts this certificate, as with Traefik's default one.
  const fallback = await (await createAuthority("TRAEFIK DEFAULT CERT", ctx.clock.now())).issue(["traefik.default"]);
  const contexts = new Map<string, SecureContext>();
  const contextOf = ({ cert, key }: KeyPair): SecureContext => {
    const known = contexts.get(cert) ?? createSecureContext({ cert, key });
    contexts.set(cert, known);
    return known;
  };
  /** A name leads to the cluster at its address. Until a name server runs, it leads to the cluster that has a route for it. */
  const routesFor = (host: string): Routes | undefined => {
    const address = isIP(host) === 0 ? ctx.network.addressOf(host) : host;
    for (const routes of [...clusters()].flatMap(({ controllers }) => controllers.routes)) {
      if (address !== undefined && routes.isAt(address)) return routes;
      if (address === "no name server" && routes.has(host)) return routes;
    }
    return undefined;
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const host = (request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
    const path = (request.url ?? "/").replace(/\?.*$/, "");
    forward(routesFor(host)?.find(host, path), request, response);
  };
  const plain = createHttp(handle);
  const secure = createHttps(
    { ...fallback, SNICallback: (host, done) => done(null, contextOf(routesFor(host.toLowerCase())?.certificate(host.toLowerCase()) ?? fallback)) },
    handle,
  );
  const [http, https] = [await listenOn(plain, 0), await listenOn(secure, 0)];
  for (const server of [plain, secure]) acceptList(server, () => http);
  const remove = ctx.network.addResolver((host, wanted) => {
    if ((wanted !== 443 && wanted !== 80) || routesFor(host) === undefined) return undefined;
    return { port: wanted === 443 ? https : http };
  });
  return {
    stop: async () => {
      remove();
      for (const server of [plain, secure]) {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      }
    },
  };
}
