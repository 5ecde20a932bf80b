/** Opens a connection to a host's port, like all other traffic: through the environment's proxy where that is used for the host. */
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import { HomelabError } from "../../common/errors";
import { proxyFor } from "../../common/proxy";

/** Milliseconds until a host, or the proxy before it, must have answered. */
export const PATIENCE_MS = 10_000;

const bare = (host: string): string => host.replace(/^\[|\]$/g, "");
const late = (what: string): Error => new Error(`${what} did not answer within ${PATIENCE_MS / 1_000} s`);
const credentialsOf = (proxy: URL): [user: string, password: string] | undefined =>
  proxy.username === "" && proxy.password === "" ? undefined : [decodeURIComponent(proxy.username), decodeURIComponent(proxy.password)];

function straight(host: string, port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, timeout: PATIENCE_MS });
    socket.once("connect", () => resolve(socket)).once("error", reject);
    socket.once("timeout", () => socket.destroy(late(`${host}:${port}`)));
  });
}

/** By CONNECT (RFC 9110, 9.3.6), to a proxy that speaks HTTP or HTTPS itself. */
function tunnelled(proxy: URL, target: string): Promise<net.Socket> {
  const isTls = proxy.protocol === "https:";
  const given = credentialsOf(proxy);
  return new Promise((resolve, reject) => {
    const request = (isTls ? https : http).request({
      host: bare(proxy.hostname),
      port: proxy.port || (isTls ? 443 : 80),
      method: "CONNECT",
      path: target,
      headers: { host: target, ...(given === undefined ? {} : { "proxy-authorization": `Basic ${Buffer.from(given.join(":")).toString("base64")}` }) },
      agent: new (isTls ? https : http).Agent(),
      timeout: PATIENCE_MS,
    });
    const refuse = ({ statusCode }: http.IncomingMessage): void =>
      reject(new Error(`${target} cannot be reached through the proxy ${proxy.host}: it answers ${statusCode}`));
    request.once("connect", (response, socket) => {
      if (response.statusCode === 200) return resolve(socket as net.Socket);
      socket.destroy();
      refuse(response);
    });
    // The answer of a server that is no proxy.
    request.once("response", (response) => {
      request.destroy();
      refuse(response);
    });
    request.once("timeout", () => request.destroy(late(`the proxy ${proxy.host}`)));
    request.once("error", (cause) => reject(new HomelabError("E_PROXY", `the proxy ${proxy.host} cannot be used`, { cause, subject: proxy.host }))).end();
  });
}

/** RFC 1928; names are looked up by the proxy. */
async function throughSocks(proxy: URL, host: string, port: number): Promise<net.Socket> {
  const { SocksClient } = await import("socks");
  const given = credentialsOf(proxy);
  try {
    const { socket } = await SocksClient.createConnection({
      proxy: {
        host: bare(proxy.hostname),
        port: Number(proxy.port || 1080),
        type: 5,
        ...(given === undefined ? {} : { userId: given[0], password: given[1] }),
      },
      command: "connect",
      destination: { host, port },
      timeout: PATIENCE_MS,
    });
    return socket;
  } catch (cause) {
    throw new HomelabError("E_PROXY", `${host}:${port} cannot be reached through the proxy ${proxy.host}`, { cause, subject: proxy.host });
  }
}

/** @throws Error where nothing answers there, or the environment's proxy refuses the connection */
export function dial(host: string, port: number): Promise<net.Socket> {
  const target = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
  const proxy = proxyFor(new URL(`https://${target}`));
  if (proxy === undefined) return straight(host, port);
  if (proxy.protocol.startsWith("socks")) return throughSocks(proxy, host, port);
  return tunnelled(proxy, target);
}
