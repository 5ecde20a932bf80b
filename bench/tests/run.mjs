// What test files cost, in seconds of processor time (user and system): the file's own, that of the processes that it started and waited
// for, and the wall time, which on a busy machine says little. One file after the other, the most expensive first in the table. Linux.
//
//   node bench/tests/run.mjs [PATTERN…]     as npx jest takes them; none: all that need only Node
//
// The order in tests/support/longest-first.cjs, and what tests/support/rehearsals.cjs keeps out of `make test`, are by these.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, "..", "..");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-bench-tests-"));
const times = path.join(folder, "times.jsonl");
fs.writeFileSync(times, "");
try {
  const { status } = spawnSync(
    process.execPath,
    [path.join(root, "node_modules/jest/bin/jest.js"), "--runInBand", "--testEnvironment", path.join(here, "environment.cjs"), ...process.argv.slice(2)],
    { cwd: root, stdio: ["ignore", 2, 2], env: { ...process.env, NODE_OPTIONS: "", HOMELAB_TEST_TIMES: times } },
  );
  const rows = fs
    .readFileSync(times, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .sort((a, b) => b.own + b.children - a.own - a.children);
  const columns = (...cells) => cells.map((cell) => (typeof cell === "number" ? cell.toFixed(1) : cell).padStart(9)).join("");
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  console.log(`${columns("cpu", "own", "children", "wall")}  file`);
  for (const { file, own, children, wall } of rows) console.log(`${columns(own + children, own, children, wall)}  ${path.relative(root, file)}`);
  console.log(`${columns(sum("own") + sum("children"), sum("own"), sum("children"), sum("wall"))}  ${rows.length} files`);
  process.exitCode = status ?? 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
