/** Backups in the layout of the module state-backup. tests/real/state-backup.real.test.ts has backups that its script made. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { ageEncryptFile, generateIdentity } from "../../secrets/age";
import { isEncryptedCopy, openEncryptedCopy } from "./encrypted-copies";
import { readCopy } from "./state-copies";

const owner = generateIdentity();
const other = generateIdentity();
/** More than one chunk of age. */
const RESOURCES = Array.from({ length: 900 }, (_, index) => ({ urn: `urn:pulumi:tools::homelab::a:b:C::r${index}`, inputs: { text: "x".repeat(100) } }));
const stored = (resources: object[], version = 3) => Buffer.from(JSON.stringify({ version, checkpoint: { stack: "tools", latest: { resources } } }));

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "state-backup-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** @param files by path in the backup */
function backup(files: Record<string, Buffer>, facts: object = { version: 1, site: "example.org", takenAt: "2026-11-30T02:00:00Z" }): string {
  const dir = path.join(folder, "backup");
  fs.mkdirSync(path.join(dir, "states"), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), bytes);
  const sums = Object.entries(files).map(([name, bytes]) => `${createHash("sha256").update(bytes).digest("hex")}  ./${name}\n`);
  fs.writeFileSync(path.join(dir, "SHA256SUMS"), sums.join(""));
  fs.writeFileSync(path.join(dir, "backup.json"), JSON.stringify(facts));
  return dir;
}
const sealed = (plain: Buffer) => ageEncryptFile(plain, [owner.recipient]);
const target = () => path.join(folder, "opened");

test("it is opened into a copy that a restore takes, with states as they were or compressed", () => {
  const dir = backup({ "states/tools.json.age": sealed(stored(RESOURCES)), "states/dev.json.gz.age": sealed(gzipSync(stored([]))) });
  expect([isEncryptedCopy(dir), isEncryptedCopy(folder)]).toEqual([true, false]);
  openEncryptedCopy(dir, [other, owner], target(), "lab");
  expect(readCopy(target(), ["tools", "dev"])).toMatchObject({
    site: "example.org",
    kind: "lab",
    takenAt: "2026-11-30T02:00:00Z",
    stacks: { tools: { resources: 900, pending: 0 }, dev: { resources: 0 } },
  });
  expect(JSON.parse(fs.readFileSync(path.join(target(), "tools.json"), "utf8"))).toEqual({ version: 3, deployment: { resources: RESOURCES } });
  expect(fs.statSync(path.join(target(), "tools.json")).mode & 0o777).toBe(0o600);
});

test.each<[string, () => string, string]>([
  ["another's key", () => backup({ "states/tools.json.age": ageEncryptFile(stored([]), [other.recipient]) }), "is encrypted to none of your 1 age keys"],
  ["no state", () => backup({}), "SHA256SUMS names no state"],
  ["a journal of this engine", () => backup({ "states/tools.json.age": sealed(stored([], 4)) }), "holds no state of version 3"],
  ["another's facts", () => backup({ "states/tools.json.age": sealed(stored([])) }, { version: 2 }), "backup.json is not what the module state-backup writes"],
  [
    "a changed file",
    () => {
      const dir = backup({ "states/tools.json.age": sealed(stored([])) });
      fs.appendFileSync(path.join(dir, "states/tools.json.age"), "x");
      return dir;
    },
    "states/tools.json.age is not what was written (its SHA-256 differs)",
  ],
  [
    "a file that is not there",
    () => {
      const dir = backup({ "states/tools.json.age": sealed(stored([])) });
      fs.rmSync(path.join(dir, "states/tools.json.age"));
      return dir;
    },
    "states/tools.json.age is not there",
  ],
  [
    "a file that was cut between two chunks",
    () => {
      const whole = sealed(stored(RESOURCES));
      const payload = whole.indexOf("\n", whole.indexOf("\n--- ") + 1) + 1 + 16;
      return backup({ "states/tools.json.age": whole.subarray(0, payload + 64 * 1024 + 16) });
    },
    "the age header is damaged: its payload does not open",
  ],
])("with %s it is refused before anything is written", (_, make, message) => {
  expect(() => openEncryptedCopy(make(), [owner], target(), "real")).toThrow(message);
  expect(fs.existsSync(target())).toBe(false);
});
