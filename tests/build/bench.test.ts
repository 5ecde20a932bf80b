/** Benchmarks on a system without /proc, as macOS: what only that tells is left out of their lines and named, and nothing is NaN. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const root = path.join(__dirname, "../..");
let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-bench-test-"));
  fs.writeFileSync(
    path.join(folder, "no-proc.cjs"),
    `const fs = require("fs");
const { readFileSync } = fs;
fs.readFileSync = (file, ...rest) => readFileSync(String(file).startsWith("/proc/") ? "/nowhere" : file, ...rest);
require("module").syncBuiltinESMExports();
`,
  );
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function bench(words: string[], without = true): string[] {
  const preload = without ? ["--require", path.join(folder, "no-proc.cjs")] : [];
  // No part and no program beside ours: an empty cache, and only Node on PATH.
  const env = {
    ...process.env,
    XDG_CACHE_HOME: folder,
    PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`,
    HOMELAB_TEST_TOTALS: path.join(folder, "totals"),
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, [...preload, ...words], { cwd: root, env, encoding: "utf8" });
  expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
  return stdout.trim().split("\n");
}

const LEFT_OUT = "processor time and memory are left out: this system has no /proc, which tells them on Linux";

test("of the engine", () => {
  const [left, alone, ...lines] = bench(["bench/engine/run.mjs", "1"]);
  expect([left, alone]).toEqual([LEFT_OUT, "no Pulumi CLI (make real-parts PARTS=pulumi): only the embedded engine is measured"]);
  const shape = lines.map((line) => line.replace(/ +[\d.]+/g, " #").trim());
  expect(shape).toEqual(["up", "preview", "destroy"].map((name) => `# ${name} # s # ms each  first output # ms`));
});

test("figures that are there are shown, and a ratio needs both", () => {
  const script = `import("./bench/figures.mjs").then(({ shown, fixed, ratio, difference, sum }) => console.log(JSON.stringify([
    shown(1.25, (s) => fixed(s, 1, 5)), shown(undefined, (s) => fixed(s, 1)), ratio(6, 3), ratio(undefined, 3) ?? null, ratio(6, undefined) ?? null,
    difference(6, 3), difference(undefined, 3) ?? null, sum([1, 2]), sum([1, undefined]) ?? null])))`;
  expect(bench(["-e", script], false)).toEqual(['["  1.3","",2,null,null,3,null,3,null]']);
});
