/**
 * gRPC without a network, for tests that make many thousands of calls: clients find the servers of the same process in a table. Messages
 * are still encoded and decoded, so that only bytes are shared. Only unary calls; others are an error.
 *
 *   jest.mock("@grpc/grpc-js", () => require("../support/memory-grpc").inMemory(jest.requireActual("@grpc/grpc-js")));
 */
import type * as Grpc from "@grpc/grpc-js";

type Method = Grpc.MethodDefinition<unknown, unknown>;
type Callback = (error: Partial<Grpc.ServiceError> | null, reply?: unknown) => void;
type Handler = (call: { request: unknown; metadata: Grpc.Metadata }, callback: Callback) => void;

interface Served {
  method: Method;
  handler: Handler;
}

/**
 * `@grpc/grpc-js` with servers and clients in memory.
 * @public loaded by name, in the factory of a mock
 */
export function inMemory(grpc: typeof Grpc): typeof Grpc {
  const servers = new Map<string, MemoryServer>();
  let nextPort = 1;

  class MemoryServer {
    readonly methods = new Map<string, Served>();
    /** Functions that end the calls in progress. */
    readonly active = new Set<() => void>();
    #address = "";

    addService(service: Grpc.ServiceDefinition, handlers: Record<string, Handler>): void {
      for (const [name, method] of Object.entries(service)) {
        const handler = handlers[name];
        if (handler !== undefined) this.methods.set(method.path, { method: method as Method, handler });
      }
    }

    bindAsync(_address: string, _credentials: unknown, callback: (error: Error | null, port: number) => void): void {
      const port = nextPort++;
      this.#address = `127.0.0.1:${port}`;
      servers.set(this.#address, this);
      setImmediate(() => callback(null, port));
    }

    forceShutdown(): void {
      servers.delete(this.#address);
      for (const end of [...this.active]) end();
    }
  }

  const failure = (code: Grpc.status, details: string): Grpc.ServiceError =>
    Object.assign(new Error(`${code} ${grpc.status[code]}: ${details}`), { code, details, metadata: new grpc.Metadata() });

  function start(address: string, path: string, request: Buffer, decode: (reply: Buffer) => unknown, callback: Callback): { cancel(): void } {
    let open = true;
    const server = servers.get(address);
    const end = (error: Partial<Grpc.ServiceError> | null, reply?: unknown): void => {
      if (!open) return;
      open = false;
      server?.active.delete(shutDown);
      // As with a network, never in the same turn of the event loop.
      setImmediate(() => callback(error, reply));
    };
    const shutDown = (): void => end(failure(grpc.status.UNAVAILABLE, "Connection dropped"));
    const served = server?.methods.get(path);
    if (server === undefined) end(failure(grpc.status.UNAVAILABLE, `No connection established to ${address}`));
    else if (served === undefined) end(failure(grpc.status.UNIMPLEMENTED, `The server does not implement the method ${path}`));
    else {
      server.active.add(shutDown);
      setImmediate(() => {
        if (!open) return;
        served.handler({ request: served.method.requestDeserialize(request), metadata: new grpc.Metadata() }, (error, reply) => {
          if (error !== null)
            end(Object.assign(failure(error.code ?? grpc.status.UNKNOWN, error.details ?? ""), { metadata: error.metadata ?? new grpc.Metadata() }));
          else end(null, decode(served.method.responseSerialize(reply)));
        });
      });
    }
    return { cancel: () => end(failure(grpc.status.CANCELLED, "Cancelled on client")) };
  }

  function makeGenericClientConstructor(service: Grpc.ServiceDefinition): unknown {
    class MemoryClient {
      constructor(readonly address: string) {}

      close(): void {
        // Does nothing, since there is no connection.
      }
    }
    for (const [name, definition] of Object.entries(service)) {
      const method = definition as Method;
      const call = function (this: MemoryClient, request: unknown, callback: Callback): { cancel(): void } {
        if (method.requestStream || method.responseStream) throw new Error(`${method.path} streams, which memory-grpc does not`);
        return start(this.address, method.path, method.requestSerialize(request), (reply) => method.responseDeserialize(reply), callback);
      };
      Object.defineProperty(MemoryClient.prototype, name, { value: call });
      if (method.originalName !== undefined && method.originalName !== name)
        Object.defineProperty(MemoryClient.prototype, method.originalName, { value: call });
    }
    return MemoryClient;
  }

  return { ...grpc, Server: MemoryServer, makeGenericClientConstructor } as unknown as typeof Grpc;
}
