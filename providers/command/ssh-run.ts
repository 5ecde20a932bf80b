/** Runs one command in one SSH session. */
import type { Client, ClientChannel } from "ssh2";
import { asError, HomelabError } from "../../common/errors";
import type { CallContext } from "../sdk/resource";
import type { Connection } from "./connection";
import { dial } from "./dial";
import { commandFailed, type Logging, OutputCollector } from "./outcome";

export interface RemoteRun {
  connection: Connection;
  command: string;
  stdin?: string | undefined;
  environment: Record<string, string>;
  /** Variables that the server may refuse without harm. */
  hopefulEnvironment: Record<string, string>;
  logging?: Logging | undefined;
}

/** One SSH packet holds a variable; servers end the connection over a larger one. */
const LARGEST_VARIABLE = 32_000;
const ENV_REFUSED = "Unable to set environment";

/**
 * Whether the server takes a variable of this name (AcceptEnv). An exec's own variables go unanswered in ssh2; the request
 * before a subsystem is answered, and what comes after it does not matter here.
 */
function acceptsVariable(client: Client, name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // The types know no environment for sftp(); the library has had it since 1.12.
    const probe = client.sftp.bind(client) as unknown as (env: Record<string, string>, done: (error?: Error) => void) => void;
    try {
      probe({ [name]: "" }, (error) => resolve(error?.message !== ENV_REFUSED));
    } catch (cause) {
      reject(asError(cause));
    }
  });
}

async function assertEnvironment(client: Client, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (await acceptsVariable(client, name)) continue;
    throw new HomelabError("E_SETENV", `could not set environment variable "${name}": the SSH server refuses it`, {
      hint: "allow it by AcceptEnv in sshd_config, pass it on stdin, or prefix the command with VAR=value",
    });
  }
}

/** How a command ended: its exit code, or the name of the signal that ended it, or neither where the connection broke. */
interface Ended {
  code?: number;
  signal?: string;
}

/** Starts the command. Listens for its end in the same turn, since a quick command starts and ends in one packet. */
function start(client: Client, run: RemoteRun, output: OutputCollector, signal: AbortSignal): Promise<{ channel: ClientChannel; ended: Promise<Ended> }> {
  const hopeful = Object.entries(run.hopefulEnvironment).filter(([, value]) => Buffer.byteLength(value) <= LARGEST_VARIABLE);
  const env = { ...Object.fromEntries(hopeful), ...run.environment };
  return new Promise((resolve, reject) =>
    client.exec(run.command, { env }, (error, channel) => (error ? reject(error) : resolve({ channel, ended: finished(channel, output, signal) }))),
  );
}

function finished(channel: ClientChannel, output: OutputCollector, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const end: Ended = {};
    const onAbort = (): void => {
      channel.signal("TERM");
      channel.close();
      reject(asError(signal.reason));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    channel.on("data", (chunk: Buffer) => output.take("stdout", chunk));
    channel.stderr.on("data", (chunk: Buffer) => output.take("stderr", chunk));
    channel.on("exit", (code: number | null, name?: string) => {
      if (code !== null) end.code = code;
      if (name !== undefined) end.signal = name;
    });
    channel.on("error", (error: Error) => reject(error));
    channel.on("close", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(end);
    });
  });
}

/** @throws HomelabError E_COMMAND with the exit code and the end of the output */
export async function runRemote(run: RemoteRun, call: CallContext): Promise<{ stdout: string; stderr: string }> {
  const connection = await dial(run.connection, call);
  try {
    await assertEnvironment(connection.client, Object.keys(run.environment));
    const output = new OutputCollector(call, run.logging);
    const { channel, ended } = await start(connection.client, run, output, call.signal);
    channel.end(run.stdin ?? "");
    const { code, signal } = await ended;
    const host = run.connection.host;
    if (signal !== undefined) throw commandFailed(`Process exited from signal ${signal} on ${host}`, run.command, output);
    if (code === undefined) {
      const why = connection.failure();
      throw commandFailed(`The connection to ${host} ended before the command did${why === undefined ? "" : ` (${why.message})`}`, run.command, output);
    }
    if (code !== 0) throw commandFailed(`Process exited with status ${code} on ${host}`, run.command, output);
    return { stdout: output.text("stdout"), stderr: output.text("stderr") };
  } finally {
    connection.close();
  }
}
