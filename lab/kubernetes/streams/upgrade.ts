/** From a request to a connection of streams: SPDY/3.1 as kubectl spoke it for years, or WebSocket as it does today. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Call } from "../call";
import { badRequest, StatusError } from "../status";

/** The connection below a request that asks for another protocol. */
export interface Upgrade {
  socket: Duplex;
  head: Buffer;
}

const words = (header: string | string[] | undefined): string[] =>
  String(header ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

export const wantsWebSocket = ({ headers }: IncomingMessage): boolean => /^websocket$/i.test(headers.upgrade ?? "");

/**
 * The protocol that both sides speak: the first of the client's that the server knows.
 * @throws StatusError 400 where nothing was asked for, 403 where the server knows none
 */
export function protocolOf({ request, upgrade }: Call, known: { spdy: readonly string[]; webSocket: readonly string[] }): string {
  const asked = request.headers.upgrade;
  if (asked === undefined || upgrade === undefined) throw badRequest("Upgrade request required");
  const overSpdy = /^spdy\/3\.1$/i.test(asked);
  if (!overSpdy && !wantsWebSocket(request)) throw badRequest(`unable to upgrade: the lab speaks SPDY/3.1 and WebSocket, and not ${asked}`);
  const offered = words(request.headers[overSpdy ? "x-stream-protocol-version" : "sec-websocket-protocol"]);
  const served = overSpdy ? known.spdy : known.webSocket;
  const found = offered.find((protocol) => served.includes(protocol));
  if (found === undefined)
    throw new StatusError(
      403,
      "Forbidden",
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${served.join(" ")}]`,
    );
  return found;
}

/** Answers 101 and hands over the connection. */
export function acceptSpdy({ response, upgrade }: Call, protocol: string): Duplex {
  const { socket, head } = upgraded(upgrade);
  response.detachSocket(socket as never);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return socket;
}

/** Answers 101 and hands over the WebSocket. @throws StatusError 400 where the request opens none */
export function acceptWebSocket({ request, response, upgrade }: Call, protocol: string): Promise<WebSocket> {
  const { socket, head } = upgraded(upgrade);
  const server = new WebSocketServer({ noServer: true });
  // Names of Kubernetes' protocols may have a slash, which RFC 6455 does not allow in this header: the library would refuse them.
  delete request.headers["sec-websocket-protocol"];
  server.once("headers", (lines) => lines.push(`Sec-WebSocket-Protocol: ${protocol}`));
  return new Promise((resolve, reject) => {
    server.once("wsClientError", (error) => reject(badRequest(`unable to upgrade: ${error.message}`)));
    server.handleUpgrade(request, socket, head, (opened) => {
      response.detachSocket(socket as never);
      // Bytes that are not a frame close the connection, and the reader gets the error.
      opened.on("error", () => undefined);
      resolve(opened);
    });
  });
}

function upgraded(upgrade: Upgrade | undefined): Upgrade {
  if (upgrade === undefined) throw new Error("the request asks for no other protocol");
  return upgrade;
}
