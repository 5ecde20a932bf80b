import * as http from "node:http";
import type { Socket } from "node:net";
import { type Packet, streamDecode, streamEncode } from "dns-packet";

function tunnel(proxy: URL, host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: `${host}:${port}` });
    request.on("connect", (response, socket) => {
      if (response.statusCode === 200) resolve(socket as Socket);
      else {
        socket.on("error", () => undefined).destroy();
        reject(new Error(`CONNECT ${host}:${port}: ${response.statusCode}`));
      }
    });
    request.on("error", reject);
    request.end();
  });
}

/** Asks a name server for an IPv4 address, through an HTTP proxy. @returns undefined if the server does not know the name */
export async function resolveOverTcp(proxy: URL, server: string, name: string): Promise<string | undefined> {
  const socket = await tunnel(proxy, server, 53);
  try {
    const answer = await new Promise<Packet>((resolve, reject) => {
      let received = Buffer.alloc(0);
      socket.on("data", (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        const packet = streamDecode(received);
        if (packet === null) reject(new Error("half an answer"));
        else resolve(packet);
      });
      socket.on("error", reject);
      socket.on("close", () => reject(new Error(`${server} closed the connection`)));
      socket.write(streamEncode({ type: "query", id: 1, flags: 0x100, questions: [{ type: "A", name }] }));
    });
    const found = answer.answers?.find((each) => each.type === "A");
    return found?.type === "A" ? found.data : undefined;
  } finally {
    socket.destroy();
  }
}
