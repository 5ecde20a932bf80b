import { execFileSync } from "node:child_process";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { InMemorySpanExporter, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { spansOf } from "../../tests/support/otlp-spans";
import type { RunEvent, StackOutcome } from "../schedule/run";
import type { ResourceStep } from "../worker/worker-protocol";
import { runTrace } from "./traces";

const step = (op: string, name: string): ResourceStep => ({
  op,
  urn: `urn::${name}`,
  type: "a:b:C",
  name,
  component: false,
  diffs: [],
  keys: [],
  values: [{ path: "secret", to: "canary-value" }],
});
const outcome = (more: Partial<StackOutcome>): StackOutcome => ({
  stack: "dev",
  status: "succeeded",
  changes: {},
  startedAt: 1_000,
  finishedAt: 9_000,
  ...more,
});

const EVENTS: RunEvent[] = [
  { kind: "run-started", at: 1_000, operation: "up", stacks: ["dev", "stg"] },
  { kind: "stack-started", at: 1_500, stack: "dev" },
  { kind: "step-started", at: 2_000, stack: "dev", step: step("same", "quiet") },
  { kind: "step-started", at: 2_000, stack: "dev", step: step("create", "one") },
  { kind: "step-started", at: 2_100, stack: "dev", step: step("create", "two") },
  { kind: "step-done", at: 3_000, stack: "dev", step: step("create", "one") },
  { kind: "step-failed", at: 3_500, stack: "dev", step: step("create", "two") },
  { kind: "stack-retrying", at: 4_000, stack: "dev", retry: { attempt: 1, class: "busy", message: "canary-message", delay: 10 } },
  { kind: "step-started", at: 5_000, stack: "dev", step: step("update", "three") },
  { kind: "stack-finished", at: 6_000, stack: "dev", outcome: outcome({ status: "failed", error: { code: "E_STACK_FAILED", message: "canary-message" } }) },
  { kind: "stack-finished", at: 6_100, stack: "stg", outcome: outcome({ stack: "stg", status: "skipped", startedAt: undefined }) },
  { kind: "run-finished", at: 7_000, ok: false },
];

const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1e6;

/** Keeps spans after its shutdown: the SDK's own exporter drops them. */
class Kept extends InMemorySpanExporter {
  override shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

test("a run is a span, its stacks are below it, their steps below these; with times, failures and retries, and without a value", async () => {
  const kept = new Kept();
  const trace = await runTrace({ "homelab.operation": "up" }, kept);
  for (const event of EVENTS) trace?.event(event);
  expect(await trace?.close()).toBeUndefined();
  const spans = kept.getFinishedSpans();
  const nameOf = (id: string | undefined): string | undefined => spans.find((span) => span.spanContext().spanId === id)?.name;
  const told = (span: ReadableSpan) => [span.name, nameOf(span.parentSpanId), ms(span.startTime), ms(span.endTime), span.status.message];
  expect(spans.map(told).toSorted()).toEqual([
    ["create a:b:C one", "stack dev", 2_000, 3_000, undefined],
    ["create a:b:C two", "stack dev", 2_100, 3_500, "failed"],
    ["homelab up", undefined, 1_000, 7_000, "not all stacks succeeded"],
    ["stack dev", "homelab up", 1_500, 6_000, "E_STACK_FAILED"],
    ["update a:b:C three", "stack dev", 5_000, 6_000, "cut"],
  ]);
  expect(spans.find(({ name }) => name === "stack dev")?.events).toMatchObject([{ name: "retry", attributes: { "retry.attempt": 1, "retry.class": "busy" } }]);
  expect(JSON.stringify(spans.map(({ name, attributes, status, events }) => [name, attributes, status, events]))).not.toContain("canary");
});

test("nothing of the SDK is loaded where no endpoint is set", async () => {
  expect(await runTrace({})).toBeUndefined();
  const file = path.join(__dirname, "..", "..", "bin", "orchestrator", "report", "traces.js");
  const code = `require(${JSON.stringify(file)}).runTrace({}).then((trace) => process.stdout.write(JSON.stringify([trace === undefined, Object.keys(require.cache).filter((name) => name.includes("opentelemetry"))])))`;
  expect(JSON.parse(execFileSync(process.execPath, ["-e", code], { encoding: "utf8", env: { PATH: process.env["PATH"] } }))).toEqual([true, []]);
});

describe("to a collector", () => {
  let server: http.Server;
  let status = 200;
  const got: { url: string | undefined; body: string }[] = [];
  beforeAll(async () => {
    server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        got.push({ url: request.url, body: Buffer.concat(chunks).toString("latin1") });
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  beforeEach(() => {
    process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    got.length = 0;
  });
  afterEach(() => {
    for (const name of ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_SDK_DISABLED"]) delete process.env[name];
  });
  afterAll(() => server.close());

  test("it is sent by http/protobuf to /v1/traces", async () => {
    status = 200;
    const trace = await runTrace({});
    for (const event of EVENTS) trace?.event(event);
    expect(await trace?.close()).toBeUndefined();
    expect(got.map(({ url }) => url)).toEqual(["/v1/traces"]);
    for (const text of ["homelab up", "stack dev", "create a:b:C one"]) expect(got[0]?.body).toContain(text);
  });

  test("it is sent by grpc where that is asked for", async () => {
    const bodies: Buffer[] = [];
    const collector = new grpc.Server();
    const asIs = (body: Buffer): Buffer => body;
    const call = {
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    collector.addService(
      { export: { path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export", ...call } },
      {
        export: ({ request }: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
          bodies.push(request);
          done(null, Buffer.alloc(0));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      collector.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error))),
    );
    try {
      process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = `http://127.0.0.1:${port}`;
      process.env["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
      const trace = await runTrace({});
      for (const event of EVENTS) trace?.event(event);
      expect(await trace?.close()).toBeUndefined();
      expect(bodies.flatMap(spansOf).map(({ name }) => name)).toEqual(expect.arrayContaining(["homelab up", "stack dev", "create a:b:C one"]));
    } finally {
      collector.forceShutdown();
    }
  });

  test("a collector that refuses is reported, and the run is not affected", async () => {
    status = 400;
    const trace = await runTrace({});
    for (const event of EVENTS) trace?.event(event);
    expect(await trace?.close()).toMatch(/400|Bad Request/);
  });

  test("a protocol that is not supported is refused by name; a disabled SDK sends nothing", async () => {
    process.env["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/json";
    await expect(runTrace({})).rejects.toThrow("OTEL_EXPORTER_OTLP_PROTOCOL is http/json");
    process.env["OTEL_SDK_DISABLED"] = "true";
    expect(await runTrace({})).toBeUndefined();
  });
});
