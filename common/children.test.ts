import { execFileSync } from "node:child_process";
import * as path from "node:path";

/** Runs code in a process that may open 64 files, after it has opened all of them but `left`. */
function where(left: number, code: string): unknown {
  const script = `
    const { spawn, fork, MORE_FILES } = require(${JSON.stringify(path.join(__dirname, "..", "bin", "common", "children.js"))});
    const fs = require("fs");
    const open = [];
    for (;;) try { open.push(fs.openSync("/dev/null")); } catch { break; }
    for (let i = 0; i < ${left}; i++) fs.closeSync(open.pop());
    const tried = (start) => { try { start(); return "started"; } catch (thrown) { return [thrown.code, thrown.message]; } };
    const answer = ${code};
    for (const each of open) fs.closeSync(each);
    fs.writeSync(1, JSON.stringify(answer));
    process.exit(0);`;
  return JSON.parse(execFileSync("bash", ["-c", 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, script], { encoding: "utf8" }));
}

const TOO_MANY = ["EMFILE", "/bin/sh cannot be started (EMFILE: too many open files)"];

test.each([0, 1, 3])("where %d files may be opened, a program cannot be started, and the error says why", (left) => {
  expect(where(left, 'tried(() => spawn("/bin/sh", ["-c", "true"], { stdio: ["pipe", "pipe", "pipe"] }))')).toEqual(TOO_MANY);
  expect(where(left, 'tried(() => fork("/dev/null", [], { stdio: ["ignore", "ignore", "pipe", "ipc"], execPath: "/bin/sh" }))')).toEqual(TOO_MANY);
});

test("where there is room it starts, with streams or without", () => {
  const inherit = 'tried(() => spawn("true", [], { stdio: "inherit" }))';
  const piped = 'tried(() => spawn("true", [], { stdio: ["pipe", "pipe", "pipe"] }).stdout.destroy())';
  expect(where(20, `[${inherit}, ${piped}]`)).toEqual(["started", "started"]);
});
