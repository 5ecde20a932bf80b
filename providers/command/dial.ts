/** Opens SSH connections: directly or through a bastion, patient with hosts that are still booting. */
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { type Clock, systemClock } from "../../common/clock";
import { readEnv } from "../../common/env";
import { asError, HomelabError } from "../../common/errors";
import { isOtherKindOfKey, pinHostKey } from "../../common/host-key";
import { retry } from "../../common/retry";
import { handshake } from "../../common/ssh-handshake";
import type { CallContext } from "../sdk/resource";
import { type Connection, DEFAULTS, type Endpoint } from "./connection";

/** Delays between dials, in ms: those of the official provider. */
const FIRST_DELAY = 100;
const DELAY_FACTOR = 1.5;
const LONGEST_DELAY = 5_000;

export interface SshConnection {
  client: Client;
  /** Why the connection broke, if it did. */
  failure(): Error | undefined;
  /** Whether it is over, for whatever reason. */
  ended(): boolean;
  close(): void;
}

const address = (endpoint: Endpoint): string => `${endpoint.host}:${endpoint.port ?? DEFAULTS.port}`;

/** @param onRefused called for another key than the expected one: the client's own error says less */
function hostKeyConfig(endpoint: Endpoint, onRefused: () => void): ConnectConfig {
  if (endpoint.hostKey === undefined) return {};
  const pin = pinHostKey(endpoint.hostKey);
  if (pin === undefined) throw new HomelabError("E_HOST_KEY", `the hostKey of ${address(endpoint)} is not of the form "<algorithm> <base64>"`);
  const hostVerifier = (key: Buffer): boolean => {
    const isExpected = pin.accepts(key);
    if (!isExpected) onRefused();
    return isExpected;
  };
  return { hostVerifier, algorithms: { serverHostKey: pin.algorithms as ServerHostKeyAlgorithm[] } };
}

const refusedHostKey = (endpoint: Endpoint): HomelabError =>
  new HomelabError("E_HOST_KEY", `the host key of ${address(endpoint)} is not the one that is expected; nothing was sent`, {
    subject: endpoint.host,
    hint: "if its key was renewed on purpose, give the new one as connection.hostKey (docs/hosts.md); if not, somebody else may answer at its address",
  });

/** Keys first, then the password; the agent where it was named, or where there is nothing else. */
function sshConfig(endpoint: Endpoint): ConnectConfig {
  const secretless = endpoint.privateKey === undefined && endpoint.password === undefined;
  const agent = endpoint.agentSocketPath ?? (secretless ? readEnv("SSH_AUTH_SOCK") : undefined);
  const seconds = endpoint.perDialTimeout ?? DEFAULTS.perDialTimeout;
  return {
    host: endpoint.host,
    port: endpoint.port ?? DEFAULTS.port,
    username: endpoint.user ?? DEFAULTS.user,
    readyTimeout: seconds * 1000,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 8,
    ...(endpoint.privateKey === undefined ? {} : { privateKey: endpoint.privateKey }),
    ...(endpoint.privateKeyPassword === undefined ? {} : { passphrase: endpoint.privateKeyPassword }),
    ...(endpoint.password === undefined ? {} : { password: endpoint.password, tryKeyboard: true }),
    ...(agent === undefined ? {} : { agent }),
  };
}

/** One attempt. @param sock a stream that already leads to the host's SSH port */
function connect(endpoint: Endpoint, signal: AbortSignal, sock?: Duplex): Promise<Client> {
  const client = new Client();
  client.on("keyboard-interactive", (_name, _instructions, _lang, prompts, finish) => finish(prompts.map(() => endpoint.password ?? "")));
  return handshake({
    client,
    signal,
    begin: (fail) => {
      client.connect({ ...sshConfig(endpoint), ...hostKeyConfig(endpoint, () => fail(refusedHostKey(endpoint))), ...(sock === undefined ? {} : { sock }) });
      // As the official provider does. Otherwise each small packet of the handshake waits for the acknowledgement of the one before, 40 ms each time.
      client.setNoDelay(true);
    },
    // A server that no longer has a key of the expected kind has another one.
    explain: (error) => (isOtherKindOfKey(error) && endpoint.hostKey !== undefined ? refusedHostKey(endpoint) : error),
  });
}

/** A key that cannot be read stays unreadable: no reason to wait. */
const isHopeless = (thrown: unknown): boolean => /Cannot parse privateKey|Encrypted private/.test(asError(thrown).message);

interface Patience {
  call: CallContext;
  clock: Clock;
}

async function withRetries<T>(what: string, endpoint: Endpoint, { call, clock }: Patience, attempt: () => Promise<T>): Promise<T> {
  const limit = endpoint.dialErrorLimit ?? DEFAULTS.dialErrorLimit;
  return retry(attempt, {
    clock,
    signal: call.signal,
    firstMs: FIRST_DELAY,
    longestMs: LONGEST_DELAY,
    factor: DELAY_FACTOR,
    again: ({ number, outcome, backoffMs }) => {
      if ("value" in outcome) return undefined;
      const { thrown: cause } = outcome;
      call.signal.throwIfAborted();
      if (cause instanceof HomelabError) return undefined;
      if (isHopeless(cause)) throw new HomelabError("E_DIAL", `${what} ${address(endpoint)}: ${asError(cause).message}`, { cause, subject: endpoint.host });
      if (limit >= 0 && number > limit) {
        throw new HomelabError("E_DIAL", `${what} ${address(endpoint)} failed after ${number - 1} failed attempts: ${asError(cause).message}`, {
          cause,
          subject: endpoint.host,
          hint: "check that the host is up and that its SSH server knows the user and the key; connection.dialErrorLimit says how many failures are waited out",
        });
      }
      call.log("info", `${what} ${number}/${limit < 0 ? "inf" : limit} failed: retrying`, { status: true });
      return backoffMs;
    },
  });
}

function forward(proxy: Client, target: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) =>
    proxy.forwardOut("127.0.0.1", 0, target.host, target.port ?? DEFAULTS.port, (error, stream) => (error ? reject(error) : resolve(stream))),
  );
}

/** A connection to the host, which the caller closes. @throws HomelabError E_DIAL when the allowed failures are used up */
export async function dial(connection: Connection, call: CallContext, clock: Clock = systemClock): Promise<SshConnection> {
  const { proxy } = connection;
  const patience = { call, clock };
  if (proxy === undefined) return established(await withRetries("Dial", connection, patience, () => connect(connection, call.signal)));
  const toBastion = async (): Promise<SshConnection> => established(await withRetries("Dial proxy", proxy, patience, () => connect(proxy, call.signal)));
  let bastion = await toBastion();
  try {
    const attempt = async (): Promise<Client> => {
      // A bastion that restarts while the host behind it is waited for takes its connection with it.
      if (bastion.ended()) bastion = await toBastion();
      return connect(connection, call.signal, await forward(bastion.client, connection));
    };
    return established(await withRetries("Dial from proxy", connection, patience, attempt), () => bastion);
  } catch (thrown) {
    bastion.close();
    throw thrown;
  }
}

/** An error of an idle connection has no other listener; the running command sees the end of its channel. */
function established(client: Client, below?: () => SshConnection): SshConnection {
  let failure: Error | undefined;
  let ended = false;
  client.on("error", (error) => {
    failure = error;
    client.destroy();
  });
  client.on("close", () => {
    ended = true;
  });
  return {
    client,
    failure: () => failure ?? below?.().failure(),
    ended: () => ended,
    close: () => {
      client.end();
      below?.().close();
    },
  };
}
