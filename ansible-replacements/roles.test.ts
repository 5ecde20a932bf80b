import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Bash, defineCommand } from "just-bash";
import { quote } from "../common/quote";
import { testWithShells } from "../tests/support/shells";
import { compileRole, secretInput } from "./compile";
import { command, waitUntil } from "./operations/commands";
import { directory, file } from "./operations/files";
import { parseRoleReport } from "./report";
import type { Role } from "./role";
import { combineRoles } from "./role";
import { base } from "./roles/base";
import { k3sServer } from "./roles/k3s-server";

const owner = `${os.userInfo().username}:${execFileSync("id", ["-gn"], { encoding: "utf8" }).trim()}`;
let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "homelab röle-"));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

/** Runs a role's script with the real shell, as the remote command does but without sudo. */
function run(role: Role, options: { check?: boolean; secrets?: Record<string, string>; shell?: string } = {}) {
  const result = spawnSync(options.shell ?? "sh", ["-c", compileRole(role).script], {
    encoding: "utf8",
    input: secretInput(role, options.secrets ?? {}),
    // Without SHLVL, bash takes a socket on standard input for a remote login and reads its start-up files.
    env: { PATH: "/usr/bin:/bin", SHLVL: "1", HOMELAB_CHECK: options.check === true ? "1" : "0" },
  });
  return { ...result, ...parseRoleReport(result.stdout) };
}

const AWKWARD = "it's \"quoted\" $HOME `date` \\n\n\ttab ünïcode ' end\n";

const files = (): Role => ({
  name: "files",
  operations: [directory(`${root}/a b/c`, { mode: "0750", owner }), file({ path: `${root}/a b/c/it's.conf`, mode: "0600", owner, content: AWKWARD })],
});

describe.each(["sh", "bash"])("with %s", (shell) => {
  test("a first run makes what is missing, and a second changes nothing", () => {
    const first = run(files(), { shell });
    expect(first.stderr).toBe("");
    expect(first.status).toBe(0);
    expect(first.operations.map((o) => o.status)).toEqual(["changed", "changed"]);
    const target = `${root}/a b/c/it's.conf`;
    expect(fs.readFileSync(target, "utf8")).toBe(AWKWARD);
    expect((fs.statSync(target).mode & 0o777).toString(8)).toBe("600");
    expect((fs.statSync(`${root}/a b/c`).mode & 0o777).toString(8)).toBe("750");
    const before = fs.statSync(target).mtimeMs;
    const second = run(files(), { shell });
    expect(second.operations.map((o) => o.status)).toEqual(["ok", "ok"]);
    expect(second.summary).toEqual({ changed: 0, unchanged: 2 });
    expect(fs.statSync(target).mtimeMs).toBe(before);
    expect(fs.readdirSync(`${root}/a b/c`)).toEqual(["it's.conf"]);
  });

  test("check mode says what would change and changes nothing", () => {
    const { operations, summary } = run(files(), { shell, check: true });
    expect(operations.map((o) => o.status)).toEqual(["would-change", "would-change"]);
    expect(summary).toEqual({ changed: 2, unchanged: 0 });
    expect(fs.readdirSync(root)).toEqual([]);
  });

  test("a changed mode and changed content are each corrected", () => {
    run(files(), { shell });
    const target = `${root}/a b/c/it's.conf`;
    fs.chmodSync(target, 0o644);
    expect(run(files(), { shell }).operations.map((o) => o.status)).toEqual(["ok", "changed"]);
    expect((fs.statSync(target).mode & 0o777).toString(8)).toBe("600");
    fs.writeFileSync(target, "other");
    expect(run(files(), { shell }).operations.map((o) => o.status)).toEqual(["ok", "changed"]);
    expect(fs.readFileSync(target, "utf8")).toBe(AWKWARD);
  });

  test("the next run completes one that was cut", () => {
    fs.mkdirSync(`${root}/a b/c`, { recursive: true });
    fs.writeFileSync(`${root}/a b/c/it's.conf.homelab-part`, "half");
    expect(run(files(), { shell }).status).toBe(0);
    expect(fs.readdirSync(`${root}/a b/c`)).toEqual(["it's.conf"]);
  });

  test("a failure stops the role, with the operation, its exit code and the tail of what it printed", () => {
    const role: Role = {
      name: "broken",
      operations: [
        command("fails", `[ -e ${quote(root)}/never ]`, `{ printf 'bad "disk"\\tfull\\n\\033second \\\\ line\\n' >&2; (exit 7); }`),
        command("never reached", "true", `touch ${quote(root)}/reached`),
      ],
    };
    const { status, operations, summary, stderr } = run(role, { shell });
    expect(status).toBe(1);
    expect(operations).toEqual([{ operation: "fails", status: "failed", phase: "apply", exitCode: 7, stderr: 'bad "disk"\tfull\nsecond \\ line' }]);
    expect(summary).toBeUndefined();
    expect(stderr).toContain('operation "fails" failed on ');
    expect(stderr).toContain("(apply, exit code 7): bad ");
  });

  test("an apply after which the check still fails is a failure of the verification", () => {
    const { operations } = run({ name: "liar", operations: [command("lies", `[ -e ${quote(root)}/never ]`, "true")] }, { shell });
    expect(operations).toEqual([{ operation: "lies", status: "failed", phase: "verify", exitCode: 1, stderr: "" }]);
  });

  test("a check that cannot run is a failure and not a difference", () => {
    const { operations, status } = run({ name: "typo", operations: [command("asks", "no-such-command", `touch ${quote(root)}/touched`)] }, { shell });
    expect(status).toBe(1);
    expect(operations[0]).toMatchObject({ operation: "asks", status: "failed", phase: "check", exitCode: 127 });
    expect(fs.readdirSync(root)).toEqual([]);
  });

  test("secrets come on standard input and stand neither in the script nor in its output", () => {
    const secret = "line one 's3cret'\nline two\n";
    const role: Role = {
      name: "secret",
      secrets: ["TOKEN"],
      operations: [file({ path: `${root}/token`, mode: "0600", owner, content: { secret: "TOKEN" } })],
    };
    const result = run(role, { shell, secrets: { TOKEN: secret } });
    expect(result.operations).toEqual([{ operation: `file ${root}/token`, status: "changed" }]);
    // A command substitution drops the last newlines, here as everywhere in a shell.
    expect(fs.readFileSync(`${root}/token`, "utf8")).toBe(secret.trimEnd());
    expect(compileRole(role).script).not.toContain("s3cret");
    expect(result.stdout + result.stderr).not.toContain("s3cret");
    expect(run(role, { shell, secrets: { TOKEN: secret } }).summary).toEqual({ changed: 0, unchanged: 1 });
  });

  test("a secret that is missing on standard input fails before anything runs", () => {
    const role: Role = { name: "secret", secrets: ["TOKEN"], operations: [command("never reached", "true", "true")] };
    const result = spawnSync(shell, ["-c", compileRole(role).script], { encoding: "utf8", input: "" });
    expect(result.status).toBe(1);
    expect(parseRoleReport(result.stdout).operations).toEqual([
      { operation: "secret TOKEN", status: "failed", phase: "check", exitCode: 1, stderr: "it is missing on standard input" },
    ]);
  });

  test("waiting gives up after its number of tries", () => {
    const { operations } = run({ name: "wait", operations: [waitUntil("never comes", `[ -e ${quote(root)}/never ]`, 1)] }, { shell });
    expect(operations).toEqual([{ operation: "never comes", status: "failed", phase: "apply", exitCode: 1, stderr: "gave up after 1 seconds" }]);
  });
});

