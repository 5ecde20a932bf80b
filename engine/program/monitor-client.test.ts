import * as grpc from "@grpc/grpc-js";
import { bytesOf, cleanUp, DETAILS, endAll, SERVICE, serveOurs, TEXT } from "../../tests/support/echo-service";
import { unaryMonitor } from "./monitor-client";

afterEach(endAll);

type Call = (request: Buffer, ...rest: unknown[]) => void;

/** A client as the SDK makes it, of a generated module with another service. */
async function clientOfModule(): Promise<Record<"echo" | "fail" | "missing", Call>> {
  const ours = await serveOurs();
  cleanUp.push(() => ours.server.close());
  const generated: Record<string, unknown> = { ResourceMonitorService: SERVICE, ResourceMonitorClient: undefined };
  unaryMonitor(generated, module);
  const Client = generated["ResourceMonitorClient"] as new (...args: unknown[]) => Record<"echo" | "fail" | "missing", Call> & { close(): void };
  const client = new Client(`127.0.0.1:${ours.port}`, grpc.credentials.createInsecure(), { interceptors: [] });
  cleanUp.push(() => client.close());
  return client;
}

test("a method takes a request and a callback, with anything between", async () => {
  const client = await clientOfModule();
  for (const between of [[], [new grpc.Metadata()], [new grpc.Metadata(), { deadline: Date.now() + 1000 }]]) {
    const reply = await new Promise((resolve, reject) => {
      client.echo(bytesOf(5), ...between, (error: unknown, answer: unknown) => (error === null ? resolve(answer) : reject(error)));
    });
    expect(reply).toEqual(bytesOf(5));
  }
});

test("a failure is an error of the library: its message can be changed, and its metadata read", async () => {
  const client = await clientOfModule();
  const error = await new Promise<grpc.ServiceError>((resolve) => {
    client.fail(bytesOf(1), (thrown: grpc.ServiceError) => resolve(thrown));
  });
  expect(error).toBeInstanceOf(Error);
  expect([error.code, error.details, error.message]).toEqual([grpc.status.NOT_FOUND, TEXT, `5 NOT_FOUND: ${TEXT}`]);
  expect(error.metadata.get("grpc-status-details-bin")).toEqual([DETAILS]);
  error.message = "Resource monitor is terminating";
  expect(String(error)).toBe("Error: Resource monitor is terminating");
});

test("a module without the service keeps its own client", () => {
  const generated: Record<string, unknown> = { ResourceMonitorClient: grpc.Client };
  unaryMonitor(generated, module);
  expect(generated["ResourceMonitorClient"]).toBe(grpc.Client);
});
