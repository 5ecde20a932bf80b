/**
 * The SDK's client of the engine over the transport that the engine has at its end (common/grpc): the library's takes a quarter of the
 * program's processor time (docs/adr/0019-grpc-of-our-own.md).
 */
import type * as Grpc from "@grpc/grpc-js";
import { asError } from "../../common/errors";
import { type Failure, type Method, STATUS, statusName } from "../../common/grpc/messages";
import { CallFailed, UnaryClient } from "../../common/grpc/unary-client";
import type { Change } from "./sdk-on-load";

type Callback = (error: Grpc.ServiceError | null, reply?: unknown) => void;

/** An error as the library gives it: callers read its code and change its message. */
function serviceError({ code, details, trailers = {} }: Failure, { Metadata }: typeof Grpc): Grpc.ServiceError {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) if (!name.startsWith(":")) metadata.set(name, typeof value === "string" ? value : Buffer.from(value));
  return Object.assign(new Error(`${code} ${statusName(code)}: ${details}`), { code, details, metadata });
}

/** Makes the client of a generated module, once the module is loaded: its methods take a request and, as the last argument, a callback. */
export const unaryMonitor: Change = (exported, module) => {
  const service = Object.entries(exported["ResourceMonitorService"] ?? {}) as [string, Method<unknown, unknown>][];
  class ResourceMonitorClient {
    readonly #client: UnaryClient;

    constructor(address: string) {
      this.#client = new UnaryClient(address);
    }

    close(): void {
      this.#client.close();
    }

    static answer(client: ResourceMonitorClient, method: Method<unknown, unknown>, request: unknown, callback: Callback): void {
      client.#client.call(method, request).then(
        (reply) => callback(null, reply),
        (thrown: unknown) => {
          const failure = thrown instanceof CallFailed ? thrown : { code: STATUS.INTERNAL, details: asError(thrown).message };
          callback(serviceError(failure, module.require("@grpc/grpc-js") as typeof Grpc));
        },
      );
    }
  }
  for (const [name, method] of service)
    Object.defineProperty(ResourceMonitorClient.prototype, name, {
      value(this: ResourceMonitorClient, request: unknown, ...rest: unknown[]): void {
        ResourceMonitorClient.answer(this, method, request, rest.at(-1) as Callback);
      },
    });
  if (service.length > 0) Reflect.set(exported, "ResourceMonitorClient", ResourceMonitorClient);
};
