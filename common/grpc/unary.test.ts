import * as http2 from "node:http2";
import * as grpc from "@grpc/grpc-js";
import {
  bytesOf,
  cleanUp,
  clientOf,
  DETAILS,
  echo,
  endAll,
  failing,
  libraryClient,
  type Ours,
  SERVICE,
  SIZES,
  serveLibrary,
  serveOurs,
  TEXT,
} from "../../tests/support/echo-service";
import { encodeMessage, STATUS } from "./messages";

afterEach(endAll);

describe("our client and the library's server", () => {
  let their: Awaited<ReturnType<typeof serveLibrary>>;
  beforeEach(async () => {
    their = await serveLibrary();
    cleanUp.push(() => their.server.forceShutdown());
  });

  test.each(SIZES)("a message of %d bytes comes back as it was", async (size) => {
    const sent = bytesOf(size);
    expect((await echo(clientOf(their.port), sent)).equals(sent)).toBe(true);
  });

  test("hundreds of calls at once, small and large, each get their own answer", async () => {
    const client = clientOf(their.port);
    const sent = Array.from({ length: 300 }, (_, at) => bytesOf(at % 10 === 0 ? 40_000 + at : at));
    const got = await Promise.all(sent.map((bytes) => echo(client, bytes)));
    expect(got.every((bytes, at) => bytes.equals(sent[at] ?? Buffer.alloc(0)))).toBe(true);
  });

  test("a failure has its code, its text in any language, and what was told beside it", async () => {
    const { code, details, trailers } = await failing(clientOf(their.port).call(SERVICE.fail, bytesOf(3)));
    expect({ code, details }).toEqual({ code: STATUS.NOT_FOUND, details: TEXT });
    expect(trailers["told-by"]).toBe("them");
    expect(Buffer.from(trailers["grpc-status-details-bin"] as Uint8Array).equals(DETAILS)).toBe(true);
  });

  test("a method that the server does not have is UNIMPLEMENTED", async () => {
    expect((await failing(clientOf(their.port).call(SERVICE.missing, bytesOf(1)))).code).toBe(STATUS.UNIMPLEMENTED);
  });

  test("no more calls at once than the server takes", async () => {
    const few = await serveLibrary({ "grpc.max_concurrent_streams": 3 });
    cleanUp.push(() => few.server.forceShutdown());
    const client = clientOf(few.port);
    await echo(client, bytesOf(1));
    const got = await Promise.all(Array.from({ length: 40 }, (_, at) => echo(client, bytesOf(at))));
    expect(got.map(({ length }) => length)).toEqual(Array.from({ length: 40 }, (_, at) => at));
    expect(few.most()).toBeLessThanOrEqual(3);
  });

  test("calls under way end UNAVAILABLE when the server goes, and the next one is connected anew", async () => {
    const client = clientOf(their.port);
    const waits = failing(client.call(SERVICE.wait, bytesOf(1)));
    while (their.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    their.server.forceShutdown();
    expect([STATUS.UNAVAILABLE, STATUS.CANCELLED]).toContain((await waits).code);
    expect((await failing(echo(client, bytesOf(1)))).code).toBe(STATUS.UNAVAILABLE);
  });
});

test("where nobody listens, a call is UNAVAILABLE and says why; a server that comes later is reached", async () => {
  const ours = await serveOurs();
  ours.server.close();
  const client = clientOf(ours.port);
  const { code, details } = await failing(echo(client, bytesOf(1)));
  expect([code, details]).toEqual([STATUS.UNAVAILABLE, `connect ECONNREFUSED 127.0.0.1:${ours.port}`]);
});

test("what cannot be encoded or decoded is INTERNAL, and says what it was", async () => {
  const ours = await serveOurs();
  cleanUp.push(() => ours.server.close());
  const client = clientOf(ours.port);
  const broken = (): never => {
    throw new Error("no such field");
  };
  const request = await failing(client.call({ ...SERVICE.echo, requestSerialize: broken }, bytesOf(1)));
  const answer = await failing(client.call({ ...SERVICE.echo, responseDeserialize: broken }, bytesOf(1)));
  expect([request, answer].map(({ code, details }) => [code, details])).toEqual([
    [STATUS.INTERNAL, "the request cannot be encoded: no such field"],
    [STATUS.INTERNAL, "the answer cannot be decoded: no such field"],
  ]);
});

test("a client that is closed takes no calls, and lets those under way end", async () => {
  const ours = await serveOurs();
  cleanUp.push(() => ours.server.close());
  const client = clientOf(ours.port);
  const waits = client.call(SERVICE.wait, bytesOf(1));
  while (ours.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  client.close();
  expect((await failing(echo(client, bytesOf(1)))).details).toBe("the client is closed");
  ours.waiting[0]?.(null, bytesOf(2));
  expect((await waits).length).toBe(2);
});

describe("the library's client and our server", () => {
  let ours: Ours;
  beforeEach(async () => {
    ours = await serveOurs();
    cleanUp.push(() => ours.server.close());
  });

  test.each(SIZES)("a message of %d bytes comes back as it was", async (size) => {
    const sent = bytesOf(size);
    expect((await libraryClient(ours.port)("echo", sent)).equals(sent)).toBe(true);
  });

  test("a failure has its code, its text in any language, and what was told beside it", async () => {
    const error = (await libraryClient(ours.port)("fail", bytesOf(1)).catch((thrown: unknown) => thrown)) as grpc.ServiceError;
    expect([error.code, error.details]).toEqual([grpc.status.NOT_FOUND, TEXT]);
    expect(error.metadata.get("told-by")).toEqual(["us"]);
    expect(error.metadata.get("grpc-status-details-bin")).toEqual([DETAILS]);
  });

  test("a method that is not there is UNIMPLEMENTED, by its name", async () => {
    await expect(libraryClient(ours.port)("missing", bytesOf(1))).rejects.toMatchObject({
      code: grpc.status.UNIMPLEMENTED,
      details: "The server does not implement the method /test.Echo/Missing",
    });
  });

  test("a call whose deadline is over, or that is compressed, does not disturb the next ones", async () => {
    const call = libraryClient(ours.port);
    await expect(call("wait", bytesOf(1), { deadline: Date.now() + 30 })).rejects.toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
    ours.waiting[0]?.(null, bytesOf(1));
    expect((await call("echo", bytesOf(7))).length).toBe(7);
    const compressing = libraryClient(ours.port, { "grpc.default_compression_algorithm": 2 });
    await expect(compressing("echo", Buffer.alloc(100))).rejects.toMatchObject({ code: grpc.status.UNIMPLEMENTED });
  });

  test("calls under way end when the server closes, in a way that the SDK takes for the end of the engine", async () => {
    const waits = libraryClient(ours.port)("wait", bytesOf(1)).catch((thrown: grpc.ServiceError) => thrown.code);
    while (ours.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    ours.server.close();
    expect([grpc.status.UNAVAILABLE, grpc.status.CANCELLED]).toContain(await waits);
  });

  test("a client with the smallest windows gets the whole of a large answer", async () => {
    const session = http2.connect(`http://127.0.0.1:${ours.port}`, { settings: { initialWindowSize: 100, enablePush: false } });
    cleanUp.push(() => session.destroy());
    const stream = session.request({ ":method": "POST", ":path": "/test.Echo/Echo", "content-type": "application/grpc", te: "trailers" });
    const sent = encodeMessage(bytesOf(200_000));
    stream.end(sent);
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    const trailers = await new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
      stream.on("trailers", resolve);
      stream.on("error", reject);
    });
    expect(trailers["grpc-status"]).toBe("0");
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
  });

  test("what is no gRPC is answered 415", async () => {
    const session = http2.connect(`http://127.0.0.1:${ours.port}`);
    cleanUp.push(() => session.destroy());
    const stream = session.request({ ":path": "/" });
    stream.resume();
    const headers = await new Promise<http2.IncomingHttpHeaders>((resolve) => stream.on("response", resolve));
    expect(headers[":status"]).toBe(415);
  });
});
