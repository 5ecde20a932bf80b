#!/usr/bin/env node
// Measures the orchestrator over generated programs: N stacks of small resources, each of which needs the one a few places before it.
// For each N: build from nothing, up again, a no-change preview beside a shell loop of the embedded engine's, and up of one leaf whose
// program has a changed line. Prints wall and processor seconds (all processes below), the orchestrator's own share of them, and the
// most memory that the orchestrator itself took. A benchmark, not a test: nothing passes or fails by time. Goals on 2 idle cores: time
// grows with N, the parent's memory does not; the loop takes at least 2 times as long; one leaf costs a constant.
//
//   node bench/orchestrator/run.mjs [N…]        default: 7 30 100
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fixed, ratio, sayWhatIsLeftOut, shown } from "../figures.mjs";
import { measureChild } from "../measure-child.mjs";
import { root } from "../real-cli.mjs";

const require = createRequire(import.meta.url);
const given = process.argv.slice(2).map(Number);
if (given.some((count) => !Number.isInteger(count) || count < 1)) throw new Error("give whole numbers of stacks");
const COUNTS = given.length === 0 ? [7, 30, 100] : given;
const RESOURCES = 10;
/** A stack needs the one so many places before it: as many chains, each of the same length. */
const CHAINS = 3;

const nameOf = (i) => `stack-${String(i).padStart(3, "0")}`;

/** A checkout with this one's orchestrator and engine, and a program of its own. */
function generate(count) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bench-orchestrator-"));
  for (const name of ["bin/common", "bin/engine", "bin/orchestrator", "bin/secrets", "bin/scaffold", "engine/bin", "orchestrator/bin", "build"])
    fs.cpSync(path.join(root, name), path.join(dir, name), { recursive: true });
  fs.symlinkSync(path.join(root, "node_modules"), path.join(dir, "node_modules"));
  const write = (name, text) => {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    fs.writeFileSync(path.join(dir, name), text);
  };
  const stacks = Array.from({ length: count }, (_, i) => ({
    name: nameOf(i),
    needs: i < CHAINS ? [] : [nameOf(i - CHAINS)],
    description: "generated",
    vms: [],
    vault: false,
  }));
  const plugin = path.join(root, "bench", "engine", "plugin");
  write("package.json", JSON.stringify({ name: "bench", version: "0.0.0", private: true, main: "program.js" }));
  write(
    "Pulumi.yaml",
    `name: bench\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nplugins:\n  providers:\n    - name: world\n      path: ${plugin}\n`,
  );
  write(
    "program.js",
    `const pulumi = require("@pulumi/pulumi");\nconst stack = pulumi.getStack();\nconst { size } = require("./stacks/" + stack + ".json");\nfor (let i = 0; i < ${RESOURCES}; i++) new pulumi.CustomResource("world:index:Thing", "thing-" + i, { name: stack + "-" + i, size });\nmodule.exports = { stack };\n`,
  );
  for (const { name } of stacks) {
    write(`Pulumi.${name}.yaml`, "config: {}\n");
    write(`stacks/${name}.json`, '{"size": 1}');
  }
  const answer = {
    version: 1,
    project: "bench",
    site: "bench.example.org",
    warnings: [],
    nodes: [],
    stacks,
    lab: { failure: { code: "E_LAB_SITE", message: "none" } },
  };
  write("bin/stacks/describe.js", `process.stdout.write(${JSON.stringify(JSON.stringify(answer))});\n`);
  write("bin/stacks/stack-list.js", `process.stdout.write(${JSON.stringify(JSON.stringify({ site: answer.site, stacks }))});\n`);
  write("bin/stacks/preload.js", "");
  write("bin/stacks/preload-command.js", "");
  const { generateIdentity } = require(path.join(root, "bin/secrets/age.js"));
  const { encryptSopsFile } = require(path.join(root, "bin/secrets/sops-file.js"));
  const { treeAt } = require(path.join(root, "bin/secrets/vault-paths.js"));
  const identity = generateIdentity();
  write("secrets/common/x.yaml", encryptSopsFile(treeAt("x", { key: "value" }), [identity.recipient], new Date(0)));
  for (const name of ["state", "home", "world"]) fs.mkdirSync(path.join(dir, name));
  const env = {
    PATH: process.env.PATH,
    HOME: path.join(dir, "home"),
    HOMELAB_BUILT: dir,
    WORLD_DIR: path.join(dir, "world"),
    SOPS_AGE_KEY: identity.secret,
    PULUMI_HOME: path.join(dir, "home"),
    PULUMI_BACKEND_URL: `file://${dir}/state`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    NO_COLOR: "1",
  };
  return { dir, env, stacks };
}

const timed = (file, args, { dir, env }) => measureChild(file, args, { cwd: dir, env });

function print(count, what, { seconds, cpu, own, peakMiB }) {
  const all = shown(cpu, (s) => ` ${fixed(s, 1, 6)} s cpu`);
  const share = shown(ratio(own, cpu), (part) => `   own ${fixed(own, 1, 5)} s, ${fixed(100 * part, 1, 4)} %`);
  const memory = shown(peakMiB, (mib) => `   peak ${fixed(mib, 0, 4)} MiB`);
  console.log(`${String(count).padStart(4)} stacks  ${what.padEnd(30)} ${fixed(seconds, 1, 6)} s wall${all}${share}${memory}`);
}

async function measure(count) {
  const made = generate(count);
  const homelab = (...words) => timed(process.execPath, [path.join(made.dir, "orchestrator/bin/homelab"), ...words, "--engine", "embedded", "--plain"], made);
  try {
    print(count, "build (with its preview)", await homelab("up", "--yes"));
    print(count, "up again", await homelab("up", "--yes"));
    const preview = await homelab("preview", "--expect-no-changes");
    print(count, "preview, no changes", preview);
    const engine = path.join(made.dir, "engine/bin/pulumi");
    const script = made.stacks.map(({ name }) => `'${engine}' preview --stack ${name} --expect-no-changes --non-interactive`).join(" && ");
    const { seconds, cpu } = await timed("sh", ["-c", script], made);
    print(count, "the same, a loop of the engine", { seconds, cpu });
    console.log(
      `${String(count).padStart(4)} stacks  loop by preview                ${fixed(seconds / preview.seconds, 2)} of wall${shown(ratio(cpu, preview.cpu), (times) => `, ${fixed(times, 2)} of cpu`)}`,
    );
    const leaf = nameOf(count - 1);
    fs.writeFileSync(path.join(made.dir, "stacks", `${leaf}.json`), '{"size": 2}');
    print(count, "up of one changed leaf", await homelab("up", leaf, "--only", "--yes"));
  } finally {
    fs.rmSync(made.dir, { recursive: true, force: true });
  }
}

sayWhatIsLeftOut();
for (const count of COUNTS) await measure(count);
