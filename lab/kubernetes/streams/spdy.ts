/**
 * The server's side of SPDY/3.1, as `kubectl` speaks it on a connection that was upgraded: the client opens streams, each is confirmed, both sides
 * send data and end their half. There is no flow control: neither side of Kubernetes has one.
 */
import { Duplex } from "node:stream";
import { createDeflate, createInflate, type Deflate, type Inflate, constants as zlib } from "node:zlib";
import { SPDY_DICTIONARY } from "./spdy-dictionary";

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GO_AWAY = 7;
/** Frames that a server of Kubernetes ignores: SETTINGS, HEADERS of an open stream, WINDOW_UPDATE. */
const PASSED_OVER = new Set([4, 8, 9]);
const FIN = 1;
const HEAD_BYTES = 8;

/** One stream that the client opened. What is written goes to the client; `end` ends this side's half. */
export class SpdyStream extends Duplex {
  constructor(
    readonly id: number,
    /** Names in small letters. */
    readonly headers: Readonly<Record<string, string>>,
    private readonly send: (flags: number, data: Buffer, done: (error?: Error | null) => void) => void,
    private readonly reset: () => void,
  ) {
    super({ allowHalfOpen: true });
  }

  override _read(): void {
    // Data is pushed as it comes.
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.send(0, chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.send(FIN, Buffer.alloc(0), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.reset();
    done(error);
  }
}

/** Runs a block through a zlib stream whose state lasts for the connection. */
function through(stream: Inflate | Deflate, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const collect = (part: Buffer): void => void parts.push(part);
    stream.on("data", collect);
    stream.once("error", reject);
    stream.write(block);
    stream.flush(zlib.Z_SYNC_FLUSH, () => {
      stream.off("data", collect);
      stream.off("error", reject);
      resolve(Buffer.concat(parts));
    });
  });
}

function parseHeaders(block: Buffer): Record<string, string> {
  let at = 4;
  const text = (): string => {
    const length = block.readUInt32BE(at);
    at += 4 + length;
    return block.toString("latin1", at - length, at);
  };
  const found: Record<string, string> = {};
  for (let left = block.readUInt32BE(0); left > 0; left--) found[text().toLowerCase()] = text();
  return found;
}

function control(type: number, body: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(body.length, 4);
  head.writeUInt8(flags, 4);
  return Buffer.concat([head, body]);
}

const numbers = (...values: number[]): Buffer => {
  const body = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) body.writeUInt32BE(value, 4 * index);
  return body;
};

export class SpdyConnection {
  readonly #inflate = createInflate({ dictionary: SPDY_DICTIONARY });
  readonly #deflate = createDeflate({ dictionary: SPDY_DICTIONARY });
  readonly #streams = new Map<number, SpdyStream>();
  /** Why the connection broke: a client may go away at any time. */
  #lost: Error | undefined;

  /** @param opened gets each stream that the client opens, before its data */
  constructor(
    private readonly socket: Duplex,
    private readonly opened: (stream: SpdyStream) => void,
  ) {
    socket.on("close", () => this.#end());
    socket.on("error", (error) => (this.#lost = error));
  }

  /** Serves the connection until the client closes it. */
  async serve(): Promise<void> {
    try {
      let waiting = Buffer.alloc(0);
      for await (const chunk of this.socket) {
        waiting = Buffer.concat([waiting, chunk as Buffer]);
        for (let length = frameLength(waiting); length !== undefined; length = frameLength(waiting)) {
          await this.#frame(waiting.subarray(0, length));
          waiting = waiting.subarray(length);
        }
      }
    } catch (thrown) {
      if (thrown !== this.#lost) throw thrown;
    } finally {
      this.#end();
    }
  }

  async #frame(frame: Buffer): Promise<void> {
    const [flags, body] = [frame.readUInt8(4), frame.subarray(HEAD_BYTES)];
    if (frame.readUInt8(0) < 0x80) {
      const stream = this.#streams.get(frame.readUInt32BE(0));
      if (body.length > 0) stream?.push(Buffer.from(body));
      if ((flags & FIN) !== 0) stream?.push(null);
      return;
    }
    const type = frame.readUInt16BE(2);
    if (type === SYN_STREAM) await this.#open(body, flags);
    else if (type === PING) this.socket.write(control(PING, Buffer.from(body)));
    else if (type === RST_STREAM) this.#drop(body.readUInt32BE(0));
    else if (type === GO_AWAY) this.socket.end();
    else if (!PASSED_OVER.has(type)) throw new Error(`SPDY: a frame of type ${type} is not modelled by the lab`);
  }

  async #open(body: Buffer, flags: number): Promise<void> {
    const id = body.readUInt32BE(0) & 0x7fffffff;
    const headers = parseHeaders(await through(this.#inflate, Buffer.from(body.subarray(10))));
    const none = await through(this.#deflate, numbers(0));
    this.socket.write(control(SYN_REPLY, Buffer.concat([numbers(id), none])));
    const send = (frameFlags: number, data: Buffer, done: (error?: Error | null) => void): void => {
      const head = numbers(id, data.length);
      head.writeUInt8(frameFlags, 4);
      this.socket.write(Buffer.concat([head, data]), done);
    };
    const stream = new SpdyStream(id, headers, send, () => {
      this.#streams.delete(id);
      // 5: the stream is no longer of interest.
      if (this.socket.writable) this.socket.write(control(RST_STREAM, numbers(id, 5)));
    });
    this.#streams.set(id, stream);
    this.opened(stream);
    if ((flags & FIN) !== 0) stream.push(null);
  }

  #drop(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.destroy();
  }

  #end(): void {
    for (const id of [...this.#streams.keys()]) this.#drop(id);
    this.#inflate.close();
    this.#deflate.close();
    this.socket.destroy();
  }
}

/** @returns undefined while the frame is not whole */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const length = HEAD_BYTES + (bytes.readUInt32BE(4) & 0xffffff);
  return bytes.length < length ? undefined : length;
}
