/** Which versions of Node all tests run on (`HELD`), and what each entry script tells an old one. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { satisfies } from "semver";

const root = path.join(__dirname, "../..");
const { HELD, complaint } = require("../../build/node-version.cjs") as { HELD: number[]; complaint(version: string, file: string): string | undefined };
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8");

/** All that a person or Pulumi starts with Node. */
const ENTRIES = [
  ...[
    "orchestrator/bin/homelab",
    "engine/bin/pulumi",
    "build/build.cjs",
    "build/real-parts.cjs",
    "build/test-node.cjs",
    "build/nightly.cjs",
    "build/mutate.cjs",
    "build/test-another-site.cjs",
    "stacks/main.cjs",
  ],
  ...["command", "kubernetes", "proxmoxve", "vault"].map((name) => `providers/${name}/main.cjs`),
];

test("package.json, the README and the check name the same versions", () => {
  const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
  for (const major of HELD) expect([major, satisfies(`${major}.0.0`, engines.node)]).toEqual([major, true]);
  for (const other of [18, 19, 21, 23, 25]) expect([other, satisfies(`${other}.9.9`, engines.node)]).toEqual([other, false]);
  expect(read("README.md")).toContain(`Node ${HELD.slice(0, -1).join(", ")} or ${HELD.at(-1)} `);
});

test.each(["v18.20.8", "v16.0.0", "v9.11.2", "v0.12.18"])("%s is told what to install", (version) => {
  expect(complaint(version, "/usr/bin/node")).toMatch(
    new RegExp(`^homelab needs Node 20 or newer; this is Node ${version.replaceAll(".", "\\.")} \\(/usr/bin/node\\)\\.\nInstall Node `),
  );
});

test("a held version, an odd one between and a newer one are not stopped", () => {
  for (const major of [...HELD, 21, 27]) expect(complaint(`v${major}.1.0`, "node")).toBeUndefined();
});

/** Makes Node report an old version, before the first line of an entry script. */
const asOld = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "homelab-old-node-")), "old.cjs");
fs.writeFileSync(asOld, 'Object.defineProperty(process, "version", { value: "v18.20.8" });');

test.each(ENTRIES)("%s checks the version before it loads anything else", (entry) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--require", asOld, entry], { cwd: root, encoding: "utf8" });
  expect([status, stdout, stderr.split("\n")[0]]).toEqual([1, "", `homelab needs Node 20 or newer; this is Node v18.20.8 (${process.execPath}).`]);
});

test.each([...ENTRIES, "build/ensure.cjs", "build/node-version.cjs"])("%s is readable for an old Node", (entry) => {
  // Syntax that is newer than Node 12 and might be used in an entry: an old Node would refuse the whole file.
  const code = read(entry)
    .replace(/^#!.*/, "")
    .replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  expect(code).not.toMatch(/\?\.[^\d]|\?\?|\|\|=|&&=|\bstatic \{|^\s+#\w+|import\(/m);
});
