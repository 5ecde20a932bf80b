/** A real server of the same protocol with the module valkey's configuration: who may connect, and what each user may do. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { valkeyOptions } from "../../components/platform/valkey/options";
import { valkeyValues } from "../../components/platform/valkey/values";
import { connectLines, type LineClient } from "../support/line-client";
import { describeReal } from "../support/real-parts";
import { onFreePorts, type RealProcess, startProcess, untilReady } from "../support/real-process";

const options = valkeyOptions.parse({
  memoryMiB: 32,
  users: {
    web: { keys: ["web:*"], channels: ["web.*"], path: "a", key: "b" },
    report: { keys: ["web:*"], may: "read", path: "a", key: "b" },
    harbor: { keys: ["harbor:*"], path: "a", key: "b" },
  },
});
const { auth, valkeyConfig } = valkeyValues({ storageClass: "s", options, host: "h", credentialMark: "m" });
const passwordOf = (user: string): string => `password of ${user}`.replaceAll(" ", "-");

/** The users' file as the chart's init container writes it: a line for each user with the digest of its password, then ours. */
const aclFile = [
  ...Object.entries(auth.aclUsers).map(
    ([user, { permissions }]) => `user ${user} on #${createHash("sha256").update(passwordOf(user)).digest("hex")} ${permissions}`,
  ),
  auth.aclConfig,
  "",
].join("\n");

describeReal(["redis-server"], "the users of Valkey, in a real server", (pathOf) => {
  let folder: string;
  let server: RealProcess;
  let port: number;
  const clients: LineClient[] = [];

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "valkey-"));
    fs.writeFileSync(path.join(folder, "users.acl"), aclFile);
    await onFreePorts(1, async ([own = 0]) => {
      port = own;
      fs.writeFileSync(path.join(folder, "server.conf"), `port ${port}\nbind 127.0.0.1\ndir ${folder}\naclfile ${folder}/users.acl\n${valkeyConfig}`);
      server = await startProcess("redis-server", pathOf("redis-server"), [path.join(folder, "server.conf")], { folder });
      await untilReady(server, "it answers", async () => {
        const client = await connectLines(port);
        client.send("PING\r\n");
        await client.until(/NOAUTH|PONG/);
        client.close();
        return true;
      });
    });
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Connects a client. @returns a function that sends a command and gives the answer: a line, or the text of a value */
  async function session(user?: string): Promise<(command: string) => Promise<string>> {
    const client = await connectLines(port);
    clients.push(client);
    const ask = async (command: string): Promise<string> => {
      client.send(`${command}\r\n`);
      const line = await client.until(/\r\n/);
      const size = /^\$(\d+)\r\n$/.exec(line)?.[1];
      return size === undefined ? line.trim() : (await client.until(/\r\n/)).trim();
    };
    if (user !== undefined) expect(await ask(`AUTH ${user} ${passwordOf(user)}`)).toBe("+OK");
    return ask;
  }

  test("a client without a user is refused whatever it asks, and so are a wrong password and the default user", async () => {
    const ask = await session();
    for (const command of ["GET web:a", "SET web:a 1", "INFO", "ACL WHOAMI"]) expect(await ask(command)).toMatch(/^-NOAUTH /);
    expect(await ask("AUTH web wrong")).toMatch(/^-WRONGPASS /);
    expect(await ask("AUTH default anything")).toMatch(/^-WRONGPASS /);
    expect(await ask("AUTH anything")).toMatch(/^-WRONGPASS /);
  });

  test("each user reaches its own keys and channels, and no others", async () => {
    const [web, harbor] = [await session("web"), await session("harbor")];
    expect(await web("SET web:a 1")).toBe("+OK");
    expect(await web("GET web:a")).toBe("1");
    expect(await web("PUBLISH web.news hello")).toBe(":0");
    expect(await web("SET harbor:a 1")).toMatch(/^-NOPERM /);
    expect(await web("PUBLISH harbor.news hello")).toMatch(/^-NOPERM /);
    expect(await harbor("GET web:a")).toMatch(/^-NOPERM /);
    expect(await harbor("PUBLISH web.news hello")).toMatch(/^-NOPERM /);
  });

  test("who may read writes nothing, and nobody changes the server", async () => {
    const [web, report] = [await session("web"), await session("report")];
    await web("SET web:b 2");
    expect(await report("GET web:b")).toBe("2");
    expect(await report("SET web:b 3")).toMatch(/^-NOPERM /);
    expect(await report("DEL web:b")).toMatch(/^-NOPERM /);
    for (const ask of [web, report])
      for (const command of ["CONFIG GET maxmemory", "ACL LIST", "FLUSHALL", "SHUTDOWN", "REPLICAOF 127.0.0.1 1", "MONITOR"])
        expect(await ask(command)).toMatch(/^-NOPERM /);
  });

  test("a client may ask what the server is, and it holds what the module gives it", async () => {
    const web = await connectLines(port);
    clients.push(web);
    web.send(`AUTH harbor ${passwordOf("harbor")}\r\n`);
    await web.until(/\+OK\r\n/);
    web.send("INFO memory\r\n");
    expect(await web.until(/maxmemory_policy:\w+/)).toContain("maxmemory:33554432");
  });
});
