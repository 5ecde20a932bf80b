/** A real NATS with the configuration of the module nats: who may connect, and to which subjects. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { natsOptions } from "../../components/platform/nats/options";
import { natsAccounts, passwordVariable, usersOf } from "../../components/platform/nats/values";
import { connectLines, type LineClient } from "../support/line-client";
import { describeReal } from "../support/real-parts";
import { onFreePorts, type RealProcess, startProcess, untilReady } from "../support/real-process";

const options = natsOptions.parse({
  accounts: {
    shop: {
      users: { web: { subjects: ["orders.>"], path: "a", key: "b" }, stock: { subjects: ["orders.>", "stock.>"], path: "a", key: "b" } },
    },
    logs: { jetstream: false, users: { writer: { path: "a", key: "b" } } },
  },
});
/** One password consists of digits, which a configuration file would read as a number. */
const passwordOf = (user: string): string => (user === "stock" ? "12345678" : `p4ssword-of-${user}`);

/** The configuration as the chart writes it: JSON in which `"<< … >>"` loses its quotes. */
const configOf = (port: number, folder: string): string =>
  JSON.stringify({ port, host: "127.0.0.1", jetstream: { store_dir: folder }, accounts: natsAccounts(options) }).replaceAll(/"<< (\$\w+) >>"/g, "$1");

describeReal(["nats-server"], "the accounts of NATS, in a real server", (pathOf) => {
  let folder: string;
  let server: RealProcess;
  let port: number;
  const clients: LineClient[] = [];

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-"));
    const env = Object.fromEntries(usersOf(options).map(({ name }) => [passwordVariable(name), `"${passwordOf(name)}"`]));
    await onFreePorts(1, async ([own = 0]) => {
      port = own;
      fs.writeFileSync(path.join(folder, "nats.conf"), configOf(port, folder));
      server = await startProcess("nats-server", pathOf("nats-server"), ["--config", path.join(folder, "nats.conf")], { folder, env });
      await untilReady(server, "it answers", async () => {
        const client = await connectLines(port);
        await client.until(/INFO .*\r\n/);
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

  /** @param login the fields of the client's CONNECT message */
  async function connected(login: object): Promise<LineClient> {
    const client = await connectLines(port);
    clients.push(client);
    await client.until(/INFO .*\r\n/);
    client.send(`CONNECT ${JSON.stringify({ verbose: true, pedantic: false, headers: true, no_responders: true, ...login })}\r\n`);
    return client;
  }

  async function as(user: string): Promise<LineClient> {
    const client = await connected({ user, pass: passwordOf(user) });
    await client.until(/\+OK\r\n/);
    return client;
  }

  test.each([
    ["a client that names no user", {}],
    ["a wrong password", { user: "web", pass: "wrong" }],
    ["an unknown user", { user: "admin", pass: passwordOf("web") }],
    ["a password without a user", { auth_token: passwordOf("web") }],
  ])("%s is refused", async (_, login) => {
    await (await connected(login)).until(/-ERR 'Authorization Violation'\r\n/);
  });

  test("users of one account hear each other, on the subjects that they were given", async () => {
    const [web, stock] = [await as("web"), await as("stock")];
    stock.send("SUB orders.new 1\r\n");
    await stock.until(/\+OK\r\n/);
    web.send("PUB orders.new 5\r\nhello\r\n");
    await web.until(/\+OK\r\n/);
    expect(await stock.until(/hello\r\n/)).toContain("MSG orders.new 1 5");
    web.send("PUB stock.count 1\r\n1\r\n");
    await web.until(/-ERR 'Permissions Violation for Publish to "stock.count"'\r\n/);
    web.send("SUB stock.> 2\r\n");
    await web.until(/-ERR 'Permissions Violation for Subscription to "stock.>"'\r\n/);
  });

  test("accounts see nothing of one another", async () => {
    const [writer, stock] = [await as("writer"), await as("stock")];
    stock.send("SUB orders.secret 1\r\nPING\r\n");
    await stock.until(/PONG\r\n/);
    writer.send("SUB > 1\r\nPUB orders.secret 5\r\nother\r\nPING\r\n");
    await writer.until(/MSG orders\.secret 1 5\r\nother\r\n/);
    stock.send("PUB orders.secret 3\r\nown\r\nPING\r\n");
    // Before the PONG, only messages of its own account arrive.
    expect(await stock.until(/PONG\r\n/)).not.toContain("other");
    writer.send("PING\r\n");
    expect(await writer.until(/PONG\r\n(?![\s\S]*PONG)/)).not.toContain("own");
  });

  test("an account with JetStream is answered by it, and one without is not", async () => {
    const [web, writer] = [await as("web"), await as("writer")];
    for (const client of [web, writer]) {
      client.send("SUB _INBOX.me 9\r\nPUB $JS.API.INFO _INBOX.me 0\r\n\r\nPING\r\n");
    }
    expect(await web.until(/account_info_response[\s\S]*\r\n/)).toContain("MSG _INBOX.me 9");
    const refused = await writer.until(/MSG _INBOX.me 9[^\r]*\r\n[^\r]*\r\n/);
    expect(refused).toContain('"code":503');
    expect(refused).toContain("JetStream not enabled for account");
  });
});
