/**
 * Mistakes at the command line, in a file, or in the current folder give one error that names the thing and says what to do next, with
 * the exit code of docs/cli.md. A process is started only to look up a stack's name. tests/rehearsal/bad-input.test.ts has mistakes with
 * a running lab, and orchestrator/store/run-store.test.ts those with a run's folder.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../../common/clock";
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { createRedactor } from "../../common/redact";
import { allCommands } from "../../orchestrator/cli/catalogue";
import { leafOf } from "../../orchestrator/cli/command";
import { exitCodeOf } from "../../orchestrator/cli/exit-of-error";
import type { Session } from "../../orchestrator/cli/session";
import { createSinks } from "../../orchestrator/cli/sinks";
import { runCommandLine } from "../../orchestrator/command-line";
import { buildReport } from "../../orchestrator/report/report";
import { reportSchema } from "../../orchestrator/report/report-schema";
import { StackGraph } from "../../orchestrator/target/graph";

jest.setTimeout(60_000);

const USAGE = 2;
const FAILED = 1;
const REFUSED = 4;

let folder: string;
const former = process.env["HOMELAB_LAB_DIR"];
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-bad-"));
  process.env["HOMELAB_LAB_DIR"] = path.join(folder, "lab");
  fs.writeFileSync(path.join(folder, "half.json"), '{"version": 1, "stacks": [');
  fs.writeFileSync(path.join(folder, "other.json"), '{"version": 7}');
  fs.mkdirSync(path.join(folder, "broken-lab"));
  fs.writeFileSync(path.join(folder, "broken-lab", "lab.json"), "{");
});
afterAll(() => {
  if (former === undefined) delete process.env["HOMELAB_LAB_DIR"];
  else process.env["HOMELAB_LAB_DIR"] = former;
  fs.rmSync(folder, { recursive: true });
});

interface Said {
  code: number;
  error?: string;
  next?: string | undefined;
  out: string;
}

async function typed(argv: readonly string[], answers?: readonly (string | undefined)[]): Promise<Said> {
  const redactor = createRedactor();
  let out = "";
  const sink = {
    write: (text: string) => {
      out += text;
    },
  };
  const left = [...(answers ?? [])];
  const session: Session = {
    ...createSinks(redactor, sink, sink),
    terminal: { interactive: false, asks: answers !== undefined, colour: false, columns: () => 80, rows: () => 24 },
    ask: async () => left.shift(),
    clock: systemClock,
    onInterrupt: () => () => undefined,
    redactor,
  };
  try {
    return { code: await runCommandLine(argv, session), out };
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return { code: exitCodeOf(thrown), error: thrown.message, next: thrown.hint, out };
  }
}

/** `@` stands for the folder of the test. */
const at = (words: readonly string[]): string[] => words.map((word) => word.replace("@", folder));

const ANY = expect.any(String);

