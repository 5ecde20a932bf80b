import { Client, type ClientChannel, type SFTPWrapper } from "ssh2";
import { createContext, type OwnedContext } from "../core/context";
import { newSshKey } from "../core/ssh-keys";
import { type Host, startHost } from "./index";

const keys = newSshKey();
const spec = {
  id: "7",
  hostname: "haproxy",
  address: "192.168.1.4",
  prefix: 24,
  gateway: "192.168.1.1",
  nameserver: undefined,
  user: "suporte",
  authorizedKeys: [keys.public],
  cores: 1,
  memoryMiB: 512,
  diskGiB: 8,
};
const startCluster = async () => {
  throw new Error("no cluster here");
};

async function withClient(
  test: (client: Client, host: Host, ctx: OwnedContext) => Promise<void>,
  options: Pick<Parameters<typeof startHost>[0], "stdinGraceMs"> = {},
): Promise<void> {
  const ctx = await createContext();
  const host = await startHost({ spec, ctx, startCluster, ...options });
  const client = new Client();
  try {
    await new Promise<void>((resolve, reject) => {
      client.once("ready", resolve).once("error", reject);
      client.connect({ host: "127.0.0.1", port: ctx.network.resolve("192.168.1.4", 22)?.port ?? 0, username: "suporte", privateKey: keys.private });
      client.setNoDelay(true);
    });
    await test(client, host, ctx);
  } finally {
    client.end();
    await host.stop();
  }
}

/** @param end whether the client closes its standard input */
function exec(client: Client, command: string, options: object, end = true): Promise<{ out: string; err: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error: Error | undefined, channel: ClientChannel) => {
      if (error) return reject(error);
      let [out, err, code] = ["", "", null as number | null];
      channel.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
      channel.stderr.on("data", (chunk: Buffer) => {
        err += chunk.toString();
      });
      channel.on("exit", (status: number | null) => {
        code = status;
      });
      channel.on("close", () => resolve({ out, err, code }));
      if (end) channel.end();
    });
  });
}

test("environment, exit code and standard error", async () => {
  await withClient(async (client) => {
    expect(await exec(client, 'echo "$GREETING"; echo bad >&2; exit 3', { env: { GREETING: "hello" } })).toEqual({ out: "hello\n", err: "bad\n", code: 3 });
  });
});

test("a terminal gives both outputs on one stream, with carriage returns", async () => {
  await withClient(async (client) => {
    expect(await exec(client, "echo one; echo two >&2", { pty: true })).toEqual({ out: "one\r\ntwo\r\n", err: "", code: 0 });
  });
});

test("a client that leaves its standard input open still gets its command run", async () => {
  const finished = async (client: Client): Promise<void> => expect(await exec(client, "echo done", {}, false)).toEqual({ out: "done\n", err: "", code: 0 });
  await withClient(finished, { stdinGraceMs: 100 });
});

test("SFTP writes as the user, reads back, and is a write in the records only when something changed", async () => {
  await withClient(async (client, host, ctx) => {
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) => client.sftp((error, found) => (error ? reject(error) : resolve(found))));
    const write = (name: string, text: string) =>
      new Promise<void>((resolve, reject) => sftp.writeFile(name, text, { mode: 0o600 }, (error) => (error ? reject(error) : resolve())));
    await write("/home/suporte/note", "hello\n");
    await write("/home/suporte/note", "hello\n");
    expect(await new Promise((resolve, reject) => sftp.readFile("note", "utf8", (error, data) => (error ? reject(error) : resolve(String(data)))))).toBe(
      "hello\n",
    );
    expect((await host.run("stat -c '%a %U' note")).stdout.toString()).toBe("600 suporte\n");
    await expect(write("/etc/motd", "x")).rejects.toThrow("EACCES");
    expect(
      ctx.records
        .since()
        .filter((r) => r.kind === "write")
        .map((r) => r.action),
    ).toEqual(["sftp-write"]);
  });
});

test("the fault ssh.disconnect cuts one command", async () => {
  await withClient(async (client, _host, ctx) => {
    ctx.faults.queue({ name: "ssh.disconnect", target: "haproxy" });
    expect((await exec(client, "echo hi > note", {})).code).toBeNull();
  });
});

test("a host comes back with its files, packages and services, and its host key", async () => {
  const ctx = await createContext();
  const first = await startHost({ spec, ctx, startCluster });
  const install = await first.run("sudo apt-get -qq -y install haproxy && echo kept > note && sudo rm /etc/fstab");
  expect(install.exitCode).toBe(0);
  const state = JSON.parse(JSON.stringify(await first.stop()));
  expect(ctx.network.resolve("192.168.1.4", 22)).toBeUndefined();
  const second = await startHost({ spec, ctx, startCluster, state });
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders
    const { stdout } = await second.run("cat note; dpkg-query -W -f='${Status}\\n' haproxy; systemctl is-active haproxy; [ -e /etc/fstab ] || echo gone");
    expect(stdout.toString()).toBe("kept\ninstall ok installed\nactive\ngone\n");
    expect((await second.save()).hostKey).toBe(state.hostKey);
  } finally {
    await second.stop();
  }
});
