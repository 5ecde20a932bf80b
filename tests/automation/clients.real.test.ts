/** Pulumi's own Automation API clients for Go and Python drive the embedded engine through a stack's life, its first update by a plan; their answers are the same. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { cliEnvironment, EMBEDDED } from "../support/real-cli";
import { describeReal } from "../support/real-parts";

const CONFORMANCE = path.join(__dirname, "../conformance/engine");
const ROOT = path.resolve(__dirname, "../..");
const SPEC = JSON.stringify([{ n: "a", a: { name: "a", pw: "hunter2" }, secret: ["pw"], out: true }]);

/** What a client sees, step by step. */
const LIFE = [
  { step: "stacks", saw: ["dev"] },
  { step: "config", saw: { value: "hush", secret: true } },
  { step: "preview", saw: { create: 2 } },
  { step: "up", saw: { result: "succeeded", changes: { create: 2 }, outputs: { a: { value: "out-of-id-a-1", secret: false } } } },
  { step: "preview again", saw: { same: 2 } },
  { step: "refresh", saw: "succeeded" },
  { step: "outputs after export and import", saw: { a: { value: "out-of-id-a-1", secret: false } } },
  { step: "history", saw: ["refresh succeeded", "update succeeded"] },
  { step: "destroy", saw: { result: "succeeded", changes: { delete: 2 } } },
  { step: "stacks at the end", saw: [] },
  { step: "inline up", saw: { changes: { create: 1 }, outputs: { answer: { value: 42, secret: false }, word: { value: "hush", secret: true } } } },
  { step: "inline preview", saw: { same: 1 } },
  { step: "inline error", saw: true },
];

async function life(program: string, args: string[]): Promise<unknown> {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "client-")));
  try {
    const work = path.join(folder, "work");
    fs.cpSync(path.join(CONFORMANCE, "program"), work, { recursive: true });
    fs.cpSync(path.join(CONFORMANCE, "provider"), path.join(work, "provider"), { recursive: true });
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(work, "node_modules"));
    fs.mkdirSync(path.join(folder, "backend"));
    const env = {
      ...process.env,
      ...cliEnvironment(EMBEDDED, folder),
      PULUMI_BACKEND_URL: `file://${folder}/backend`,
      PULUMI_CONFIG_PASSPHRASE: "client",
      EXP_DIR: folder,
      SPEC,
    };
    const output = await new Promise<string>((resolve, reject) => {
      execFile(program, [...args, path.join(ROOT, "engine"), work], { cwd: folder, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${error.message}\n${stdout}\n${stderr}`)),
      );
    });
    return output
      .split("\n")
      .filter((line) => line.startsWith('{"s'))
      .map((line) => JSON.parse(line));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

describeReal(["automation-go"], "the Automation API of Go", (pathOf) => {
  test("goes through a stack's life, with a Node program and inline", async () => {
    expect(await life(pathOf("automation-go"), [])).toEqual(LIFE);
  }, 900_000);
});

describeReal(["automation-python"], "the Automation API of Python", (pathOf) => {
  test("goes through a stack's life, with a Node program and inline", async () => {
    expect(await life(pathOf("automation-python"), [path.join(__dirname, "client.py")])).toEqual(LIFE);
  }, 900_000);
});
