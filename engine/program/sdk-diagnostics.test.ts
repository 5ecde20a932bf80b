import { spawnSync } from "node:child_process";
import * as path from "node:path";

const root = path.join(__dirname, "../..");

/** Runs a script in a process with the preload, as a program runs. */
function inProgram(script: string, env: Record<string, string> = {}): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, ["--require", "./bin/engine/program/preload.js", "-e", script], {
    cwd: root,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

const TRACE = `
  require("@pulumi/pulumi");
  const { debuggablePromise } = require("@pulumi/pulumi/runtime/debuggable");
  const promise = Promise.resolve(7);
  const limit = Error.stackTraceLimit;
  debuggablePromise(promise, "why").then((value) =>
    console.log(JSON.stringify([value, promise._debugCtx, promise._debugStackTrace.split("\\n").length > 1, Error.stackTraceLimit === limit])));`;

test("promises carry no stack trace, and all else that the SDK notes on them", () => {
  expect(inProgram(TRACE)).toEqual([7, "why", false, true]);
});

test("they carry one where leaked promises are to be explained", () => {
  expect(inProgram(TRACE, { PULUMI_DEBUG_PROMISE_LEAKS: "true" })).toEqual([7, "why", true, true]);
});

/** A frame that ends with a package's name: Node 20 never ends colouring it. */
const ENDLESS = `
  const { defaultErrorMessage } = require("@pulumi/pulumi/cmd/run/error");
  const error = new Error("boom");
  error.stack = "Error: boom\\n    at Stack.init (/w/node_modules/@pulumi/resource.ts:1598:22)";
  const plain = new Error("other");
  plain.stack = "Error: other\\n    at f (/w/node_modules/zod/index.js:1:2)";
  const before = process.cpuUsage();
  const said = [defaultErrorMessage(error), defaultErrorMessage(plain).includes("\\u001b[")];
  const { user } = process.cpuUsage(before);
  console.log(JSON.stringify([...said, user < 5e6 || user]));`;

test("an error is shown at once, whatever its stack looks like, and in colour where colouring ends", () => {
  // The result shows microseconds of processor time if it took long: it once took 24 seconds.
  expect(inProgram(ENDLESS)).toEqual(["Error: boom\n    at Stack.init (/w/node_modules/@pulumi/resource.ts:1598:22)", true, true]);
});

// Without an engine the SDK prints what it would send, debug messages too where its switch for that is on.
const MESSAGES = `
  const { log } = require("@pulumi/pulumi");
  require("@pulumi/pulumi/runtime/settings").excessiveDebugOutput = true;
  const said = [];
  console.log = (line) => said.push(line);
  Promise.all([log.debug("unasked"), log.info("told")]).then(() => process.stdout.write(JSON.stringify(said)));`;

test("debug messages are not sent, all others are", () => {
  expect(inProgram(MESSAGES)).toEqual([expect.stringContaining("told")]);
  expect(inProgram(MESSAGES, { HOMELAB_PROGRAM_DEBUG: "true" })).toEqual([expect.stringContaining("unasked"), expect.stringContaining("told")]);
});

/** Makes a resource of a subclass in a file with a source map, and prints its recorded position. */
const POSITIONS = `
  const fs = require("node:fs"), os = require("node:os"), path = require("node:path");
  require("source-map-support/register");
  const resource = require("@pulumi/pulumi/resource");
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "positions-")));
  const map = { version: 3, sources: ["told.ts"], names: [], mappings: "AAAA;AACA;AACA" };
  fs.writeFileSync(path.join(dir, "made.js"), [
    "module.exports = function make(f) { return inner(f); };",
    "function inner(f) { return f(); }",
    "//# sourceMappingURL=data:application/json;base64," + Buffer.from(JSON.stringify(map)).toString("base64"),
  ].join("\\n"));
  const make = require(path.join(dir, "made.js"));
  const limit = Error.stackTraceLimit, prepare = Error.prepareStackTrace;
  // As many frames above the caller as the SDK says: new Resource, new CustomResource and new Thing in a program.
  const found = [2, 3, 4].map((skip) => make(() => resource.Resource.stackTrace(skip)[0]));
  fs.rmSync(dir, { recursive: true });
  console.log(JSON.stringify([found.map((at) => at && [at.uri.split("/").pop(), at.line]), Error.stackTraceLimit === limit, Error.prepareStackTrace === prepare]));`;

test("a resource's position is that of the source, by one frame of the stack", () => {
  const script = (preload: string[]): unknown => {
    const { stdout, stderr } = spawnSync(process.execPath, [...preload, "-e", POSITIONS], { cwd: root, env: { PATH: process.env["PATH"] }, encoding: "utf8" });
    expect(stderr).toBe("");
    return JSON.parse(stdout);
  };
  const ours = script(["--require", "./bin/engine/program/preload.js"]);
  expect(ours).toEqual(script([]));
  expect(ours).toEqual([expect.arrayContaining([["told.ts", 2]]), true, true]);
});
