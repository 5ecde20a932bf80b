import * as http from "node:http";
import * as https from "node:https";
import type { LabContext } from "./world";

export interface Fetched {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** A failure below HTTP, with the exit code that curl has for it. */
export class FetchError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export interface FetchRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | undefined;
}

/**
 * One exchange over the lab's network, as the machines in the lab make it. Redirects are not followed.
 * @param from who asks, for the log of unhandled calls
 * @throws FetchError
 */
export async function fetchFromLab(ctx: LabContext, from: string, url: URL, { method = "GET", headers = {}, body }: FetchRequest = {}): Promise<Fetched> {
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const local = ctx.network.resolve(url.hostname, port);
  if (!local) {
    if (!ctx.network.isOwn(url.hostname)) ctx.unhandled.add({ system: "network", target: from, what: `${method} ${url.origin}: nothing in the lab is there` });
    throw new FetchError(7, `Failed to connect to ${url.hostname} port ${port} after 0 ms: Couldn't connect to server`);
  }
  await ctx.clock.sleep(ctx.latency.of("artefacts.download"));
  const shared = {
    host: "127.0.0.1",
    port: local.port,
    method,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, "user-agent": "curl/8.5.0", accept: "*/*", ...headers },
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? https.request({ ...shared, servername: url.hostname, ca: ctx.tls.caPem }) : http.request(shared);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", (error) => reject(new FetchError(/certificate/.test(error.message) ? 60 : 35, error.message)));
    request.end(body);
  });
}

/** As `fetchFromLab`, along up to 50 redirects. */
export async function followFromLab(ctx: LabContext, from: string, url: URL, request: FetchRequest = {}): Promise<Fetched> {
  let at = url;
  for (let hops = 0; hops <= 50; hops++) {
    const answer = await fetchFromLab(ctx, from, at, request);
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status >= 400 || location === undefined) return answer;
    at = new URL(location, at);
  }
  throw new FetchError(47, "Maximum (50) redirects followed");
}
