// Runs a program in a process group of its own, shows what it says, and keeps the end of it for the reason.
"use strict";
const { spawn } = require("node:child_process");

const KEPT = 16_384;
/** Go's progress messages, which are no reason for a failure. It prints them right before it compiles for minutes without output. */
const ON_ITS_WAY = /^go: (downloading|finding|found) /;

/**
 * Ends when the program has; throws with its last words where it failed, was stopped, or took too long.
 * @param options.timeoutMs the whole group is killed then
 * @param options.signal the whole group is interrupted, and killed five seconds later
 * @param options.quiet its output is kept, not shown
 * @returns what it wrote to standard output
 */
function run(command, args, { timeoutMs, signal, quiet = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    // A terminal's Ctrl-C reaches this process alone, which then stops the group: nothing of it outlives a cut build.
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, ...options });
    const name = `${command} ${args[0] ?? ""}`.trim();
    let out = "";
    let errors = "";
    let stopped;
    const kill = (how) => {
      try {
        process.kill(-child.pid, how);
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
    };
    const stop = (why) => {
      stopped ??= why;
      kill("SIGINT");
      setTimeout(() => kill("SIGKILL"), 5000).unref();
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop(`took longer than ${Math.round(timeoutMs / 60_000)} min`), timeoutMs);
    const onAbort = () => stop("was stopped");
    signal?.addEventListener("abort", onAbort);
    child.stdout.on("data", (data) => {
      out += data;
      if (!quiet) process.stdout.write(data);
    });
    child.stderr.on("data", (data) => {
      errors = (errors + data).slice(-KEPT);
      if (!quiet) process.stderr.write(data);
    });
    const done = (finish) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      finish();
    };
    child.on("error", (error) => done(() => reject(Object.assign(new Error(`${command}: ${error.message}`), { code: error.code, output: "" }))));
    child.on("close", (code, how) =>
      done(() => {
        if (stopped === undefined && code === 0) return resolve(out);
        const why = stopped ?? `ended with ${how ?? `exit code ${code}`}`;
        const last =
          errors
            .trim()
            .split("\n")
            .findLast((line) => !ON_ITS_WAY.test(line)) ?? "";
        reject(Object.assign(new Error(`${name} ${why}${last === "" ? "" : `: ${last}`}`), { output: errors, stopped: stopped !== undefined }));
      }),
    );
    if (signal?.aborted) onAbort();
  });
}

module.exports = { run };
