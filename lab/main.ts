import { parseArgs } from "node:util";
import { describeError, HomelabError } from "../common/errors";
import { DEFAULT_PORTS, startLab } from "./lab";
import { readSite } from "./site";

const USAGE = `usage: node bin/lab/main.js --dir FOLDER [--site FILE] [--proxy-port N] [--bastion-port N] [--control-port N] [--latency zero|default]`;

function portOf(text: string | undefined, flag: string, fallback: number): number {
  if (text === undefined) return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new HomelabError("E_USAGE", `${flag} ${text}: not a port`, { hint: USAGE });
  return port;
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        dir: { type: "string" },
        site: { type: "string" },
        "proxy-port": { type: "string" },
        "bastion-port": { type: "string" },
        "control-port": { type: "string" },
        latency: { type: "string" },
      },
    }).values;
  } catch (cause) {
    throw new HomelabError("E_USAGE", cause instanceof Error ? cause.message : String(cause), { hint: USAGE });
  }
}

async function main(): Promise<void> {
  const flags = readFlags();
  const latency = flags.latency ?? "default";
  if (latency !== "zero" && latency !== "default") throw new HomelabError("E_USAGE", `--latency ${latency}: it is zero or default`, { hint: USAGE });
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const lab = await startLab({
    dir: flags.dir ?? ".lab",
    ...(flags.site === undefined ? {} : { site: readSite(flags.site) }),
    ports: {
      proxy: portOf(flags["proxy-port"], "--proxy-port", DEFAULT_PORTS.proxy),
      bastion: portOf(flags["bastion-port"], "--bastion-port", DEFAULT_PORTS.bastion),
      control: portOf(flags["control-port"], "--control-port", DEFAULT_PORTS.control),
    },
    latency,
    onStopRequest: stop,
    log: (line) => process.stderr.write(`${new Date().toISOString()} ${line}\n`),
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  // Who started it may have closed the pipe after the first line.
  process.stdout.on("error", () => undefined);
  process.stdout.write(`${JSON.stringify({ ready: true, ...lab.file })}\n`);
  await stopped;
  await lab.stop();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    process.exit(error instanceof HomelabError && error.code === "E_USAGE" ? 2 : 1);
  },
);
