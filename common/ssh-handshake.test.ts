import * as net from "node:net";
import { Client } from "ssh2";
import { handshake } from "./ssh-handshake";

/** A server that takes connections and says nothing. */
let server: net.Server;
let closed: Promise<void>;
let taken: Promise<void>;
beforeEach(async () => {
  server = net.createServer();
  taken = new Promise((resolve) => server.once("connection", () => resolve()));
  closed = new Promise((resolve) => server.once("connection", (socket) => socket.resume().once("close", () => resolve())));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const connect = (client: Client) => client.connect({ host: "127.0.0.1", port: (server.address() as net.AddressInfo).port, username: "u", readyTimeout: 0 });

test("an abort ends it with its reason, and the connection as well", async () => {
  const control = new AbortController();
  const client = new Client();
  const pending = handshake({ client, signal: control.signal, begin: () => void connect(client) });
  await taken;
  control.abort(new Error("no time left"));
  await expect(pending).rejects.toThrow("no time left");
  await closed;
});

test("one that was aborted before is not begun", async () => {
  let begun = false;
  const begin = () => {
    begun = true;
  };
  await expect(handshake({ client: new Client(), signal: AbortSignal.abort(new Error("over")), begin })).rejects.toThrow("over");
  expect(begun).toBe(false);
});

test("what cannot be begun fails with its own error, and a better reason comes before the client's", async () => {
  const { signal } = new AbortController();
  const throws = () => {
    throw new Error("Cannot parse privateKey");
  };
  await expect(handshake({ client: new Client(), signal, begin: throws })).rejects.toThrow("Cannot parse privateKey");
  const client = new Client();
  const refused = (fail: (cause: unknown) => void) => {
    connect(client);
    fail(new Error("another host key"));
  };
  await expect(handshake({ client, signal, begin: refused })).rejects.toThrow("another host key");
});

test("an error of the client's is told as it is explained", async () => {
  const { signal } = new AbortController();
  const client = new Client();
  server.once("connection", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const explain = (error: Error) => new Error("no SSH server", { cause: error });
  await expect(handshake({ client, signal, begin: () => void connect(client), explain })).rejects.toThrow("no SSH server");
});
