import { type ChildProcess, fork, spawn } from "node:child_process";
import * as path from "node:path";
import * as grpc from "@grpc/grpc-js";
import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { GRPC_OPTIONS } from "../common/grpc-options";
import { projectRoot } from "../common/paths";

const nextMessage = (host: ChildProcess): Promise<unknown> => new Promise((resolve) => host.once("message", resolve));

test("one process serves several providers and ends with its channel", async () => {
  const host = fork(path.join(projectRoot(), "bin/providers/host.js"), [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const ended = new Promise<number | null>((resolve) => host.once("exit", resolve));
  host.send({ start: { id: 1, package: "command", engineAddress: "127.0.0.1:1" } });
  const started = await nextMessage(host);
  expect(started).toEqual({ started: { id: 1, port: expect.any(Number) } });
  const { port } = (started as { started: { port: number } }).started;
  const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  const info = await new Promise<PluginInfo>((resolve, reject) =>
    client.getPluginInfo(new Empty(), (error, reply) => (error ? reject(error) : resolve(reply))),
  );
  expect(info.getVersion()).toBe("1.2.1");
  host.send({ start: { id: 2, package: "../sdk" } });
  expect(await nextMessage(host)).toEqual({
    failed: { id: 2, message: expect.stringMatching(/^the embedded provider \.\.\/sdk cannot be started: there is no embedded provider/) },
  });
  client.close();
  host.disconnect();
  expect(await ended).toBe(0);
});

test.each(["command", "vault", "proxmoxve"])("%s runs as a plugin of its own", async (name) => {
  const runner = require.resolve("@pulumi/pulumi/cmd/run-plugin");
  const plugin = spawn(process.execPath, [runner, path.join(projectRoot(), "providers", name), "127.0.0.1:1"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => plugin.once("exit", () => resolve()));
  const first = await new Promise<string>((resolve) => plugin.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString("utf8"))));
  expect(first).toMatch(/^\d+\n$/);
  plugin.kill("SIGTERM");
  await ended;
});
