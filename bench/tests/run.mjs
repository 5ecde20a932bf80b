// What test files cost, in seconds of processor time (user and system): the file's own, that of the processes that it started and waited
// for (on Linux), and the wall time, which on a busy machine says little. One file after the other, the most expensive first in the table.
//
//   node bench/tests/run.mjs [PATTERN…]     as npx jest takes them; none: all that need only Node
//
// The order in tests/support/longest-first.cjs, and what tests/support/rehearsals.cjs keeps out of `make test`, are by these.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { fixed, sayWhatIsLeftOut, sum } from "../figures.mjs";

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
    .map((row) => ({ ...row, cpu: row.own + (row.children ?? 0) }))
    .sort((a, b) => b.cpu - a.cpu);
  const columns = rows.some(({ children }) => children === undefined) ? ["own", "wall"] : ["cpu", "own", "children", "wall"];
  const line = (cell, last) => console.log(`${columns.map((name) => cell(name).padStart(9)).join("")}  ${last}`);
  sayWhatIsLeftOut();
  line((name) => name, "file");
  for (const row of rows) line((name) => fixed(row[name], 1), path.relative(root, row.file));
  line((name) => fixed(sum(rows.map((row) => row[name])), 1), `${rows.length} files`);
  process.exitCode = status ?? 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
