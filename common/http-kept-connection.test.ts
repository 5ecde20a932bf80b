import { once } from "node:events";
import * as net from "node:net";
import { Worker } from "node:worker_threads";
import { createHttpClient, type HttpClient } from "./http";

/** A server that closes the connection of some requests without an answer, as a server does whose keep-alive time has just ended. */
async function serving(
  cuts: (request: number) => boolean,
  work: (client: HttpClient, url: string) => Promise<void>,
  connected: () => void = () => undefined,
): Promise<string[]> {
  const requests: string[] = [];
  const server = net.createServer((socket) => {
    connected();
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      requests.push(String(data).split(" ")[0] ?? "");
      if (cuts(requests.length)) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const url = `http://127.0.0.1:${address.port}/`;
  const client = createHttpClient(url);
  try {
    await work(client, url);
    return requests;
  } finally {
    await client.close();
    server.close();
  }
}

const NO_ANSWER = { code: "E_HTTP", message: expect.stringMatching(/^(GET|POST) http:\/\/127\.0\.0\.1:\d+: no answer$/) };

test("what only reads is asked once more where a kept connection was closed, also as a stream", async () => {
  const seen = await serving(
    (request) => request === 2 || request === 5,
    async (client, url) => {
      for (let i = 0; i < 3; i += 1) expect((await client.request({ method: "GET", url })).body).toBe("ok");
      const { status, body } = await client.stream({ method: "GET", url });
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(chunk);
      expect([status, Buffer.concat(chunks).toString()]).toEqual([200, "ok"]);
    },
  );
  expect(seen).toEqual(["GET", "GET", "GET", "GET", "GET", "GET"]);
});

test("several at once are each asked once more", async () => {
  const seen = await serving(
    (request) => request > 1 && request < 5,
    async (client, url) => {
      const ask = async () => (await client.request({ method: "GET", url })).body;
      expect(await ask()).toBe("ok");
      expect(await Promise.all([ask(), ask(), ask()])).toEqual(["ok", "ok", "ok"]);
    },
  );
  expect(seen).toHaveLength(7);
});

test("what changes something is not: it may have been done", async () => {
  const seen = await serving(
    (request) => request === 2,
    async (client, url) => {
      await client.request({ method: "GET", url });
      await expect(client.request({ method: "POST", url, body: "x" })).rejects.toMatchObject(NO_ANSWER);
    },
  );
  expect(seen).toEqual(["GET", "POST"]);
});

test("what changes something goes over no connection that the server may have closed while this process was busy", async () => {
  // A server of its own thread, which closes idle connections while this one does nothing else.
  const server = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const server = require("node:net").createServer((socket) => {
       socket.on("error", () => undefined).setTimeout(200, () => socket.end());
       socket.on("data", () => socket.write("HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok"));
     });
     server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));`,
    { eval: true },
  );
  try {
    const [port] = await once(server, "message");
    const url = `http://127.0.0.1:${port}/`;
    const client = createHttpClient(url);
    for (const method of ["PUT", "POST", "PATCH", "DELETE"]) {
      expect((await client.request({ method: "GET", url })).body).toBe("ok");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
      expect((await client.request({ method, url })).body).toBe("ok");
    }
    await client.close();
  } finally {
    await server.terminate();
  }
});

test("changes that begin together after a pause share what is made anew for them, and keep it", async () => {
  let connections = 0;
  const seen = await serving(
    () => false,
    async (client, url) => {
      const change = async () => (await client.request({ method: "POST", url, body: "x" })).body;
      await change();
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      for (let round = 0; round < 3; round += 1) {
        expect(await Promise.all([change(), change(), change()])).toEqual(["ok", "ok", "ok"]);
        // An answer is there a moment before its connection is free again.
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    () => {
      connections += 1;
    },
  );
  expect([seen.length, connections]).toEqual([10, 4]);
});

test("a server that closes each connection is asked twice, and one that never answered is asked once", async () => {
  const twice = await serving(
    (request) => request > 1,
    async (client, url) => {
      await client.request({ method: "GET", url });
      await expect(client.request({ method: "GET", url })).rejects.toMatchObject(NO_ANSWER);
    },
  );
  expect(twice).toEqual(["GET", "GET", "GET"]);
  const once = await serving(
    () => true,
    async (client, url) => expect(client.request({ method: "GET", url })).rejects.toMatchObject(NO_ANSWER),
  );
  expect(once).toEqual(["GET"]);
});

test("a request that is given up while its connection is being made leaves none for the next one to wait for", async () => {
  // Accepts connections and never answers the TLS handshake.
  const silent = net.createServer((socket) => void socket.on("error", () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(silent.address() as net.AddressInfo).port}/`;
  const client = createHttpClient(url);
  try {
    for (let i = 0; i < 3; i += 1) {
      const giveUp = new AbortController();
      const [asked, reached] = [client.request({ method: "GET", url, signal: giveUp.signal }), once(silent, "connection")];
      await reached;
      giveUp.abort();
      await expect(asked).rejects.toThrow("aborted");
    }
  } finally {
    await client.close();
    silent.close();
  }
});
