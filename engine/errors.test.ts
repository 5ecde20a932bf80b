import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { unexpectedMessage } from "./errors";

test("what the machine has caused is no bug, and says what to do", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  expect(unexpectedMessage(full)).toMatch(/^ENOSPC: no space left on device, write\n {2}next: make room/);
  expect(unexpectedMessage(new TypeError("x is not a function"))).toMatch(/^bug in the embedded engine: TypeError: x is not a function\n {4}at /);
  expect(unexpectedMessage("text")).toBe("bug in the embedded engine: text");
});

test("a plugin that cannot be started for want of files is told so by the service that the program asks", () => {
  const script = `
    const { spawn } = require(${JSON.stringify(path.join(__dirname, "..", "bin", "common", "children.js"))});
    const { unary } = require(${JSON.stringify(path.join(__dirname, "..", "bin", "engine", "monitor", "unary.js"))});
    const fs = require("fs");
    const answer = unary(async () => spawn("node", [], { stdio: ["ignore", "pipe", "pipe"] }), () => undefined);
    const open = [];
    for (;;) try { open.push(fs.openSync("/dev/null")); } catch { break; }
    answer({ request: {} }, (failure) => {
      for (const each of open) fs.closeSync(each);
      fs.writeSync(1, failure.details);
      process.exit(0);
    });`;
  const { stdout, stderr } = spawnSync("bash", ["-c", 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, script], { encoding: "utf8" });
  expect([stdout, stderr]).toEqual(["node cannot be started (EMFILE: too many open files)\n  next: raise the limit (ulimit -n), or lower --concurrency", ""]);
});
