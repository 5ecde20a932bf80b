/** The way into clusters by host name: TLS ends here, with a certificate of the lab's authority, and goes on to the service. */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import type { LabContext, Stoppable } from "../core/world";
import type { Cluster } from "../kubernetes";
import { listAt, textAt } from "../kubernetes/objects";
import type { Controllers } from "./index";

export interface RunningCluster {
  cluster: Cluster;
  controllers: Controllers;
}

interface Route {
  running: RunningCluster;
  namespace: string;
  service: string;
}

function findRoute(host: string, clusters: Iterable<RunningCluster>): Route | undefined {
  for (const running of clusters) {
    if (running.cluster.disabled.includes("traefik")) continue;
    for (const ingress of running.cluster.store.all("networking.k8s.io/v1", "Ingress")) {
      const rule = listAt(ingress, "spec", "rules").find((r) => r["host"] === host);
      const service = listAt(rule, "http", "paths")
        .map((p) => textAt(p, "backend", "service", "name"))
        .find((name) => name !== undefined);
      if (service !== undefined) return { running, namespace: ingress.metadata.namespace ?? "default", service };
    }
  }
  return undefined;
}

function forward(route: Route, request: IncomingMessage, response: ServerResponse): void {
  const { controllers } = route.running;
  const backend = controllers.backend(route.namespace, route.service);
  if (backend === undefined) {
    const up = controllers.hasEndpoints(route.namespace, route.service);
    response.writeHead(up ? 200 : 503, { "content-type": "text/plain" });
    response.end(up ? `${route.service} of ${route.running.cluster.name} answers (lab)\n` : "no available server\n");
    return;
  }
  const onward = httpRequest({ host: "127.0.0.1", port: backend.port, method: request.method, path: request.url, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => {
    if (!response.headersSent) response.writeHead(502);
    response.end("Bad Gateway\n");
  });
  request.pipe(onward);
}

/** Answers for every host of every Ingress. @param clusters the clusters that run now */
export async function startIngress(ctx: LabContext, clusters: () => Iterable<RunningCluster>): Promise<Stoppable> {
  const contexts = new Map<string, Promise<SecureContext>>();
  const contextFor = (host: string): Promise<SecureContext> => {
    const known = contexts.get(host) ?? ctx.tls.issue([host]).then((pair) => createSecureContext({ key: pair.key, cert: pair.cert }));
    contexts.set(host, known);
    return known;
  };
  const server = createServer(
    {
      SNICallback: (host, done) => {
        contextFor(host).then(
          (context) => done(null, context),
          (cause: Error) => done(cause),
        );
      },
    },
    (request, response) => {
      const host = (request.headers.host ?? "").replace(/:\d+$/, "");
      const route = findRoute(host, clusters());
      if (route !== undefined) forward(route, request, response);
      else {
        response.writeHead(404, { "content-type": "text/plain" });
        response.end("404 page not found\n");
      }
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const remove = ctx.network.addResolver((host, wanted) => (wanted === 443 && findRoute(host, clusters()) !== undefined ? { port } : undefined));
  return {
    stop: async () => {
      remove();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
