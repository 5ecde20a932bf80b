/**
 * One connection of HTTP/2 (RFC 9113) as gRPC's unary calls use it: on each stream one message goes each way. Node's own HTTP/2 makes a
 * duplex stream with a dozen events of each call, which costs more than the call (docs/adr/0019-grpc-of-our-own.md).
 */
import type { Socket } from "node:net";
import { asError } from "../errors";
import {
  CODE,
  ConnectionFault,
  contentOf,
  encodeFrame,
  encodeSettings,
  FIRST_WINDOW,
  FLAG,
  FRAME,
  FRAME_SIZE,
  type Frame,
  FrameReader,
  LARGEST_WINDOW,
  number32,
  PREFACE,
  SETTING,
} from "./frames";
import { HeaderDecoder, type Headers, NO_TABLE } from "./hpack";

/** What one stream tells. */
export interface StreamEvents {
  headers(headers: Headers, isLast: boolean): void;
  data(bytes: Buffer, isLast: boolean): void;
  /** It ended before its last headers or data. @param code of RST_STREAM; undefined where the connection ended */
  broken(code: number | undefined, why: string): void;
}

/** What is sent on a stream: headers alone, or headers, a message, and at a server trailers. Both kinds of headers are encoded. */
export interface Sent {
  headers: Buffer;
  message?: Buffer | undefined;
  trailers?: Buffer | undefined;
}

interface Stream {
  readonly events: StreamEvents;
  /** How much the other side takes. */
  window: number;
  /** Waits for its window. */
  message: Buffer | undefined;
  trailers: Buffer | undefined;
  isSent: boolean;
  isReceived: boolean;
}

interface Block {
  stream: number;
  isLast: boolean;
  parts: Buffer[];
  size: number;
}

/** Headers are small, but for a failure that brings a resource's properties. */
const LARGEST_BLOCK = 16 * 1024 * 1024;
/** Up to here what is written at once is copied into one piece. */
const PIECE = 64 * 1024;
/** Node's message for a connection that the other side has closed says less. */
const CLOSED = "the connection was closed";

export class Http2Connection {
  readonly #streams = new Map<number, Stream>();
  readonly #reader = new FrameReader();
  readonly #decoder = new HeaderDecoder();
  readonly #handlers: Readonly<Record<number, (frame: Frame) => void>>;
  #out: Buffer[] = [];
  #window = FIRST_WINDOW;
  /** Of each new stream. */
  #firstWindow = FIRST_WINDOW;
  /** Bytes of data since the other side was last told to go on. */
  #taken = 0;
  #block: Block | undefined;
  #lastAccepted = 0;
  #nextOpened = 1;
  #needsTableUpdate = true;
  #isOver = false;
  /** How many streams the other side takes at once. */
  mostStreams = Number.POSITIVE_INFINITY;

  /** @param accept at a server: takes a stream that the client opens */
  constructor(
    private readonly socket: Socket,
    private readonly accept?: (stream: number) => StreamEvents,
  ) {
    this.#handlers = {
      [FRAME.data]: (frame) => this.#onData(frame),
      [FRAME.headers]: (frame) => this.#onHeaders(frame),
      [FRAME.continuation]: (frame) => this.#onContinuation(frame),
      [FRAME.reset]: ({ stream, payload }) => this.#break(stream, payload.readUInt32BE(0), "the other side ended the call"),
      [FRAME.settings]: (frame) => this.#onSettings(frame),
      [FRAME.ping]: (frame) => this.#onPing(frame),
      [FRAME.goAway]: ({ payload }) => this.#onGoAway(payload.readUInt32BE(0) & LARGEST_WINDOW),
      [FRAME.window]: (frame) => this.#onWindow(frame),
    };
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", (cause) => this.#end(cause.message));
    socket.on("close", () => this.#end(CLOSED));
    if (accept === undefined) this.#write(PREFACE);
    // Only a client may speak of pushes.
    const noPushes = accept === undefined ? [[SETTING.push, 0] as const] : [];
    this.#frame(FRAME.settings, 0, 0, encodeSettings([...noPushes, [SETTING.window, LARGEST_WINDOW]]));
    this.#frame(FRAME.window, 0, 0, number32(LARGEST_WINDOW - FIRST_WINDOW));
  }

