/** Each end of the workers' protocol refuses what does not fit. The other end here is the test: a parent of a real worker. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import * as os from "node:os";
import * as path from "node:path";
import { fromWorkerSchema, PROTOCOL, type WorkerResult } from "./worker-protocol";

jest.setTimeout(60_000);

let worker: ChildProcess;
beforeAll(() => {
  worker = fork(path.join(__dirname, "..", "..", "bin", "orchestrator", "worker", "worker.js"), [], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
});
afterAll(async () => {
  if (!worker.connected) return;
  const gone = once(worker, "exit");
  worker.disconnect();
  await gone;
});

/** What the worker answers to a message. */
async function answer(message: object): Promise<WorkerResult | undefined> {
  const gone = once(worker, "exit").then(() => Promise.reject(new Error("the worker has ended")));
  const heard = Promise.race([once(worker, "message"), gone]);
  worker.send(message);
  const [told] = fromWorkerSchema.parse((await heard)[0]);
  return told?.kind === "result" ? told.result : undefined;
}

const task = { operation: "status", stack: "dev", workDir: path.join(os.tmpdir(), "there-is-none"), engineRoot: path.join(__dirname, "nowhere"), parallel: 1 };

test.each([
  ["an older version", { protocol: PROTOCOL - 1, task }, /protocol/],
  ["a newer version", { protocol: PROTOCOL + 1, task }, /protocol/],
  ["no version", { task }, /protocol/],
  ["an operation that there is not", { protocol: PROTOCOL, task: { ...task, operation: "format" } }, /operation/],
  ["no stack", { protocol: PROTOCOL, task: { ...task, stack: "" } }, /stack/],
  ["a number that is a text", { protocol: PROTOCOL, task: { ...task, parallel: "4" } }, /parallel/],
  ["no message of ours", { stop: true }, /protocol/],
])("a worker that is told %s does nothing, and says what does not fit", async (_, message, what) => {
  const told = await answer(message);
  expect(told).toMatchObject({ ok: false, changes: {}, error: { code: "E_WORKER", class: "worker" } });
  expect(told?.error?.message).toMatch(/^the task does not fit the protocol: /);
  expect(told?.error?.message).toMatch(what);
});

test("a task that fits is begun, after all of these", async () => {
  const told = await answer({ protocol: PROTOCOL, task });
  expect([told?.ok, told?.error?.code === "E_WORKER"]).toEqual([false, false]);
});
