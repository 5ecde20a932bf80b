/** `pods/exec`: a command in a container, with its input, output and result on streams of one connection. */
import type { WebSocket } from "ws";
import type { Call } from "../call";
import type { CommandResult } from "../pod-programs";
import { StatusError } from "../status";
import { SpdyConnection, type SpdyStream } from "./spdy";
import { acceptSpdy, acceptWebSocket, protocolOf, wantsWebSocket } from "./upgrade";

const V4 = "v4.channel.k8s.io";
/** The first version with a message that ends the input. With earlier ones a client can end its input only by disconnecting. */
const V5 = "v5.channel.k8s.io";

const [STDIN, STDOUT, STDERR, RESULT, CLOSE] = [0, 1, 2, 3, 255];

/** Runs a command with all of its input. @throws StatusError where it cannot be started */
export type Run = (stdin: Buffer, signal: AbortSignal) => Promise<CommandResult>;

/** The status that a client reads at the end. */
function resultOf(outcome: CommandResult | StatusError): string {
  if (outcome instanceof StatusError) return JSON.stringify(outcome.body());
  const { exitCode } = outcome;
  if (exitCode === 0) return JSON.stringify({ metadata: {}, status: "Success" });
  return JSON.stringify({
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: error executing command, exit code ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  });
}

async function outcomeOf(run: Run, stdin: Buffer, signal: AbortSignal): Promise<CommandResult | StatusError> {
  try {
    return await run(stdin, signal);
  } catch (thrown) {
    if (thrown instanceof StatusError) return thrown;
    throw thrown;
  }
}

/** Serves the request until the command has ended or its client is gone. */
export async function exec(call: Call, run: Run): Promise<void> {
  const wants = (name: string): boolean => ["1", "true"].includes(call.url.searchParams.get(name) ?? "");
  const protocol = protocolOf(call, { spdy: [V4], webSocket: wants("stdin") ? [V5] : [V5, V4] });
  if (wantsWebSocket(call.request)) await overWebSocket(await acceptWebSocket(call, protocol), run, wants);
  else await overSpdy(call, protocol, run, wants);
}

async function overWebSocket(socket: WebSocket, run: Run, wants: (name: string) => boolean): Promise<void> {
  const gone = new AbortController();
  const send = (channel: number, data: Buffer | string): void => socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)]));
  const input: Buffer[] = [];
  const stdin = new Promise<void>((resolve) => {
    if (!wants("stdin")) resolve();
    socket.on("message", (message: Buffer) => {
      if (message[0] === STDIN) input.push(message.subarray(1));
      else if (message[0] === CLOSE && message[1] === STDIN) resolve();
    });
    socket.on("close", () => resolve());
  });
  socket.on("close", () => gone.abort());
  // An empty message confirms the connection, as from a real server.
  send(wants("stdout") ? STDOUT : RESULT, "");
  try {
    await stdin;
    if (gone.signal.aborted) return;
    const outcome = await outcomeOf(run, Buffer.concat(input), gone.signal);
    if (!(outcome instanceof StatusError)) {
      // Standard error first: `kubectl cp` stops at the end of the archive and would not show what follows.
      if (wants("stderr") && outcome.stderr.length > 0) send(STDERR, outcome.stderr);
      if (wants("stdout") && outcome.stdout.length > 0) send(STDOUT, outcome.stdout);
    }
    send(RESULT, resultOf(outcome));
    socket.close(1000);
  } catch (thrown) {
    socket.terminate();
    if (!gone.signal.aborted) throw thrown;
  }
}

async function overSpdy(call: Call, protocol: string, run: Run, wants: (name: string) => boolean): Promise<void> {
  const gone = new AbortController();
  const expected = ["error", ...["stdin", "stdout", "stderr"].filter(wants)];
  const streams = new Map<string, SpdyStream>();
  const socket = acceptSpdy(call, protocol);
  let complete = (): void => undefined;
  const all = new Promise<void>((resolve) => (complete = resolve));
  const connection = new SpdyConnection(socket, (stream) => {
    stream.on("error", () => stream.destroy());
    streams.set(stream.headers["streamtype"] ?? "", stream);
    if (expected.every((name) => streams.has(name))) complete();
  });
  const served = connection.serve().finally(() => {
    gone.abort();
    complete();
  });
  const work = (async (): Promise<void> => {
    await all;
    const input: Buffer[] = [];
    for await (const chunk of streams.get("stdin") ?? []) input.push(chunk as Buffer);
    if (gone.signal.aborted) return;
    const outcome = await outcomeOf(run, Buffer.concat(input), gone.signal);
    if (!(outcome instanceof StatusError)) {
      streams.get("stderr")?.write(outcome.stderr);
      streams.get("stdout")?.write(outcome.stdout);
    }
    streams.get("error")?.write(resultOf(outcome));
    await Promise.all([...streams.values()].map((stream) => new Promise<void>((resolve) => stream.end(resolve))));
    socket.end();
  })();
  await Promise.all([served, work]).catch((thrown: unknown) => {
    if (!gone.signal.aborted) throw thrown;
  });
}
