// The rehearsal and the tests on another version of Node, which npm brings: node build/test-node.cjs 22|24|26|newest [--short]
// --short: what loads, starts and spawns, in which versions differ, without rehearsals. Nothing is changed in the checkout.
"use strict";
require("./node-version.cjs");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { HELD } = require("./node-version.cjs");

const root = path.resolve(__dirname, "..");

/** Tests of what loads, starts and spawns: modules, compile caches, launchers, programs, plugins, hosts, TLS and HTTP. */
const SHORT = [
  "common/",
  "ansible-replacements/",
  "components/hosts",
  "engine/program",
  "lab/main",
  "lab/core",
  "lab/hosts",
  "orchestrator/",
  "providers/host",
  "providers/sdk",
  "stacks/",
  "tests/automation",
  "tests/backends",
  "tests/contract/proxies",
  "tests/lifecycle/failure-processes",
];

/** The first line of npm that says more than a code; the last ones give general advice and the name of a log. */
function reasonOf(stderr) {
  const lines = stderr.split("\n").map((line) => line.replace(/^npm (error|ERR!) ?/, "").trim());
  const telling = lines.find((line) => line !== "" && !/^(code|errno|syscall|path|command|A complete log) /.test(line));
  return telling === undefined ? "" : telling.replace(/^(notarget|network|[a-z]?\d{3}) /i, "");
}

/** Folder with `node`; installed where it is not there. @throws Error with npm's own words */
function nodeFolder(major) {
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "homelab", "node");
  const home = path.join(cache, String(major));
  const bin = path.join(home, "node_modules", "node", "bin");
  if (!fs.existsSync(path.join(bin, "node"))) {
    fs.mkdirSync(home, { recursive: true });
    fs.writeFileSync(path.join(home, "package.json"), '{ "private": true }\n');
    // The package's own script moves the program of this system into place.
    const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--foreground-scripts", `node@${major}`];
    const { status, signal, stderr, error } = spawnSync("npm", args, { cwd: home, encoding: "utf8", stdio: "pipe" });
    if (error) throw error;
    if (status !== 0) throw new Error(reasonOf(stderr) || `npm install ended with ${signal || `exit code ${status}`}`);
    if (!fs.existsSync(path.join(bin, "node"))) throw new Error("npm brought no program");
  }
  return bin;
}

function run(env, command, args) {
  process.stdout.write(`$ ${[command, ...args].join(" ")}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with exit code ${status === null ? "none" : status}`);
}

/** The lab on ports and in a folder of its own, built, and built again without a change. */
function rehearse(env) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-test-node-"));
  const own = { ...env, HOMELAB_LAB_DIR: folder };
  const flags = "LAB_FLAGS=--proxy-port 0 --bastion-port 0 --control-port 0";
  try {
    run(own, "make", ["lab", flags]);
    run(own, "make", ["lab", flags]);
    run(own, "node", ["orchestrator/bin/homelab", "preview", "--lab", "--expect-no-changes"]);
  } finally {
    spawnSync("node", ["orchestrator/bin/homelab", "lab", "stop"], { cwd: root, env: own, stdio: "inherit" });
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function main([wanted, ...options]) {
  const major = wanted === "newest" ? HELD[HELD.length - 1] : Number(wanted);
  if (!HELD.includes(major) || options.some((option) => option !== "--short")) {
    process.stderr.write(`usage: node build/test-node.cjs ${HELD.join("|")}|newest [--short]\n`);
    return 2;
  }
  let bin;
  try {
    bin = nodeFolder(major);
  } catch (error) {
    // Not this project's fault: said, and never counted as passed.
    const why = `Node ${major} cannot be had here: ${error.message}`;
    process.stdout.write(`${why}\n`);
    const totals = process.env.HOMELAB_TEST_TOTALS;
    if (totals) fs.appendFileSync(totals, `${JSON.stringify({ passed: 0, failed: 0, skipped: [`[skipped: ${why}]`] })}\n`);
    return 3;
  }
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  run(env, "node", ["--version"]);
  if (options.includes("--short")) {
    run({ ...env, HOMELAB_TEST_PART: "quick" }, "node", ["node_modules/jest/bin/jest.js", ...SHORT]);
  } else {
    rehearse(env);
    run(env, "make", ["test", "test-rehearsals"]);
  }
  return 0;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
