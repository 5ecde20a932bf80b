/** Clients of the lab's API that ask for another protocol and go away at once, as a kubectl does that is killed. */
import * as net from "node:net";
import { Duplex } from "node:stream";
import * as tls from "node:tls";
import { refusing } from "../../tests/support/kubectl";
import { LabWorld, type WorldCluster } from "../../tests/support/lab-world";

let world: LabWorld;
let dev: WorldCluster;
let port: number;
beforeAll(async () => {
  world = await LabWorld.start();
  dev = await world.cluster("dev", "192.168.1.12");
  port = world.ctx.network.resolve("192.168.1.12", 6443)?.port ?? 0;
  await dev.namespace("app");
  dev.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "alone", namespace: "app" },
    spec: { containers: [{ name: "main", image: "registry/alone:1" }] },
  });
  await world.settled();
});
afterAll(() => world.stop());

const admin = (key: string): string =>
  Buffer.from(new RegExp(`client-${key}-data: (\\S+)`).exec(dev.cluster.adminKubeconfig())?.[1] ?? "", "base64").toString();

/** When a client disconnects: at once, when it has the answer, or after bytes that are not a frame of any protocol. */
const MOMENTS = ["at once", "answered", "garbled"] as const;
/** In WebSocket reserved bits and an unknown operation code, in SPDY data of a stream that does not exist. */
const NO_FRAME = Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0]);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends a request, resets the connection, or does what is given in its place. @returns the first line of the answer; "" where it was not waited for */
async function cut(to: number, route: string, headers: readonly string[], when: (typeof MOMENTS)[number] = "answered", reset?: () => void): Promise<string> {
  const raw = net.connect(to, "127.0.0.1");
  raw.on("error", () => undefined);
  // A stream in between: TLS would take the connection's handle, and a reset needs it.
  const socket = tls.connect({
    socket: Duplex.from({ readable: raw, writable: raw }),
    rejectUnauthorized: false,
    cert: admin("certificate"),
    key: admin("key"),
  });
  socket.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  const head = [`GET /api/v1/namespaces/app/pods/alone/${route} HTTP/1.1`, "Host: kubernetes", "Connection: Upgrade", ...headers];
  const answered = new Promise<string>((resolve) => socket.once("data", (data: Buffer) => resolve(data.toString("latin1").split("\r\n")[0] ?? "")));
  await new Promise((resolve) => socket.write(`${head.join("\r\n")}\r\n\r\n`, resolve));
  const line = when === "at once" ? "" : await answered;
  if (when === "garbled") {
    await new Promise((resolve) => socket.write(NO_FRAME, resolve));
    await pause(20);
  }
  (reset ?? (() => raw.resetAndDestroy()))();
  // Time for the server to react.
  await pause(50);
  raw.destroy();
  return line;
}

const spdy = (protocol: string): string[] => ["Upgrade: SPDY/3.1", `X-Stream-Protocol-Version: ${protocol}`];
const webSocket = (protocol: string): string[] => [
  ...["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
  `Sec-WebSocket-Protocol: ${protocol}`,
];
const EXEC = "exec?command=cat&stdin=true&stdout=true";
test.each([
  ["a refused protocol", "attach?stdin=true", spdy("v4.channel.k8s.io"), 501],
  ["a protocol that the server has not", EXEC, ["Upgrade: none"], 400],
  ["exec over SPDY", EXEC, spdy("v4.channel.k8s.io"), 101],
  ["exec over a WebSocket", EXEC, webSocket("v5.channel.k8s.io"), 101],
  ["ports over SPDY", "portforward", spdy("portforward.k8s.io"), 101],
  ["ports over a WebSocket", "portforward", webSocket("SPDY/3.1+portforward.k8s.io"), 101],
] as const)("a client that resets its connection ends nothing but it: %s", async (_what, route, headers, status) => {
  for (const when of MOMENTS) expect(await cut(port, route, headers, when)).toMatch(when === "at once" ? "" : `HTTP/1.1 ${status} `);
  expect(await cut(port, "log", [])).toBe("HTTP/1.1 200 OK");
});

test("the relay that tests put before the API survives clients and an API that reset their connections", async () => {
  const open = new Set<net.Socket>();
  const between = net.createServer((inner) => {
    const outer = net.connect(port, "127.0.0.1");
    for (const socket of [inner, outer]) open.add(socket.on("error", () => undefined));
    inner.pipe(outer).pipe(inner);
  });
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  const relay = await refusing("websocket", { dev, port: (between.address() as net.AddressInfo).port });
  for (const [headers, status] of [
    [spdy("portforward.k8s.io"), 101],
    [webSocket("SPDY/3.1+portforward.k8s.io"), 400],
  ] as const)
    for (const when of MOMENTS) expect(await cut(relay.port, "portforward", headers, when)).toMatch(when === "at once" ? "" : `HTTP/1.1 ${status} `);
  expect(
    await cut(relay.port, "portforward", spdy("portforward.k8s.io"), "answered", () => {
      for (const socket of open) socket.resetAndDestroy();
    }),
  ).toMatch("HTTP/1.1 101 ");
  expect(await cut(relay.port, "log", [])).toBe("HTTP/1.1 200 OK");
  await relay.stop();
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => between.close(resolve));
});
