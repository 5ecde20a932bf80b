// Measures the main job in a lab of its own: build all seven stacks, up again, a no-change preview, destroy.
//
//   node bench/rebuild.mjs [--latency zero|default]
//
// Prints seconds of wall time and of CPU (all processes below `homelab`), and each stack's time. A benchmark, not a test:
// nothing here passes or fails by time. Goals on 2 cores: build under 60 s at zero latency, no-change preview under 15 s.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const { values } = parseArgs({ options: { latency: { type: "string", default: "zero" } } });
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bench-rebuild-"));
const env = { ...process.env, HOMELAB_LAB_DIR: dir, NO_COLOR: "1" };

function homelab(...args) {
  const cpu = process.resourceUsage === undefined ? 0 : childCpuSeconds();
  const started = process.hrtime.bigint();
  const done = spawnSync(process.execPath, [path.join(root, "orchestrator", "bin", "homelab"), ...args], { env, encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`homelab ${args.join(" ")} ended with ${done.status}\n${done.stdout.slice(-3000)}${done.stderr}`);
  return { stdout: done.stdout, seconds: Number(process.hrtime.bigint() - started) / 1e9, cpu: childCpuSeconds() - cpu };
}

/** CPU time of all children that have ended, from Linux's /proc; NaN elsewhere. */
function childCpuSeconds() {
  const stat = fs.existsSync("/proc/self/stat") ? fs.readFileSync("/proc/self/stat", "utf8") : undefined;
  if (stat === undefined) return Number.NaN;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

const rows = [];
try {
  homelab("lab", "start", "--latency", values.latency, "--proxy-port", "0", "--bastion-port", "0", "--control-port", "0");
  for (const [what, ...args] of [
    ["build", "up", "--lab"],
    ["up again", "up", "--lab"],
    ["preview, no changes", "preview", "--lab"],
    ["destroy", "destroy", "--lab"],
  ]) {
    const { stdout, seconds, cpu } = homelab(...args);
    const stacks = [...stdout.matchAll(/^\[([a-z]+)\] succeeded in ([0-9.]+)s/gm)].map(([, name, time]) => `${name} ${time}`);
    rows.push({ what, "wall s": seconds.toFixed(1), "cpu s": cpu.toFixed(1), stacks: stacks.join(", ") });
  }
} finally {
  spawnSync(process.execPath, [path.join(root, "orchestrator", "bin", "homelab"), "lab", "stop"], { env });
  fs.rmSync(dir, { recursive: true, force: true });
}
console.log(`${os.cpus().length} cores, Node ${process.version}, latency ${values.latency}`);
for (const row of rows) console.log(`${row.what.padEnd(20)} ${row["wall s"].padStart(6)} s wall ${row["cpu s"].padStart(6)} s cpu   ${row.stacks}`);
