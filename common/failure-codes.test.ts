import { HomelabError } from "./errors";
import { failureCodesOf, readCodes } from "./failure-codes";

const withCause = (cause: unknown): HomelabError => new HomelabError("E_HTTP", "no answer", { cause });

test.each([
  ["an answer", Object.assign(new Error("x"), { status: 503 }), ["503"]],
  ["what the system says, below what we say", withCause(withCause(Object.assign(new Error("x"), { code: "ECONNRESET" }))), ["ECONNRESET"]],
  ["a connection that a server closed, as undici says it", withCause(Object.assign(new Error("x"), { code: "UND_ERR_SOCKET" })), ["ECONNRESET"]],
  ["a connection that was not made in time", withCause(Object.assign(new Error("x"), { code: "UND_ERR_CONNECT_TIMEOUT" })), ["ETIMEDOUT"]],
  ["an answer that caused another error", withCause(Object.assign(new Error("x"), { status: 429 })), ["429"]],
  [
    "an error that says its own code, and not the status that stands for much",
    Object.assign(new Error("x"), { status: 500, failureCode: "PVE_LOCK" }),
    ["PVE_LOCK"],
  ],
  ["a number that is no failure", Object.assign(new Error("x"), { status: 200, code: 12 }), []],
  ["an error of ours without a cause", new HomelabError("E_CONFIG", "x"), []],
  ["no error", undefined, []],
])("%s", (_, thrown, codes) => {
  expect(failureCodesOf(thrown)).toEqual(codes);
});

test("a circle of causes ends, and silence is none", () => {
  const one: Error & { cause?: unknown } = Object.assign(new Error("x"), { status: 409 });
  one.cause = one;
  expect(failureCodesOf(one)).toEqual(["409"]);
  expect([readCodes(undefined), readCodes("503,PVE_LOCK")]).toEqual([undefined, ["503", "PVE_LOCK"]]);
});
