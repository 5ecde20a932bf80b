/** Serves functions of a test as the callbacks that a program gives to the engine. */
import * as grpc from "@grpc/grpc-js";
import { CallbacksService } from "@pulumi/pulumi/proto/callback_grpc_pb.js";
import { Callback, type CallbackInvokeRequest, CallbackInvokeResponse } from "@pulumi/pulumi/proto/callback_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";

type Served = (request: Uint8Array) => Uint8Array;

export class CallbackServer {
  readonly #server = new grpc.Server();
  readonly #functions = new Map<string, Served>();
  #port = 0;

  static async start(): Promise<CallbackServer> {
    const made = new CallbackServer();
    made.#server.addService(CallbacksService as unknown as grpc.ServiceDefinition, {
      invoke: ({ request }: { request: CallbackInvokeRequest }, callback: grpc.sendUnaryData<CallbackInvokeResponse>) => {
        try {
          const served = made.#functions.get(request.getToken());
          if (served === undefined) throw new Error(`no function ${request.getToken()}`);
          callback(null, new CallbackInvokeResponse().setResponse(served(request.getRequest_asU8())));
        } catch (thrown) {
          callback({ code: grpc.status.UNKNOWN, details: thrown instanceof Error ? thrown.message : String(thrown) });
        }
      },
    });
    made.#port = await new Promise((resolve, reject) =>
      made.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
    );
    return made;
  }

  close(): void {
    this.#server.forceShutdown();
  }

  add(served: Served): Callback {
    const token = `f${this.#functions.size}`;
    this.#functions.set(token, served);
    return new Callback().setTarget(`127.0.0.1:${this.#port}`).setToken(token);
  }

  /** A transform that changes the request's properties and options in place. */
  transform(change: (request: pb.TransformRequest) => void): Callback {
    return this.add((bytes) => {
      const request = pb.TransformRequest.deserializeBinary(bytes);
      change(request);
      return new pb.TransformResponse().setProperties(request.getProperties()).setOptions(request.getOptions()).serializeBinary();
    });
  }

  /** A resource hook. @param run returns the hook's error, or undefined */
  hook(run: (request: pb.ResourceHookRequest) => string | undefined): Callback {
    return this.add((bytes) => new pb.ResourceHookResponse().setError(run(pb.ResourceHookRequest.deserializeBinary(bytes)) ?? "").serializeBinary());
  }

  /** An error hook. @param run returns whether the engine tries again */
  errorHook(run: (request: pb.ErrorHookRequest) => boolean): Callback {
    return this.add((bytes) => new pb.ErrorHookResponse().setRetry(run(pb.ErrorHookRequest.deserializeBinary(bytes))).serializeBinary());
  }
}
