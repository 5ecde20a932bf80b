#!/usr/bin/env node
// Measures the embedded engine: up, no-change preview and destroy of N resources of a small provider plugin, and the time to the
// first output. The same is run with the real CLI, the part `pulumi` of `make real-parts` (with the language host of the tests) or
// one on PATH, and the ratios are printed: the CLI's seconds and processor seconds by ours, all of this run.
//
//   node bench/engine/run.mjs [N…]        default: 1000 2000; the growth: 100 1000 5000
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { fixed, ratio, sayWhatIsLeftOut, shown } from "../figures.mjs";
import { measureChild } from "../measure-child.mjs";
import { embedded, pathWith, realPulumi, root } from "../real-cli.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const counts = process.argv.slice(2).map(Number);
if (counts.some((count) => !Number.isInteger(count) || count < 1)) throw new Error("give whole numbers of resources");

function prepare(count) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bench-engine-"));
  const project = `name: bench\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nplugins:\n  providers:\n    - name: world\n      path: ${path.join(here, "plugin")}\n`;
  fs.writeFileSync(path.join(dir, "Pulumi.yaml"), project);
  fs.writeFileSync(path.join(dir, "package.json"), '{"name":"bench","private":true,"main":"index.js"}');
  fs.writeFileSync(
    path.join(dir, "index.js"),
    `const pulumi = require("@pulumi/pulumi");\nfor (let i = 0; i < ${count}; i++) new pulumi.CustomResource("world:index:Thing", "thing-" + i, { name: "thing-" + i, size: i, tags: { env: "bench", owner: "engine" } });\n`,
  );
  fs.symlinkSync(path.join(root, "node_modules"), path.join(dir, "node_modules"));
  fs.mkdirSync(path.join(dir, "state"));
  return dir;
}

function run(pulumi, dir, args) {
  const env = {
    ...process.env,
    PATH: pathWith(pulumi),
    PULUMI_HOME: path.join(dir, "home"),
    PULUMI_BACKEND_URL: `file://${dir}/state`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  return measureChild(pulumi.file, [...args, "--non-interactive"], { cwd: dir, env });
}

const STEPS = [
  ["up", ["up", "--yes", "--skip-preview"]],
  ["preview", ["preview", "--expect-no-changes"]],
  ["destroy", ["destroy", "--yes", "--skip-preview"]],
];

async function measure(pulumi, count) {
  const dir = prepare(count);
  try {
    await run(pulumi, dir, ["stack", "init", "dev"]);
    const results = {};
    for (const [name, args] of STEPS) results[name] = await run(pulumi, dir, args);
    return results;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

spawnSync(process.execPath, [path.join(root, "build", "build.cjs")], { stdio: "inherit" });
sayWhatIsLeftOut();
const real = realPulumi();
if (real === undefined) console.log("no Pulumi CLI (make real-parts PARTS=pulumi): only the embedded engine is measured");
for (const count of counts.length > 0 ? counts : [1000, 2000]) {
  const ours = await measure({ file: embedded }, count);
  const theirs = real === undefined ? undefined : await measure(real, count);
  for (const [name] of STEPS) {
    const { seconds, cpu, peakMiB, firstMs } = ours[name];
    const cli = theirs?.[name];
    console.log(
      [
        `${String(count).padStart(5)} ${name.padEnd(8)} ${fixed(seconds, 1, 6)} s`,
        shown(cpu, (s) => `  CPU ${fixed(s, 1, 5)} s`),
        `  ${fixed((1000 * seconds) / count, 1, 5)} ms each`,
        shown(peakMiB, (mib) => `  ${fixed(mib, 0, 4)} MiB`),
        shown(firstMs, (ms) => `  first output ${fixed(ms, 0)} ms`),
        shown(cli, (its) => `  CLI ${fixed(its.seconds, 1)} s, ratio ${fixed(its.seconds / seconds, 1)}`),
        shown(ratio(cli?.cpu, cpu), (times) => `  CLI CPU ${fixed(cli.cpu, 1)} s, ratio ${fixed(times, 1)}`),
      ].join(""),
    );
  }
}
