/** An SSH server in this process, for tests of SSH clients. A function answers commands; tunnels are real. */
import * as net from "node:net";
import { type Connection, Server, type ServerChannel, utils } from "ssh2";
import { newSshKey } from "../../lab/core/ssh-keys";

export interface Exec {
  command: string;
  user: string;
  env: Record<string, string>;
  stdin: string;
}

export interface Answer {
  stdout?: string;
  stderr?: string;
  code?: number;
  signal?: string;
  /** Ends the connection instead of answering. */
  drop?: boolean;
  /** Never answers. */
  hang?: boolean;
}

export interface SshServerOptions {
  /** Called when stdin has ended. */
  exec?: (exec: Exec) => Answer;
  /** OpenSSH public key that may log in; default: none. */
  allowedKey?: string;
  password?: string;
  /** Names of environment variables that it accepts. */
  acceptEnv?: string[];
  /** More private host keys, beside the Ed25519 key. */
  moreHostKeys?: readonly string[];
  /** This many connections are closed at once before one is served. */
  refuse?: number;
  /** This many requests for a tunnel end their connection. */
  dropTunnels?: number;
  /** Answers a command without waiting for its input, and sends the confirmation, the answer and the end in one piece. */
  inOnePiece?: boolean;
}

export interface TestSshServer {
  port: number;
  hostKey: string;
  /** The number of connections, including refused ones. */
  connections: number;
  /** The targets of tunnels. */
  tunnels: string[];
  execs: Exec[];
  signals: string[];
  close(): Promise<void>;
}

const host = newSshKey();

export function sshKeyPair(passphrase?: string): { privateKey: string; publicKey: string } {
  const pair = newSshKey("", passphrase);
  return { privateKey: pair.private, publicKey: pair.public };
}

export async function startSshServer(options: SshServerOptions): Promise<TestSshServer> {
  const open = new Set<Connection>();
  const sockets = new Set<net.Socket>();
  let accepted: net.Socket | undefined;
  const ssh = new Server({ hostKeys: [host.private, ...(options.moreHostKeys ?? [])] }, (client) => {
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => undefined);
    // Called in the same turn as injectSocket.
    if (accepted !== undefined) serve(client, accepted, options, state);
  });
  const listener = net.createServer({ noDelay: true }, (socket) => {
    state.connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    if (state.connections <= (options.refuse ?? 0)) socket.destroy();
    else {
      accepted = socket;
      ssh.injectSocket(socket);
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const state: TestSshServer = {
    port: (listener.address() as net.AddressInfo).port,
    hostKey: host.public,
    connections: 0,
    tunnels: [],
    execs: [],
    signals: [],
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
  return state;
}

function serve(client: Connection, socket: net.Socket, options: SshServerOptions, state: TestSshServer): void {
  let user = "";
  client.on("authentication", (ctx) => {
    user = ctx.username;
    const key = options.allowedKey === undefined ? undefined : utils.parseKey(options.allowedKey);
    if (ctx.method === "password" && options.password !== undefined && ctx.password === options.password) return ctx.accept();
    if (ctx.method === "publickey" && key !== undefined && !(key instanceof Error) && key.getPublicSSH().equals(ctx.key.data)) {
      if (ctx.signature === undefined || key.verify(ctx.blob ?? Buffer.alloc(0), ctx.signature, ctx.hashAlgo) === true) return ctx.accept();
    }
    return ctx.reject(["publickey", "password"]);
  });
  client.on("tcpip", (accept, reject, info) => {
    state.tunnels.push(`${info.destIP}:${info.destPort}`);
    if (state.tunnels.length <= (options.dropTunnels ?? 0)) {
      socket.destroy();
      return;
    }
    const out = net.connect({ port: info.destPort, host: "127.0.0.1", noDelay: true }, () => {
      const stream = accept();
      stream.pipe(out).pipe(stream);
      stream.on("error", () => out.destroy());
    });
    out.on("error", () => reject());
  });
  client.on("session", (acceptSession) => {
    const session = acceptSession();
    const env: Record<string, string> = {};
    session.on("env", (accept, reject, info) => {
      if (options.acceptEnv?.includes(info.key)) {
        env[info.key] = info.val;
        accept?.();
      } else reject?.();
    });
    session.on("signal", (accept, _reject, info) => {
      state.signals.push(info.name);
      accept?.();
    });
    session.on("exec", (accept, _reject, info) => {
      if (options.inOnePiece === true) socket.cork();
      const channel = accept();
      if (options.inOnePiece === true) {
        reply(channel, options.exec?.({ command: info.command, user, env, stdin: "" }) ?? {}, client);
        setImmediate(() => socket.uncork());
        return;
      }
      const chunks: Buffer[] = [];
      channel.on("data", (chunk: Buffer) => chunks.push(chunk));
      channel.on("end", () => {
        const exec = { command: info.command, user, env, stdin: Buffer.concat(chunks).toString("utf8") };
        state.execs.push(exec);
        reply(channel, options.exec?.(exec) ?? {}, client);
      });
    });
  });
}

function reply(channel: ServerChannel, answer: Answer, client: Connection): void {
  if (answer.hang === true) return;
  if (answer.drop === true) {
    client.end();
    return;
  }
  if (answer.stdout !== undefined) channel.write(answer.stdout);
  if (answer.stderr !== undefined) channel.stderr.write(answer.stderr);
  if (answer.signal === undefined) channel.exit(answer.code ?? 0);
  else channel.exit(answer.signal);
  channel.end();
}
