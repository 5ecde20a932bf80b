/** The places at which `npm run mutate` changes the program: what decides about a resource, and no text that only people read. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

interface Mutant {
  line: number;
  what: string;
  text: string;
}
const { mutantsOf } = require("../../build/mutate/mutants.cjs") as { mutantsOf(name: string, text: string): Mutant[] };

const { secondsFor } = require("../../build/mutate/time-limit.cjs") as { secondsFor(least: number, unchanged: number[]): number };

interface Answer {
  wrong: string[];
  seconds: number;
  loaded: string[];
}
interface JudgeOfChanges {
  learn(tests: string[]): Promise<unknown>;
  judge(mutant: { file: string; text: string; original: string }): Promise<{ by: string }>;
}
const { Judge } = require("../../build/mutate/judge.cjs") as { Judge: new (root: string, least: number, process: object) => JudgeOfChanges };

const line = (text: string): [string, string][] => mutantsOf("a.ts", text).map((mutant) => [mutant.what, mutant.text]);

test("an option of a resource is left out, a value is changed", () => {
  expect(line('new Secret("a", { data: x }, this.child({ dependsOn: [b, c] }));')).toEqual([
    ['"a" changed', 'new Secret("a-mutated", { data: x }, this.child({ dependsOn: [b, c] }));'],
    ["data left out", 'new Secret("a", {  }, this.child({ dependsOn: [b, c] }));'],
    ["dependsOn left out", 'new Secret("a", { data: x }, this.child({  }));'],
    ["element b left out", 'new Secret("a", { data: x }, this.child({ dependsOn: [c] }));'],
    ["element c left out", 'new Secret("a", { data: x }, this.child({ dependsOn: [b] }));'],
  ]);
});

test("a number grows, a boolean is negated, a choice has one side, a spread is left out", () => {
  expect(line("const a = { ...(b ? { c: true } : { d: 2 }) };")).toEqual([
    ["...(b ? { c: true } : { d: 2 }) left out", "const a = {  };"],
    ["always the first side of the choice", "const a = { ...(({ c: true })) };"],
    ["always the second side of the choice", "const a = { ...(({ d: 2 })) };"],
    ["c left out", "const a = { ...(b ? {  } : { d: 2 }) };"],
    ["true turned", "const a = { ...(b ? { c: false } : { d: 2 }) };"],
    ["d left out", "const a = { ...(b ? { c: true } : {  }) };"],
    ["2 changed", "const a = { ...(b ? { c: true } : { d: 3 }) };"],
  ]);
});

test("a side that is an object is one where a function gives back nothing but the choice", () => {
  expect(line("const a = () => b ? { c } : undefined;")).toContainEqual(["always the first side of the choice", "const a = () => ({ c });"]);
});

test("imports, types and the texts of errors stay", () => {
  expect(line('import { a } from "b";\ntype C = "d" | { e: 1 };\nthrow new HomelabError("E_F", "g", { hint: "h" });')).toEqual([]);
});

type End = "passes" | "fails" | "finds no end";

/** What a judge says of a change, where its one test ends like this: with the change, without it, with it again. */
async function verdictOf(ends: readonly End[]): Promise<string> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "judge-"));
  for (const folder of ["stacks", "bin/stacks"]) fs.mkdirSync(path.join(root, folder), { recursive: true });
  const [file, original] = ["stacks/a.ts", "export const a = 1;\n"];
  const left: (End | undefined)[] = ["passes", ...ends];
  const process = {
    isNew: false,
    sourcesChanged: () => undefined,
    stop(): void {
      this.isNew = true;
    },
    async run(): Promise<Answer | null> {
      const end = left.shift();
      // A process whose test finds no end is ended, and the next one is new.
      this.isNew = end === "finds no end";
      return end === "finds no end" ? null : { wrong: end === "fails" ? ["x"] : [], seconds: 1, loaded: [file] };
    },
  };
  try {
    const judge = new Judge(root, 1, process);
    await judge.learn(["stacks/a.test.ts"]);
    return (await judge.judge({ file, text: "export const a = 2;\n", original })).by;
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

test.each<[string, End[], string]>([
  ["passes with it", ["passes"], "nothing"],
  ["fails with it and passes without it", ["fails", "passes"], "beside"],
  ["finds no end with it and passes without it", ["finds no end", "passes"], "beside"],
  ["finds no end with it, without it and with it again", ["finds no end", "finds no end", "finds no end"], "nothing"],
  ["finds no end on a busy machine, and fails with it afterwards", ["finds no end", "finds no end", "fails"], "beside"],
  ["fails with it and without it, and passes with it in a new process", ["fails", "fails", "passes"], "nothing"],
])("a change is judged by its test, which %s", async (_what, ends, by) => {
  expect(await verdictOf(ends)).toBe(by);
});

test("a folder without anything to change, and one whose name is wrong, are no success", () => {
  const { status, stderr } = spawnSync(process.execPath, ["build/mutate.cjs", "docs"], { cwd: path.join(__dirname, "../.."), encoding: "utf8" });
  expect([status, stderr]).toEqual([2, "error: there is nothing to change in docs\n"]);
});

test("tests of a busy machine get several times what they took before the change, and quick ones the least", () => {
  expect([secondsFor(180, [2, 3]), secondsFor(180, [100, 50]), secondsFor(180, [])]).toEqual([180, 600, 180]);
});

const ROOT = path.join(__dirname, "../..");
/** What the run itself needs of a checkout. */
const MACHINERY = ["build", "jest.config.cjs", "tests/support/own-environment.cjs", "tests/support/lean-modules.cjs", "tests/support/rehearsals.cjs"];

const SOURCES: Record<string, string> = {
  "tsconfig.json":
    '{ "compilerOptions": { "strict": true, "types": ["jest", "node"], "skipLibCheck": true, "module": "commonjs" }, "include": ["components"] }',
  "components/base/limits.ts": `export const limits = (large: boolean): { memory: number; name?: string } => ({ memory: large ? 3 : 1, name: "x" });
export const spare: { rest: number } = { rest: 7 };
export function settle(): void {
  while (!isDone());
}
const isDone = (): boolean => true;
`,
  "components/base/limits.test.ts": `import { limits } from "./limits";
test("small", () => expect(limits(false).memory).toBe(1));
test("a variable of one file is not the next one's", () => {
  expect(process.env.OF_ANOTHER).toBeUndefined();
  process.env.OF_ANOTHER = "1";
});
`,
  "components/use.test.ts": `import { limits, settle } from "./base/limits";
test("large", async () => {
  settle();
  const { limits: same } = await import("./base/limits");
  expect([limits(true).memory, limits === same]).toEqual([3, true]);
});
`,
  "components/entry.ts": `import { share } from "./base/share";
if (require.main === module) process.stdout.write(share(2).toFixed());
`,
  "components/base/share.ts": "export const share = (count: number): number => 6 / count;\n",
  "components/entry.test.ts": `import { execFileSync } from "node:child_process";
test("as a process", () => expect(execFileSync(process.execPath, ["bin/components/entry.js"], { encoding: "utf8" })).toBe("3"));
`,
  "components/broken.test.ts": 'test("fails", () => { throw new Error("as always"); });',
};

test("each change is brought before the tests that load it, in a copy; what none notices and no type refuses has survived", () => {
  const checkout = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-mutate-test-"));
  try {
    for (const file of MACHINERY) fs.cpSync(path.join(ROOT, file), path.join(checkout, file), { recursive: true });
    for (const [file, text] of Object.entries(SOURCES)) {
      fs.mkdirSync(path.join(checkout, path.dirname(file)), { recursive: true });
      fs.writeFileSync(path.join(checkout, file), text);
    }
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(checkout, "node_modules"));
    for (const words of [
      ["init", "-q"],
      ["add", "components", "tests", "build", "tsconfig.json", "jest.config.cjs"],
    ])
      execFileSync("git", words, { cwd: checkout });
    const temporary = path.join(checkout, "temporary");
    fs.mkdirSync(temporary);
    const env = { ...process.env, TMPDIR: temporary, HOMELAB_TEST_HOME: "" };
    const run = (...words: string[]) => spawnSync(process.execPath, ["build/mutate.cjs", ...words], { cwd: checkout, encoding: "utf8", env });
    const { status, stdout, stderr } = run("--timeout", "3", "--tests", "components");
    expect([status, stderr, stdout.trimEnd().split("\n").toSorted()]).toEqual([
      0,
      "",
      [
        "all (seed 1): 12 of 12 changes tried, 4 noticed by tests beside them, 4 by others, 0 by the record of registrations alone, 1 refused by types, 3 survived; score 75 %",
        "components/base: 11 of 11 changes tried, 3 noticed by tests beside them, 4 by others, 0 by the record of registrations alone, 1 refused by types, 3 survived; score 72.7 %",
        "components: 1 of 1 changes tried, 1 noticed by tests beside them, 0 by others, 0 by the record of registrations alone, 0 refused by types, 0 survived; score 100 %",
        "not used components/broken.test.ts: Error: as always",
        'survived  components/base/limits.ts:1  "x" changed  (2 test files load it)',
        "survived  components/base/limits.ts:1  name left out  (2 test files load it)",
        "survived  components/base/limits.ts:2  7 changed  (2 test files load it)",
        "tests did not end 1 times",
      ],
    ]);
    expect(fs.readFileSync(path.join(checkout, "components/base/limits.ts"), "utf8")).toBe(SOURCES["components/base/limits.ts"]);
    const less = run("--limit", "1", "--tests", "components/base", "--at-least", "101");
    expect([less.status, less.stderr]).toEqual([2, expect.stringMatching(/^error: the score is \d+ %, and at least 101 % are asked for\n$/)]);
    // Neither the copy nor files of killed processes are left.
    expect(fs.readdirSync(temporary)).toEqual([]);
  } finally {
    fs.rmSync(checkout, { recursive: true, force: true });
  }
}, 300_000);
