import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../common/clock";
import { createPoliteFetch, type PoliteFetch } from "./polite-fetch";

interface Answer {
  status: number;
  headers?: Record<string, string>;
}
/** What is answered next; the last one again and again. */
let answers: Answer[];
let asked: string[];
let server: http.Server;
let waits: number[];
let said: string;
let polite: PoliteFetch;
let origin: string;
/** Called with each wait. */
let meanwhile: () => Promise<void>;

const START = 1_700_000_000_000;
const clock = {
  now: () => START + waits.reduce((sum, ms) => sum + ms, 0),
  sleep: async (ms: number) => {
    waits.push(ms);
    // Waits that would have no end.
    if (waits.length > 50) throw new Error("it goes round for ever");
    await meanwhile();
  },
} as unknown as Clock;
const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
const close = (): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

beforeEach(async () => {
  [answers, asked, waits, said, meanwhile] = [[{ status: 200 }], [], [], "", async () => undefined];
  server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const { status, headers = {} } = (answers.length > 1 ? answers.shift() : answers[0]) ?? { status: 200 };
    response.writeHead(status, headers).end("{}");
  });
  await listen(0);
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  polite = createPoliteFetch(origin, clock, (text) => {
    said += text;
  });
});
afterEach(async () => {
  await polite.close();
  await close();
});
const ask = async (method: string): Promise<number> => (await polite.fetch(`${origin}/x`, { method, ...(method === "POST" ? { body: "{}" } : {}) })).status;

test.each([429, 403])("all waits of a run together have an end: %s", async (status) => {
  answers = [{ status, headers: { "retry-after": "200" } }, { status: 200 }, { status, headers: { "retry-after": "200" } }, { status: 200 }];
  expect(await ask("GET")).toBe(200);
  await expect(ask("GET")).rejects.toMatchObject({ code: "E_RATE_LIMIT" });
  expect([waits, asked.length]).toEqual([[200_000], 3]);
  expect(said).toBe(`${origin} asks to wait: 200 s\n`);
});

test.each([
  ["no time at all", { "retry-after": "0" }],
  ["a time that is over", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(START / 1_000 - 5) }],
])("a limit of %s is asked again a few times, and then it is the answer", async (_, headers) => {
  answers = [{ status: 403, headers }];
  expect(await ask("GET")).toBe(403);
  expect([asked.length, waits]).toEqual([5, [0, 0, 0, 0, 0]]);
});

test("too many requests without a word about when are a minute; a 403 without one is no limit", async () => {
  answers = [{ status: 429 }, { status: 403 }];
  expect(await ask("POST")).toBe(403);
  expect([asked.length, waits]).toEqual([2, [60_000]]);
});

test.each(["x-ratelimit-remaining", "ratelimit-remaining"])(
  "403 with what is left (%s) and the time of the next is a limit only where nothing is left",
  async (name) => {
    const reset = { "x-ratelimit-reset": String(START / 1_000 + 9) };
    answers = [{ status: 403, headers: { [name]: "12", ...reset } }];
    expect([await ask("GET"), waits]).toEqual([403, []]);
    answers = [{ status: 403, headers: { [name]: "0", ...reset } }, { status: 200 }];
    expect([await ask("GET"), waits]).toEqual([200, [9_000]]);
  },
);

test("what a fault of the host may have done already is not sent twice; what may be done twice is", async () => {
  answers = [{ status: 502 }];
  expect([await ask("POST"), asked, waits]).toEqual([502, ["POST /x"], []]);
  expect([await ask("PATCH"), asked.length, waits]).toEqual([502, 6, [1_000, 2_000, 4_000, 8_000]]);
});

test("a new comment that never reached the host is sent again", async () => {
  const { port } = server.address() as AddressInfo;
  await close();
  meanwhile = () => listen(port);
  expect([await ask("POST"), waits, asked]).toEqual([200, [1_000], ["POST /x"]]);
});

test("the token goes nowhere else: neither to another address nor after an answer that points there", async () => {
  await expect(polite.fetch("http://localhost:1/x")).rejects.toMatchObject({ code: "E_OTHER_ORIGIN" });
  for (const status of [301, 302, 307, 308]) {
    answers = [{ status, headers: { location: `${origin}/other` } }];
    await expect(ask("GET")).rejects.toMatchObject({ code: "E_MOVED", message: `${origin} answered ${status}: what was asked for is elsewhere` });
  }
  expect([asked, waits]).toEqual([["GET /x", "GET /x", "GET /x", "GET /x"], []]);
});
