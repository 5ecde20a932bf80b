import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const BIN = path.join(__dirname, "..", "bin", "common");

/** Writes the file in a process that may write at most `blocks` of 512 bytes to a file: like a full disk, without root. */
function written(blocks: string, file: string): { said: string; left: string[] } {
  const script = `
    const { writeFileAtomic } = require(${JSON.stringify(path.join(BIN, "files.js"))});
    const { describeError } = require(${JSON.stringify(path.join(BIN, "errors.js"))});
    try { writeFileAtomic(process.argv[1], "x".repeat(100000)); } catch (thrown) { console.log(describeError(thrown)); }`;
  const { stdout } = spawnSync("sh", ["-c", `ulimit -f ${blocks}; exec "$0" -e "$1" "$2"`, process.execPath, script, file], { encoding: "utf8" });
  return { said: stdout.trim(), left: fs.readdirSync(path.dirname(file)) };
}

test("a file that cannot be written is named, with what to do, and its half gives its room back", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "files-"));
  try {
    const file = path.join(dir, "report.json");
    expect(written("8", file)).toEqual({
      said: `EFBIG: file too large, write '${file}': the file is larger than this user may write\n  next: raise the limit (ulimit -f), then run it again: it goes on from the saved state`,
      left: [],
    });
    expect(written("unlimited", file)).toEqual({ said: "", left: ["report.json"] });
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});

test("only a file that has to outlive a power cut is synced, with its folder", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "files-"));
  try {
    const file = path.join(dir, "report.json");
    const script = `
      const fs = require("node:fs");
      const { fsyncSync } = fs;
      let synced = 0;
      fs.fsyncSync = (fd) => { synced++; fsyncSync(fd); };
      const files = require(${JSON.stringify(path.join(BIN, "files.js"))});
      const facts = ["writeFileAtomic", "replaceFile"].map((name) => { synced = 0; files[name](process.argv[1], name); return [synced, fs.readFileSync(process.argv[1], "utf8")]; });
      console.log(JSON.stringify(facts));`;
    const { stdout } = spawnSync(process.execPath, ["-e", script, file], { encoding: "utf8" });
    expect(JSON.parse(stdout)).toEqual([
      [2, "writeFileAtomic"],
      [0, "replaceFile"],
    ]);
    expect([fs.readdirSync(dir), fs.statSync(file).mode & 0o777]).toEqual([["report.json"], 0o600]);
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});
