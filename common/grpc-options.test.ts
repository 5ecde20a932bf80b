import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeClient, LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { GRPC_OPTIONS } from "./grpc-options";

const clientOf = (port: number): LanguageRuntimeClient => new LanguageRuntimeClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), GRPC_OPTIONS);

const version = (client: LanguageRuntimeClient): Promise<string> =>
  new Promise((resolve, reject) => client.getPluginInfo(new Empty(), (error, info) => (error === null ? resolve(info.getVersion()) : reject(error))));

async function serve(port: number): Promise<{ port: number; close(): void }> {
  const server = new grpc.Server();
  const getPluginInfo = (_call: unknown, reply: grpc.sendUnaryData<PluginInfo>): void => reply(null, new PluginInfo().setVersion("1"));
  server.addService({ getPluginInfo: LanguageRuntimeService["getPluginInfo"] } as unknown as grpc.ServiceDefinition, { getPluginInfo });
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, at) => (error === null ? resolve(at) : reject(error))),
  );
  return { port: bound, close: () => server.forceShutdown() };
}

test("a client reaches a server on a port that refuses another client, of the server before, which nobody has closed", async () => {
  const { port, close } = await serve(0);
  close();
  const [former, client] = [clientOf(port), clientOf(port)];
  await expect(version(former)).rejects.toThrow("ECONNREFUSED");
  const next = await serve(port);
  try {
    expect(await version(client)).toBe("1");
  } finally {
    for (const each of [former, client]) each.close();
    next.close();
  }
});
