#!/usr/bin/env node
// Measures the Kubernetes provider as the platform uses it: up, no-change preview and destroy of N objects (a namespace for each ten, with
// a LimitRange and a ResourceQuota, ConfigMaps, Secrets and Services) in a cluster of the lab, by the embedded engine.
//
//   node bench/platform/run.mjs [N…]        default: 50 200 800
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fixed, sayWhatIsLeftOut, shown } from "../figures.mjs";
import { measureChild } from "../measure-child.mjs";
import { embedded, pathWith, root } from "../real-cli.mjs";

const counts = process.argv.slice(2).map(Number);
if (counts.some((count) => !Number.isInteger(count) || count < 1)) throw new Error("give whole numbers of objects");
const ADDRESS = "10.20.0.12";

/** Of each ten objects the first is their namespace. */
const PROGRAM = `
const k8s = require("@pulumi/kubernetes");
const count = Number(process.env.BENCH_OBJECTS);
let home, rules;
for (let i = 0; i < count; i++) {
  const name = "object-" + i;
  const opts = { parent: home, dependsOn: rules };
  const metadata = { name, namespace: home?.metadata.name };
  if (i % 10 === 0) { home = new k8s.core.v1.Namespace("space-" + i, { metadata: { name: "space-" + i } }); rules = []; }
  else if (i % 10 === 1) rules.push(new k8s.core.v1.LimitRange(name, { metadata, spec: { limits: [{ type: "Container", defaultRequest: { cpu: "10m", memory: "64Mi" } }] } }, { parent: home }));
  else if (i % 10 === 2) rules.push(new k8s.core.v1.ResourceQuota(name, { metadata, spec: { hard: { pods: "10", "requests.memory": "1Gi" } } }, { parent: home }));
  else if (i % 3 === 0) new k8s.core.v1.Secret(name, { metadata, stringData: { key: "value " + i } }, opts);
  else new k8s.core.v1.ConfigMap(name, { metadata, data: { key: "value " + i } }, opts);
}
`;

function prepare() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bench-platform-"));
  const provider = path.join(root, "providers", "kubernetes");
  fs.writeFileSync(
    path.join(dir, "Pulumi.yaml"),
    `name: bench\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nplugins:\n  providers:\n    - name: kubernetes\n      path: ${provider}\n`,
  );
  fs.writeFileSync(path.join(dir, "package.json"), '{"name":"bench","private":true,"main":"index.js"}');
  fs.writeFileSync(path.join(dir, "index.js"), PROGRAM);
  fs.symlinkSync(path.join(root, "node_modules"), path.join(dir, "node_modules"));
  fs.mkdirSync(path.join(dir, "state"));
  return dir;
}

function run(dir, count, args) {
  const env = {
    ...process.env,
    PATH: pathWith({ file: embedded }),
    PULUMI_HOME: path.join(dir, "home"),
    PULUMI_BACKEND_URL: `file://${dir}/state`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    KUBECONFIG: path.join(dir, "kubeconfig"),
    BENCH_OBJECTS: String(count),
  };
  return measureChild(embedded, [...args, "--non-interactive"], { cwd: dir, env });
}

const STEPS = [
  ["up", ["up", "--yes", "--skip-preview"]],
  ["preview", ["preview", "--expect-no-changes"]],
  ["destroy", ["destroy", "--yes", "--skip-preview"]],
];

async function measure(lab, count) {
  const ctx = await lab.createContext();
  const cluster = await lab.startCluster({ name: "dev", address: ADDRESS, node: "k8s-bench", ctx });
  const controllers = lab.startControllers(cluster, ctx);
  const dir = prepare();
  try {
    const server = `https://127.0.0.1:${ctx.network.resolve(ADDRESS, 6443)?.port}`;
    fs.writeFileSync(path.join(dir, "kubeconfig"), cluster.adminKubeconfig({ server }), { mode: 0o600 });
    await run(dir, count, ["stack", "init", "dev"]);
    for (const [name, args] of STEPS) {
      const { seconds, cpu, peakMiB } = await run(dir, count, args);
      const processors = shown(cpu, (s) => `, ${fixed(s, 1)} s of processors`);
      const memory = shown(peakMiB, (mib) => `, engine at most ${fixed(mib, 0)} MiB`);
      const each = fixed((seconds * 1000) / count, 1);
      console.log(`${String(count).padStart(4)} objects  ${name.padEnd(8)} ${fixed(seconds, 1)} s, ${each} ms an object${processors}${memory}`);
    }
  } finally {
    await controllers.stop();
    await cluster.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

spawnSync(process.execPath, [path.join(root, "build", "build.cjs")], { stdio: "inherit" });
sayWhatIsLeftOut();
const require = createRequire(import.meta.url);
const lab = {
  ...require(path.join(root, "bin", "lab", "core", "context.js")),
  ...require(path.join(root, "bin", "lab", "kubernetes", "index.js")),
  ...require(path.join(root, "bin", "lab", "controllers", "index.js")),
};
for (const count of counts.length > 0 ? counts : [50, 200, 800]) await measure(lab, count);
