import { utils } from "ssh2";
import type { Clock } from "../../common/clock";
import { sshKeyPair, startSshServer, type TestSshServer } from "../../tests/support/ssh-server";
import { waitReady } from "./wait-ready";

const keys = sshKeyPair();
const [BOOT_1, BOOT_2] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];

/** A clock that only `sleep` moves. */
function patientClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
}

let boot = BOOT_1;
let server: TestSshServer;
beforeEach(async () => {
  boot = BOOT_1;
  server = await startSshServer({ allowedKey: keys.publicKey, exec: ({ command }) => ({ stdout: command.includes("boot_id") ? boot : "status: done\n" }) });
});
afterEach(() => server.close());

const wait = (previous?: object, { cores = "4", hostKey }: { cores?: string; hostKey?: string } = {}): Promise<string> =>
  waitReady(
    JSON.stringify({
      name: "k8s-dev",
      restartParts: { cores },
      budgetSeconds: 3,
      target: { host: "127.0.0.1", port: server.port, user: "suporte", privateKey: keys.privateKey, hostKey },
    }),
    previous === undefined ? undefined : JSON.stringify(previous),
    patientClock(),
  );

const known = (): object => ({ bootId: BOOT_1, hostKey: server.hostKey, restartParts: { cores: "4" } });

test("a new VM: any boot and any key will do, and both are told", async () => {
  const hostKey = server.hostKey.split(" ").slice(0, 2).join(" ");
  expect(await wait()).toBe(`{"bootId":"${BOOT_1}","hostKey":"${hostKey}","restartParts":{"cores":"4"}}\n`);
});

test("a change that restarts needs another boot; one that does not, none", async () => {
  expect(await wait(known())).toContain(BOOT_1);
  await expect(wait(known(), { cores: "8" })).rejects.toMatchObject({
    code: "E_NOT_READY",
    message: expect.stringMatching(/it stands at boot id .*restart the VM$/),
  });
  boot = BOOT_2;
  expect(await wait(known(), { cores: "8" })).toContain(BOOT_2);
});

test("the same VM with another host key is refused, also one of another kind", async () => {
  expect(await wait(known(), { hostKey: server.hostKey })).toContain(BOOT_1);
  for (const hostKey of [sshKeyPair().publicKey, utils.generateKeyPairSync("ecdsa", { bits: 256 }).public]) {
    await expect(wait(known(), { hostKey })).rejects.toMatchObject({
      code: "E_NOT_READY",
      message: expect.stringMatching(/^k8s-dev cannot become ready: it stands at host key/),
    });
  }
  expect(server.execs.length).toBe(2);
});

test("a task of another form is a clear error without its private key", async () => {
  const thrown: unknown = await waitReady('{"name":"a","target":{"privateKey":"SECRET"}}', undefined, patientClock()).catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: "E_USAGE" });
  expect(String((thrown as Error).message)).not.toContain("SECRET");
});
