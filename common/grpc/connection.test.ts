import * as net from "node:net";
import { bytesOf, cleanUp, clientOf, echo, endAll, failing, type Ours, serveOurs } from "../../tests/support/echo-service";
import { encodeFrame, FLAG, FRAME, type Frame, FrameReader, number32, PREFACE } from "./frames";
import { encodeHeaders, HeaderDecoder } from "./hpack";
import { encodeMessage, STATUS } from "./messages";

afterEach(endAll);

const CALL = encodeHeaders([
  [":method", "POST"],
  [":path", "/test.Echo/Echo"],
  ["content-type", "application/grpc"],
]);
const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => encodeFrame({ type, flags, stream, payload });

/** A client of single frames. */
async function raw(port: number) {
  const socket = net.connect(port, "127.0.0.1");
  cleanUp.push(() => socket.destroy());
  const reader = new FrameReader();
  const frames: Frame[] = [];
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => frames.push(...reader.frames(chunk)));
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  const until = async (found: (frame: Frame) => boolean): Promise<Frame> => {
    for (;;) {
      const seen = frames.find(found);
      if (seen !== undefined) return seen;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { socket, frames, closed, until };
}

describe("frames as other clients send them", () => {
  let ours: Ours;
  beforeEach(async () => {
    ours = await serveOurs();
    cleanUp.push(() => ours.server.close());
  });
  const isEnd = ({ type, flags, stream }: Frame): boolean => type === FRAME.headers && stream === 1 && (flags & FLAG.end) !== 0;
  const BEGIN = [PREFACE, frame(FRAME.settings, 0, 0, Buffer.alloc(0))];
  const PADDED = Buffer.concat([Buffer.from([3]), encodeMessage(Buffer.from("hi")), Buffer.alloc(3)]);
  const PRIORITY = Buffer.concat([Buffer.from([0, 0, 0, 0, 16]), CALL]);

  test.each<[string, Buffer[]]>([
    ["byte by byte", [...Buffer.concat([...BEGIN, frame(1, 4, 1, CALL), frame(0, 1, 1, encodeMessage(Buffer.from("hi")))])].map((byte) => Buffer.from([byte]))],
    ["in one piece", [Buffer.concat([...BEGIN, frame(1, 4, 1, CALL), frame(0, 1, 1, encodeMessage(Buffer.from("hi")))])]],
    [
      "with headers in three frames",
      [
        ...BEGIN,
        frame(1, 0, 1, CALL.subarray(0, 5)),
        frame(9, 0, 1, CALL.subarray(5, 9)),
        frame(9, 4, 1, CALL.subarray(9)),
        frame(0, 1, 1, encodeMessage(Buffer.from("hi"))),
      ],
    ],
    ["with padding and a priority", [...BEGIN, frame(1, 4 | FLAG.priority, 1, PRIORITY), frame(0, FLAG.padded | 1, 1, PADDED)]],
    ["with an empty last frame", [...BEGIN, frame(1, 4, 1, CALL), frame(0, 0, 1, encodeMessage(Buffer.from("hi"))), frame(0, 1, 1, Buffer.alloc(0))]],
    ["with frames of unknown types", [...BEGIN, frame(77, 0, 0, Buffer.from("?")), frame(1, 4, 1, CALL), frame(0, 1, 1, encodeMessage(Buffer.from("hi")))]],
  ])("a call %s is answered", async (_how, parts) => {
    const { socket, frames, until } = await raw(ours.port);
    for (const part of parts) {
      socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(isEnd);
    const decoder = new HeaderDecoder();
    const headers = frames.filter(({ type }) => type === FRAME.headers).map(({ payload }) => [...decoder.decode(payload)]);
    expect(headers).toEqual([
      [
        [":status", "200"],
        ["content-type", "application/grpc"],
      ],
      [["grpc-status", "0"]],
    ]);
    expect(
      frames
        .find(({ type }) => type === FRAME.data)
        ?.payload.subarray(5)
        .toString(),
    ).toBe("hi");
  });

  test("a ping comes back, and a connection takes calls after it", async () => {
    const { socket, until } = await raw(ours.port);
    socket.write(Buffer.concat([...BEGIN, frame(FRAME.ping, 0, 0, Buffer.from("12345678"))]));
    const pong = await until(({ type }) => type === FRAME.ping);
    expect([pong.flags, pong.payload.toString()]).toEqual([FLAG.ack, "12345678"]);
  });

  test("a call that its client ends is not answered, and the next one is", async () => {
    const { socket, frames, until } = await raw(ours.port);
    const wait = encodeHeaders([
      [":path", "/test.Echo/Wait"],
      ["content-type", "application/grpc"],
    ]);
    socket.write(Buffer.concat([...BEGIN, frame(1, 4, 1, wait), frame(0, 1, 1, encodeMessage(Buffer.alloc(0)))]));
    while (ours.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.write(Buffer.concat([frame(FRAME.reset, 0, 1, number32(8)), frame(1, 4, 3, CALL), frame(0, 1, 3, encodeMessage(Buffer.alloc(0)))]));
    await until(({ type, stream, flags }) => type === FRAME.headers && stream === 3 && (flags & FLAG.end) !== 0);
    ours.waiting[0]?.(null, Buffer.alloc(0));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(frames.filter(({ stream }) => stream === 1)).toEqual([]);
  });

  test.each<[string, Buffer, number]>([
    ["a frame that is too large", Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1]), 6],
    ["headers that are none", frame(1, 4, 1, Buffer.from([0x80])), 9],
    ["headers that begin while others have not ended", Buffer.concat([frame(1, 0, 1, CALL), frame(1, 4, 3, CALL)]), 1],
    ["headers that go on and did not begin", frame(9, 4, 1, CALL), 1],
    ["a stream with an even number", frame(1, 4, 2, CALL), 1],
    ["more padding than there is room for", Buffer.concat([frame(1, 4, 1, CALL), frame(0, FLAG.padded, 1, Buffer.from([9, 1]))]), 1],
    ["a window that is too large", frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0x80, 0, 0, 0])), 3],
    ["a reset without a code", frame(FRAME.reset, 0, 1, Buffer.alloc(0)), 1],
  ])("%s ends the connection, with its reason", async (_what, bytes, code) => {
    const { socket, closed, frames } = await raw(ours.port);
    socket.write(Buffer.concat([...BEGIN, bytes]));
    await closed;
    expect(frames.find(({ type }) => type === FRAME.goAway)?.payload.readUInt32BE(4)).toBe(code);
  });

  test.each(["GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"])("a connection that begins with %j is ended", async (text) => {
    const { socket, closed, frames } = await raw(ours.port);
    socket.write(text);
    await closed;
    expect(frames).toEqual([]);
  });

  test("a server that closes ends connections that have not begun", async () => {
    const { socket, closed } = await raw(ours.port);
    await new Promise((resolve) => socket.once("connect", resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    ours.server.close();
    await closed;
  });
});

