/** The `homelab` executable, called by a link on PATH in any folder of the checkout. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { quote } from "../../common/quote";
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

const LINES = [
  ["homelab prom", "promote"],
  ["homelab up --engine em", "embedded"],
  ["homelab lab st", "start\nstop\nstatus"],
  ["homelab graph --format ", "mermaid\ndot\njson"],
];
/** Debian has these shells as packages. */
const withShell = (name: string) =>
  testWhere(
    ["/usr/bin", "/bin"].some((dir) => fs.existsSync(path.join(dir, name))),
    `${name} is not installed`,
  );

withShell("zsh").each(LINES)("zsh completes %j", (line = "", expected) => {
  const words = line.split(" ");
  // `compadd` works in zsh's line editor only: here it prints what it was given.
  const ask = `compadd() { print -rl -- "\${(@P)2}" }; _files() { print files }; words=(${words.map((word) => `'${word}'`).join(" ")}); CURRENT=${words.length}; _homelab`;
  const { code, out, err } = shell(`zsh -fc ${quote(`compdef() { :; }; eval "$(homelab completion zsh)"; ${ask}`)}`);
  expect([code, out, err]).toEqual([0, `${expected}\n`, ""]);
});

withShell("zsh")("zsh offers files where homelab offers nothing, and knows the function by the name of its file", () => {
  const asked =
    'compdef() { print -r -- "$1 $2" }; _files() { print files }; eval "$(homelab completion zsh)"; words=(homelab up --report \'\'); CURRENT=4; _homelab';
  expect(shell(`zsh -fc ${quote(asked)}`)).toEqual({ code: 0, out: "_homelab homelab\nfiles\n", err: "" });
});

withShell("fish").each(LINES)("fish completes %j", (line = "", expected) => {
  const asked = `homelab completion fish | source; complete -C ${quote(line)}`;
  const { code, out, err } = shell(`fish --no-config -c ${quote(asked)}`);
  expect([code, out.trim().split("\n").toSorted(), err]).toEqual([0, (expected ?? "").split("\n").toSorted(), ""]);
});

withShell("zsh")("zsh completes at the first time, too, where the script is a file of $fpath", () => {
  fs.mkdirSync(path.join(folder, "functions"));
  const script = `compdef() { :; }; compadd() { print -rl -- "\${(@P)2}" }; fpath=(${quote(path.join(folder, "functions"))} $fpath); autoload -Uz _homelab; words=(homelab prom); CURRENT=2; _homelab; print again; _homelab`;
  expect(shell(`homelab completion zsh > functions/_homelab; zsh -fc ${quote(script)}`, folder)).toEqual({
    code: 0,
    out: "promote\nagain\npromote\n",
    err: "",
  });
});

test("npx finds homelab from any folder of the checkout", () => {
  const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };
  const asked = "npm_config_update_notifier=false npx --offline --no-install homelab --version";
  expect(shell(asked)).toEqual({ code: 0, out: `homelab ${version}\n`, err: "" });
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
