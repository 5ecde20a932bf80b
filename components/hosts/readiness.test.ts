import * as net from "node:net";
import type { Clock } from "../../common/clock";
import { CLOSED_PORT } from "../../tests/support/ports";
import { type Answer, type Exec, sshKeyPair, startSshServer, type TestSshServer } from "../../tests/support/ssh-server";
import { climb } from "./readiness";
import { openSsh, type SshTarget } from "./ssh-session";

const keys = sshKeyPair();
const [BOOT_1, BOOT_2] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];

/** A clock that only `sleep` moves. */
function patientClock(onSleep: () => void = () => undefined): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
      onSleep();
    },
  };
}

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function host(answers: { cloudInit?: () => Answer; boot?: () => Answer } = {}, allowedKey = keys.publicKey): Promise<TestSshServer> {
  const exec = ({ command }: Exec): Answer =>
    command.includes("boot_id") ? (answers.boot?.() ?? { stdout: `${BOOT_1}\n` }) : (answers.cloudInit?.() ?? { stdout: "status: done\n" });
  const server = await startSshServer({ allowedKey, exec });
  opened.push(server);
  return server;
}

/** A listener that is no SSH server. */
async function raw(onSocket: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  });
  return (server.address() as net.AddressInfo).port;
}

const at = (port: number, more: Partial<SshTarget> = {}): SshTarget => ({ host: "127.0.0.1", port, user: "suporte", privateKey: keys.privateKey, ...more });

const climbed = (target: SshTarget, options: { node?: string; bootBefore?: string; budgetMs?: number; clock?: Clock } = {}) =>
  climb({
    name: "k8s-dev",
    node: options.node,
    open: (signal) => openSsh(target, signal),
    bootBefore: options.bootBefore,
    budgetMs: options.budgetMs ?? 2_000,
    clock: options.clock ?? patientClock(),
  });

test("a host that is up is ready at once, with its boot and its key", async () => {
  const server = await host();
  expect(await climbed(at(server.port))).toEqual({ bootId: BOOT_1, hostKey: server.hostKey.split(" ").slice(0, 2).join(" ") });
  expect(server.connections).toBe(1);
});

test("a host that is still coming up is waited for, rung by rung", async () => {
  let looks = 0;
  const server = await startSshServer({
    allowedKey: keys.publicKey,
    refuse: 2,
    exec: ({ command }) => {
      if (command.includes("boot_id")) return { stdout: `${looks < 4 ? BOOT_1 : BOOT_2}\n` };
      looks++;
      return looks < 2 ? { stdout: "status: running\n", code: 1 } : { stdout: "status: degraded\n", code: 2 };
    },
  });
  opened.push(server);
  expect(await climbed(at(server.port), { bootBefore: BOOT_1, budgetMs: 60_000 })).toMatchObject({ bootId: BOOT_2 });
  expect([server.connections, looks]).toEqual([6, 4]);
});

describe("when time runs out, the rung is named", () => {
  const failure = async (target: SshTarget, options: { bootBefore?: string } = {}): Promise<string> => {
    const thrown: unknown = await climbed(target, options).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "E_NOT_READY", subject: "k8s-dev" });
    expect(String((thrown as Error).stack)).not.toContain("PRIVATE KEY");
    return (thrown as Error).message;
  };

  test("nothing listens", async () => {
    expect(await failure(at(CLOSED_PORT))).toMatch(/^k8s-dev was not ready within 2 s: it stands at TCP \(step 2 of 7\): connect ECONNREFUSED/);
  });

  test("where the node is known, it is told, and what to look at there", async () => {
    const thrown: unknown = await climbed(at(CLOSED_PORT), { node: "node03" }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      message: expect.stringMatching(/^k8s-dev on node03 was not ready within 2 s: it stands at TCP/),
      hint: "look at the VM's console in Proxmox (node node03), restart the VM there where it did not boot, then run the same command again",
    });
  });

  test("what listens is no SSH server", async () => {
    const port = await raw((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await failure(at(port))).toMatch(/it stands at SSH banner \(step 3 of 7\)/);
  });

  test("the key is refused", async () => {
    const server = await host({}, sshKeyPair().publicKey);
    expect(await failure(at(server.port))).toMatch(/it stands at authentication \(step 5 of 7\): All configured authentication methods failed/);
  });

  test("the first boot does not end", async () => {
    const server = await host({ cloudInit: () => ({ stdout: "status: running\n", code: 1 }) });
    expect(await failure(at(server.port))).toBe("k8s-dev was not ready within 2 s: it stands at cloud-init (step 6 of 7): its status is: running");
  });

  test("the host was not restarted", async () => {
    const server = await host();
    expect(await failure(at(server.port), { bootBefore: BOOT_1 })).toBe(
      `k8s-dev was not ready within 2 s: it stands at boot id (step 7 of 7): it is still that of before the restart (${BOOT_1}): restart the VM`,
    );
  });

  test("the bastion does not know the host", async () => {
    const bastion = await host();
    const target = at(CLOSED_PORT, { bastion: { host: "127.0.0.1", port: bastion.port, user: "jump", privateKey: keys.privateKey } });
    expect(await failure(target)).toMatch(/it stands at TCP \(step 2 of 7\): \(SSH\) Channel open failure/);
  });

  test("the bastion refuses its key", async () => {
    const bastion = await host({}, sshKeyPair().publicKey);
    const target = at(22, { bastion: { host: "127.0.0.1", port: bastion.port, user: "jump", privateKey: keys.privateKey } });
    expect(await failure(target)).toMatch(/it stands at bastion \(step 1 of 7\)/);
  });
});

describe("what waiting cannot mend fails at once", () => {
  test.each<[string, () => Promise<SshTarget>, RegExp]>([
    [
      "another host key",
      async () => at((await host()).port, { hostKey: sshKeyPair().publicKey }),
      /cannot become ready: it stands at host key \(step 4 of 7\)/,
    ],
    [
      "a first boot that failed",
      async () => at((await host({ cloudInit: () => ({ stdout: "status: error\n", code: 1 }) })).port),
      /at cloud-init .*ended with an error/,
    ],
    ["a private key that is none", async () => at((await host()).port, { privateKey: "not a key" }), /at authentication .*Cannot parse privateKey/],
  ])("%s", async (_, make, message) => {
    const target = await make();
    let slept = 0;
    const clock = patientClock(() => {
      slept++;
    });
    await expect(climbed(target, { clock, budgetMs: 600_000 })).rejects.toMatchObject({ code: "E_NOT_READY", message: expect.stringMatching(message) });
    expect(slept).toBe(0);
  });
});
