/** A role over SSH, as `up` and `hosts check` run it: sessions that are dropped, host keys that changed, keys that are refused. */
import { utils } from "ssh2";
import { combineRoles, compileRole, kubeadmNode, parseRoleReport } from "../../ansible-replacements";
import { runRemote } from "../../providers/command/ssh-run";
import { visitHost } from "../../stacks/run-roles";
import { ADDRESS } from "../support/role-cases";
import { keys, type RoleLab, startRoleLab } from "../support/role-lab";

let lab: RoleLab;
const HOST = "k8s-dev";
beforeEach(async () => {
  lab = await startRoleLab();
});
afterEach(() => lab.stop());

describe("over SSH", () => {
  const role = combineRoles("node", kubeadmNode());
  /** Runs the role as `up` does, by the SSH client of the command provider. */
  const apply = (connection: object = {}) =>
    runRemote(
      {
        connection: { host: "127.0.0.1", port: sshPort(), user: "suporte", privateKey: keys.private, dialErrorLimit: 0, ...connection },
        command: compileRole(role).command,
        environment: {},
        hopefulEnvironment: {},
      },
      { signal: AbortSignal.timeout(30_000), log: () => undefined },
    );
  const sshPort = () => lab.ctx.network.resolve(ADDRESS, 22)?.port ?? 0;
  /** Checks the role as `hosts check` does. */
  const check = (hostKey = "") => {
    const host = { address: "127.0.0.1", user: "suporte", node: "node03", hostKey, running: true, groups: [] };
    return visitHost({ name: HOST, stack: "dev", port: sshPort(), host }, [{ role, secrets: {} }], "check", { privateKey: keys.private, bastion: undefined });
  };
  const executed = () => lab.ctx.records.since().filter(({ system, action }) => system === "ssh" && action === "exec").length;

  test.each([1, 3, 8, 20])("a session that is dropped at the %i. change on the host's disk is named, and a second run mends it", async (changes) => {
    lab.ctx.faults.queue({ name: "ssh.cut", target: HOST, parameters: { changes } });
    await expect(apply()).rejects.toMatchObject({
      code: "E_COMMAND",
      message: expect.stringMatching(/^The connection to 127\.0\.0\.1 ended before the command did: running "sudo -n /),
    });
    const mended = parseRoleReport((await apply()).stdout);
    expect(mended.summary?.changed).toBeGreaterThan(0);
    expect(parseRoleReport((await apply()).stdout).summary).toEqual({ changed: 0, unchanged: role.operations.length });
    expect((await lab.sh("find / -name '*.homelab-part'")).trim()).toBe("");
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test("a session that is dropped at once is the host's result, and the next check sees the host", async () => {
    await apply();
    lab.ctx.faults.queue({ name: "ssh.disconnect", target: HOST });
    expect(await check()).toMatchObject({ host: HOST, status: "failed", error: { code: "E_SSH_CUT", message: expect.stringContaining("127.0.0.1") } });
    expect(await check()).toMatchObject({ host: HOST, status: "ok" });
  });

  test("a host that was rebuilt in the meantime shows another key: it is named, and nothing is run on it", async () => {
    const parsed = utils.parseKey((await lab.host.save()).hostKey);
    if (parsed instanceof Error) throw parsed;
    const known = `${parsed.type} ${parsed.getPublicSSH().toString("base64")}`;
    expect((await check(known)).status).toBe("would-change");
    const before = executed();
    await lab.rebuild();
    expect(await check(known)).toMatchObject({
      host: HOST,
      status: "failed",
      error: { code: "E_SSH_HOST_KEY", message: expect.stringMatching(/^the host key of 127\.0\.0\.1:\d+ is not the one that it had/) },
    });
    await expect(apply({ hostKey: known })).rejects.toMatchObject({
      code: "E_HOST_KEY",
      message: expect.stringContaining("is not the one that is expected; nothing was sent"),
    });
    expect(executed()).toBe(before);
  });

  test("a key that is refused is named with its user; it works again once the host takes it", async () => {
    lab.ctx.faults.queue({ name: "ssh.auth-failed", target: HOST, times: 2 });
    expect(await check()).toMatchObject({ status: "failed", error: { code: "E_SSH_REFUSED", message: expect.stringContaining("refuses the key of suporte") } });
    await expect(apply()).rejects.toMatchObject({ code: "E_DIAL", message: expect.stringContaining("All configured authentication methods failed") });
    expect(executed()).toBe(0);
    await apply();
    expect((await check()).status).toBe("ok");
  });
});
