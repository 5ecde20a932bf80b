import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { testWhere } from "../tests/support/skips";
import { systemClock } from "./clock";
import { takeOwnerFile } from "./owner-file";
import { ownIdentity } from "./process-identity";

let folder: string;
let file: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-owner-"));
  file = path.join(folder, "turn");
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const later = (ms: number) => ({ ...systemClock, now: () => Date.now() + ms });

test("it is taken once, and says which process has it", () => {
  expect([takeOwnerFile(file), takeOwnerFile(file)]).toEqual([true, false]);
  expect(JSON.parse(fs.readFileSync(file, "utf8"))).toEqual(ownIdentity() ?? process.pid);
  expect([fs.readdirSync(folder), fs.statSync(file).mode & 0o777]).toEqual([["turn"], 0o600]);
});

test("one of a process that is gone is moved away, and then free", () => {
  // The largest number that Linux gives is smaller.
  fs.writeFileSync(file, "4194305");
  expect([takeOwnerFile(file), takeOwnerFile(file)]).toEqual([false, true]);
});

const told = testWhere(ownIdentity() !== undefined, "this system does not say when a process began");

told("one of a killed process whose number another process has now, is moved away, and then free", () => {
  fs.writeFileSync(file, JSON.stringify({ ...ownIdentity(), startTime: "1" }));
  expect([takeOwnerFile(file), takeOwnerFile(file)]).toEqual([false, true]);
});

told("one of this very process, and one of another machine, stay", () => {
  for (const other of [{}, { bootId: "another", machineId: "another" }]) {
    fs.writeFileSync(file, JSON.stringify({ ...ownIdentity(), ...other }));
    expect([takeOwnerFile(file, later(86_400_000)), takeOwnerFile(file)]).toEqual([false, false]);
  }
});

/** Ends with the test that looks after it: the namespace ends with its first process. */
const CONTAINER = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
const canContain = spawnSync("unshare", [...CONTAINER, "true"]).status === 0 && fs.readlinkSync("/proc/self/ns/pid") === "pid:[4026531836]";

testWhere(canContain, "unshare makes no container here")("one of a process in a container stays while that runs, and is free when it was killed", async () => {
  const script = `require(${JSON.stringify(path.join(__dirname, "..", "bin/common/owner-file.js"))}).takeOwnerFile(${JSON.stringify(file)}); console.log("taken"); setInterval(() => {}, 1000);`;
  // A /proc of its own, in which it finds itself.
  const inside = spawn("unshare", [...CONTAINER, "--mount", "--mount-proc", process.execPath, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(inside.stdout, "data");
    expect([takeOwnerFile(file, later(86_400_000)), takeOwnerFile(file)]).toEqual([false, false]);
    expect(JSON.parse(fs.readFileSync(file, "utf8"))).toMatchObject({ bootId: ownIdentity()?.bootId, pid: expect.any(Number) });
  } finally {
    inside.kill("SIGKILL");
  }
  await once(inside, "exit");
  // The processes within end a moment later.
  while (!takeOwnerFile(file)) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(JSON.parse(fs.readFileSync(file, "utf8"))).toEqual(ownIdentity());
});

test.each(["", "\n", "x", "-1", "0", "1.5"])("one that says %j is nobody's after a while, and not at once", (text) => {
  fs.writeFileSync(file, text);
  expect([takeOwnerFile(file), takeOwnerFile(file)]).toEqual([false, false]);
  expect([takeOwnerFile(file, later(60_000)), takeOwnerFile(file)]).toEqual([false, true]);
});

test("one that was taken anew between the look at a dead one's and its removal stays its owner's", () => {
  fs.writeFileSync(file, "nobody");
  const taken = String(process.ppid);
  const now = (): number => {
    // Another process is faster: it has moved the dead one's away, and has the place.
    fs.writeFileSync(`${file}.new`, taken);
    fs.renameSync(`${file}.new`, file);
    return Date.now() + 60_000;
  };
  expect(takeOwnerFile(file, { ...systemClock, now })).toBe(false);
  expect([fs.readdirSync(folder), fs.readFileSync(file, "utf8")]).toEqual([["turn"], taken]);
});

test("one of a process that lives stays, however old it is", () => {
  fs.writeFileSync(file, `${process.ppid}\n`);
  expect([takeOwnerFile(file, later(86_400_000)), takeOwnerFile(file)]).toEqual([false, false]);
});

test("a full or read-only place is an error, not a lock of another", () => {
  expect(() => takeOwnerFile(path.join(folder, "no/such/turn"))).toThrow("ENOENT");
});
