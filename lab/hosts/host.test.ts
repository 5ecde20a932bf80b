import { compileRole } from "../../ansible-replacements/compile";
import { base } from "../../ansible-replacements/roles/base";
import { createContext } from "../core/context";
import { newSshKey } from "../core/ssh-keys";
import { type Host, startHost } from "./index";

const keys = newSshKey();
const spec = {
  id: "101",
  hostname: "k8s-dev",
  address: "192.168.1.12",
  prefix: 24,
  gateway: "192.168.1.1",
  nameserver: "192.168.1.3",
  user: "suporte",
  authorizedKeys: [keys.public],
  cores: 4,
  memoryMiB: 4096,
  diskGiB: 30,
};

async function withHost(test: (host: Host, ctx: Awaited<ReturnType<typeof createContext>>) => Promise<void>): Promise<void> {
  const ctx = await createContext();
  const host = await startHost({
    spec,
    ctx,
    startCluster: async () => {
      throw new Error("no cluster here");
    },
  });
  try {
    await test(host, ctx);
  } finally {
    await host.stop();
  }
}

const text = async (host: Host, line: string, options = {}) => {
  const { stdout, stderr, exitCode } = await host.run(line, options);
  return { out: stdout.toString(), err: stderr.toString(), exitCode };
};

test.each([
  ["id -un; sudo -n id -un; whoami", "suporte\nroot\nsuporte\n"],
  ["sudo -n env A=1 sh -c 'echo $A; id -u'", "1\n0\n"],
  ["sudo sh -c 'read -r line; echo \"got $line\"'", "got one\n"],
  ["cat | bash -s x", ""],
  ["uname -n; hostname; cat /etc/hostname", "k8s-dev\nk8s-dev\nk8s-dev\n"],
  ["sudo sh -c 'echo hi > /etc/x; chmod 0640 /etc/x; chown suporte:root /etc/x; mv /etc/x /etc/y'; stat -c '%a %U:%G' /etc/y", "640 suporte:root\n"],
  ["command -v k3s || echo none", "none\n"],
  ["sudo sysctl -w net.ipv4.ip_forward=1; sysctl -n net.ipv4.ip_forward", "net.ipv4.ip_forward = 1\n1\n"],
  ["printf 'x' | sha256sum | cut -d ' ' -f 1", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\n"],
])("%s", async (line, expected) => {
  await withHost(async (host, ctx) => {
    expect(await text(host, line, { stdin: "one\ntwo\n".slice(0, line.startsWith("cat") ? 0 : undefined) })).toEqual({ out: expected, err: "", exitCode: 0 });
    expect(ctx.unhandled.all()).toEqual([]);
  });
});

test("what root owns is closed to others, without sudo", async () => {
  await withHost(async (host) => {
    expect((await text(host, "echo hi > /etc/motd")).exitCode).toBe(1);
    expect((await text(host, "cat /root/x")).exitCode).toBe(1);
    expect(await text(host, "sudo sh -c 'umask 077; echo secret > /etc/secret'; cat /etc/secret")).toMatchObject({ out: "", exitCode: 1 });
  });
});

test("an unknown command is bash's error and an unhandled call", async () => {
  await withHost(async (host, ctx) => {
    expect(await text(host, "sudo pveum user list")).toEqual({ out: "", err: "bash: pveum: command not found\n", exitCode: 127 });
    expect(ctx.unhandled.all().map((u) => u.what)).toEqual(["command not found: pveum"]);
  });
});

test("the base role changes nothing on the image that has all of it", async () => {
  await withHost(async (host, ctx) => {
    const result = await text(host, compileRole(base).command);
    expect(result).toMatchObject({ exitCode: 0, err: "" });
    expect(result.out).toContain('{"summary":{"changed":0,"unchanged":2}}');
    expect(ctx.unhandled.all()).toEqual([]);
  });
});
