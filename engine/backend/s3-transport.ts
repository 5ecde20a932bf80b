/** Sends the AWS SDK's requests through the environment's proxy: the SDK itself ignores it. */
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { proxyFor } from "../../common/proxy";
import { unsupported } from "../errors";

type Handle = NodeHttpHandler["handle"];

/** Asks {@link proxyFor} for each request: the host name may contain the bucket's name, and so differ between requests. */
export class S3Transport {
  readonly #straight = new NodeHttpHandler();
  readonly #proxied = new Map<string, NodeHttpHandler>();

  handle(request: Parameters<Handle>[0], options?: Parameters<Handle>[1]): ReturnType<Handle> {
    const { protocol, hostname, port } = request;
    return this.#handlerFor(new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`)).handle(request, options);
  }

  #handlerFor(url: URL): NodeHttpHandler {
    const proxy = proxyFor(url);
    if (proxy === undefined) return this.#straight;
    if (proxy.protocol.startsWith("socks")) throw unsupported("a SOCKS proxy between the engine and S3");
    const known = this.#proxied.get(proxy.href);
    if (known !== undefined) return known;
    const handler = new NodeHttpHandler({
      httpAgent: new HttpProxyAgent(proxy, { keepAlive: true }),
      httpsAgent: new HttpsProxyAgent(proxy, { keepAlive: true }),
    });
    this.#proxied.set(proxy.href, handler);
    return handler;
  }

  /** The SDK's interface wants this and the next method; there is nothing to configure. */
  updateHttpClientConfig(): undefined {
    return undefined;
  }
  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {
    for (const handler of [this.#straight, ...this.#proxied.values()]) handler.destroy();
  }
}
