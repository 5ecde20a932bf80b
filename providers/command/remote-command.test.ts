import { utils } from "ssh2";
import { type SshServerOptions, sshKeyPair, startSshServer, type TestSshServer } from "../../tests/support/ssh-server";
import { TestProvider } from "../../tests/support/test-provider";
import { Secret, UNKNOWN, type Values } from "../sdk/values";
import { provider } from "./provider";

const COMMAND = "command:remote:Command";
const key = sshKeyPair();

describe("command:remote:Command", () => {
  let plugin: TestProvider;
  const servers: TestSshServer[] = [];
  beforeEach(async () => {
    plugin = await TestProvider.start(provider);
  });
  afterEach(async () => {
    await plugin.close();
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  const start = async (options: SshServerOptions): Promise<TestSshServer> => {
    const server = await startSshServer({ allowedKey: key.publicKey, ...options });
    servers.push(server);
    return server;
  };
  const at = (server: TestSshServer, more: Values = {}): Values => ({
    host: "127.0.0.1",
    port: server.port,
    user: "suporte",
    privateKey: new Secret(key.privateKey),
    dialErrorLimit: 0,
    ...more,
  });

  test("runs create with stdin; a last newline is taken off; the id starts with the name", async () => {
    const server = await start({ exec: () => ({ stdout: "one\ntwo\n\n", stderr: "note\n" }) });
    const state = await plugin.make(COMMAND, { connection: at(server), create: "cat", stdin: "text" });
    expect(server.execs).toEqual([{ command: "cat", user: "suporte", env: {}, stdin: "text" }]);
    expect(state.id).toMatch(/^it[0-9a-f]{8}$/);
    expect(state.outputs).toMatchObject({ create: "cat", stdout: "one\ntwo\n", stderr: "note", connection: expect.any(Secret) });
  });

  test("check fills the connection's defaults in, the proxy's too, and makes the connection secret", async () => {
    const { inputs, failures } = await plugin.check(COMMAND, { connection: { host: "h", proxy: { host: "b", user: "jump" } }, create: "true", update: null });
    expect(failures).toEqual([]);
    const defaults = { port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
    expect(inputs).toEqual({
      create: "true",
      connection: new Secret({ host: "h", user: "root", ...defaults, proxy: { host: "b", user: "jump", ...defaults } }),
    });
  });

  test("the keys are secrets within the secret connection, in inputs and outputs, and a change in it is shown as one of all of it", async () => {
    const server = await start({});
    const proxy = { host: "127.0.0.1", port: server.port, user: "jump", privateKey: key.privateKey };
    const state = await plugin.make(COMMAND, { connection: at(server, { privateKey: key.privateKey, proxy, password: "p", privateKeyPassword: "pp" }) });
    const secrets = { privateKey: new Secret(key.privateKey), password: new Secret("p"), privateKeyPassword: new Secret("pp") };
    const connection = new Secret(expect.objectContaining({ ...secrets, proxy: expect.objectContaining({ privateKey: new Secret(key.privateKey) }) }));
    expect([state.inputs["connection"], state.outputs["connection"]]).toEqual([connection, connection]);
    const { inputs } = await plugin.check(COMMAND, { connection: at(server, { proxy: { ...proxy, port: 1 } }) });
    expect(await plugin.diff(COMMAND, state, inputs)).toMatchObject({ changes: "some", replaces: [], detailed: { connection: 4 } });
  });

  test("check takes unknown values and names what it does not support", async () => {
    const good = { connection: { host: UNKNOWN, privateKey: UNKNOWN }, create: UNKNOWN, triggers: [UNKNOWN], environment: { A: UNKNOWN } };
    expect((await plugin.check(COMMAND, good)).failures).toEqual([]);
    expect((await plugin.check(COMMAND, { connection: { hots: "h" }, logging: "all" })).failures).toEqual([
      'logging: Invalid option: expected one of "stdout"|"stderr"|"stdoutAndStderr"|"none"',
      "connection.host: Invalid input: expected string, received undefined",
      "connection.hots: the embedded provider does not support this property: did you mean `host`?",
    ]);
  });

  test("in a preview the output is unknown and nothing is dialled", async () => {
    const server = await start({});
    const { inputs } = await plugin.check(COMMAND, { connection: at(server), create: "cat" });
    const { id, outputs } = await plugin.create(COMMAND, inputs, { preview: true });
    expect({ id, stdout: outputs["stdout"], stderr: outputs["stderr"], create: outputs["create"] }).toEqual({
      id: "",
      stdout: UNKNOWN,
      stderr: UNKNOWN,
      create: "cat",
    });
    expect(server.connections).toBe(0);
  });

  test("no create command: no connection, empty output", async () => {
    const server = await start({});
    expect((await plugin.make(COMMAND, { connection: at(server), delete: "x" })).outputs).toMatchObject({ stdout: "", stderr: "" });
    expect(server.connections).toBe(0);
  });

  test("update runs `update`, else `create`, with the previous output in the environment where the server takes it", async () => {
    const server = await start({ acceptEnv: ["PULUMI_COMMAND_STDOUT"], exec: ({ command }) => ({ stdout: `ran ${command}` }) });
    const first = await plugin.make(COMMAND, { connection: at(server), create: "c1" });
    const second = await plugin.update(COMMAND, first, { ...first.inputs, create: "c2" });
    expect(second.outputs["stdout"]).toBe("ran c2");
    const third = await plugin.update(COMMAND, second, { ...second.inputs, update: "u", addPreviousOutputInEnv: false });
    expect(third.outputs).toMatchObject({ stdout: "ran u", create: "c2", update: "u" });
    expect(server.execs.map(({ command, env }) => ({ command, env }))).toEqual([
      { command: "c1", env: {} },
      { command: "c2", env: { PULUMI_COMMAND_STDOUT: "ran c1" } },
      { command: "u", env: {} },
    ]);
  });

  test("delete runs `delete` with the state's connection; without one it does nothing", async () => {
    const server = await start({ exec: ({ command }) => ({ stdout: command }) });
    await plugin.delete(COMMAND, await plugin.make(COMMAND, { connection: at(server), create: "c" }));
    await plugin.delete(COMMAND, await plugin.make(COMMAND, { connection: at(server), create: "c", delete: "d", stdin: "s" }));
    expect(server.execs.map(({ command, stdin }) => `${command}:${stdin}`)).toEqual(["c:", "c:s", "d:s"]);
  });

  test("a changed trigger is a change of its element, all triggers together force the replacement", async () => {
    const state = { id: "x", inputs: { create: "c", triggers: ["1", "2"] }, outputs: {} };
    expect(await plugin.diff(COMMAND, state, { create: "c", triggers: ["1", "3"] })).toMatchObject({
      changes: "some",
      replaces: [],
      detailed: { "triggers[1]": 4 },
    });
    expect(await plugin.diff(COMMAND, state, { create: "c" })).toMatchObject({ replaces: ["triggers"], detailed: { triggers: 3 } });
    expect(await plugin.diff(COMMAND, state, { create: "d", triggers: ["1", "2"] })).toMatchObject({
      replaces: [],
      diffs: ["create"],
      detailed: { create: 4 },
    });
  });

  test("a failure tells host, exit code, command and output, and no secret", async () => {
    const server = await start({ exec: ({ stdin }) => ({ code: 3, stdout: "step 1\n", stderr: `bad password ${stdin}\n` }) });
    await expect(plugin.make(COMMAND, { connection: at(server), create: "deploy", stdin: new Secret("s3cr3t-value") })).rejects.toMatchObject({
      details: 'Process exited with status 3 on 127.0.0.1: running "deploy":\nstep 1\nbad password [secret]',
    });
  });

  test("a signal and a broken connection are failures", async () => {
    const server = await start({ exec: ({ command }) => (command === "die" ? { signal: "KILL" } : { drop: true }) });
    await expect(plugin.make(COMMAND, { connection: at(server), create: "die" })).rejects.toMatchObject({
      details: 'Process exited from signal SIGKILL on 127.0.0.1: running "die":',
    });
    await expect(plugin.make(COMMAND, { connection: at(server), create: "drop" })).rejects.toMatchObject({
      details: expect.stringMatching(/^The connection to 127\.0\.0\.1 ended before the command did/),
    });
  });

  test("a command that starts and ends in one packet has its exit code", async () => {
    const server = await start({ inOnePiece: true, exec: () => ({ stdout: "quick\n" }) });
    expect((await plugin.make(COMMAND, { connection: at(server), create: "quick" })).outputs["stdout"]).toBe("quick");
  });

  test("what is not for the log is not in an error either", async () => {
    const server = await start({ exec: () => ({ code: 3, stdout: "-----BEGIN PRIVATE KEY-----\n", stderr: "no such file\n" }) });
    const failure = (logging: string) =>
      plugin.make(COMMAND, { connection: at(server), create: "cat", logging }).then(
        () => "none",
        (error: unknown) => (error as { details: string }).details,
      );
    expect(await failure("none")).toBe('Process exited with status 3 on 127.0.0.1: running "cat":');
    expect(await failure("stderr")).toBe('Process exited with status 3 on 127.0.0.1: running "cat":\nno such file');
  });

  test("the environment reaches a server that takes it, and is refused by name by one that does not", async () => {
    const server = await start({ acceptEnv: ["LC_TOKEN"], exec: ({ env }) => ({ stdout: env["LC_TOKEN"] ?? "" }) });
    expect((await plugin.make(COMMAND, { connection: at(server), create: "c", environment: { LC_TOKEN: "t" } })).outputs["stdout"]).toBe("t");
    await expect(plugin.make(COMMAND, { connection: at(server), create: "c", environment: { OTHER: "t" } })).rejects.toMatchObject({
      details: expect.stringMatching(/^could not set environment variable "OTHER": the SSH server refuses it\n {2}next: /),
    });
    expect(server.execs).toHaveLength(1);
  });

  test("goes through a bastion", async () => {
    const server = await start({ exec: () => ({ stdout: "inside" }) });
    const bastion = await start({});
    const proxy = { host: "127.0.0.1", port: bastion.port, user: "jump", privateKey: key.privateKey };
    const state = await plugin.make(COMMAND, { connection: at(server, { host: "10.1.2.3", proxy }), create: "c" });
    expect(state.outputs["stdout"]).toBe("inside");
    expect(bastion.tunnels).toEqual([`10.1.2.3:${server.port}`]);
  });

  test("a bastion that goes away while the host behind it is waited for is dialled again", async () => {
    const server = await start({ exec: () => ({ stdout: "inside" }) });
    const bastion = await start({ dropTunnels: 2 });
    const proxy = { host: "127.0.0.1", port: bastion.port, user: "jump", privateKey: key.privateKey };
    const state = await plugin.make(COMMAND, { connection: at(server, { host: "10.1.2.3", proxy, dialErrorLimit: 3 }), create: "c" });
    expect([state.outputs["stdout"], bastion.connections]).toEqual(["inside", 3]);
  });

  test("waits for a host that is not ready, up to the limit", async () => {
    const server = await start({ refuse: 2, exec: () => ({ stdout: "up" }) });
    expect((await plugin.make(COMMAND, { connection: at(server, { dialErrorLimit: 2 }), create: "c" })).outputs["stdout"]).toBe("up");
    const dead = await start({ refuse: 9 });
    await expect(plugin.make(COMMAND, { connection: at(dead, { dialErrorLimit: 1 }), create: "c" })).rejects.toMatchObject({
      details: expect.stringMatching(new RegExp(`^Dial 127\\.0\\.0\\.1:${dead.port} failed after 1 failed attempts: `)),
    });
    expect(dead.connections).toBe(2);
  });

  test("logs in by password and by an encrypted key; a wrong host key is not accepted", async () => {
    const locked = sshKeyPair("open sesame");
    const server = await start({ password: "letmein-please", allowedKey: locked.publicKey, exec: () => ({ stdout: "in" }) });
    const base = { host: "127.0.0.1", port: server.port, dialErrorLimit: 0 };
    const login = async (more: Values) => (await plugin.make(COMMAND, { connection: { ...base, ...more }, create: "c" })).outputs["stdout"];
    expect(await login({ password: "letmein-please" })).toBe("in");
    expect(await login({ privateKey: locked.privateKey, privateKeyPassword: "open sesame", hostKey: server.hostKey })).toBe("in");
    await expect(login({ password: "letmein-please", hostKey: key.publicKey, dialErrorLimit: 5 })).rejects.toMatchObject({
      details: expect.stringMatching(/^the host key of 127\.0\.0\.1:\d+ is not the one that is expected; nothing was sent\n {2}next: if its key was renewed/),
    });
    await expect(login({ privateKey: "no key" })).rejects.toMatchObject({ details: expect.stringMatching(/Cannot parse privateKey/) });
  });

  test("a host with several keys is asked for the expected one; a host without a key of that kind is refused", async () => {
    const [second, third] = [utils.generateKeyPairSync("ecdsa", { bits: 256 }), utils.generateKeyPairSync("rsa", { bits: 2048 })];
    const server = await start({ password: "pw-of-the-test", moreHostKeys: [second.private, third.private], exec: () => ({ stdout: "in" }) });
    const login = async (hostKey: string, more: Values = {}) =>
      (await plugin.make(COMMAND, { connection: { host: "127.0.0.1", port: server.port, password: "pw-of-the-test", hostKey, ...more }, create: "c" })).outputs[
        "stdout"
      ];
    for (const hostKey of [server.hostKey, second.public, third.public]) expect(await login(hostKey)).toBe("in");
    const alone = await start({ password: "pw-of-the-test", exec: () => ({ stdout: "in" }) });
    const before = alone.connections;
    await expect(login(second.public, { port: alone.port })).rejects.toMatchObject({ details: expect.stringMatching(/is not the one that is expected/) });
    expect(alone.connections).toBe(before + 1);
  });

  test("cancel ends a running command", async () => {
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const server = await start({
      exec: () => {
        begun();
        return { hang: true };
      },
    });
    const made = plugin.make(COMMAND, { connection: at(server), create: "sleep" }).catch((error: unknown) => error);
    await running;
    await plugin.cancel();
    expect(await made).toMatchObject({ details: "the operation was cancelled" });
  });
});
