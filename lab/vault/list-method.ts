import type { Server } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

interface ParseError extends Error {
  code?: string;
  rawPacket?: Buffer;
}

/**
 * Lets an HTTP server take Vault's method LIST, which Node's parser does not know: the request is sent again as the
 * `GET …?list=true` that Vault has for clients with the same trouble. The connection ends with the answer.
 * @param plainPort port of a listener without TLS that answers the same
 */
export function acceptList(server: Pick<Server, "on">, plainPort: () => number): void {
  server.on("clientError", (error: ParseError, socket: Duplex) => {
    const packet = error.rawPacket?.toString("latin1") ?? "";
    const line = /^LIST (\S+) HTTP\/1\.1\r\n/.exec(packet);
    if (line === null) {
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
      return;
    }
    const [first, target = "/"] = line;
    const headers = packet.slice(first.length).replace(/^connection:[^\r]*\r\n/im, "");
    const onward = connect(plainPort(), "127.0.0.1", () => {
      onward.write(`GET ${target}${target.includes("?") ? "&" : "?"}list=true HTTP/1.1\r\nConnection: close\r\n${headers}`, "latin1");
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    onward.pipe(socket);
  });
}
