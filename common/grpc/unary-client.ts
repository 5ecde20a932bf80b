/** Unary calls of one gRPC server on this machine. It is connected with the first call, and anew after the connection has ended. */
import { connect, type Socket } from "node:net";
import { asError } from "../errors";
import { Http2Connection, type StreamEvents } from "./connection";
import { CODE } from "./frames";
import { encodeHeaders, type Headers } from "./hpack";
import { encodeMessage, type Failure, failureOf, MessageParts, type Method, STATUS } from "./messages";

/** A call that has no answer. Without a stack trace: who shows it shows its message. */
export class CallFailed extends Error {
  readonly code: number;
  readonly details: string;
  readonly trailers: NonNullable<Failure["trailers"]>;

  constructor({ code, details, trailers = {} }: Failure) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(details);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = "CallFailed";
    this.code = code;
    this.details = details;
    this.trailers = trailers;
  }
}

/** What a stream that was ended means, from gRPC's table; undefined is the end of the connection. */
const BROKEN: Readonly<Record<number, number>> = {
  [CODE.refused]: STATUS.UNAVAILABLE,
  [CODE.cancel]: STATUS.CANCELLED,
  [CODE.calm]: STATUS.RESOURCE_EXHAUSTED,
};

class ClientCall implements StreamEvents {
  #answer: Headers | undefined;
  readonly #message = new MessageParts();

  /** @param end is called once */
  constructor(private readonly end: (result: Buffer | Failure) => void) {}

  headers(headers: Headers, isLast: boolean): void {
    if (!isLast) {
      this.#answer = headers;
      return;
    }
    const failure = failureOf(headers.has("grpc-status") ? headers : (this.#answer ?? headers));
    this.end(failure ?? this.#message.take());
  }

  data(bytes: Buffer, isLast: boolean): void {
    if (!this.#message.add(bytes)) this.end({ code: STATUS.RESOURCE_EXHAUSTED, details: "the answer is larger than 400 MiB" });
    else if (isLast) this.end(failureOf(this.#answer ?? new Map()) ?? { code: STATUS.INTERNAL, details: "the answer ended without a status" });
  }

  broken(code: number | undefined, why: string): void {
    this.end({ code: code === undefined ? STATUS.UNAVAILABLE : (BROKEN[code] ?? STATUS.INTERNAL), details: why });
  }
}

function coding<T>(failure: string, code: () => T): T {
  try {
    return code();
  } catch (thrown) {
    throw new CallFailed({ code: STATUS.INTERNAL, details: `${failure}: ${asError(thrown).message}` });
  }
}

export class UnaryClient {
  #socket: Socket | undefined;
  #connection: Http2Connection | undefined;
  #underWay = 0;
  #isClosed = false;
  /** Calls that are more than the server takes at once. */
  readonly #waiting: (() => void)[] = [];
  readonly #blocks = new Map<string, Buffer>();

  /** @param address host and port */
  constructor(private readonly address: string) {}

  /** @throws CallFailed */
  async call<Request, Reply>(method: Method<Request, Reply>, request: Request): Promise<Reply> {
    if (this.#isClosed) throw new CallFailed({ code: STATUS.UNAVAILABLE, details: "the client is closed" });
    const message = coding("the request cannot be encoded", () => encodeMessage(method.requestSerialize(request)));
    const headers = this.#block(method.path);
    const result = await new Promise<Buffer | Failure>((resolve) => {
      this.#start(new ClientCall(resolve), headers, message);
    });
    this.#ended();
    if (!Buffer.isBuffer(result)) throw new CallFailed(result);
    return coding("the answer cannot be decoded", () => method.responseDeserialize(result));
  }

  /** Takes no more calls; those under way go on. */
  close(): void {
    this.#isClosed = true;
    if (this.#underWay === 0) this.#connection?.close();
  }

  #start(call: ClientCall, headers: Buffer, message: Buffer): void {
    this.#underWay++;
    const connection = this.#connected();
    this.#socket?.ref();
    const open = (): void => this.#connected().open(call, { headers, message });
    if (connection.streams < connection.mostStreams) open();
    else this.#waiting.push(open);
  }

  #ended(): void {
    this.#underWay--;
    this.#waiting.shift()?.();
    if (this.#underWay > 0) return;
    this.#socket?.unref();
    if (this.#isClosed) this.#connection?.close();
  }

  #connected(): Http2Connection {
    if (this.#connection !== undefined && !this.#connection.isOver) return this.#connection;
    const at = this.address.lastIndexOf(":");
    this.#socket = connect({ host: this.address.slice(0, at), port: Number(this.address.slice(at + 1)) });
    this.#connection = new Http2Connection(this.#socket);
    return this.#connection;
  }

  #block(path: string): Buffer {
    const known = this.#blocks.get(path);
    if (known !== undefined) return known;
    const block = encodeHeaders([
      [":method", "POST"],
      [":scheme", "http"],
      [":path", path],
      [":authority", this.address],
      ["te", "trailers"],
      ["content-type", "application/grpc"],
    ]);
    this.#blocks.set(path, block);
    return block;
  }
}
