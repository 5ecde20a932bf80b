/** A forward proxy on loopback that records its requests, and sends all of them to one server of a test. */
import * as http from "node:http";
import * as net from "node:net";

export interface RecordingProxy {
  url: string;
  /** The requests: `CONNECT host:port` and `GET http://…`, with the proxy credentials. */
  seen: string[];
  close(): void;
}

const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port;

/** @param upstream the port, by scheme, of the server that stands in for all hosts */
export async function startRecordingProxy(upstream: { plain: number; tls: number }): Promise<RecordingProxy> {
  const seen: string[] = [];
  const note = (request: http.IncomingMessage): void => {
    const given = request.headers["proxy-authorization"];
    seen.push([request.method, request.url, ...(given === undefined ? [] : [Buffer.from(given.split(" ")[1] ?? "", "base64").toString()])].join(" "));
  };
  const server = http.createServer((request, response) => {
    note(request);
    const onward = http.request({
      host: "127.0.0.1",
      port: upstream.plain,
      method: request.method,
      path: new URL(request.url ?? "").pathname,
      headers: request.headers,
      agent: false,
    });
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.on("connect", (request, client) => {
    note(request);
    const onward = net.connect({ port: upstream.tls, host: "127.0.0.1", noDelay: true }, () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      client.pipe(onward).pipe(client);
    });
    for (const socket of [client, onward]) socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${portOf(server)}`, seen, close: () => server.close() };
}
