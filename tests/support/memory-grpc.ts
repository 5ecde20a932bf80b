/**
 * gRPC without a network, for tests that make many thousands of calls: clients find the servers of the same process in a table. Messages
 * are still encoded and decoded, so that only bytes are shared. Only unary calls; others are an error. All three lines are needed: the
 * engine has a transport of its own (common/grpc), and the tests' programs and providers speak to it by the library.
 *
 *   jest.mock("@grpc/grpc-js", () => require("../support/memory-grpc").inMemory(jest.requireActual("@grpc/grpc-js")));
 *   jest.mock("../../common/grpc/unary-server", () => require("../support/memory-grpc").serverInMemory());
 *   jest.mock("../../common/grpc/unary-client", () => require("../support/memory-grpc").clientInMemory(jest.requireActual("../../common/grpc/unary-client")));
 */
import type * as Grpc from "@grpc/grpc-js";
import { type Failure, type Method, STATUS, statusName } from "../../common/grpc/messages";
import type * as Client from "../../common/grpc/unary-client";

type Anything = Method<unknown, unknown>;
type Handler = (call: { request: unknown; metadata: unknown }, callback: (error: Partial<Ending> | null, reply?: unknown) => void) => void;
/** A failure, as the library's servers and ours give it. */
type Ending = Failure & { metadata: { getMap(): Record<string, string | Buffer> } };

interface Served {
  method: Anything;
  handler: Handler;
}

const servers = new Map<string, MemoryServer>();
let nextPort = 1;

class MemoryServer {
  readonly methods = new Map<string, Served>();
  /** Functions that end the calls in progress. */
  readonly active = new Set<() => void>();
  #address = "";

  add(service: object, handlers: Record<string, Handler>): void {
    for (const [name, method] of Object.entries(service)) {
      const handler = handlers[name];
      if (handler !== undefined) this.methods.set(method.path, { method, handler });
    }
  }

  async listen(): Promise<number> {
    const port = nextPort++;
    this.#address = `127.0.0.1:${port}`;
    servers.set(this.#address, this);
    await new Promise((resolve) => setImmediate(resolve));
    return port;
  }

  close(): void {
    servers.delete(this.#address);
    for (const end of [...this.active]) end();
  }
}

function failureOf(error: Partial<Ending>): Failure {
  const trailers = { ...error.metadata?.getMap(), ...error.trailers };
  return { code: error.code ?? STATUS.UNKNOWN, details: error.details ?? "", trailers };
}

function start({ address, path, request }: { address: string; path: string; request: Buffer }, callback: (ended: Failure | Buffer) => void): () => void {
  let open = true;
  const server = servers.get(address);
  const end = (ended: Failure | Buffer): void => {
    if (!open) return;
    open = false;
    server?.active.delete(shutDown);
    // As with a network, never in the same turn of the event loop.
    setImmediate(() => callback(ended));
  };
  const shutDown = (): void => end({ code: STATUS.UNAVAILABLE, details: "Connection dropped" });
  const served = server?.methods.get(path);
  if (server === undefined) end({ code: STATUS.UNAVAILABLE, details: `No connection established to ${address}` });
  else if (served === undefined) end({ code: STATUS.UNIMPLEMENTED, details: `The server does not implement the method ${path}` });
  else {
    server.active.add(shutDown);
    setImmediate(() => {
      if (!open) return;
      const { method, handler } = served;
      handler({ request: method.requestDeserialize(request), metadata: {} }, (error, reply) =>
        end(error === null ? method.responseSerialize(reply) : failureOf(error)),
      );
    });
  }
  return () => end({ code: STATUS.CANCELLED, details: "Cancelled on client" });
}

/**
 * `@grpc/grpc-js` with servers and clients in memory.
 * @public loaded by name, in the factory of a mock
 */
export function inMemory(grpc: typeof Grpc): typeof Grpc {
  class Server extends MemoryServer {
    addService(service: Grpc.ServiceDefinition, handlers: Record<string, Handler>): void {
      this.add(service, handlers);
    }

    bindAsync(_address: string, _credentials: unknown, callback: (error: Error | null, port: number) => void): void {
      void this.listen().then((port) => callback(null, port));
    }

    forceShutdown(): void {
      this.close();
    }
  }

  const serviceError = ({ code, details, trailers = {} }: Failure): Grpc.ServiceError => {
    const metadata = new grpc.Metadata();
    for (const [name, value] of Object.entries(trailers)) metadata.set(name, typeof value === "string" ? value : Buffer.from(value));
    return Object.assign(new Error(`${code} ${statusName(code)}: ${details}`), { code, details, metadata });
  };

  function makeGenericClientConstructor(service: Grpc.ServiceDefinition): unknown {
    class MemoryClient {
      constructor(readonly address: string) {}

      close(): void {
        // Does nothing, since there is no connection.
      }
    }
    for (const [name, definition] of Object.entries(service)) {
      const method = definition as Grpc.MethodDefinition<unknown, unknown>;
      const call = function (this: MemoryClient, request: unknown, callback: (error: Grpc.ServiceError | null, reply?: unknown) => void): { cancel(): void } {
        if (method.requestStream || method.responseStream) throw new Error(`${method.path} streams, which memory-grpc does not`);
        const cancel = start({ address: this.address, path: method.path, request: method.requestSerialize(request) }, (ended) =>
          Buffer.isBuffer(ended) ? callback(null, method.responseDeserialize(ended)) : callback(serviceError(ended)),
        );
        return { cancel };
      };
      Object.defineProperty(MemoryClient.prototype, name, { value: call });
      if (method.originalName !== undefined && method.originalName !== name)
        Object.defineProperty(MemoryClient.prototype, method.originalName, { value: call });
    }
    return MemoryClient;
  }

  return { ...grpc, Server, makeGenericClientConstructor } as unknown as typeof Grpc;
}

/**
 * `common/grpc/unary-server` in memory.
 * @public loaded by name, in the factory of a mock
 */
export const serverInMemory = () => ({ UnaryServer: MemoryServer });

/**
 * `common/grpc/unary-client` in memory.
 * @public loaded by name, in the factory of a mock
 */
export const clientInMemory = (actual: typeof Client) => ({
  ...actual,
  UnaryClient: class {
    constructor(private readonly address: string) {}

    async call<Request, Reply>(method: Method<Request, Reply>, request: Request): Promise<Reply> {
      const asked = { address: this.address, path: method.path, request: method.requestSerialize(request) };
      const ended = await new Promise<Failure | Buffer>((resolve) => start(asked, resolve));
      if (!Buffer.isBuffer(ended)) throw new actual.CallFailed(ended);
      return method.responseDeserialize(ended);
    }

    close(): void {
      // Does nothing, since there is no connection.
    }
  },
});