describe("what somebody gets wrong is one error that says what to do", () => {
  test.each<[readonly string[], number, string | RegExp, unknown]>([
    // Commands and verbs.
    [["frobnicate"], USAGE, "there is no command frobnicate", expect.stringMatching(/^use one of: up, preview, /)],
    [["previw"], USAGE, "there is no command previw", "did you mean preview? See `homelab help`"],
    [["help", "upp"], USAGE, "there is no command upp", "did you mean up? See `homelab help`"],
    [["lab"], USAGE, "lab takes start, stop, status or env, not nothing", "see `homelab help lab`"],
    [["lab", "stat"], USAGE, "lab takes start, stop, status or env, not stat", "did you mean start? See `homelab help lab`"],
    [["state"], USAGE, /^state takes backup, restore, repair, /, "see `homelab help state`"],
    [["UP"], USAGE, "there is no command UP", ANY],
    [[""], USAGE, "there is no command ", ANY],
    // Flags.
    [["up", "--lbb"], USAGE, "unknown option '--lbb'", "did you mean --lab? See `homelab help up`"],
    [["up", "-x"], USAGE, "unknown option '-x'", ANY],
    [["up", "--concurrency"], USAGE, /--concurrency.* argument missing$/, "see `homelab help up`"],
    [["up", "--concurrency", "0"], USAGE, "--concurrency takes a whole number of at least 1, not 0", undefined],
    [["up", "--concurrency", "-3"], USAGE, "--concurrency takes a whole number of at least 1, not -3", undefined],
    [["up", "--parallel", "1.5"], USAGE, "--parallel takes a whole number of at least 1, not 1.5", undefined],
    [["up", "--timeout", "soon"], USAGE, "--timeout takes a whole number of at least 1, not soon", undefined],
    [["up", "--concurrency", "9999999"], USAGE, "--concurrency takes a whole number of at least 1, not 9999999", undefined],
    [["up", "--engine", "terraform"], USAGE, "--engine takes auto, pulumi, embedded, not terraform", undefined],
    [["graph", "--format", "png"], USAGE, "--format takes mermaid, dot, json, not png", undefined],
    [["lab", "stop", "--latency", "zero"], USAGE, "unknown option '--latency'", "see `homelab help lab stop`"],
    [["lab", "start", "--proxy-port", "99999"], USAGE, "--proxy-port takes a port (0: any that is free), not 99999", undefined],
    [["rebuild", "--only"], USAGE, "unknown option '--only'", "see `homelab help rebuild`"],
    [["rehearse", "--seed", "0"], USAGE, "--seed takes a whole number of at least 1, not 0", undefined],
    [["preview", "--report", ""], USAGE, "--report takes FILE, and got an empty text", "a variable of the shell that is not set gives an empty text"],
    [["up", "--approve="], USAGE, /^--approve takes .*, and got an empty text$/, ANY],
    [["preview", "--engine", ""], USAGE, "--engine takes NAME, and got an empty text", ANY],
    [["up", "--plan", ""], USAGE, "--plan takes FILE, and got an empty text", ANY],
    [["secrets", "generate", "redis", "--env"], USAGE, /^(unknown option '--env'|.* argument missing)$/, ANY],
    [["help", "secrets", "generat"], USAGE, /^secrets takes .*, not generat$/, "did you mean generate? See `homelab help secrets`"],
    // Positional arguments.
    [["graph", "dev"], USAGE, "graph takes no words", "see `homelab help graph`"],
    [["unlock"], USAGE, "unlock takes <stack>…", "see `homelab help unlock`"],
    [["secrets", "set", "entry"], USAGE, "secrets set takes <entry> <key>", "see `homelab help secrets set`"],
    [["secrets", "set", "entry", "key", "hunter2"], USAGE, "secrets set takes <entry> <key>", "see `homelab help secrets set`"],
    [["completion", "tcsh"], USAGE, "completion takes bash, zsh, fish as <shell>, not tcsh", "see `homelab help completion`"],
    // Flags that exclude or need each other.
    [["pending", "--adopt", "--clear"], USAGE, "--adopt and --clear exclude each other", undefined],
    [["comment"], USAGE, "comment takes --report FILE", "a report is written by `homelab preview --report FILE`"],
    [["comment", "--report", "@/half.json", "--github", "--gitlab"], USAGE, "comment takes --github or --gitlab, not both", undefined],
    [["init"], USAGE, "there is no terminal to ask at", ANY],
    [["resume", "../../etc/passwd"], USAGE, "resume takes no words", "see `homelab help resume`"],
    [["vault", "unsael"], USAGE, "vault takes status, unseal, root, revoke, orphans or delete, not unsael", "did you mean unseal? See `homelab help vault`"],
    [["vault", "delete"], USAGE, "vault delete takes <entry>…", "see `homelab help vault delete`"],
    [["dev", "--stack", "stg", "--stack"], USAGE, /--stack.* argument missing$/, "see `homelab help dev`"],
    [["issue"], USAGE, "issue takes --drift FILE", ANY],
    // Files.
    [["comment", "--report", "/dev/zero"], FAILED, /^\/dev\/zero is no report: not a file of at most 32 MiB$/, undefined],
    [["comment", "--report", "@/half.json"], FAILED, /half\.json is no report of a run/, undefined],
    [["comment", "--report", "@/other.json"], FAILED, /other\.json is no report of a run/, undefined],
    [["comment", "--report", "@"], FAILED, /is no report: not a file of at most 32 MiB$/, undefined],
    // Changes without an agreement.
    [["up"], REFUSED, "homelab up changes the real homelab, and there is no terminal to ask at", "add --yes in a script, or --lab to do it in the lab"],
    [["rebuild"], REFUSED, "homelab rebuild builds the real homelab, and there is no terminal to ask at", ANY],
    [["destroy", "--json"], REFUSED, "homelab destroy changes the real homelab, and --json leaves no room for a question", ANY],
    [["hosts", "apply"], REFUSED, "homelab hosts apply changes hosts of the real homelab, and there is no terminal to ask at", ANY],
    [["vault", "delete", "x"], REFUSED, /^homelab vault delete takes entries of the real homelab's Vault away, and there is no terminal/, ANY],
    [["pending", "--clear"], REFUSED, /^homelab pending --clear forgets what may exist in the real homelab, and there is no terminal/, ANY],
    // No lab.
    [["up", "--lab"], FAILED, "the lab is not running", "start it with `npx homelab lab start` (or `make lab`)"],
    [["lab", "status"], FAILED, "the lab is not running", ANY],
  ])("homelab %j ends with %d, says what is wrong and what to do", async (argv, code, error, next) => {
    const said = await typed(at(argv));
    expect(said).toEqual({ code, error: typeof error === "string" ? error : expect.stringMatching(error), next, out: "" });
    expect(JSON.stringify(said)).not.toContain("hunter2");
  });
});

const STACK = /^there is no stack "?nosuch"?$/;
/** For each command that takes a name of the checkout, a command line with a name that the checkout does not have. */
const UNKNOWN: readonly (readonly [line: string, error: string | RegExp])[] = [
  ["up nosuch --yes", STACK],
  ["preview nosuch", STACK],
  ["refresh nosuch", STACK],
  ["destroy nosuch --yes", STACK],
  ["drift nosuch", STACK],
  ["status nosuch", STACK],
  ["outputs nosuch", STACK],
  ["pending nosuch", STACK],
  ["unlock nosuch --yes", STACK],
  ["state backup nosuch", STACK],
  ["state repair nosuch --yes", STACK],
  ["state forget nosuch vm --yes", STACK],
  ["state unlock nosuch --yes", STACK],
  ["state history nosuch", STACK],
  ["apps nosuch", STACK],
  ["charts verify nosuch", STACK],
  ["upgrades nosuch", STACK],
  ["render nosuch", STACK],
  ["values nosuch vault", STACK],
  ["values dev nosuch", 'dev has no module "nosuch"'],
  ["delivered nosuch --github", STACK],
  ["delivered ../nosuch --github", "there is no stack ../nosuch"],
  ["promote nosuch --from dev --to stg", 'dev has no application "nosuch"'],
  ["promote writer --from nosuch --to stg", STACK],
  ["dev nosuch", 'dev has no application "nosuch"'],
  ["dev writer --stack nosuch", STACK],
  ["images build nosuch", "images/images.yaml builds no nosuch"],
  ["ssh nosuch", "there is no host nosuch"],
  ["hosts check --host nosuch", "there is no host nosuch"],
  ["secrets list --env nosuch", STACK],
  ["secrets get nosuch key", "there is no secrets/common/nosuch.yaml"],
  ["secrets get cloudflare nosuch", 'there is no "nosuch" in secrets/common/cloudflare.yaml'],
  ["secrets set nosuch key", "there is no secrets/common/nosuch.yaml"],
  ["secrets view nosuch", "there is no secrets/common/nosuch.yaml"],
  ["secrets edit nosuch", "there is no secrets/common/nosuch.yaml"],
  ["secrets rotate nosuch", "there is no secrets/common/nosuch.yaml"],
  ["secrets recipients nosuch", "there is no secrets/common/nosuch.yaml"],
  ["secrets generate nosuch", '"nosuch" is not a credential that homelab generates'],
  ["new stack x --like nosuch", 'site/stacks.ts has no stack "nosuch"'],
  ["new vm x --stack dev --like nosuch", 'there is no VM "nosuch"'],
  ["new module x --chart https://c.example.org/x --version 1.2.3 --stack nosuch", 'site/stacks.ts has no stack "nosuch"'],
  ["new app x --image example.org/x:1 --stack nosuch", 'site/stacks.ts has no stack "nosuch"'],
  ["help nosuch", "there is no command nosuch"],
];
/** Their stacks are those of a folder or a backend, and not of the checkout. */
const OF_OTHERS = new Set(["state restore", "state migrate"]);

describe("a name that the checkout does not have is a usage error, whatever it names", () => {
  const former = process.env["SOPS_AGE_KEY_FILE"];
  beforeAll(() => {
    process.env["SOPS_AGE_KEY_FILE"] = path.join(projectRoot(), "secrets/lab-only.agekey");
  });
  afterAll(() => {
    if (former === undefined) delete process.env["SOPS_AGE_KEY_FILE"];
    else process.env["SOPS_AGE_KEY_FILE"] = former;
  });

  test.each(UNKNOWN)("homelab %s", async (line, error) => {
    const said = await typed(line.split(" "));
    expect(said).toEqual({ code: USAGE, error: typeof error === "string" ? error : expect.stringMatching(error), next: ANY, out: "" });
  });

  test("every command that takes a stack is among them", () => {
    const leaves = allCommands().flatMap((command) => Object.keys(command.verbs ?? { "": 0 }).map((verb) => leafOf(command, verb)));
    const take = leaves.filter(({ words }) => words.some(({ names }) => names === "stack")).map((leaf) => leaf.path);
    expect(take.length).toBeGreaterThan(20);
    expect(take.filter((of) => !OF_OTHERS.has(of) && !UNKNOWN.some(([line]) => line.startsWith(`${of} `)))).toEqual([]);
  });
});

test("no command at all is a usage error, and shows all of them", async () => {
  expect(await typed([])).toEqual({ code: USAGE, out: expect.stringContaining("homelab") });
});

test("a stack that there is not: with the nearest, and all that there are", () => {
  const graph = new StackGraph(["tools", "dev"].map((name) => ({ name, needs: [], description: "" })));
  expect(() => graph.node("tolls")).toThrow(
    expect.objectContaining({ code: "E_STACK_UNKNOWN", message: "there is no stack tolls", hint: "did you mean tools? The stacks are: tools, dev" }),
  );
});

test("an invalid file of the lab is named, with what to do", async () => {
  process.env["HOMELAB_LAB_DIR"] = path.join(folder, "broken-lab");
  const file = path.join(folder, "broken-lab", "lab.json");
  expect(await typed(["lab", "status"])).toEqual({ code: FAILED, error: `${file} is not a lab's file`, next: `stop the lab and remove ${file}`, out: "" });
  process.env["HOMELAB_LAB_DIR"] = path.join(folder, "lab");
});

test("a lab's folder that is a file is named, with the variable that gives it", async () => {
  process.env["HOMELAB_LAB_DIR"] = path.join(folder, "half.json");
  const file = path.join(folder, "half.json", "lab.json");
  for (const words of [
    ["lab", "status"],
    ["preview", "--lab"],
  ])
    expect(await typed(words)).toEqual({ code: FAILED, error: `${file} cannot be read`, next: "HOMELAB_LAB_DIR names the folder of the lab", out: "" });
  process.env["HOMELAB_LAB_DIR"] = path.join(folder, "lab");
});

test("the end of the input counts as a no", async () => {
  expect(await typed(["hosts", "apply"], [undefined])).toMatchObject({ code: REFUSED, out: "nothing was changed\n" });
});

test("after the clock was set back during a run, its report can still be read", () => {
  const report = buildReport({
    operation: "up",
    site: "lab",
    engine: { name: "embedded", why: "" },
    startedAt: 2_000_000,
    finishedAt: 1_000_000,
    outcomes: [{ stack: "dev", status: "succeeded", changes: {}, startedAt: 1_900_000, finishedAt: 1_000_000 }],
    warnings: [],
    estate: undefined,
    steps: new Map(),
    failures: new Map(),
    diagnostics: new Map(),
  });
  expect(reportSchema.safeParse(report).error).toBeUndefined();
  expect([report.duration, report.stacks[0]?.duration, report.stacks[0]?.offset]).toEqual([0, 0, 0]);
});
