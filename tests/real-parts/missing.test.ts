/** A run of the real tests on a machine whose cache of parts is empty: what needs a part is skipped by name, with how to get it. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";

const root = path.join(__dirname, "../..");
const listSchema = z.object({ parts: z.array(z.object({ name: z.string(), version: z.string().optional() })) });
const { parts } = listSchema.parse(JSON.parse(fs.readFileSync(path.join(root, "build/real-parts.json"), "utf8")));
const versionOf = (name: string): string => parts.find((part) => part.name === name)?.version ?? "";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-missing-parts-"));
  fs.mkdirSync(path.join(folder, "homelab/real-parts"), { recursive: true });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function realRun(...files: string[]): { code: number | null; lines: string[] } {
  const env = { ...process.env, HOMELAB_TEST_REAL: "1", HOMELAB_REAL_UNTIL: "", HOMELAB_TEST_TOTALS: "", XDG_CACHE_HOME: folder };
  const { status, stdout } = spawnSync(process.execPath, ["node_modules/jest/bin/jest.js", "--runInBand", ...files], { cwd: root, env, encoding: "utf8" });
  return { code: status, lines: stdout.split("\n").filter((line) => /^skipped |^\d+ passed, /.test(line)) };
}

test("each missing part is named, with its version, why it is missing, and how to get it; nothing counts as passed", () => {
  fs.writeFileSync(path.join(folder, "homelab/real-parts/vault.missing"), "the module proxy cannot be reached\n");
  const { code, lines } = realRun("tests/real/sops", "tests/contract/vault/real.real");
  expect(code).toBe(0);
  expect(lines.map((line) => line.replace(/^skipped \d+ tests?: /, ""))).toEqual([
    `sops (${versionOf("sops")}): it is not installed; make real-parts PARTS=sops (needs Go)`,
    `vault (${versionOf("vault")}): the module proxy cannot be reached; make real-parts PARTS=vault (needs Go)`,
    expect.stringMatching(/^0 passed, 0 failed, \d{3} skipped$/),
  ]);
});
