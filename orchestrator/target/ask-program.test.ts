import * as childProcess from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { projectRoot } from "../../common/paths";
import { runHere } from "../../tests/support/command-line";
import { askProgram, askProgramHere } from "./ask-program";

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-ask-"));
  fs.mkdirSync(path.join(root, "bin", "stacks"), { recursive: true });
  fs.writeFileSync(path.join(root, "bin", "stacks", "preload-command.js"), "");
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const program = (text: string) => fs.writeFileSync(path.join(root, "bin", "stacks", "entry.js"), text);

// A pipe gives pieces of 64 KiB, and the bytes of a character may come in two of them.
test("an answer that comes in pieces keeps its characters", async () => {
  program('process.stdout.write(JSON.stringify("a" + "ü€🚀".repeat(100_000)));');
  expect((await askProgram("entry", "", {}, root)) === `a${"ü€🚀".repeat(100_000)}`).toBe(true);
});

test("so does the message of a failure", async () => {
  program('process.stderr.write(JSON.stringify({ code: "E_APP", message: "a" + "ü€".repeat(100_000) })); process.exitCode = 1;');
  const failed = await askProgram("entry", "", {}, root).catch((thrown: Error) => thrown.message);
  expect(failed === `a${"ü€".repeat(100_000)}`).toBe(true);
});

test("a program is asked in this process with the same answers and the same failures", async () => {
  const stacks = fs.readdirSync(path.join(projectRoot(), "gitops")).toSorted().slice(-1);
  const question = JSON.stringify({ stacks });
  expect(await askProgramHere("render-apps", question)).toEqual(await askProgram("render-apps", question));
  const unknown = JSON.stringify({ stacks: ["nowhere"] });
  const [here, apart] = await Promise.all([askProgramHere, askProgram].map((ask) => ask("render-apps", unknown).catch((thrown: object) => ({ ...thrown }))));
  expect(here).toMatchObject({ code: "E_STACK_UNKNOWN", subject: "nowhere" });
  expect(here).toEqual(apart);
});

test("render starts no process", async () => {
  const spawn = jest.spyOn(childProcess, "spawn");
  const { code, err } = await runHere(["render", "nowhere"], {});
  expect([code, err]).toEqual([2, expect.stringContaining('there is no stack "nowhere"')]);
  expect(spawn).not.toHaveBeenCalled();
  spawn.mockRestore();
});
