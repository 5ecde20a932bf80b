import { type AuthContext, type Connection, Server, type ServerChannel, type Session } from "ssh2";
import { listenOn, sendAtOnce, stopSsh } from "../core/server";
import { isAuthorized } from "../core/ssh-keys";
import type { Identity } from "./filesystem";
import { findUser, type Machine } from "./machine";
import { serveSftp } from "./sftp";
import { runShell } from "./shell";

/**
 * A client that started a command and for this many milliseconds neither sends nor closes its standard input is taken to send none. The
 * time is long enough for a client on a busy machine.
 */
const STDIN_GRACE_MS = 10_000;

export interface SshServer {
  port: number;
  stop(): Promise<void>;
}

/**
 * sshd of a host: public keys of authorized_keys, exec (with or without a terminal), environment, standard input, SFTP.
 */
export async function startSshServer(machine: Machine, hostKey: string, stdinGraceMs = STDIN_GRACE_MS): Promise<SshServer> {
  const clients = new Set<Connection>();
  const server = new Server({ hostKeys: [hostKey], ident: "OpenSSH_9.6p1" }, (client) => {
    // As with a sshd that stops: a client gets no further answer.
    if (machine.ctx.faults.take("ssh.restarting", machine.spec.hostname)) {
      client.on("error", () => undefined);
      client.end();
      return;
    }
    let user: Identity | undefined;
    clients.add(client);
    sendAtOnce(client);
    client.on("close", () => clients.delete(client));
    // The peer has closed the connection: nobody is left to get the error.
    client.on("error", () => clients.delete(client));
    client.on("authentication", (context) => {
      authenticate(machine, context).then(
        (found) => {
          user = found;
        },
        () => context.reject(),
      );
    });
    client.on("ready", () => {
      client.on("session", (accept) => {
        if (user) serveSession({ machine, user, client, stdinGraceMs }, accept());
      });
    });
  });
  const port = await listenOn(server, 0);
  return { port, stop: () => stopSsh(server, clients) };
}

async function authenticate(machine: Machine, context: AuthContext): Promise<Identity | undefined> {
  await machine.ctx.clock.sleep(machine.ctx.latency.of("ssh.connect"));
  const user = await findUser(machine, context.username);
  const keys = user ? ((await machine.disk.read(`${user.home}/.ssh/authorized_keys`)) ?? "").split("\n").filter((line) => line.trim() !== "") : [];
  const refused = context.method === "publickey" && machine.ctx.faults.take("ssh.auth-failed", machine.spec.hostname) !== undefined;
  if (!user || refused || !isAuthorized(context, keys)) {
    context.reject(["publickey"]);
    return undefined;
  }
  context.accept();
  return user;
}

interface Login {
  machine: Machine;
  user: Identity;
  client: Connection;
  stdinGraceMs: number;
}

function serveSession(login: Login, session: Session): void {
  const env: Record<string, string> = {};
  let terminal = false;
  session.on("env", (accept, _reject, info) => {
    env[info.key] = info.val;
    accept?.();
  });
  session.on("pty", (accept) => {
    terminal = true;
    accept?.();
  });
  session.on("exec", (accept, _reject, info) => execute(login, accept(), info.command, { env, terminal }));
  session.on("shell", (accept) => execute(login, accept(), "bash -s", { env, terminal }));
  session.on("sftp", (accept) => serveSftp(login.machine, login.user, accept()));
}

function execute(login: Login, channel: ServerChannel, command: string, how: { env: Record<string, string>; terminal: boolean }): void {
  const { machine, user, client } = login;
  if (machine.ctx.faults.take("ssh.disconnect", machine.spec.hostname)) {
    client.end();
    return;
  }
  const abort = new AbortController();
  channel.on("close", () => abort.abort());
  channel.on("error", () => abort.abort());
  const reboot = machine.ctx.faults.take("vm.reboot", machine.spec.hostname);
  const cut = reboot ?? machine.ctx.faults.take("ssh.cut", machine.spec.hostname);
  const run = async (): Promise<void> => {
    const stdin = await readInput(channel, login.stdinGraceMs);
    const before = machine.disk.changes + machine.effects;
    if (cut !== undefined) cutAtChange(login, Number(cut["changes"] ?? 1), abort, reboot === undefined ? undefined : machine.reboot);
    const result = await runShell(machine, user, command, { env: how.env, cwd: user.home, stdin, signal: abort.signal }).catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
      return undefined;
    });
    // A fault that was to cut the connection after more changes than the command made ends with the command.
    if (cut !== undefined) machine.disk.onChange = undefined;
    const changed = machine.disk.changes + machine.effects !== before;
    machine.ctx.records.add({
      system: "ssh",
      target: machine.spec.hostname,
      kind: changed ? "write" : "read",
      action: "exec",
      detail: { address: machine.spec.address, ...(result === undefined ? {} : { exitCode: result.exitCode }) },
    });
    if (changed) machine.ctx.changed();
    if (result === undefined || channel.destroyed) return;
    const crlf = (bytes: Buffer) => (how.terminal ? Buffer.from(bytes.toString("latin1").replace(/\r?\n/g, "\r\n"), "latin1") : bytes);
    channel.write(crlf(result.stdout));
    // A terminal has one output for both.
    (how.terminal ? channel : channel.stderr).write(crlf(result.stderr));
    channel.exit(result.exitCode);
    channel.end();
  };
  run().catch((error: unknown) => {
    machine.ctx.unhandled.add({ system: "ssh", target: machine.spec.hostname, what: `the lab failed to run a command: ${String(error)}` });
    if (channel.destroyed) return;
    channel.stderr.write(`lab: internal error: ${String(error)}\n`);
    channel.exit(254);
    channel.end();
  });
}

/** Ends the connection, and the command with it, once it has made this many changes on the disk. @param then what else happens */
function cutAtChange({ machine: { disk }, client }: Login, count: number, command: AbortController, then: () => void = () => undefined): void {
  let left = count;
  disk.onChange = () => {
    left -= 1;
    if (left > 0) return;
    disk.onChange = undefined;
    command.abort();
    client.end();
    then();
  };
}

/** All of standard input as Latin-1 text; a client that is silent for the time of grace has none. */
function readInput(channel: ServerChannel, graceMs: number): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const finish = () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString("latin1"));
    };
    const timer = setTimeout(() => {
      if (chunks.length === 0) finish();
    }, graceMs);
    channel.on("data", (chunk: Buffer) => chunks.push(chunk));
    channel.once("end", finish);
    channel.once("close", finish);
  });
}
