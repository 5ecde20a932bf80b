// Measures the main job in a lab of its own: build all seven stacks, up again, a no-change preview, destroy; by the embedded engine and by
// the real CLI (see real-cli.mjs), and the no-change preview beside a shell loop of `pulumi preview` over the stacks by the real CLI.
//
//   node bench/rebuild.mjs [--latency zero|default]
//
// Prints seconds of wall time and of CPU (all processes below `homelab`), each stack's time, and ratios: the CLI's seconds by the embedded
// engine's, both of this run. A benchmark, not a test: nothing here passes or fails by time. Goals on 2 cores: build under 60 s at zero
// latency, no-change preview under 15 s; the CLI's rebuild at least 2, the loop at least 3 times as long.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { childrenCpu } from "./children-cpu.cjs";
import { difference, fixed, sayWhatIsLeftOut, shown } from "./figures.mjs";
import { pathWith, realPulumi, root } from "./real-cli.mjs";

const { values } = parseArgs({ options: { latency: { type: "string", default: "zero" } } });
const HOMELAB = path.join(root, "orchestrator", "bin", "homelab");

/** Runs one command to its end. @returns its standard output, wall seconds and CPU seconds */
function timed(file, args, options) {
  const cpu = childrenCpu();
  const started = process.hrtime.bigint();
  const done = spawnSync(file, args, { encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (done.status !== 0)
    throw new Error(`${file} ${args.join(" ")} ended with ${done.status ?? done.signal}\n${(done.stdout ?? "").slice(-3000)}${done.stderr}`);
  return { stdout: done.stdout, seconds: Number(process.hrtime.bigint() - started) / 1e9, cpu: difference(childrenCpu(), cpu) };
}

const STEPS = [
  ["build", "up"],
  ["up again", "up"],
  ["preview, no changes", "preview"],
  ["destroy", "destroy"],
];

function print(what, { seconds, cpu, stdout = "" }) {
  const stacks = [...stdout.matchAll(/^\[([a-z]+)\] succeeded in ([0-9.]+)s/gm)].map(([, name, time]) => `${name} ${time}`).join(", ");
  console.log(`${what.padEnd(36)} ${fixed(seconds, 1, 6)} s wall ${shown(cpu, (s) => `${fixed(s, 1, 6)} s cpu`)}   ${stacks}`);
}

/** One `pulumi preview` a stack, one after the other: what somebody without an orchestrator does. */
async function previewLoop(pulumi, dir) {
  process.env.HOMELAB_LAB_DIR = dir;
  const require = createRequire(import.meta.url);
  const { openSite } = require("../bin/orchestrator/target/site.js");
  const site = await openSite(true);
  const states = fs.readdirSync(path.join(dir, "state", ".pulumi", "stacks"), { recursive: true });
  const stacks = states.flatMap((name) => /\/([a-z]+)\.json$/.exec(name)?.[1] ?? []).sort();
  if (stacks.length === 0) throw new Error(`no stacks below ${dir}/state`);
  const env = { ...process.env, ...site.env, ...cliEnvironment(pulumi, dir) };
  const script = stacks.map((stack) => `pulumi preview --stack ${stack} --expect-no-changes --non-interactive`).join(" && ");
  return timed("sh", ["-c", script], { cwd: site.workDir, env });
}

/** What the real CLI runs with: a home of its own, so that no plugin of this machine is used. */
const cliEnvironment = (pulumi, dir) => ({ PATH: pathWith(pulumi), PULUMI_HOME: path.join(dir, "home") });

/** @returns by step */
async function measure(engine, pulumi) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bench-rebuild-"));
  const env = { ...process.env, HOMELAB_LAB_DIR: dir, NO_COLOR: "1", ...(engine === "pulumi" ? cliEnvironment(pulumi, dir) : {}) };
  const homelab = (...args) => timed(process.execPath, [HOMELAB, ...args], { env });
  const results = {};
  try {
    homelab("lab", "start", "--latency", values.latency, "--proxy-port", "0", "--bastion-port", "0", "--control-port", "0");
    for (const [what, command] of STEPS) {
      results[what] = homelab(command, "--lab", "--engine", engine);
      print(`${engine}: ${what}`, results[what]);
      if (command !== "preview" || engine !== "embedded" || pulumi === undefined) continue;
      results.loop = await previewLoop(pulumi, dir);
      print("loop of pulumi preview", results.loop);
    }
  } finally {
    spawnSync(process.execPath, [HOMELAB, "lab", "stop"], { env });
    fs.rmSync(dir, { recursive: true, force: true });
  }
  return results;
}

spawnSync(process.execPath, [path.join(root, "build", "build.cjs")], { stdio: "inherit" });
const pulumi = realPulumi();
console.log(`${os.cpus().length} cores, Node ${process.version}, latency ${values.latency}`);
sayWhatIsLeftOut();
const ours = await measure("embedded", pulumi);
if (pulumi === undefined) console.log("no Pulumi CLI (make real-parts PARTS=pulumi): only the embedded engine is measured");
else {
  const theirs = await measure("pulumi", pulumi);
  for (const [what] of STEPS) console.log(`ratio, ${what}: ${(theirs[what].seconds / ours[what].seconds).toFixed(2)}`);
  const preview = ours["preview, no changes"];
  console.log(`ratio, loop of pulumi preview by homelab preview: ${(ours.loop.seconds / preview.seconds).toFixed(2)}`);
}
