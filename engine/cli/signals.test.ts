/** Signals of a real process: what the second and the third mean (the first two in an operation: tests/lifecycle/failure-processes.test.ts). */
import { spawn } from "node:child_process";
import * as path from "node:path";

const SIGNALS = path.resolve(__dirname, "../../bin/engine/cli/signals.js");

test("the first asks to cancel, the second ends all, and a third kills a process that still does not end", async () => {
  const script = `const { cancel, terminate } = require(${JSON.stringify(SIGNALS)}).listenForSignals(true);
cancel.addEventListener("abort", () => console.log("cancel"));
terminate.addEventListener("abort", () => console.log("terminate"));
setTimeout(() => process.exit(7), 30_000);
console.log("ready");`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (piece: Buffer) => {
    said += String(piece);
    if (/\n$/.test(said)) child.kill("SIGINT");
  });
  const ended = await new Promise((resolve) => child.on("exit", (code, signal) => resolve([code, signal])));
  expect([said, ended]).toEqual(["ready\ncancel\nterminate\n", [null, "SIGKILL"]]);
});
