import { spawnSync } from "node:child_process";
import * as path from "node:path";

/** Holds 20,000 lists, and replaces each of them a hundred times. @returns the most memory that its heap had, in MiB */
const SCRIPT = `
  const held = [];
  let most = 0;
  for (let i = 0; i < 2e6; i++) {
    held[(i * 7919) % 20000] = new Array(100).fill(i);
    if (i % 5000 === 0) most = Math.max(most, process.memoryUsage().heapTotal);
  }
  console.log(most / 2 ** 20);`;

function peak(before: string): number {
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", before + SCRIPT], { cwd: path.join(__dirname, ".."), encoding: "utf8" });
  expect(stderr).toBe("");
  return Number(stdout);
}

test("a heap that holds little stays small, whatever comes and goes", () => {
  expect(peak('require("./bin/common/small-heap.js").keepHeapSmall();')).toBeLessThan(0.85 * peak(""));
});
