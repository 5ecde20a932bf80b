/** The servers that the demo uses, on loopback, with the accounts and users of the platform's modules. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { natsOptions } from "../../components/platform/nats/options";
import { natsAccounts, passwordVariable } from "../../components/platform/nats/values";
import { valkeyOptions } from "../../components/platform/valkey/options";
import { valkeyValues } from "../../components/platform/valkey/values";
import { connectLines } from "./line-client";
import { outsideVm } from "./outside-vm";
import { onFreePorts, type RealProcess, startProcess, untilReady } from "./real-process";

/** The password of every user. */
export const PASSWORD = "of-a-test";

export interface Served {
  readonly port: number;
  readonly server: RealProcess;
}

/** A NATS with the accounts of the module nats. */
export async function startNats(program: string, folder: string): Promise<Served> {
  const options = natsOptions.parse({});
  return onFreePorts(1, async ([port = 0]) => {
    const config = JSON.stringify({ port, host: "127.0.0.1", jetstream: { store_dir: folder }, accounts: natsAccounts(options) });
    fs.writeFileSync(path.join(folder, "nats.conf"), config.replaceAll(/"<< (\$\w+) >>"/g, "$1"));
    const env = { [passwordVariable("apps")]: `"${PASSWORD}"` };
    const server = await startProcess("nats-server", program, ["--config", path.join(folder, "nats.conf")], { folder, env });
    await untilReady(server, "it answers", async () => {
      const client = await connectLines(port);
      await client.until(/INFO .*\r\n/);
      client.close();
      return true;
    });
    return { port, server };
  });
}

/** A Redis with the users of the module valkey. */
export async function startRedis(program: string, folder: string, port: number): Promise<RealProcess> {
  const { auth, valkeyConfig } = valkeyValues({ storageClass: "s", options: valkeyOptions.parse({}), host: "h", credentialMark: "m" });
  const digest = createHash("sha256").update(PASSWORD).digest("hex");
  const users = Object.entries(auth.aclUsers).map(([user, { permissions }]) => `user ${user} on #${digest} ${permissions}`);
  fs.writeFileSync(path.join(folder, "users.acl"), [...users, auth.aclConfig, ""].join("\n"));
  fs.writeFileSync(path.join(folder, "redis.conf"), `port ${port}\nbind 127.0.0.1\ndir ${folder}\naclfile ${folder}/users.acl\n${valkeyConfig}`);
  const server = await startProcess("redis-server", program, [path.join(folder, "redis.conf")], { folder });
  await untilReady(server, "it answers", async () => {
    const client = await connectLines(port);
    client.send("PING\r\n");
    await client.until(/NOAUTH|PONG/);
    client.close();
    return true;
  });
  return server;
}

export interface ServedPostgres {
  readonly port: number;
  /** Resets the session. Call it before another client connects: this server has one session for all clients, so prepared statements remain. */
  forget(): Promise<unknown>;
  stop(): Promise<void>;
}

/** A Postgres with pgvector. Its server takes one client at a time. */
export async function startPostgres(): Promise<ServedPostgres> {
  const { PGlite } = outsideVm<typeof import("@electric-sql/pglite")>("@electric-sql/pglite");
  const { vector } = outsideVm<typeof import("@electric-sql/pglite-pgvector")>("@electric-sql/pglite-pgvector");
  const { PGLiteSocketServer } = outsideVm<typeof import("@electric-sql/pglite-socket")>("@electric-sql/pglite-socket");
  const db = await PGlite.create({ extensions: { vector } });
  return onFreePorts(1, async ([port = 0]) => {
    const server = new PGLiteSocketServer({ db, port, host: "127.0.0.1" });
    await server.start();
    const stop = async (): Promise<void> => {
      await server.stop();
      await db.close();
    };
    return { port, forget: () => db.exec("DEALLOCATE ALL"), stop };
  });
}

/** Ports that a process has connections to. */
export function connectedPorts(pid: number): number[] {
  const descriptors = fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [fs.readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // The descriptor was closed meanwhile.
      return [];
    }
  });
  const own = new Set(descriptors.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const rows = fs
    .readFileSync(`/proc/${pid}/net/tcp`, "utf8")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  const listening = new Set(rows.flatMap(([, local, , state]) => (state === "0A" ? [local?.split(":")[1]] : [])));
  // Incoming connections are left out: their local port is one on which the process listens.
  const out = rows.filter(([, local, , state, , , , , , inode]) => state === "01" && own.has(inode ?? "") && !listening.has(local?.split(":")[1]));
  return [...new Set(out.map(([, , remote]) => Number.parseInt(remote?.split(":")[1] ?? "", 16)))];
}
