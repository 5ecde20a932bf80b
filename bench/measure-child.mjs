// Runs a command and measures it. What is read below /proc (Linux) is undefined elsewhere.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { childrenCpu } from "./children-cpu.cjs";
import { difference } from "./figures.mjs";

const LOOK_MS = 50;

/** Processor seconds of a process itself, without its children, and its most memory in MiB; undefined where it has ended. */
function figuresOf(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
    return { own: (Number(stat[11]) + Number(stat[12])) / 100, peakMiB: peakKiB / 1024 };
  } catch {
    // It has ended between two looks.
    return undefined;
  }
}

/**
 * `seconds` of the clock, `cpu` seconds of it and all its children, `own` seconds without those and `peakMiB` of its memory, both as last
 * seen, and `firstMs` to its first output. Undefined: not measured here, not seen, or no output.
 * @throws Error with the end of its output where its exit code is not 0
 */
export async function measureChild(file, args, { cwd, env }) {
  const cpuBefore = childrenCpu();
  const startedAt = performance.now();
  const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let [own, peakMiB, firstMs, said] = [undefined, undefined, undefined, ""];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      firstMs ??= performance.now() - startedAt;
      said = (said + chunk).slice(-4000);
    });
  const poll = setInterval(() => {
    const seen = figuresOf(child.pid);
    if (seen === undefined) return;
    own = seen.own;
    // A process that has exited and is a zombie has no memory.
    peakMiB = Math.max(peakMiB ?? 0, seen.peakMiB);
  }, LOOK_MS);
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).finally(() => clearInterval(poll));
  if (code !== 0) throw new Error(`${path.basename(file)} ${args.join(" ")}: exit code ${code}\n${said}`);
  return { seconds: (performance.now() - startedAt) / 1000, cpu: difference(childrenCpu(), cpuBefore), own, peakMiB, firstMs };
}
