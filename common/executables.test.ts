import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { findOnPath, isExecutable } from "./executables";

let folder: string;
const before = process.env["PATH"];
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-path-"));
});
afterEach(() => {
  process.env["PATH"] = before;
  fs.chmodSync(path.join(folder, "closed"), 0o700);
  fs.rmSync(folder, { recursive: true });
});

test("what cannot be looked at is passed over: other users' folders, files, loops, nothing", () => {
  const at = (...names: string[]) => path.join(folder, ...names);
  for (const name of ["closed", "plain", "folder", "good"]) fs.mkdirSync(at(name));
  for (const name of ["closed", "plain", "good"]) fs.writeFileSync(at(name, "tool"), "#!/bin/sh\n", { mode: name === "plain" ? 0o644 : 0o755 });
  fs.mkdirSync(at("folder", "tool"));
  fs.writeFileSync(at("file"), "");
  fs.symlinkSync("loop", at("loop"));
  fs.chmodSync(at("closed"), 0);
  process.env["PATH"] = ["", at("nothing"), at("file"), at("loop"), at("plain"), at("folder"), "x".repeat(5000), at("good")].join(path.delimiter);
  expect(findOnPath("tool")).toBe(at("good", "tool"));
  // Root may look everywhere.
  expect(isExecutable(at("closed", "tool"))).toBe(process.getuid?.() === 0);
  expect(findOnPath("no-such-tool")).toBeUndefined();
});
