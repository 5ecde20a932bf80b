/** One SSH connection to a host, directly or through a bastion, with errors that say how far it got. */
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { Client, type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { asError, HomelabError } from "../../common/errors";
import { hostKeyText, isOtherKindOfKey, pinHostKey } from "../../common/host-key";
import { handshake } from "../../common/ssh-handshake";

interface Endpoint {
  host: string;
  port?: number | undefined;
  user: string;
  /** OpenSSH or PEM text; secret. */
  privateKey: string;
  /** As in known_hosts (`ssh-ed25519 AAAA…`). Left out: any key is accepted. */
  hostKey?: string | undefined;
}

export interface SshTarget extends Endpoint {
  bastion?: Endpoint | undefined;
}

/** How far a connection got, in order. */
export type SshStep = "bastion" | "TCP" | "SSH banner" | "host key" | "authentication";

/** A connection that was not made. */
export class SshFailure extends HomelabError {
  constructor(
    readonly step: SshStep,
    target: SshTarget,
    cause: Error,
  ) {
    const where = `${target.host}:${target.port ?? 22}`;
    const [code, message, hint] = {
      bastion: ["E_SSH_BASTION", `the bastion on the way to ${where} cannot be used`, "check HOMELAB_BASTION and its key"],
      TCP: ["E_SSH_UNREACHABLE", `${where} cannot be reached`, "check that the host is up and its address right"],
      "SSH banner": ["E_SSH_NO_SERVER", `${where} takes connections, and no SSH server answers`, "look at the host's console"],
      "host key": [
        "E_SSH_HOST_KEY",
        `the host key of ${where} is not the one that it had`,
        "if its key was renewed on purpose, see docs/hosts.md; if not, somebody else may answer at its address",
      ],
      authentication: [
        "E_SSH_REFUSED",
        `${where} refuses the key of ${target.user}`,
        "check SSH_PRIVATE_KEY in secrets/ and the operators' keys in site/site.ts",
      ],
    }[step] as [string, string, string];
    super(code, message, { cause, subject: target.host, hint });
  }
}

export interface SshSession {
  /** As in known_hosts. */
  hostKey: string;
  /** @throws HomelabError E_SSH_CUT when the connection ends before the command does */
  run(command: string, stdin: string, signal: AbortSignal): Promise<{ code: number; stdout: string; stderr: string }>;
  close(): void;
}

function tcp(host: string, port: number, signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, signal, noDelay: true });
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

interface Opening {
  endpoint: Endpoint;
  sock: Duplex;
  signal: AbortSignal;
  /** Called with the server's key, and whether it is the expected one. */
  onHostKey: (key: Buffer, isExpected: boolean) => void;
  /** Called when a step begins. */
  at: (step: "SSH banner" | "authentication") => void;
}

function open({ endpoint, sock, signal, onHostKey, at }: Opening): Promise<Client> {
  const client = new Client();
  const connect = (): void => {
    const pin = endpoint.hostKey === undefined ? undefined : pinHostKey(endpoint.hostKey);
    if (pin === undefined && endpoint.hostKey !== undefined) throw new Error(`"${endpoint.hostKey}" is no host key: write it as in known_hosts`);
    const hostVerifier = (key: Buffer): boolean => {
      const isExpected = pin?.accepts(key) ?? true;
      onHostKey(key, isExpected);
      return isExpected;
    };
    const config: ConnectConfig = { sock, username: endpoint.user, privateKey: endpoint.privateKey, hostVerifier, readyTimeout: 0 };
    const algorithms = pin === undefined ? {} : { algorithms: { serverHostKey: pin.algorithms as ServerHostKeyAlgorithm[] } };
    client.connect({ ...config, ...algorithms, keepaliveInterval: 15_000, keepaliveCountMax: 4 });
  };
  const begin = (): void => {
    at("SSH banner");
    client.once("handshake", () => at("authentication"));
    try {
      connect();
    } catch (cause) {
      // A private key that cannot be read.
      at("authentication");
      throw cause;
    }
  };
  return handshake({ client, signal, begin });
}

const forward = (client: Client, target: SshTarget): Promise<Duplex> =>
  new Promise((resolve, reject) =>
    client.forwardOut("127.0.0.1", 0, target.host, target.port ?? 22, (error, stream) => (error ? reject(error) : resolve(stream))),
  );

function runOn(client: Client, host: string, command: string, stdin: string, signal: AbortSignal): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const cut = (cause?: Error): void =>
      reject(new HomelabError("E_SSH_CUT", `the connection to ${host} ended before the command did`, { cause, subject: host }));
    client.once("close", () => cut());
    client.exec(command, (error: Error | undefined, channel: ClientChannel) => {
      if (error) return cut(error);
      const [out, err]: [Buffer[], Buffer[]] = [[], []];
      let code: number | undefined;
      const onAbort = (): void => {
        channel.close();
        reject(asError(signal.reason));
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      channel.on("data", (chunk: Buffer) => out.push(chunk));
      channel.stderr.on("data", (chunk: Buffer) => err.push(chunk));
      channel.on("exit", (status: number | null) => {
        code = status ?? 255;
      });
      channel.on("close", () => {
        signal.removeEventListener("abort", onAbort);
        if (code === undefined) return cut();
        return resolve({ code, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") });
      });
      channel.end(stdin);
      return undefined;
    });
  });
}

/** One attempt; the caller closes what it gets. @param signal bounds the attempt @throws SshFailure */
export async function openSsh(target: SshTarget, signal: AbortSignal): Promise<SshSession> {
  let step: SshStep = target.bastion === undefined ? "TCP" : "bastion";
  let hostKey = "";
  let bastion: Client | undefined;
  const onHostKey = (key: Buffer, isExpected: boolean): void => {
    hostKey = hostKeyText(key);
    if (!isExpected) step = "host key";
  };
  const at = (begun: SshStep): void => {
    if (step !== "host key") step = begun;
  };
  try {
    let sock: Duplex;
    if (target.bastion !== undefined) {
      const { host, port = 22 } = target.bastion;
      bastion = await open({ endpoint: target.bastion, sock: await tcp(host, port, signal), signal, onHostKey: () => undefined, at: () => undefined });
      at("TCP");
      sock = await forward(bastion, target);
    } else sock = await tcp(target.host, target.port ?? 22, signal);
    const client = await open({ endpoint: target, sock, signal, onHostKey, at });
    return {
      hostKey,
      run: (command, stdin, commandSignal) => runOn(client, target.host, command, stdin, commandSignal),
      close: () => {
        client.end();
        bastion?.end();
      },
    };
  } catch (cause) {
    bastion?.end();
    throw new SshFailure(step !== "bastion" && isOtherKindOfKey(asError(cause)) ? "host key" : step, target, asError(cause));
  }
}
