import { execFileSync } from "node:child_process";
import * as path from "node:path";

const PRELOAD = path.join(__dirname, "../../bin/engine/program/preload.js");

/** Two clients with the SDK's options: the first one, of an engine that has ended, is not closed; then another engine gets the port. */
const PROGRAM = `
const grpc = require("@grpc/grpc-js");
const { EngineClient, EngineService } = require("@pulumi/pulumi/proto/engine_grpc_pb.js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");
const { LogRequest } = require("@pulumi/pulumi/proto/engine_pb.js");
const { grpcClientOptions } = require("@pulumi/pulumi/runtime/settings.js");
async function serve(at) {
  const server = new grpc.Server();
  server.addService({ log: EngineService.log }, { log: (_call, reply) => reply(null, new Empty()) });
  const bound = (resolve, reject) => (error, port) => (error ? reject(error) : resolve(port));
  return { server, port: await new Promise((resolve, reject) => server.bindAsync("127.0.0.1:" + at, grpc.ServerCredentials.createInsecure(), bound(resolve, reject))) };
}
const log = (port) =>
  new Promise((resolve) => new EngineClient("127.0.0.1:" + port, grpc.credentials.createInsecure(), grpcClientOptions).log(new LogRequest(), (error) => resolve(error?.details ?? "logged")));
(async () => {
  const { server, port } = await serve(0);
  server.forceShutdown();
  const former = await log(port);
  await serve(port);
  process.stdout.write(JSON.stringify([former, await log(port)]), () => process.exit());
})();
`;

test("in a process that runs the program again, a port of an engine that has ended can be that of the next one", () => {
  const said: unknown = JSON.parse(execFileSync(process.execPath, ["-r", PRELOAD, "-e", PROGRAM], { cwd: __dirname, encoding: "utf8" }));
  expect(said).toEqual([expect.stringContaining("ECONNREFUSED"), "logged"]);
});
