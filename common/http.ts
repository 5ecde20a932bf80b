import { readFileSync } from "node:fs";
import type { Dispatcher } from "undici";
import { certificateProblem, HomelabError } from "./errors";
import { parseProxy, proxyFor } from "./proxy";

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

/** Certificates for one target. Without `ca`, Node's roots and NODE_EXTRA_CA_CERTS are trusted. */
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

function dispatcherFor(proxy: URL | undefined, tls: TlsOptions): Dispatcher {
  // Loaded here because most processes that import this module never make a request.
  const { Agent, ProxyAgent } = require("undici") as typeof import("undici");
  const connect = {
    // An explicit CA replaces Node's roots, NODE_EXTRA_CA_CERTS included.
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    rejectUnauthorized: tls.verify !== false,
  };
  if (proxy === undefined) return new Agent({ connect });
  // Only TLS is tunnelled: many proxies refuse CONNECT to other ports, and take plain requests by their whole URL, as Go's client sends them.
  return new ProxyAgent({ uri: proxy.href.replace(/^socks5h:/, "socks5:"), requestTls: connect, proxyTunnel: false });
}

function dispatch(r: HttpRequest, by: Dispatcher): Promise<Dispatcher.ResponseData> {
  const { request } = require("undici") as typeof import("undici");
  return request(r.url, {
    dispatcher: by,
    method: r.method as Dispatcher.HttpMethod,
    ...(r.headers ? { headers: r.headers } : {}),
    ...(r.body === undefined ? {} : { body: r.body }),
    ...(r.signal ? { signal: r.signal } : {}),
    bodyTimeout: r.timeoutMs ?? 60_000,
    headersTimeout: r.timeoutMs ?? 60_000,
  });
}

/**
 * Resolves with the answer, or rejects with the signal's reason at once: undici obeys a signal only once there is a connection.
 * @param givenUp gets the request when the signal aborts, and loses it when undici has ended it
 */
function untilAborted<T>(asked: Promise<T>, signal: AbortSignal, givenUp: Set<Promise<unknown>>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      givenUp.add(asked);
      reject(signal.reason);
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
    const settled = (): void => {
      signal.removeEventListener("abort", giveUp);
      givenUp.delete(asked);
    };
    asked.finally(settled).then(resolve, reject);
  });
}

/** Methods that may be sent twice: they change nothing (RFC 9110, 9.2.1). */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
const CUT = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/**
 * How long connections may have been unused and still take a request that must not be sent twice. Servers close idle ones, many after five
 * seconds, and a process that was busy for as long would write before it has seen that.
 */
const FRESH_MS = 1000;

/** Whether a connection ended before an answer began. The server may have closed a kept-alive one just as we wrote to it. */
const wasCut = (thrown: unknown): boolean => thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" && CUT.has(thrown.code);

/**
 * A client for one origin, with keep-alive. It goes through the proxy of the environment as {@link proxyFor} says, or through `proxyUrl`
 * where its target's own configuration names one. A request that only reads is sent once more if the server had closed its kept-alive
 * connection, as Go's client does. Any other one takes no connection that was idle.
 */
export function createHttpClient(origin: string, tls: TlsOptions = {}, proxyUrl?: string): HttpClient {
  const base = new URL(origin);
  const proxy = proxyUrl === undefined ? proxyFor(base) : parseProxy(proxyUrl, "proxy-url");
  let dispatcher: Dispatcher | undefined;
  /** Whether a request was answered already. Only then can a connection be a kept-alive one. */
  let answered = false;
  /** When the dispatcher last had an answer, in milliseconds of performance.now(). Undefined: none yet, so that no connection of it is idle. */
  let heardAt: number | undefined;
  /** Earlier dispatchers that are closing. {@link HttpClient.close} throws their errors; until then no error of theirs ends the process. */
  const closing: Promise<PromiseSettledResult<void>[]>[] = [];
  /** Requests whose callers no longer wait for an answer. */
  const givenUp = new Set<Promise<unknown>>();
  const ask = (r: HttpRequest, by: Dispatcher): Promise<Dispatcher.ResponseData> => {
    const asked = dispatch(r, by);
    return r.signal === undefined ? asked : untilAborted(asked, r.signal, givenUp);
  };
  /** A dispatcher without kept-alive connections. The earlier one closes once its running requests have ended. */
  const fresh = (instead: Dispatcher): Dispatcher => {
    if (dispatcher === instead) {
      closing.push(Promise.allSettled([instead.close()]));
      dispatcher = dispatcherFor(proxy, tls);
      heardAt = undefined;
    }
    return dispatcher ?? instead;
  };
  const askAgain = (r: HttpRequest, first: Dispatcher) => (thrown: unknown) => {
    if (!answered || !SAFE.has(r.method) || r.signal?.aborted || !wasCut(thrown)) throw thrown;
    return ask(r, fresh(first));
  };
  const send = async (r: HttpRequest): Promise<Dispatcher.ResponseData> => {
    try {
      dispatcher ??= dispatcherFor(proxy, tls);
      const mayBeClosed = heardAt !== undefined && !SAFE.has(r.method) && performance.now() - heardAt > FRESH_MS;
      const by = mayBeClosed ? fresh(dispatcher) : dispatcher;
      const response = await ask(r, by).catch(askAgain(r, by));
      answered = true;
      heardAt = performance.now();
      return response;
    } catch (cause) {
      if (r.signal?.aborted) throw cause;
      const certificate = certificateProblem(cause);
      throw new HomelabError("E_HTTP", `${r.method} ${new URL(r.url).origin}: ${certificate?.what ?? "no answer"}`, {
        cause,
        subject: base.origin,
        hint: certificate?.next ?? `check that ${base.host} is up and reachable${proxy === undefined ? "" : ` through the proxy ${proxy.host}`}`,
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
      // `close()` would wait for abandoned requests, which may still be connecting; `destroy()` does not.
      const ended = [...(await Promise.all(closing)).flat(), ...(await Promise.allSettled([givenUp.size > 0 ? dispatcher?.destroy() : dispatcher?.close()]))];
      const failed = ended.find((each) => each.status === "rejected");
      if (failed !== undefined) throw failed.reason;
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