// Without `defenseInDepth`, which hooks the module loader of the whole process from Node 22 on: jest refuses that, and the lab runs without it too.
const simulatedShell = (): Bash =>
  new Bash({ files: {}, customCommands: [defineCommand("umask", async () => ({ stdout: "", stderr: "", exitCode: 0 }))], defenseInDepth: false });

test("the simulated shell runs a role as the real one does", async () => {
  const bash = simulatedShell();
  const role: Role = { name: "plain", operations: [command("mark", "[ -e /tmp/mark ]", "mkdir -p /tmp && printf '%s' x > /tmp/mark")] };
  const first = await bash.exec(compileRole(role).script);
  expect([first.stdout, first.stderr, first.exitCode]).toEqual(['{"operation":"mark","status":"changed"}\n{"summary":{"changed":1,"unchanged":0}}\n', "", 0]);
  const second = await bash.exec(compileRole(role).script);
  expect(second.stdout).toBe('{"operation":"mark","status":"ok"}\n{"summary":{"changed":0,"unchanged":1}}\n');
});

testWithShells("every role's remote command is valid", (shell) => {
  const role = combineRoles("node", base, k3sServer({ address: "192.168.1.12", disable: ["traefik"], localStoragePath: "/mnt/storage" }));
  const compiled = compileRole(role);
  expect(spawnSync(shell, ["-n"], { input: compiled.script, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  expect(spawnSync(shell, ["-n"], { input: compiled.command, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  expect(compiled.checkCommand).toBe(compiled.command.replace("HOMELAB_CHECK=0 HOMELAB_LOCK=/run/homelab-role.lock", "HOMELAB_CHECK=1"));
});

test("the digest says whether a role is the same one", () => {
  const role = (address: string) => compileRole(k3sServer({ address })).digest;
  expect(role("192.168.1.12")).toBe(role("192.168.1.12"));
  expect(role("192.168.1.12")).not.toBe(role("192.168.1.13"));
});

test("two operations of one name are refused", () => {
  const twice = command("same", "true", "true");
  expect(() => compileRole({ name: "r", operations: [twice, twice] })).toThrow('role r: two operations are named "same"');
});

test("a failure's text is escaped the same by the simulated shell", async () => {
  const bash = simulatedShell();
  const role: Role = { name: "broken", operations: [command("fails", "false", `{ printf 'bad "disk"\\tfull\\nsecond \\\\ line\\n' >&2; (exit 7); }`)] };
  const { operations } = parseRoleReport((await bash.exec(compileRole(role).script)).stdout);
  expect(operations).toEqual([{ operation: "fails", status: "failed", phase: "apply", exitCode: 7, stderr: 'bad "disk"\tfull\nsecond \\ line' }]);
});
