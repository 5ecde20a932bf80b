/** Outside the lab, changes are shown first and need a confirmation. The homelab here is a lab that is used as a real one, by its gateway. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ownIdentity } from "../../common/process-identity";
import { LEFT_OUT } from "../support/homelab";
import { type Finished, Rehearsal } from "../support/rehearsal";

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
  const locks = path.join(new URL(env["PULUMI_BACKEND_URL"] ?? "").pathname, ".pulumi/locks/organization/homelab/tools");
  const { pid, ...identity } = ownIdentity() ?? { pid: 0 };
  const lock = { pid, username: "anna", hostname: os.hostname(), timestamp: "2026-01-02T03:04:05Z" };
  const file = path.join(locks, "of-a-test.json");
  fs.mkdirSync(locks, { recursive: true });
  fs.writeFileSync(file, JSON.stringify({ ...lock, process: identity }));
  const refused = await run("unlock", "tools", "--yes");
  expect([refused.code, refused.stdout, fs.existsSync(file)]).toEqual([1, "", true]);
  expect(refused.stderr).toMatch(
    new RegExp(`^error: tools is held by anna@.* \\(process ${pid}, since .*\\), which runs on this machine\\n {2}next: .*kill ${pid}`),
  );
  fs.writeFileSync(file, JSON.stringify({ ...lock, hostname: "elsewhere", process: { ...identity, bootId: "another" } }));
  const cleared = await run("unlock", "tools", "--yes");
  expect([cleared.code, cleared.stderr, fs.existsSync(file)]).toEqual([0, "", false]);
  expect(cleared.stdout).toContain("tools is held by anna@elsewhere");
});
