/** Outside the lab, changes are shown first and need a confirmation. The homelab here is a lab that is used as a real one, by its gateway. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ownIdentity } from "../../common/process-identity";
import { LEFT_OUT } from "../support/homelab";
import { LabState } from "../support/lab-state";
import { type Finished, Rehearsal } from "../support/rehearsal";
import { runbookCommands } from "../support/runbook";

// Starts a lab and previews against it, which takes long on a busy machine.
jest.setTimeout(240_000);

let rehearsal: Rehearsal;
let checkout: string;
let env: Record<string, string>;

beforeAll(async () => {
  rehearsal = new Rehearsal({ stacks: ["tools"], without: LEFT_OUT });
  await rehearsal.startLab();
  env = JSON.parse((await rehearsal.homelab("lab", "env", "--json")).stdout) as Record<string, string>;
  checkout = rehearsal.checkout;
  // The lab's settings, since their secrets are encrypted with the lab's passphrase.
  for (const name of fs.readdirSync(path.join(rehearsal.dir, "work")).filter((file) => /^Pulumi\..+\.yaml$/.test(file)))
    fs.copyFileSync(path.join(rehearsal.dir, "work", name), path.join(checkout, name));
});
afterAll(() => rehearsal.close());

const folderOf = (url: string | undefined): string => new URL(url ?? "").pathname;

/** A lock of the stack as the engine writes it, or, without `process`, as the CLI does. @returns its file */
function heldBy(holder: { pid: number; hostname: string; process?: object }): string {
  const locks = path.join(folderOf(env["PULUMI_BACKEND_URL"]), ".pulumi/locks/organization/homelab/tools");
  const file = path.join(locks, "of-a-test.json");
  fs.mkdirSync(locks, { recursive: true });
  fs.writeFileSync(file, JSON.stringify({ username: "anna", timestamp: "2026-01-02T03:04:05Z", ...holder }));
  return file;
}
const lockOfElsewhere = (): string => {
  const { pid, ...identity } = ownIdentity() ?? { pid: 0 };
  return heldBy({ pid, hostname: "elsewhere", process: { ...identity, bootId: "another" } });
};

/** Runs `homelab` without a terminal. */
const run = (...args: string[]): Promise<Finished> => rehearsal.start(args, { env, checkout }).done;
/** Runs `homelab` at a terminal at which `input` is typed. */
const typing = (input: string, ...args: string[]): Promise<Finished> => {
  const asTerminal = `--require ${JSON.stringify(path.join(__dirname, "../support/as-terminal.cjs"))}`;
  return rehearsal.start(args, { env: { ...env, NODE_OPTIONS: asTerminal, TERM: "dumb" }, checkout, input }).done;
};