/** A server of single frames, which answers the first call with these. */
async function rawServer(...answer: Buffer[]): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    cleanUp.push(() => socket.destroy());
    socket.once("data", () => socket.write(Buffer.concat([frame(FRAME.settings, 0, 0, Buffer.alloc(0)), ...answer])));
  });
  cleanUp.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as net.AddressInfo).port;
}

describe("answers as other servers send them", () => {
  const OK = encodeHeaders([[":status", "200"]]);
  const DONE = encodeHeaders([["grpc-status", "0"]]);
  const HTTP = (status: string): Buffer => encodeHeaders([[":status", status]]);

  test.each<[string, Buffer[], number, string]>([
    ["no status", [frame(1, 4, 1, OK), frame(1, 5, 1, encodeHeaders([["x", "y"]]))], STATUS.UNKNOWN, "the answer has no gRPC status (HTTP 200)"],
    ["the answer of a proxy", [frame(1, 5, 1, HTTP("503"))], STATUS.UNAVAILABLE, "the answer has no gRPC status (HTTP 503)"],
    ["a status that is no number", [frame(1, 5, 1, encodeHeaders([["grpc-status", "?"]]))], STATUS.UNKNOWN, ""],
    ["success without a message", [frame(1, 4, 1, OK), frame(1, 5, 1, DONE)], STATUS.INTERNAL, "the message is missing"],
    [
      "two messages",
      [frame(1, 4, 1, OK), frame(0, 0, 1, Buffer.concat([encodeMessage(OK), encodeMessage(OK)])), frame(1, 5, 1, DONE)],
      STATUS.INTERNAL,
      "there is not exactly one message",
    ],
    ["data at the end", [frame(1, 4, 1, OK), frame(0, 1, 1, encodeMessage(OK))], STATUS.UNKNOWN, "the answer has no gRPC status (HTTP 200)"],
    ["a refused stream", [frame(3, 0, 1, number32(7))], STATUS.UNAVAILABLE, "the other side ended the call"],
    ["a cancelled stream", [frame(3, 0, 1, number32(8))], STATUS.CANCELLED, "the other side ended the call"],
    ["another end of the stream", [frame(3, 0, 1, number32(2))], STATUS.INTERNAL, "the other side ended the call"],
    ["a server that goes before the call", [frame(7, 0, 0, Buffer.concat([number32(0), number32(0)]))], STATUS.UNAVAILABLE, "the other side is shutting down"],
    [
      "text that is badly encoded",
      [
        frame(
          1,
          5,
          1,
          encodeHeaders([
            ["grpc-status", "2"],
            ["grpc-message", "100% %C3"],
          ]),
        ),
      ],
      STATUS.UNKNOWN,
      "100% %C3",
    ],
  ])("%s", async (_what, answer, code, details) => {
    const failed = await failing(echo(clientOf(await rawServer(...answer)), bytesOf(1)));
    expect([failed.code, failed.details]).toEqual([code, details]);
  });
});
