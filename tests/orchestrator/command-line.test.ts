/** The `homelab` executable, called by a link on PATH in any folder of the checkout. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { testWhere } from "../support/skips";

const ROOT = path.join(__dirname, "../..");

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-path-"));
  // The same link as `npm link` makes.
  fs.symlinkSync(path.join(ROOT, "orchestrator/bin/homelab"), path.join(folder, "homelab"));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function shell(script: string, cwd = path.join(ROOT, "docs/adr")): { code: number | null; out: string; err: string } {
  const env = { PATH: `${folder}:${path.dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder };
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script], { cwd, env, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

test("it runs in any folder, and says its version", () => {
  const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };
  expect(shell("homelab --version")).toEqual({ code: 0, out: `homelab ${version}\n`, err: "" });
  expect(shell("homelab graph --format dot", folder)).toMatchObject({ code: 0, out: expect.stringMatching(/^digraph homelab \{/) });
});

test("help is shown for each way to ask for it", () => {
  const ways = ["homelab help lab start", "homelab lab start --help", "homelab lab -h start", "homelab lab start --port 1 -h"].map((line) => shell(line));
  for (const way of ways) expect(way).toEqual(ways[0]);
  expect(ways[0]).toEqual({ code: 0, out: expect.stringMatching(/^Usage: homelab lab start \[flags\]\n/), err: "" });
  expect(shell("homelab")).toMatchObject({ code: 2, out: shell("homelab help").out });
});

test.each([
  ["homelab up d", "dev"],
  ["homelab lab st", "start\nstop\nstatus"],
  ["homelab graph --format ", "mermaid\ndot\njson"],
])("bash completes %j", (line, expected) => {
  const words = line.split(" ");
  const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _homelab; printf '%s\\n' "\${COMPREPLY[@]}"`;
  expect(shell(`eval "$(homelab completion bash)"; complete -p homelab >/dev/null && ${ask}`)).toEqual({ code: 0, out: `${expected}\n`, err: "" });
});

test("a terminal that is half gone is no bug: no standard input, a reader that leaves, a folder that was removed", () => {
  expect(shell("homelab secrets set none/such key <&-")).toEqual({
    code: 2,
    out: "",
    err: expect.stringMatching(/^error: there is no secrets\/common\/none\/such\.yaml\n {2}next: /),
  });
  expect(shell('homelab help --markdown | true; echo "$' + '{PIPESTATUS[0]}"')).toEqual({ code: 0, out: "0\n", err: "" });
  expect(shell("homelab frobnicate 2>&-")).toEqual({ code: 2, out: "", err: "" });
  const gone = "mkdir gone && cd gone && rmdir ../gone && homelab graph --format dot | head -n 1";
  expect(shell(gone, folder)).toEqual({ code: 0, out: "digraph homelab {\n", err: "" });
});

const full = testWhere(fs.existsSync("/dev/full"), "this system has no /dev/full");
full("what cannot be written is an error that says why", () => {
  expect(shell("homelab help > /dev/full")).toEqual({
    code: 1,
    out: "",
    err: expect.stringMatching(/^error: ENOSPC: no space left on device, write\n {2}next: make room/),
  });
});
