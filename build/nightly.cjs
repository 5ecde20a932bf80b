// `make nightly`: what takes too long for every landing. Each part runs, even if the one before it failed. The last lines list all results.
"use strict";
const { HELD } = require("./node-version.cjs");
const { spawnSync } = require("node:child_process");
const path = require("node:path");

const PARTS = [
  ...HELD.map((major) => [`Node ${major}`, "node", ["build/test-node.cjs", String(major)]]),
  ["fuzz", "npm", ["run", "--silent", "fuzz"]],
  ["changes that a test should notice", "npm", ["run", "--silent", "mutate", "--", "--seed", new Date().toISOString().slice(0, 10).replaceAll("-", "")]],
  ["another site", "make", ["test-another-site", "WITH=lab"]],
  ["recorded cases of the engine, each as processes of its own", "npm", ["run", "--silent", "test:all-cases"]],
  ["canaries", "npm", ["run", "--silent", "test:canaries"]],
  ["kill at each record of a rebuild's journal, then resume", "npm", ["run", "--silent", "test:kills"]],
  ["changes of a site at random: previewed, then done", "npm", ["run", "--silent", "test:changes"]],
  ["every fault of the lab, into a build", "npm", ["run", "--silent", "test:faults"]],
  ["cases of the engine, live", "npm", ["run", "--silent", "test:live-cases"]],
  ["gitops/ delivered by Argo CD itself", "npm", ["run", "--silent", "test:live-gitops"]],
  ["waits beside the official Kubernetes provider", "npm", ["run", "--silent", "test:live-waits"]],
];
/** test-node.cjs: npm does not bring this version here. */
const NOT_HERE = 3;

const results = PARTS.map(([name, command, args]) => {
  const started = Date.now();
  process.stdout.write(`== ${name}\n`);
  const { status } = spawnSync(command, args, { cwd: path.resolve(__dirname, ".."), stdio: "inherit" });
  const said = status === 0 ? "passed" : status === NOT_HERE && name.startsWith("Node") ? "skipped: npm cannot bring it here" : `failed (${status})`;
  return { name, status, said, minutes: ((Date.now() - started) / 60_000).toFixed(1) };
});
for (const { name, said, minutes } of results) process.stdout.write(`${name}: ${said}, ${minutes} min\n`);
process.exitCode = results.some(({ said }) => said.startsWith("failed")) ? 1 : 0;
