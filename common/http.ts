import { readFileSync } from "node:fs";
import type { Dispatcher } from "undici";
import { readEnv } from "./env";
import { HomelabError } from "./errors";

/** One HTTPS or HTTP exchange; bodies are text. */
export interface HttpRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  signal?: AbortSignal;
  /** Milliseconds without a byte before it fails; default 60,000. 0 = never (watches). */
  timeoutMs?: number;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Beside the system's roots (and NODE_EXTRA_CA_CERTS): what one target presents and trusts. */
export interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
  /** false turns verification off; only where the owner's configuration says so by name. */
  verify?: boolean;
}

export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Like `request`, with the body as it arrives. */
  stream(request: HttpRequest): Promise<{ status: number; headers: HttpResponse["headers"]; body: AsyncIterable<Uint8Array> }>;
  close(): Promise<void>;
}

/** Whether NO_PROXY names this host: a list of names, suffixes (`.lan`), or `*`. */
function bypassesProxy(hostname: string, noProxy: string): boolean {
  return noProxy
    .split(",")
    .map((entry) => entry.trim().toLowerCase().replace(/:\d+$/, ""))
    .some((entry) => entry !== "" && (entry === "*" || hostname === entry || hostname.endsWith(entry.startsWith(".") ? entry : `.${entry}`)));
}

/** The proxy for a URL by the usual variables (HTTPS_PROXY, HTTP_PROXY, NO_PROXY; lower case too), or undefined. */
function proxyFor(url: URL): string | undefined {
  const noProxy = readEnv("NO_PROXY") ?? readEnv("no_proxy") ?? "";
  if (bypassesProxy(url.hostname.toLowerCase(), noProxy)) return undefined;
  if (url.protocol === "https:") return readEnv("HTTPS_PROXY") ?? readEnv("https_proxy");
  return readEnv("http_proxy") ?? readEnv("HTTP_PROXY");
}

function dispatcherFor(url: URL, tls: TlsOptions): Dispatcher {
  // Loaded here because most processes that import this module never make a request.
  const { Agent, ProxyAgent } = require("undici") as typeof import("undici");
  const connect = {
    // An explicit CA replaces Node's roots, NODE_EXTRA_CA_CERTS included.
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    rejectUnauthorized: tls.verify !== false,
  };
  const proxy = proxyFor(url);
  return proxy === undefined ? new Agent({ connect }) : new ProxyAgent({ uri: proxy, requestTls: connect, proxyTunnel: true });
}

/** A client for one origin, with keep-alive, that goes through the proxy of the environment. */
export function createHttpClient(origin: string, tls: TlsOptions = {}): HttpClient {
  const base = new URL(origin);
  let dispatcher: Dispatcher | undefined;
  const send = async (r: HttpRequest): Promise<Dispatcher.ResponseData> => {
    dispatcher ??= dispatcherFor(base, tls);
    const { request } = require("undici") as typeof import("undici");
    try {
      return await request(r.url, {
        dispatcher,
        method: r.method as Dispatcher.HttpMethod,
        ...(r.headers ? { headers: r.headers } : {}),
        ...(r.body === undefined ? {} : { body: r.body }),
        ...(r.signal ? { signal: r.signal } : {}),
        bodyTimeout: r.timeoutMs ?? 60_000,
        headersTimeout: r.timeoutMs ?? 60_000,
      });
    } catch (cause) {
      if (r.signal?.aborted) throw cause;
      throw new HomelabError("E_HTTP", `${r.method} ${new URL(r.url).origin}: no answer`, {
        cause,
        subject: base.origin,
        hint: `check that ${base.host} is up and reachable${proxyFor(base) ? " through the proxy of HTTPS_PROXY" : ""}`,
      });
    }
  };
  return {
    async request(r) {
      const response = await send(r);
      return { status: response.statusCode, headers: response.headers, body: await response.body.text() };
    },
    async stream(r) {
      const response = await send({ ...r, timeoutMs: r.timeoutMs ?? 0 });
      return { status: response.statusCode, headers: response.headers, body: response.body };
    },
    async close() {
      await dispatcher?.close();
    },
  };
}

/** Reads a CA bundle that the owner named; the error names the file. */
export function readCaFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new HomelabError("E_CA_FILE", `the CA file ${file} cannot be read`, { cause, subject: file, hint: "correct the path or the file's permissions" });
  }
}
