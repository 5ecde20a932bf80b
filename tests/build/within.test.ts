/** build/within.cjs, by which `.ci/run` ends tests that hang. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { untilEnded } from "../support/ended";

const WITHIN = path.join(__dirname, "../../build/within.cjs");
const within = (...words: string[]) => spawnSync(process.execPath, [WITHIN, ...words], { encoding: "utf8" });

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-within-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** A command that starts another one, tells both, and goes on for a minute. */
const LONG = `sleep 60 & echo "$$ $!" >"$0.part"; mv "$0.part" "$0"; wait`;
async function pids(file: string): Promise<number[]> {
  while (!fs.existsSync(file)) await pause();
  return fs.readFileSync(file, "utf8").trim().split(" ").map(Number);
}
const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once("exit", resolve));

test.each([
  ["true", 0],
  ["exit 7", 7],
  ["kill -9 $$", 137],
])("%s ends with %d", (script, code) => {
  expect(within("60", "sh", "-c", script).status).toBe(code);
});

test("what takes longer is ended with all that it started, and named", async () => {
  const file = path.join(folder, "pids");
  const { status, stdout } = within("5", "sh", "-c", LONG, file);
  expect([status, stdout]).toEqual([124, expect.stringContaining("its 5 seconds are over")]);
  for (const pid of await pids(file)) await untilEnded(pid);
});

test("a signal is handed on", async () => {
  const file = path.join(folder, "pids");
  const child = spawn(process.execPath, [WITHIN, "60", "sh", "-c", LONG, file], { stdio: "ignore" });
  const started = await pids(file);
  child.kill("SIGTERM");
  expect(await ended(child)).toBe(143);
  for (const pid of started) await untilEnded(pid);
});

test.each([[[]], [["x", "true"]], [["0", "true"]], [["60"]]])("%j is refused", (words) => {
  expect(within(...words)).toMatchObject({ status: 2, stderr: expect.stringMatching(/^usage: /) });
});

test("a command that is not there", () => {
  expect(within("60", "no-such-command-here")).toMatchObject({ status: 127, stderr: expect.stringMatching(/^no-such-command-here cannot be started: /) });
});