test.each([["up", "tools"], ["destroy"], ["unlock", "tools"], ["up", "--json"]])(
  "%s %s without --yes is refused where nobody can answer, and nothing is touched",
  async (...args) => {
    const before = await rehearsal.lastSeq();
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([4, ""]);
    expect(stderr).toMatch(
      /^error: homelab \w+ (changes the real homelab|clears locks of the real homelab's stacks), and .*\n {2}next: add --yes in a script, or --lab to do it in the lab\n$/,
    );
    expect(await rehearsal.lastSeq()).toBe(before);
    expect(fs.existsSync(path.join(checkout, ".homelab"))).toBe(false);
  },
);

test("up shows its preview and asks with the site's name; no, and the end of the input, change nothing", async () => {
  for (const answer of ["perhaps\nno\n", ""]) {
    const { code, stdout, stderr } = await typing(answer, "up", "tools");
    expect([code, stderr]).toEqual([4, ""]);
    expect(stdout).toMatch(/^tools +complete +\d{2,} /m);
    expect(stdout).toMatch(/Change the homelab fullstack\.pw as shown\? \(yes\/no\) \n?nothing was changed\n$/);
    expect(stdout.match(/as shown\?/g)).toHaveLength(answer === "" ? 1 : 2);
  }
  expect(await rehearsal.writes()).toEqual([]);
});

test("a change of production that nobody agreed to is refused, by --yes too, and nothing is written", async () => {
  const file = path.join(checkout, "site", "stacks.ts");
  const text = fs.readFileSync(file, "utf8");
  const compile = (): unknown => execFileSync(process.execPath, [path.join(checkout, "build", "build.cjs")], { cwd: checkout, stdio: "pipe" });
  fs.writeFileSync(file, text.replace(/^ {2}tools: \{\n {4}description:/m, "  tools: {\n    production: true,\n    description:"));
  try {
    compile();
    const { code, stderr } = await run("up", "tools", "--yes");
    expect([code, stderr]).toEqual([
      4,
      expect.stringMatching(
        /and --yes does not agree to that:\n {2}tools: changes production, in \d{2,} resources\n {2}next: agree to each by --approve tools\n$/,
      ),
    ]);
    expect(await rehearsal.writes()).toEqual([]);
  } finally {
    fs.writeFileSync(file, text);
    compile();
  }
});

test("a terminal that is dumb gets lines without a control sequence, another one a tree that is redrawn", async () => {
  const dumb = await typing("no\n", "destroy", "tools");
  expect([dumb.code, dumb.stdout.includes("\u001b")]).toEqual([4, false]);
  const asTerminal = `--require ${JSON.stringify(path.join(__dirname, "../support/as-terminal.cjs"))}`;
  const able = { ...env, NODE_OPTIONS: asTerminal, TERM: "xterm-256color", NO_COLOR: undefined };
  const shown = async (more: NodeJS.ProcessEnv): Promise<string> =>
    (await rehearsal.start(["destroy", "tools"], { env: { ...able, ...more }, checkout, input: "no\n" }).done).stdout.replaceAll("\u001b", "ESC");
  const coloured = await shown({});
  expect(coloured).toMatch(/ESC\[\d+AESC\[0J/);
  expect(coloured).toMatch(/ESC\[\d\dm *[▶✔] tools .*ESC\[0m/);
  const plain = await shown({ NO_COLOR: "1" });
  expect(plain).toMatch(/ESC\[\d+AESC\[0J/);
  expect(plain).not.toMatch(/ESC\[[\d;]*m/);
});

test("destroy asks for the site's name: yes is not enough", async () => {
  const { code, stdout } = await typing("yes\n", "destroy", "tools");
  expect([code, stdout]).toEqual([4, expect.stringMatching(/Type its name to go on: nothing was changed\n$/)]);
  expect((await typing("fullstack.pw\n", "destroy", "tools")).code).toBe(0);
});

test("--yes is for scripts", async () => {
  const { code, stdout } = await run("destroy", "--yes");
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^tools +succeeded/m)]);
});

test("a stack that nobody holds needs no unlocking", async () => {
  expect(await run("unlock", "tools", "--yes")).toMatchObject({ code: 0, stdout: "tools is not locked\n" });
});

test("runs and the engine are told by commands of homelab what to do about a lock, and about creations that are pending", () => {
  expect(env).toMatchObject({ HOMELAB_UNLOCK_COMMAND: "homelab unlock <stack> --lab", HOMELAB_PENDING_COMMAND: "homelab pending <stack> --lab" });
});

test("in the lab no engine downloads a plugin", () => {
  expect(env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"]).toBe("true");
});

test("of two runs at once one works; the other ends at once and names it, and with --wait it goes on afterwards", async () => {
  const first = typing("", "destroy", "tools");
  const locks = path.join(checkout, ".homelab", "run-locks");
  while (!fs.existsSync(locks) || fs.readdirSync(locks).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const second = await run("destroy", "tools", "--yes");
  expect([second.code, second.stdout]).toEqual([1, ""]);
  expect(second.stderr).toMatch(/^error: homelab destroy of \S+@\S+ \(process \d+, since \S+\) is under way\n {2}next: wait for its end, or add --wait/);
  const waiting = await run("destroy", "tools", "--yes", "--wait");
  expect([waiting.code, waiting.stderr]).toEqual([0, expect.stringContaining("waiting for its end\n")]);
  await first;
});

test("the lock of a run on this machine is not cleared while that runs; the lock of one elsewhere is", async () => {
  const { pid, ...identity } = ownIdentity() ?? { pid: 0 };
  const file = heldBy({ pid, hostname: os.hostname(), process: identity });
  const refused = await run("unlock", "tools", "--yes");
  expect([refused.code, refused.stdout, fs.existsSync(file)]).toEqual([1, "", true]);
  expect(refused.stderr).toMatch(
    new RegExp(`^error: tools is held by anna@.* \\(process ${pid}, since .*\\), which runs on this machine\\n {2}next: .*kill ${pid}`),
  );
  expect(lockOfElsewhere()).toBe(file);
  const cleared = await run("unlock", "tools", "--yes");
  expect([cleared.code, cleared.stderr, fs.existsSync(file)]).toEqual([0, "", false]);
  expect(cleared.stdout).toContain("tools is held by anna@elsewhere");
});

test("a run whose stack is held by a run elsewhere: at a terminal a table with the failure, who holds it, and the command that clears it", async () => {
  const file = lockOfElsewhere();
  const { code, stdout } = await typing("fullstack.pw\n", "destroy", "tools");
  expect([code, fs.existsSync(file)]).toEqual([1, true]);
  expect(stdout).toMatch(
    /^✘ tools: another run holds the stack: anna@elsewhere \(process \d+, since 2026-01-02T03:04:05Z\)\n {2}next: .* `?homelab unlock tools/m,
  );
  expect(stdout).toMatch(/^tools +failed +0 /m);
  fs.rmSync(file);
});

test("doctor finds a bucket for the states that does not answer, and looks at the rest all the same", async () => {
  // Port 9 is `discard`: nothing listens there.
  const bucket = "s3://states?endpoint=http://127.0.0.1:9&region=main&s3ForcePathStyle=true";
  const keys = { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" };
  const { code, stdout } = await rehearsal.start(["doctor", "--json"], { env: { ...env, ...keys, PULUMI_BACKEND_URL: bucket }, checkout }).done;
  const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string; says: string; next?: string }[] };
  const wrong = checks.filter(({ verdict }) => verdict === "wrong");
  expect([code, wrong.map(({ name }) => name)]).toEqual([1, ["backend"]]);
  expect(wrong[0]).toMatchObject({ says: expect.stringContaining("bucket states at http://127.0.0.1:9"), next: expect.stringMatching(/\S/) });
  expect(checks.find(({ name }) => name === "proxmox")).toMatchObject({ verdict: "ok" });
});

/** The smallest state that has a VM. The machine itself is nowhere: what the commands below change is the state alone. */
async function stateWithVm(): Promise<void> {
  const state = new LabState(rehearsal, "tools");
  const exported = await state.read();
  const urn = (type: string, name: string): string => `urn:pulumi:tools::homelab::${type}::${name}`;
  const stack = urn("pulumi:pulumi:Stack", "homelab-tools");
  const provider = urn("pulumi:providers:proxmoxve", "proxmox");
  const vm = "proxmoxve:index/vmLegacy:VmLegacy";
  exported.deployment.resources = [
    { urn: stack, custom: false, type: "pulumi:pulumi:Stack" },
    { urn: provider, custom: true, id: "a-provider", type: "pulumi:providers:proxmoxve", inputs: {}, outputs: {}, parent: stack },
    { urn: urn(vm, "dns-vm"), custom: true, id: "100", type: vm, inputs: {}, outputs: {}, parent: stack, provider: `${provider}::a-provider` },
  ];
  await state.write(exported);
}

const stateFile = (backend = folderOf(env["PULUMI_BACKEND_URL"])): string => path.join(backend, ".pulumi", "stacks", "homelab", "tools.json");
const stored = (): string => fs.readFileSync(stateFile(), "utf8");

describe("commands that overwrite states", () => {
  let copy: string;
  let elsewhere: string;
  let commands: [words: string[], refusal: string, question: string][];
  beforeAll(async () => {
    // Where only these tests run, nothing has made the stack.
    if (!fs.existsSync(stateFile())) expect((await typing("no\n", "up", "tools")).code).toBe(4);
    await stateWithVm();
    copy = path.join(rehearsal.dir, "copy-of-tools");
    elsewhere = `file://${rehearsal.dir}/elsewhere`;
    fs.mkdirSync(folderOf(elsewhere));
    expect(await run("state", "backup", "tools", "--to", copy)).toMatchObject({ code: 0, stderr: "" });
    const moved = await run("state", "migrate", "tools", "--to", elsewhere);
    expect([moved.code, moved.stderr, moved.stdout]).toEqual([
      0,
      "",
      expect.stringMatching(/^tools: 3 resources, sha256 [0-9a-f]{16}, the same on both sides$/m),
    ]);
    commands = [
      [
        ["restore", "tools", "--from", copy],
        "homelab state restore overwrites states of the real homelab",
        "This puts these copies in the place of the states of the homelab fullstack.pw. ",
      ],
      [["repair", "tools"], "homelab state repair edits states of the real homelab", "This edits the states of tools of the homelab fullstack.pw. "],
      [
        ["forget", "tools", "dns"],
        "homelab state forget edits a state of the real homelab",
        "This takes the VM dns out of the state of tools, of the homelab fullstack.pw. ",
      ],
      [
        ["migrate", "--back"],
        "homelab state migrate --back overwrites and removes states of the real homelab",
        `This puts the states of tools back into ${env["PULUMI_BACKEND_URL"]} and removes them from ${elsewhere}, of the homelab fullstack.pw. `,
      ],
    ];
  });

  test("refuse where nobody can answer and --yes is not given", async () => {
    const before = stored();
    for (const [words, refusal] of commands)
      expect(await run("state", ...words)).toEqual({
        code: 4,
        signal: null,
        stdout: "",
        stderr: `error: ${refusal}, and there is no terminal to ask at\n  next: add --yes in a script, or --lab to do it in the lab\n`,
      });
    expect(stored()).toBe(before);
    expect(fs.existsSync(path.join(checkout, ".homelab", "backups"))).toBe(false);
  });

  test("ask for the homelab's name: yes, and the end of the input, change nothing", async () => {
    const before = stored();
    for (const [words, , question] of commands)
      for (const typed of words[0] === "restore" ? ["yes\n", ""] : ["yes\n"]) {
        const { code, stdout, stderr } = await typing(typed, "state", ...words);
        expect([words, code, stderr]).toEqual([words, 4, ""]);
        expect(stdout.endsWith(`${question}Type its name to go on: ${typed === "" ? "\n" : ""}nothing was changed\n`)).toBe(true);
      }
    expect(stored()).toBe(before);
    expect(fs.existsSync(stateFile(folderOf(elsewhere)))).toBe(true);
    expect(fs.existsSync(path.join(checkout, ".homelab", "backups"))).toBe(false);
  });

  test("wait for no run that is under way: they name it, and change nothing", async () => {
    const before = stored();
    const locks = path.join(checkout, ".homelab", "run-locks");
    const claim = { state: "held", id: "of-a-test", operation: "up", user: "anna", host: os.hostname(), pid: process.pid, since: "2026-01-02T03:04:05Z" };
    const file = path.join(locks, "of-a-test.json");
    fs.mkdirSync(locks, { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ ...claim, process: ownIdentity() }));
    try {
      for (const words of [...commands.map(([first]) => first), ["migrate", "tools", "--to", elsewhere]]) {
        const { code, stderr } = await run("state", ...words, "--yes");
        expect([words, code, stderr]).toEqual([
          words,
          1,
          expect.stringMatching(/^error: homelab up of anna@\S+ \(process \d+, since \S+\) is under way\n {2}next: wait for its end\n$/),
        ]);
      }
    } finally {
      fs.rmSync(file);
    }
    expect(stored()).toBe(before);
    expect(fs.existsSync(stateFile(folderOf(elsewhere)))).toBe(true);
  });

  test("do it once the name is typed, or --yes is given", async () => {
    const back = await typing("fullstack.pw\n", "state", "migrate", "--back");
    expect([back.code, back.stderr]).toEqual([0, ""]);
    expect(back.stdout).toMatch(/tools: 3 resources are back in file:.*\nthe stacks are in file:.* again\n$/);
    expect(fs.existsSync(stateFile(folderOf(elsewhere)))).toBe(false);
    const forgotten = await typing("fullstack.pw\n", "state", "forget", "tools", "dns");
    expect([forgotten.code, forgotten.stderr, stored().includes("::dns-vm")]).toEqual([0, "", false]);
    const restored = await run("state", "restore", "tools", "--from", copy, "--yes");
    expect([restored.code, restored.stderr, stored().includes("::dns-vm")]).toEqual([0, "", true]);
    const repaired = await typing("fullstack.pw\n", "state", "repair", "tools");
    expect([repaired.code, repaired.stderr]).toEqual([0, ""]);
    const kept = fs.readdirSync(path.join(checkout, ".homelab", "backups")).map((name) => name.replace(/^.*Z-/, ""));
    expect(kept.toSorted()).toEqual(["before-forget", "before-repair", "before-restore"]);
  });

  test("a lock of another machine is cleared by what docs/runbooks.md says: it says who holds it; no leaves the lock, yes clears it", async () => {
    const commands = runbookCommands("A stack is locked");
    expect(commands).toEqual(["status", "state unlock <stack>"]);
    const [look = "", clear = ""] = commands;
    const words = clear.replace("<stack>", "tools").split(" ");
    const file = heldBy({ pid: 1, hostname: "elsewhere" });
    expect((await run(look)).stdout).toMatch(/^tools +locked /m);
    const question = /^tools is held by anna@elsewhere.*\nClear the lock of tools\? If the run that holds it is still alive, .* \(yes\/no\) /;
    for (const typed of ["no\n", ""]) {
      const left = await typing(typed, ...words);
      expect([left.code, left.stderr, fs.existsSync(file)]).toEqual([4, "", true]);
      expect(left.stdout).toMatch(question);
      expect(left.stdout).toMatch(/tools stays locked\n$/);
    }
    const cleared = await typing("yes\n", ...words);
    expect([cleared.code, cleared.stderr, fs.existsSync(file)]).toEqual([0, "", false]);
  });
});
