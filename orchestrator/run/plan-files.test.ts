import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { describeError } from "../../common/errors";
import { LAB_AGE_KEY } from "../target/lab-secrets";
import { readPlan } from "./plan-files";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-plans-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const said = (file: string): string => {
  try {
    readPlan(file, { SOPS_AGE_KEY_FILE: path.resolve(LAB_AGE_KEY) });
    return "";
  } catch (thrown) {
    return describeError(thrown);
  }
};

/** A pipe without a writer would be waited for, and a device has no end. */
test.each<[string, (file: string) => unknown, RegExp]>([
  ["a pipe", (file) => execFileSync("mkfifo", [file]), /is not a file of at most 32 MiB\n {2}next: name the file that/],
  ["a device without an end", (file) => fs.symlinkSync("/dev/zero", file), /is not a file of at most 32 MiB\n/],
  ["a folder", (file) => fs.mkdirSync(file), /is not a file of at most 32 MiB\n/],
  ["a link to itself", (file) => fs.symlinkSync("plan.json", file), /cannot be read\n {2}because: ELOOP/],
  ["nothing", () => undefined, /is not there\n {2}because: ENOENT.*\n {2}next: make it: homelab preview --plan /],
  ["an empty file", (file) => fs.writeFileSync(file, ""), /is no plan of a run\n/],
  ["half a plan", (file) => fs.writeFileSync(file, '{"version":1,"site":"exa'), /is no plan of a run\n/],
  ["a compressed plan", (file) => fs.writeFileSync(file, gzipSync("{}")), /is no plan of a run\n/],
  ["a plan of a later version", (file) => fs.writeFileSync(file, '{"version":2}'), /is no plan of a run\n {2}because: version: Invalid input: expected 1;/],
  ["no object", (file) => fs.writeFileSync(file, "[]"), /is no plan of a run\n {2}because: Invalid input: expected object, received array\n {2}next: make one/],
])("%s is no plan, and is refused at once with what to do", (_what, make, expected) => {
  const file = path.join(folder, "plan.json");
  make(file);
  expect(said(file)).toMatch(expected);
});
