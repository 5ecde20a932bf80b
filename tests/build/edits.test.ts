/** Whoever edits a source and runs any entry runs what was written: in a checkout of the test's own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.join(__dirname, "..", "..");
const ENV = { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, NO_COLOR: "1" };

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "edits-"));
  const left = new Set([".git", ".lab", ".homelab", "node_modules", "tests", "docs", "bench"].map((name) => path.join(ROOT, name)));
  fs.cpSync(ROOT, folder, { recursive: true, preserveTimestamps: true, filter: (source) => !left.has(source) });
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

function node(...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, env: { ...ENV, HOME: folder }, encoding: "utf8" });
  return { code: status, stdout, stderr };
}
const homelab = (...args: string[]): Ran => node("orchestrator/bin/homelab", ...args);

const GRAPH = "orchestrator/target/show-graph.ts";
const original = fs.readFileSync(path.join(ROOT, GRAPH), "utf8");
/** Changes what `homelab graph` prints. */
const printing = (text: string): string => original.replace("session.out(`", `session.out(\`${text}`);
const write = (text: string, file = GRAPH): void => fs.writeFileSync(path.join(folder, file), text);
afterEach(() => write(original));

test("an edited source runs at once, also one that became older", () => {
  write(printing("first "));
  expect(homelab("graph").stdout).toMatch(/^first graph LR/);
  write(printing("second "));
  const old = new Date("2020-01-01T00:00:00Z");
  fs.utimesSync(path.join(folder, GRAPH), old, old);
  expect(homelab("graph").stdout).toMatch(/^second graph LR/);
});

test("a file in orchestrator/commands/ is a command, with help, completion and a line in the overview", () => {
  const file = "orchestrator/commands/hello.ts";
  const flags = '[{ name: "name", value: "NAME", help: "who it is" }]';
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a source file's text
  const run = 'async (args, session) => {\n    session.out(`hello ${args.text("name")}\\n`);\n    return 0;\n  }';
  write(
    `import { defineCommand } from "../cli/command";\n\nexport const command = defineCommand({\n  group: "more",\n  summary: "greets",\n  flags: ${flags},\n  run: ${run},\n});\n`,
    file,
  );
  try {
    expect(homelab("hello", "--name", "you")).toEqual({ code: 0, stdout: "hello you\n", stderr: "" });
    expect(homelab("help").stdout).toMatch(/^ {2}hello +greets$/m);
    expect(homelab("hello", "--help").stdout).toMatch(/--name <NAME> +who it is/);
    expect(homelab("complete", "--", "hello", "--n").stdout).toBe("--name\n");
  } finally {
    fs.rmSync(path.join(folder, file));
  }
  expect(homelab("hello")).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no command hello") });
});

test("where nothing changed nothing is written", () => {
  homelab("help");
  const seen = (): string[] =>
    fs.readdirSync(path.join(folder, "bin"), { recursive: true, withFileTypes: true }).map((entry) => {
      const { ino, mtimeMs } = fs.statSync(path.join(entry.parentPath, entry.name));
      return `${entry.parentPath}/${entry.name} ${ino} ${mtimeMs}`;
    });
  const before = seen();
  expect(homelab("help").code).toBe(0);
  expect(seen()).toEqual(before);
});

test("the compiled file of a removed source is removed", () => {
  write("export const gone = 1;\n", "common/gone.ts");
  homelab("help");
  expect(fs.existsSync(path.join(folder, "bin/common/gone.js"))).toBe(true);
  fs.rmSync(path.join(folder, "common/gone.ts"));
  homelab("help");
  expect(fs.existsSync(path.join(folder, "bin/common/gone.js"))).toBe(false);
});

const ENTRIES: [string, string[]][] = [
  ["homelab", ["orchestrator/bin/homelab", "graph"]],
  ["the embedded engine", ["engine/bin/pulumi", "version"]],
  [
    "the program, as Pulumi's runner loads it",
    ["-e", "try { require('./stacks/main.cjs') } catch (e) { console.error('error: ' + e.message); process.exit(1) }"],
  ],
  ["a provider", ["providers/command/main.cjs"]],
  ["make", ["build/build.cjs"]],
];