  /** No stream can be opened any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Opens a stream, at a client. */
  open(events: StreamEvents, sent: Sent): void {
    const stream = this.#nextOpened;
    this.#nextOpened += 2;
    this.#add(stream, events);
    this.send(stream, sent);
  }

  /** Sends all that a side sends on a stream. Does nothing where the stream has ended. */
  send(id: number, { headers, message, trailers }: Sent): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#headers(id, headers, message === undefined);
    stream.message = message;
    stream.trailers = trailers;
    if (message === undefined) this.#sent(id, stream);
    else this.#go(id, stream);
  }

  /** Ends one stream without waiting for the rest of it. */
  reset(id: number, code: number): void {
    if (this.#streams.delete(id)) this.#frame(FRAME.reset, 0, id, number32(code));
  }

  /** Ends the connection, and with it every stream. */
  close(): void {
    for (const id of [...this.#streams.keys()]) this.reset(id, CODE.cancel);
    this.#leave(CODE.none);
  }

  #add(id: number, events: StreamEvents): void {
    this.#streams.set(id, { events, window: this.#firstWindow, message: undefined, trailers: undefined, isSent: false, isReceived: false });
  }

  /** Sends what the windows let through. */
  #go(id: number, stream: Stream): void {
    for (let rest = stream.message; rest !== undefined; rest = stream.message) {
      const size = Math.min(rest.length, FRAME_SIZE, this.#window, stream.window);
      if (size <= 0) return;
      const isLast = size === rest.length;
      this.#frame(FRAME.data, isLast && stream.trailers === undefined ? FLAG.end : 0, id, rest.subarray(0, size));
      this.#window -= size;
      stream.window -= size;
      stream.message = isLast ? undefined : rest.subarray(size);
      if (!isLast) continue;
      if (stream.trailers !== undefined) this.#headers(id, stream.trailers, true);
      this.#sent(id, stream);
    }
  }

  #goAll(): void {
    for (const [id, stream] of this.#streams) this.#go(id, stream);
  }

  #sent(id: number, stream: Stream): void {
    stream.isSent = true;
    if (stream.isReceived) this.#streams.delete(id);
  }

  /** The other side has sent all. At a client, that ends the call. */
  #received(id: number, stream: Stream): void {
    stream.isReceived = true;
    if (stream.isSent) this.#streams.delete(id);
    else if (this.accept === undefined) this.reset(id, CODE.none);
  }

  #headers(id: number, block: Buffer, isLast: boolean): void {
    let rest = this.#needsTableUpdate ? Buffer.concat([NO_TABLE, block]) : block;
    this.#needsTableUpdate = false;
    let type: number = FRAME.headers;
    let end = isLast ? FLAG.end : 0;
    while (rest.length > FRAME_SIZE) {
      this.#frame(type, end, id, rest.subarray(0, FRAME_SIZE));
      rest = rest.subarray(FRAME_SIZE);
      type = FRAME.continuation;
      end = 0;
    }
    this.#frame(type, end | FLAG.endHeaders, id, rest);
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    this.#write(encodeFrame({ type, flags, stream, payload }));
  }

  /** What is written in one turn goes out as one. */
  #write(bytes: Buffer): void {
    this.#out.push(bytes);
    if (this.#out.length === 1) process.nextTick(() => this.#flush());
  }

  #flush(): void {
    const out = this.#out;
    this.#out = [];
    if (!this.socket.writable || out.length === 0) return;
    if (out.reduce((size, { length }) => size + length, 0) <= PIECE) {
      this.socket.write(Buffer.concat(out));
      return;
    }
    this.socket.cork();
    for (const bytes of out) this.socket.write(bytes);
    this.socket.uncork();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.frames(chunk)) {
        if (this.#block !== undefined && (frame.type !== FRAME.continuation || frame.stream !== this.#block.stream))
          throw new ConnectionFault(CODE.protocol, "a block of headers was not finished");
        this.#handlers[frame.type]?.(frame);
        if (this.socket.destroyed) return;
      }
    } catch (thrown) {
      const fault = asError(thrown);
      this.#leave(fault instanceof ConnectionFault ? fault.code : CODE.protocol);
      this.#end(`the other side broke HTTP/2: ${fault.message}`);
    }
  }

  #onData(frame: Frame): void {
    this.#taken += frame.payload.length;
    if (this.#taken > LARGEST_WINDOW / 2) {
      this.#frame(FRAME.window, 0, 0, number32(this.#taken));
      this.#taken = 0;
    }
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined || stream.isReceived) return;
    const isLast = (frame.flags & FLAG.end) !== 0;
    const bytes = contentOf(frame);
    if (isLast) this.#received(frame.stream, stream);
    stream.events.data(bytes, isLast);
  }

  #onHeaders(frame: Frame): void {
    const payload = contentOf(frame);
    this.#block = { stream: frame.stream, isLast: (frame.flags & FLAG.end) !== 0, parts: [payload], size: payload.length };
    if (frame.flags & FLAG.endHeaders) this.#onBlock(this.#block);
  }

  #onContinuation({ flags, payload }: Frame): void {
    const block = this.#block;
    if (block === undefined) throw new ConnectionFault(CODE.protocol, "headers go on that did not begin");
    block.parts.push(payload);
    block.size += payload.length;
    if (block.size > LARGEST_BLOCK) throw new ConnectionFault(CODE.calm, "headers are too large");
    if (flags & FLAG.endHeaders) this.#onBlock(block);
  }

  #onBlock({ stream: id, isLast, parts }: Block): void {
    this.#block = undefined;
    const headers = this.#decode(parts);
    if (this.accept !== undefined && id > this.#lastAccepted) {
      if (id % 2 === 0) throw new ConnectionFault(CODE.protocol, "a client opened a stream with an even number");
      this.#lastAccepted = id;
      this.#add(id, this.accept(id));
    }
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.isReceived) return;
    if (isLast) this.#received(id, stream);
    stream.events.headers(headers, isLast);
  }

  /** Every block is decoded, since each may change the table. */
  #decode(parts: readonly Buffer[]): Headers {
    try {
      const [only] = parts;
      return this.#decoder.decode(only !== undefined && parts.length === 1 ? only : Buffer.concat(parts));
    } catch (thrown) {
      throw new ConnectionFault(CODE.compression, asError(thrown).message);
    }
  }

  #onSettings({ flags, payload }: Frame): void {
    if (flags & FLAG.ack) return;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const [setting, value] = [payload.readUInt16BE(at), payload.readUInt32BE(at + 2)];
      if (setting === SETTING.streams) this.mostStreams = value;
      if (setting !== SETTING.window) continue;
      if (value > LARGEST_WINDOW) throw new ConnectionFault(CODE.flowControl, `a window of ${value} bytes`);
      for (const stream of this.#streams.values()) stream.window += value - this.#firstWindow;
      this.#firstWindow = value;
    }
    this.#frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0));
    this.#goAll();
  }

  #onPing({ flags, payload }: Frame): void {
    if (!(flags & FLAG.ack)) this.#frame(FRAME.ping, FLAG.ack, 0, payload);
  }

  #onWindow({ stream: id, payload }: Frame): void {
    const more = payload.readUInt32BE(0) & LARGEST_WINDOW;
    if (id === 0) {
      this.#window += more;
      this.#goAll();
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.window += more;
    this.#go(id, stream);
  }

  /** The other side takes no more streams, and has not looked at those after `last`. */
  #onGoAway(last: number): void {
    this.#isOver = true;
    if (this.accept !== undefined) return;
    for (const id of [...this.#streams.keys()]) if (id > last) this.#break(id, CODE.refused, "the other side is shutting down");
  }

  #break(id: number, code: number | undefined, why: string): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#streams.delete(id);
    stream.events.broken(code, why);
  }

  /** Says that this side goes, and ends the connection when that is written. Who does not read it keeps no process of ours alive. */
  #leave(code: number): void {
    this.#isOver = true;
    this.#frame(FRAME.goAway, 0, 0, Buffer.concat([number32(this.#lastAccepted), number32(code)]));
    this.#flush();
    this.socket.unref();
    this.socket.destroySoon();
  }

  #end(why: string): void {
    this.#isOver = true;
    for (const id of [...this.#streams.keys()]) this.#break(id, undefined, why);
    if (!this.socket.destroyed) this.socket.destroySoon();
  }
}
