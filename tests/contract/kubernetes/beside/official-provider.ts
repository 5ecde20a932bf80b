/** The official Kubernetes provider as a process, and an engine that takes its log lines. */
import { spawn } from "node:child_process";
import * as os from "node:os";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import type { Values } from "../../../../providers/sdk/values";
import { TestProvider } from "../../../support/test-provider";

export interface TestEngine {
  address: string;
  /** Log lines that providers sent, in order. */
  lines: string[];
  close(): void;
}

export async function startTestEngine(): Promise<TestEngine> {
  const lines: string[] = [];
  const server = new grpc.Server();
  server.addService(EngineService as unknown as grpc.ServiceDefinition, {
    log: ({ request }: { request: LogRequest }, callback: grpc.sendUnaryData<Empty>) => {
      lines.push(request.getMessage());
      callback(null, new Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return { address: `127.0.0.1:${port}`, lines, close: () => server.forceShutdown() };
}

/** @param program path of the part "pulumi-kubernetes" */
export async function startOfficial(program: string, engineAddress: string, config: Values): Promise<TestProvider> {
  const child = spawn(program, [engineAddress], {
    env: { PATH: process.env["PATH"] ?? "", HOME: os.tmpdir(), NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString("utf8")).slice(-4_000);
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`the official provider ended with ${code}: ${errors}`)));
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      if (text.includes("\n")) resolve(Number.parseInt(text, 10));
    });
  });
  const provider = TestProvider.connect(port, async () => {
    child.kill("SIGKILL");
    await ended;
  });
  try {
    const handshake = new pb.ProviderHandshakeRequest();
    handshake.setEngineAddress(engineAddress);
    await provider.call<pb.ProviderHandshakeRequest, pb.ProviderHandshakeResponse>(provider.client.handshake, handshake).catch((thrown: unknown) => {
      if ((thrown as grpc.ServiceError).code !== grpc.status.UNIMPLEMENTED) throw thrown;
    });
    await provider.configure(config, "kubernetes");
  } catch (thrown) {
    await provider.close();
    throw thrown;
  }
  return provider;
}