describe.each(ENTRIES)("a syntax error stops %s", (_name, args) => {
  const site = path.join("stacks", "broken.ts");
  afterEach(() => fs.rmSync(path.join(folder, site), { force: true }));

  test("with one message: file, line and a caret", () => {
    write('// A site.\nexport const site = {\n  domain: "a"\n  name: "b",\n};\n', site);
    expect(node(...args)).toEqual({
      code: 1,
      stdout: "",
      stderr: "error: stacks/broken.ts:4:3: Expected ',', got 'ident'\n  4 |   name: \"b\",\n    |   ^^^^\n",
    });
  });

  test("also one that only Node sees, and below a tab", () => {
    write("interface Named {\n\tname: string;\n}\nexport const a: Named[] = [];\n\tconst a = 1;\n", site);
    expect(node(...args)).toEqual({
      code: 1,
      stdout: "",
      stderr: "error: stacks/broken.ts:5:8: Identifier 'a' has already been declared\n  5 | \tconst a = 1;\n    | \t      ^\n",
    });
  });
});

describe("a mistake that shows only when a file of the site is loaded is one message that names it, and no bug of ours", () => {
  const file = path.join("site", "site.ts");
  const before = fs.readFileSync(path.join(ROOT, file), "utf8");
  afterEach(() => write(before, file));

  test.each([
    ['import "./gone";', 'site/site.ts imports "./gone", and there is no such file\n  next: restore the file, or remove the import and what uses it\n'],
    ['import "no-such-package";', 'site/site.ts imports "no-such-package", which is not installed\n  next: run `npm ci`\n'],
    [
      'throw new Error("hold on");',
      "site/site.ts: hold on\n  next: correct the file, or a file that it imports; `npm run typecheck` finds most such mistakes\n",
    ],
    ["(globalThis as never)[site].x;", expect.stringMatching(/^site\/site\.ts: .*undefined.*\n {2}next: correct the file/)],
  ])("%s", (line, said) => {
    write(`${before}\n${line}\n`, file);
    const { code, stdout, stderr } = homelab("graph");
    expect({ code, stdout, said: stderr.replace(/^error: /, "") }).toEqual({ code: 1, stdout: "", said });
  });
});

test("several entries that build a checkout at once all run what was written", async () => {
  fs.rmSync(path.join(folder, "bin"), { recursive: true, force: true });
  write(printing("together "));
  const start = (): ChildProcess => spawn(process.execPath, ["orchestrator/bin/homelab", "graph"], { cwd: folder, env: { ...ENV, HOME: folder } });
  const ends = Array.from({ length: 5 }, start).map(
    (child) =>
      new Promise<string>((resolve) => {
        let said = "";
        for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
        child.on("close", (code) => resolve(`${code} ${said.split("\n")[0]}`));
      }),
  );
  expect(await Promise.all(ends)).toEqual(Array.from({ length: 5 }, () => "0 together graph LR"));
  expect(fs.readdirSync(path.join(folder, "bin"), { recursive: true }).filter((name) => String(name).endsWith(".part"))).toEqual([]);
});

test("a typo in a stack's settings is named with its file, and is no bug of ours", () => {
  const file = path.join(folder, "Pulumi.dev.yaml");
  const before = fs.readFileSync(file, "utf8");
  fs.writeFileSync(file, "config:\n  homelab:acmeEmail: [\n");
  // Both readers of it: the program, and the lab's own folder.
  for (const args of [["graph"], ["doctor", "--lab"]]) {
    const { code, stderr } = homelab(...args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: Pulumi\.dev\.yaml: not valid YAML\n {2}because: .* at line 3/)]);
    expect(stderr).not.toContain("This is a bug");
  }
  fs.writeFileSync(file, before);
});
