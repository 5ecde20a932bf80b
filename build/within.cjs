// node build/within.cjs SECONDS COMMAND [WORD…]: runs a command and ends it with all its processes where it takes longer, as GNU's timeout
// does, which a Mac does not have. Exit code: the command's, 124 where its time was over, 128 and more where a signal ended it.
"use strict";
require("./node-version.cjs");
const { spawn } = require("node:child_process");
const os = require("node:os");

const SECONDS_TO_END = 20;

function main([seconds, command, ...args]) {
  if (command === undefined || !(Number(seconds) > 0)) {
    process.stderr.write("usage: node build/within.cjs SECONDS COMMAND [WORD…]\n");
    process.exitCode = 2;
    return;
  }
  // A group of its own, so that a signal reaches all that it started.
  const child = spawn(command, args, { stdio: "inherit", detached: true });
  const end = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  };
  let isLate = false;
  const stop = (signal) => {
    end(signal);
    setTimeout(end, SECONDS_TO_END * 1000, "SIGKILL").unref();
  };
  const limit = setTimeout(() => {
    isLate = true;
    process.stdout.write(`${command} ${args.join(" ")}: its ${seconds} seconds are over\n`);
    stop("SIGTERM");
  }, Number(seconds) * 1000);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(signal));
  child.on("error", (error) => {
    clearTimeout(limit);
    process.stderr.write(`${command} cannot be started: ${error.message}\n`);
    process.exitCode = 127;
  });
  child.on("exit", (code, signal) => {
    clearTimeout(limit);
    // What it left behind had its time too.
    if (isLate) end("SIGKILL");
    process.exitCode = isLate ? 124 : (code ?? 128 + os.constants.signals[signal]);
  });
}

main(process.argv.slice(2));
