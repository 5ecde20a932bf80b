/** A gRPC service for tests of the transport: its messages are their own bytes. */
import * as grpc from "@grpc/grpc-js";
import { STATUS } from "../../common/grpc/messages";
import { CallFailed, UnaryClient } from "../../common/grpc/unary-client";
import { type Callback, UnaryServer } from "../../common/grpc/unary-server";

const own = (bytes: Buffer): Buffer => bytes;
const codec = { requestSerialize: own, requestDeserialize: own, responseSerialize: own, responseDeserialize: own };
const methodOf = (name: string) => ({ path: `/test.Echo/${name}`, requestStream: false, responseStream: false, ...codec });
export const SERVICE = { echo: methodOf("Echo"), fail: methodOf("Fail"), wait: methodOf("Wait"), missing: methodOf("Missing") };
export const DETAILS = Buffer.from([0, 1, 2, 250, 251, 252]);
export const TEXT = 'it broke: 100 % "ü" ✗\nand more';

export interface Ours {
  server: UnaryServer;
  port: number;
  waiting: Callback<Buffer>[];
}

export async function serveOurs(): Promise<Ours> {
  const server = new UnaryServer();
  const waiting: Callback<Buffer>[] = [];
  server.add(SERVICE, {
    echo: ({ request }: { request: Buffer }, callback: Callback<Buffer>) => setImmediate(() => callback(null, request)),
    fail: (_call, callback) => callback({ code: STATUS.NOT_FOUND, details: TEXT, trailers: { "told-by": "us", "grpc-status-details-bin": DETAILS } }),
    wait: (_call, callback: Callback<Buffer>) => waiting.push(callback),
  });
  return { server, port: await server.listen(), waiting };
}

export async function serveLibrary(
  options: grpc.ServerOptions = {},
): Promise<{ server: grpc.Server; port: number; waiting: grpc.sendUnaryData<Buffer>[]; most: () => number }> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1, ...options });
  const waiting: grpc.sendUnaryData<Buffer>[] = [];
  let [now, most] = [0, 0];
  const metadata = new grpc.Metadata();
  metadata.set("told-by", "them");
  metadata.set("grpc-status-details-bin", DETAILS);
  server.addService({ echo: SERVICE.echo, fail: SERVICE.fail, wait: SERVICE.wait } as unknown as grpc.ServiceDefinition, {
    echo: ({ request }: { request: Buffer }, callback: grpc.sendUnaryData<Buffer>) => {
      most = Math.max(most, ++now);
      setImmediate(() => {
        now--;
        callback(null, request);
      });
    },
    fail: (_call: unknown, callback: grpc.sendUnaryData<Buffer>) => callback({ code: grpc.status.NOT_FOUND, details: TEXT, metadata }),
    wait: (_call: unknown, callback: grpc.sendUnaryData<Buffer>) => waiting.push(callback),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return { server, port, waiting, most: () => most };
}

export const cleanUp: (() => void)[] = [];
/** Ends what a test has started, in the opposite order. */
export function endAll(): void {
  for (const end of cleanUp.splice(0).reverse()) end();
}

const addressOf = (port: number): string => `127.0.0.1:${port}`;
export function clientOf(port: number): UnaryClient {
  const client = new UnaryClient(addressOf(port));
  cleanUp.push(() => client.close());
  return client;
}
export const echo = (client: UnaryClient, bytes: Buffer): Promise<Buffer> => client.call(SERVICE.echo, bytes);
export const failing = async (call: Promise<unknown>): Promise<CallFailed> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CallFailed)) throw new Error(`not a failed call: ${String(error)}`);
  return error;
};
/** Every octet, so that what is put together wrongly is seen. */
export const bytesOf = (size: number): Buffer => Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
export const SIZES = [0, 1, 16_378, 16_379, 16_380, 65_530, 65_535, 65_536, 3_000_000];

export function libraryClient(port: number, options: grpc.ClientOptions = {}) {
  const Client = grpc.makeGenericClientConstructor(SERVICE as unknown as grpc.ServiceDefinition, "Echo");
  const client = new Client(addressOf(port), grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    ...options,
  });
  cleanUp.push(() => client.close());
  const call = (name: keyof typeof SERVICE, request: Buffer, callOptions: grpc.CallOptions = {}): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const method = client[name] as (request: Buffer, options: grpc.CallOptions, callback: (error: grpc.ServiceError | null, reply: Buffer) => void) => void;
      method.call(client, request, callOptions, (error, reply) => (error === null ? resolve(reply) : reject(error)));
    });
  return call;
}
