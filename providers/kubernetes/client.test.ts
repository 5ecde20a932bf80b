/** The client of the Kubernetes API against a server that speaks HTTP and fails as it is told. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../common/clock";
import { KubernetesClient, type ObjectRef } from "./client";

/** What the server does with one request: an answer, or `cut` once it has been read. */
type Act = "cut" | { status: number; headers?: Record<string, string>; body: unknown } | { status: number; text: string };

const CONFIG_MAPS = { name: "configmaps", kind: "ConfigMap", namespaced: true };
const DISCOVERY = { resources: [CONFIG_MAPS] };
const REF: ObjectRef = { apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "it" };
const OBJECT = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "it" } };
const NEVER = new AbortController().signal;
const fine: Act = { status: 200, body: OBJECT };
const status = (code: number, message: string, headers: Record<string, string> = {}): Act => ({ status: code, headers, body: { kind: "Status", message } });

let server: http.Server;
let acts: Act[] = [];
let asked: string[] = [];
let discovered: string[] = [];
/** Answers of discovery before the usual one. */
let discoveries: object[] = [];
let sockets = 0;
let waits: number[] = [];
let client: KubernetesClient;

const clock: Clock = {
  now: () => 0,
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    waits.push(ms);
  },
};

beforeEach(async () => {
  [acts, asked, discovered, discoveries, waits, sockets] = [[], [], [], [], [], 0];
  server = http.createServer((request, response) => {
    request.resume().on("end", () => {
      if (/^\/(api|apis|openapi)(\/(v\d+|[a-z.]+\/v\d+))?$/.test(request.url ?? "")) {
        discovered.push(request.url ?? "");
        return response.end(JSON.stringify(discoveries.shift() ?? DISCOVERY));
      }
      asked.push(request.method ?? "");
      const act = acts.shift() ?? fine;
      if (act === "cut") return request.socket.destroy();
      if ("text" in act) return response.writeHead(act.status).end(act.text);
      response.writeHead(act.status, { "content-type": "application/json", ...act.headers });
      return response.end(JSON.stringify(act.body));
    });
  });
  server.on("connection", () => {
    sockets++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const none = { ca: undefined, cert: undefined, key: undefined, token: undefined, namespace: undefined, proxyUrl: undefined };
  client = new KubernetesClient({ server: url, verify: true, ...none }, "default", clock);
});
afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const get = () => client.get(REF, NEVER);
const apply = () => client.apply(REF, OBJECT, "me", NEVER, { force: false });
const create = () => client.create(REF, OBJECT, NEVER);

const webhook = 'Internal error occurred: failed calling webhook "check.example.com": connection refused';

test.each<[string, Act[], () => Promise<unknown>, string[], number[]]>([
  ["429 with Retry-After", [status(429, "too many", { "retry-after": "3" })], apply, ["PATCH", "PATCH"], [3000]],
  ["429 without it", [status(429, "too many"), status(429, "too many")], get, ["GET", "GET", "GET"], [250, 500]],
  ["429 to a creation, which was not done", [status(429, "too many", { "retry-after": "1" })], create, ["POST", "POST"], [1000]],
  ["503 with Retry-After", [status(503, "starting", { "retry-after": "2" })], create, ["POST", "POST"], [2000]],
  ["a Retry-After that is too long", [status(503, "later", { "retry-after": "86400" })], get, ["GET", "GET"], [30_000]],
  ["a webhook that does not answer yet", [status(500, webhook), status(500, webhook)], apply, ["PATCH", "PATCH", "PATCH"], [250, 500]],
  ["a proxy's 502", [status(502, "bad gateway")], apply, ["PATCH", "PATCH"], [250]],
  ["a connection that is cut", ["cut", "cut"], apply, ["PATCH", "PATCH", "PATCH"], [250, 500]],
  ["a deletion whose connection is cut", ["cut"], () => client.delete(REF, "Background", NEVER), ["DELETE", "DELETE"], [250]],
])("%s is followed by another attempt", async (_what, given, call, methods, slept) => {
  acts = given;
  await call();
  expect(asked).toEqual(methods);
  expect(waits).toEqual(slept);
});

test.each<[string, Act, () => Promise<unknown>, RegExp]>([
  ["a creation whose connection is cut: it may have been done", "cut", create, /no answer/],
  ["503 without Retry-After to a creation", status(503, "gone"), create, /gone/],
  ["500", status(500, "broken"), apply, /broken/],
  ["403", status(403, "forbidden"), apply, /forbidden/],
  ["422", status(422, "invalid"), apply, /invalid/],
  ["409", status(409, "conflict"), apply, /conflict/],
])("%s is asked once", async (_what, act, call, message) => {
  acts = [act];
  await expect(call()).rejects.toThrow(message);
  expect(asked).toHaveLength(1);
  expect(waits).toEqual([]);
});

test.each([
  ["a page", "<html>sign in</html>", /the answer is no JSON/],
  ["null", "null", /not of the expected form: it is no object/],
  ["a list", "[]", /not of the expected form: it is no object/],
])("%s in place of an object is no object of the cluster", async (_what, text, message) => {
  for (const call of [get, apply, create]) {
    acts = [{ status: 200, text }];
    await expect(call()).rejects.toMatchObject({ code: "E_ANSWER", message: expect.stringMatching(message) });
  }
  acts = [{ status: 403, text }];
  await expect(get()).rejects.toThrow(`ConfigMap default/it: ${text}`);
});

test("attempts are bounded, and the last answer stands", async () => {
  acts = Array.from({ length: 50 }, () => status(429, "too many"));
  await expect(apply()).rejects.toThrow(/ConfigMap default\/it: too many/);
  expect(asked).toHaveLength(6);
  expect(waits).toEqual([250, 500, 1000, 2000, 4000]);
});

test("each version of the API is asked once which kinds it has, however many objects are read at once, and for no schema", async () => {
  await Promise.all(Array.from({ length: 50 }, get));
  await get();
  expect(discovered).toEqual(["/api/v1"]);
});

test("a kind that came later is asked for once more, and not by each object of it", async () => {
  discoveries = [{ resources: [] }];
  await Promise.all(Array.from({ length: 50 }, get));
  expect(discovered).toEqual(["/api/v1", "/api/v1"]);
});

test("after a cut connection it is dialled anew", async () => {
  await get();
  const before = sockets;
  acts = ["cut"];
  await get();
  expect(sockets).toBeGreaterThan(before);
});

test("a way to the server that comes back later is dialled anew, also by a creation", async () => {
  await get();
  const { port } = server.address() as AddressInfo;
  const down = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const sleep = clock.sleep;
  for (const call of [get, apply, create]) {
    await down();
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal);
      if (!server.listening && ms === 1000) await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    };
    await call();
  }
  clock.sleep = sleep;
  expect(asked).toEqual(["GET", "GET", "PATCH", "POST"]);
});

test("a server that is not there is asked again, and named at last", async () => {
  await get();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(get()).rejects.toThrow(/no answer/);
  waits = [];
  // A creation that could not be sent is none.
  await expect(create()).rejects.toThrow(/no answer/);
  expect(waits).toEqual([250, 500, 1000, 2000, 4000]);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

test("a cancellation ends the waiting", async () => {
  acts = Array.from({ length: 50 }, () => status(429, "too many"));
  const controller = new AbortController();
  const reason = new Error("enough");
  const call = client.get(REF, controller.signal);
  clock.sleep = async (ms, signal) => {
    waits.push(ms);
    controller.abort(reason);
    signal?.throwIfAborted();
  };
  await expect(call).rejects.toBe(reason);
  expect(asked).toHaveLength(1);
});
