/** `.ci/as-plain-user.sh` in a small checkout: where it runs a command, as whom, and what it says where a machine does not allow that. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { testWhere } from "../support/skips";

const root = path.join(__dirname, "../..");
const isRoot = process.getuid?.() === 0;
const canBecome = spawnSync("sh", ["-c", "command -v runuser && id nobody"]).status === 0;
const asPlain = testWhere(!isRoot || canBecome, "this machine has no runuser, or no user nobody");
const asRoot = testWhere(isRoot && canBecome, "only root can become another user");
let folder: string;
let checkout: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-plain-user-"));
  fs.chmodSync(folder, 0o755);
  checkout = path.join(folder, "checkout");
  // For everybody, as a machine's folder for temporary files is.
  fs.mkdirSync(path.join(folder, "tmp"));
  fs.chmodSync(path.join(folder, "tmp"), 0o1777);
  fs.mkdirSync(path.join(folder, "bin"));
  fs.mkdirSync(path.join(checkout, ".ci"), { recursive: true });
  fs.copyFileSync(path.join(root, ".ci/as-plain-user.sh"), path.join(checkout, ".ci/as-plain-user.sh"));
  const packages = path.join(checkout, "node_modules");
  for (const [file, text] of [
    ["@swc/core/index.js", ""],
    ["jest/package.json", '{ "name": "jest", "version": "1.0.0", "bin": "cli.js" }'],
    ["jest/cli.js", "#!/usr/bin/env node\nconsole.log('1.0.0');\n"],
    [".package-lock.json", "{}"],
    [".cache/compiled", "with paths of the checkout"],
  ] as const) {
    fs.mkdirSync(path.dirname(path.join(packages, file)), { recursive: true });
    fs.writeFileSync(path.join(packages, file), text, { mode: 0o755 });
  }
  fs.utimesSync(path.join(packages, ".package-lock.json"), 1, 1);
  fs.mkdirSync(path.join(packages, ".bin"));
  fs.symlinkSync("../jest/cli.js", path.join(packages, ".bin/jest"));
  fs.writeFileSync(path.join(checkout, ".gitignore"), "node_modules\n");
  fs.writeFileSync(path.join(checkout, "package.json"), '{ "private": true }\n');
  fs.writeFileSync(path.join(checkout, "look.cjs"), LOOK);
  for (const words of [
    ["init", "-q"],
    ["add", "."],
    ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "-qm", "x"],
  ]) {
    const { status, stderr } = spawnSync("git", words, { cwd: checkout, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  }
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** What the command sees. */
const LOOK = `const fs = require("fs"), path = require("path");
const here = process.cwd();
fs.writeFileSync("written", "");
if (process.env.HOMELAB_TEST_TOTALS) fs.appendFileSync(process.env.HOMELAB_TEST_TOTALS, '{"passed":2}\\n');
console.log(JSON.stringify({
  folder: path.basename(path.dirname(here)), here, root: process.getuid() === 0, home: process.env.HOME, files: fs.readdirSync(here).sort(),
  packages: fs.readdirSync("node_modules").sort(),
  fresh: fs.statSync("node_modules/.package-lock.json").mtimeMs >= fs.statSync("package.json").mtimeMs,
  variables: Object.keys(process.env).filter((name) => !/^(PWD|SHLVL|_|OLDPWD|__CF.*)$/.test(name)).sort(),
}));
process.exitCode = Number(process.argv[2] || 0);
`;

interface Seen {
  folder: string;
  here: string;
  root: boolean;
  home: string;
  files: string[];
  packages: string[];
  fresh: boolean;
  variables: string[];
}

function asPlainUser(code: number, more: Record<string, string> = {}): { status: number | null; said: string[]; seen: Seen; left: string[] } {
  const env = {
    PATH: `${path.join(folder, "bin")}:${process.env["PATH"]}`,
    HOME: folder,
    TMPDIR: path.join(folder, "tmp"),
    VAULT_TOKEN: "of the owner",
    NODE_OPTIONS: "--no-warnings",
    ...more,
  };
  const { status, stdout, stderr } = spawnSync("bash", [".ci/as-plain-user.sh", "node", "look.cjs", String(code)], { cwd: checkout, env, encoding: "utf8" });
  const lines = stdout.split("\n").filter((line) => line !== "");
  const seen = lines.find((line) => line.startsWith("{"));
  if (seen === undefined) throw new Error(`the command did not run: ${stdout}${stderr}`);
  return { status, said: lines.filter((line) => line.startsWith("as-plain-user: ")), seen: JSON.parse(seen) as Seen, left: fs.readdirSync(env.TMPDIR) };
}

/** Programs of this machine that answer otherwise. */
const instead = (name: string, script: string): void => fs.writeFileSync(path.join(folder, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

asPlain("the command runs without root, in a clone in a folder with a space and an umlaut, with nothing of the caller's environment", () => {
  fs.writeFileSync(path.join(checkout, "not-committed"), "");
  const totals = path.join(folder, "totals");
  fs.writeFileSync(totals, '{"passed":1}\n');
  const { status, said, seen, left } = asPlainUser(7, { HOMELAB_TEST_TOTALS: totals, CI: "true" });
  const user = isRoot ? "nobody" : os.userInfo().username;
  expect(said).toEqual(["as-plain-user: what is not committed here does not run", `as-plain-user: node look.cjs 7 as ${user} in ${seen.here}`]);
  expect([status, seen.folder.normalize(), path.basename(seen.here), seen.root]).toEqual([7, "My Projekte ü", "homelab", false]);
  expect(seen.files).toEqual([".ci", ".git", ".gitignore", "look.cjs", "node_modules", "package.json", "written"]);
  expect(seen.packages).toEqual([".bin", ".package-lock.json", "@swc", "jest"]);
  // So make does not install them again.
  expect(seen.fresh).toBe(true);
  expect(seen.variables).toEqual(["CI", "HOME", "HOMELAB_TEST_TOTALS", "PATH", "TMPDIR"]);
  expect(seen.home).not.toBe(folder);
  expect(fs.readFileSync(totals, "utf8")).toBe('{"passed":1}\n{"passed":2}\n');
  // Neither the clone nor what the command wrote stays.
  expect([left, fs.existsSync(path.join(checkout, "written"))]).toEqual([[], false]);
});

test("where git cannot clone, the command runs where it was called, and a line says so", () => {
  instead("git", "exit 1");
  const { status, said, seen, left } = asPlainUser(5);
  expect([status, fs.realpathSync(seen.here), left]).toEqual([5, fs.realpathSync(checkout), []]);
  expect(said).toEqual(["as-plain-user: NOT in a clone of its own and not as another user: git cannot clone this checkout"]);
});

asRoot.each([
  ["there is no such user", "id", 'case "$1" in -u) echo 0 ;; -un) echo root ;; *) exit 1 ;; esac', "there is no user nobody"],
  ["its files cannot be given away", "chown", 'case "$2" in nobody:) exit 1 ;; *) exec /bin/chown "$@" ;; esac', "its files cannot be given to nobody"],
  ["the user cannot run Node", "runuser", "echo runuser: may not >&2; exit 1", "nobody cannot work in it: runuser: may not"],
])("as root where %s, it runs as root in the clone, and a line says so", (_, program, script, why) => {
  instead(program, script);
  const { status, said, seen } = asPlainUser(0);
  expect([status, seen.folder, seen.root]).toEqual([0, "My Projekte ü", true]);
  expect(said).toEqual([`as-plain-user: NOT as a plain user: ${why}`, `as-plain-user: node look.cjs 0 as root in ${seen.here}`]);
});
