/** The URL of a request to one of the lab's servers, whatever the client wrote into its first line. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { decodedPath } from "./decoded-path";

/**
 * Never throws. A path that begins with `//` is a path: `new URL(path, base)` would read a host in it. A target that is no path may be an
 * absolute URL, or `*`.
 */
export function requestUrl({ url = "/", headers }: Pick<IncomingMessage, "url" | "headers">): URL {
  if (!url.startsWith("/") && URL.canParse(url)) return new URL(url);
  const host = `http://${headers.host}`;
  const { origin } = new URL(URL.canParse(host) ? host : "http://lab");
  return new URL(`${origin}${url.startsWith("/") ? "" : "/"}${url}`);
}

/**
 * The URL, for servers in Go: net/http refuses a path with an invalid escape in these words and closes the connection, before any handler
 * sees the request. Unlike Go, this refuses escaped bytes that are not UTF-8 too.
 * @returns undefined when the request has been answered
 */
export function acceptedUrl(request: IncomingMessage, response: ServerResponse): URL | undefined {
  const [path = ""] = (request.url ?? "/").split("?");
  if (decodedPath(path) !== undefined) return requestUrl(request);
  response.writeHead(400, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end("400 Bad Request");
  return undefined;
}
