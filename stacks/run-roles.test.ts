import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CLOSED_PORT } from "../tests/support/ports";
import { type Exec, sshKeyPair, startSshServer, type TestSshServer } from "../tests/support/ssh-server";
import { SSH_PRIVATE_KEY } from "./plan/secret-paths";
import { type VisitedHost, visit, visitHost } from "./run-roles";

const keys = sshKeyPair();
const access = { privateKey: keys.privateKey, bastion: undefined };
const role = (name: string) => ({
  role: { name, operations: [{ name: "one", check: ["true"], apply: ["true"] }], secrets: ["TOKEN"] },
  secrets: { TOKEN: "s3cret" },
});

const OK = '{"operation":"one","status":"ok"}\n{"summary":{"changed":0,"unchanged":1}}\n';
const CHANGES = '{"operation":"one","status":"would-change"}\n{"operation":"two","status":"ok"}\n{"summary":{"changed":1,"unchanged":1}}\n';
const FAILED = '{"operation":"one","status":"failed","phase":"check","exitCode":127,"stderr":"apt-get: not found"}\n';

const opened: TestSshServer[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function server(
  exec: (exec: Exec) => { stdout?: string; stderr?: string; code?: number; drop?: boolean },
  allowedKey = keys.publicKey,
): Promise<TestSshServer> {
  const started = await startSshServer({ allowedKey, exec });
  opened.push(started);
  return started;
}

const host = (port: number, hostKey = ""): VisitedHost => ({
  name: "k8s-dev",
  stack: "dev",
  port,
  host: { address: "127.0.0.1", user: "suporte", node: "node03", hostKey, running: true, groups: [] },
});

test("two roles are checked over one connection, one session each, secrets on standard input alone", async () => {
  const remote = await server(({ command }) => ({ stdout: command.includes("# Role second") ? CHANGES : OK }));
  const checked = await visitHost(host(remote.port, remote.hostKey), [role("first"), role("second")], "check", access);
  expect(checked).toEqual({
    host: "k8s-dev",
    stack: "dev",
    status: "would-change",
    roles: [
      { role: "first", operations: [{ operation: "one", status: "ok" }], error: undefined },
      {
        role: "second",
        operations: [
          { operation: "one", status: "would-change" },
          { operation: "two", status: "ok" },
        ],
        error: undefined,
      },
    ],
  });
  expect(remote.connections).toBe(1);
  expect(remote.execs.map(({ user, stdin }) => [user, stdin])).toEqual([
    ["suporte", "czNjcmV0\n"],
    ["suporte", "czNjcmV0\n"],
  ]);
  expect(remote.execs.every(({ command }) => command.startsWith("sudo -n env HOMELAB_CHECK=1 ") && !command.includes("s3cret"))).toBe(true);
});

test("apply runs the same scripts without the check's switch, and stops at the role that failed", async () => {
  const CHANGED = '{"operation":"one","status":"changed"}\n{"summary":{"changed":1,"unchanged":0}}\n';
  const remote = await server(({ command }) => (command.includes("# Role second") ? { stdout: FAILED, code: 1 } : { stdout: CHANGED }));
  expect((await visitHost(host(remote.port), [role("first")], "apply", access)).status).toBe("changed");
  const failed = await visitHost(host(remote.port), [role("first"), role("second"), role("third")], "apply", access);
  expect([failed.status, ...failed.roles.map((result) => result.role)]).toEqual(["failed", "first", "second"]);
  expect(remote.execs.map(({ command }) => /^sudo -n (?:env HOMELAB_CHECK=1 )?/.exec(command)?.[0])).toEqual(Array(3).fill("sudo -n "));
});

test("a host that is as it should be is ok, and one without roles is not even called", async () => {
  const remote = await server(() => ({ stdout: OK }));
  expect((await visitHost(host(remote.port), [role("first")], "check", access)).status).toBe("ok");
  expect(await visitHost(host(remote.port), [], "check", access)).toEqual({ host: "k8s-dev", stack: "dev", status: "no-roles", roles: [] });
  expect(remote.connections).toBe(1);
});

test("a host behind a bastion is reached through it", async () => {
  const [remote, bastion] = [await server(() => ({ stdout: OK })), await server(() => ({}))];
  const through = { ...access, bastion: { host: "127.0.0.1", port: bastion.port, user: "jump", privateKey: keys.privateKey } };
  expect((await visitHost(host(remote.port, remote.hostKey), [role("first")], "check", through)).status).toBe("ok");
  expect(bastion.tunnels).toEqual([`127.0.0.1:${remote.port}`]);
});

describe("what goes wrong is the host's result, with what to do next", () => {
  const failure = async (checked: VisitedHost) => {
    const { status, error, roles } = await visitHost(checked, [role("first")], "check", access);
    expect(status).toBe("failed");
    return { error, roles };
  };

  test("a host key that changed: nothing is sent to it", async () => {
    const remote = await server(() => ({ stdout: OK }));
    const { error } = await failure(host(remote.port, sshKeyPair().publicKey));
    expect(error).toMatchObject({
      code: "E_SSH_HOST_KEY",
      message: expect.stringMatching(/^the host key of 127\.0\.0\.1:\d+ is not the one that it had/),
      hint: "if its key was renewed on purpose, see docs/hosts.md; if not, somebody else may answer at its address",
    });
    expect(remote.execs).toEqual([]);
  });

  test("a refused key", async () => {
    const remote = await server(() => ({ stdout: OK }), sshKeyPair().publicKey);
    expect((await failure(host(remote.port))).error).toMatchObject({ code: "E_SSH_REFUSED", message: expect.stringMatching(/refuses the key of suporte/) });
  });

  test("a host that is not there", async () => {
    expect((await failure(host(CLOSED_PORT))).error).toMatchObject({
      code: "E_SSH_UNREACHABLE",
      message: `127.0.0.1:${CLOSED_PORT} cannot be reached: connect ECONNREFUSED 127.0.0.1:${CLOSED_PORT}`,
    });
  });

  test("a host that goes down meanwhile", async () => {
    const remote = await server(() => ({ drop: true }));
    expect((await failure(host(remote.port))).error?.code).toBe("E_SSH_CUT");
  });

  test("an operation that cannot be checked", async () => {
    const remote = await server(() => ({ stdout: FAILED, stderr: "operation one failed", code: 1 }));
    expect((await failure(host(remote.port))).roles).toEqual([
      {
        role: "first",
        operations: [{ operation: "one", status: "failed", phase: "check", exitCode: 127, stderr: "apt-get: not found" }],
        error: "operation one failed",
      },
    ]);
  });

  test("sudo that asks for a password", async () => {
    const remote = await server(() => ({ stderr: "sudo: a password is required\n", code: 1 }));
    expect((await failure(host(remote.port))).roles).toEqual([{ role: "first", operations: [], error: "sudo: a password is required" }]);
  });

  test("a login shell that talks", async () => {
    const remote = await server(() => ({ stdout: `Welcome!\n${OK}` }));
    expect((await failure(host(remote.port))).error).toMatchObject({ code: "E_ROLE_REPORT", hint: "check that the login shell prints nothing of its own" });
  });
});

test("of the secrets only what a host needs is opened: without a host the key to all of them", async () => {
  const before = { ...process.env };
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "run-roles-"));
  const key = `common/${SSH_PRIVATE_KEY.path}.yaml`;
  const root = path.join(__dirname, "..");
  try {
    Object.assign(process.env, { HOMELAB_SECRETS_DIR: folder, SOPS_AGE_KEY_FILE: path.join(root, "secrets/lab-only.agekey") });
    fs.mkdirSync(path.dirname(path.join(folder, key)), { recursive: true });
    fs.copyFileSync(path.join(root, "tests/homelab/secrets", key), path.join(folder, key));
    fs.writeFileSync(path.join(folder, "common/nobody-opens-this.yaml"), "not: encrypted\n");
    expect(await visit(JSON.stringify({ mode: "check", hosts: [] }))).toEqual({ version: 1, hosts: [] });
  } finally {
    process.env = before;
    fs.rmSync(folder, { recursive: true });
  }
});
