/** Functions of the program that the engine calls: transforms and hooks. The program serves them; a callback names server and function. */
import * as grpc from "@grpc/grpc-js";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb.js";
import { type Callback, CallbackInvokeRequest, type CallbackInvokeResponse } from "@pulumi/pulumi/proto/callback_pb.js";
import { GRPC_OPTIONS } from "../../common/grpc-options";
import { DeploymentError } from "../errors";

export class Callbacks {
  readonly #clients = new Map<string, CallbacksClient>();

  #client(target: string): CallbacksClient {
    const known = this.#clients.get(target);
    if (known !== undefined) return known;
    const client = new CallbacksClient(target, grpc.credentials.createInsecure(), GRPC_OPTIONS);
    this.#clients.set(target, client);
    return client;
  }

  /** @throws Error with the function's own message where it throws */
  async call(callback: Callback, request: Uint8Array): Promise<Uint8Array> {
    if (callback.getTarget() === "") throw new DeploymentError("a callback needs the address of its server");
    const invoke = new CallbackInvokeRequest();
    invoke.setToken(callback.getToken());
    invoke.setRequest(request);
    const reply = await new Promise<CallbackInvokeResponse>((resolve, reject) => {
      this.#client(callback.getTarget()).invoke(invoke, (error, response) => (error === null ? resolve(response) : reject(new Error(error.details))));
    });
    return reply.getResponse_asU8();
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}
