/** A gRPC server of unary calls, on a port of this machine. */
import { createServer, type Server, type Socket } from "node:net";
import { asError } from "../errors";
import { Http2Connection, type StreamEvents } from "./connection";
import { CODE, PREFACE } from "./frames";
import { encodeHeaders, type Headers } from "./hpack";
import { encodeMessage, type Failure, failureFields, MessageParts, type Method, STATUS } from "./messages";

export type Callback<Reply> = (failure: Failure | null, reply?: Reply) => void;
export type Handler<Request, Reply> = (call: { request: Request }, callback: Callback<Reply>) => void;
/** Handlers by the name of the method in the service's definition. What a service does not have is answered UNIMPLEMENTED. */
export type Handlers = Readonly<Record<string, Handler<never, unknown>>>;

interface Served {
  method: Method<unknown, unknown>;
  handler: Handler<never, unknown>;
}

const ANSWER: readonly [string, string][] = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];
const HEADERS = encodeHeaders(ANSWER);
const TRAILERS = encodeHeaders([["grpc-status", "0"]]);
const NO_GRPC = encodeHeaders([[":status", "415"]]);

/** One call, from its headers to its answer. */
class ServerCall implements StreamEvents {
  #headers: Headers = new Map();
  readonly #message = new MessageParts();

  constructor(
    private readonly connection: Http2Connection,
    private readonly stream: number,
    private readonly served: ReadonlyMap<string, Served>,
  ) {}

  headers(headers: Headers, isLast: boolean): void {
    if (this.#headers.size === 0) this.#headers = headers;
    if (isLast) this.#run();
  }

  data(bytes: Buffer, isLast: boolean): void {
    if (!this.#message.add(bytes)) {
      this.#fail({ code: STATUS.RESOURCE_EXHAUSTED, details: "the request is larger than 400 MiB" });
      this.connection.reset(this.stream, CODE.none);
    } else if (isLast) this.#run();
  }

  /** The client has gone: what it asked for is done nevertheless, and the answer is dropped. */
  broken(): void {
    // Nothing waits for it.
  }

  #run(): void {
    if (!this.#headers.get("content-type")?.startsWith("application/grpc")) {
      this.connection.send(this.stream, { headers: NO_GRPC });
      return;
    }
    const path = this.#headers.get(":path") ?? "";
    const served = this.served.get(path);
    const message = this.#message.take();
    if (served === undefined) this.#fail({ code: STATUS.UNIMPLEMENTED, details: `The server does not implement the method ${path}` });
    else if (!Buffer.isBuffer(message)) this.#fail(message);
    else this.#handle(served, message);
  }

  #handle({ method, handler }: Served, message: Buffer): void {
    try {
      handler({ request: method.requestDeserialize(message) as never }, (failure, reply) => {
        if (failure === null) this.#answer(method, reply);
        else this.#fail(failure);
      });
    } catch (thrown) {
      this.#fail({ code: STATUS.INTERNAL, details: `the request cannot be answered: ${asError(thrown).message}` });
    }
  }

  #answer(method: Served["method"], reply: unknown): void {
    let message: Buffer;
    try {
      message = encodeMessage(method.responseSerialize(reply));
    } catch (thrown) {
      this.#fail({ code: STATUS.INTERNAL, details: `the answer cannot be encoded: ${asError(thrown).message}` });
      return;
    }
    this.connection.send(this.stream, { headers: HEADERS, message, trailers: TRAILERS });
  }

  #fail(failure: Failure): void {
    this.connection.send(this.stream, { headers: encodeHeaders([...ANSWER, ...failureFields(failure)]) });
  }
}

/** Calls `begin` with what comes after a client's preface; ends a connection that begins with anything else. */
function afterPreface(socket: Socket, begin: (rest: Buffer) => void): void {
  let begun: Buffer = Buffer.alloc(0);
  // Who has not even begun is told nothing.
  const ignore = (): void => undefined;
  const onData = (chunk: Buffer): void => {
    begun = Buffer.concat([begun, chunk]);
    const size = Math.min(begun.length, PREFACE.length);
    if (!begun.subarray(0, size).equals(PREFACE.subarray(0, size))) socket.destroy();
    else if (size === PREFACE.length) {
      socket.off("data", onData);
      socket.off("error", ignore);
      begin(begun.subarray(size));
    }
  };
  socket.on("data", onData);
  socket.on("error", ignore);
}

export class UnaryServer {
  readonly #served = new Map<string, Served>();
  /** undefined: nothing has come yet */
  readonly #connections = new Map<Socket, Http2Connection | undefined>();
  readonly #server: Server = createServer((socket) => this.#accept(socket));

  /** @param service the generated definition */
  add(service: object, handlers: Handlers): void {
    for (const [name, method] of Object.entries(service as Record<string, Served["method"]>)) {
      const handler = handlers[name];
      if (handler !== undefined) this.#served.set(method.path, { method, handler });
    }
  }

  /** @returns the port, on 127.0.0.1 */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the gRPC server has no port");
    return address.port;
  }

  /** Ends all calls now. */
  close(): void {
    this.#server.close();
    for (const [socket, connection] of this.#connections) {
      if (connection === undefined) socket.destroy();
      else connection.close();
    }
  }

  #accept(socket: Socket): void {
    this.#connections.set(socket, undefined);
    socket.on("close", () => this.#connections.delete(socket));
    afterPreface(socket, (rest) => {
      const connection: Http2Connection = new Http2Connection(socket, (stream) => new ServerCall(connection, stream, this.#served));
      this.#connections.set(socket, connection);
      if (rest.length > 0) socket.emit("data", rest);
    });
  }
}
