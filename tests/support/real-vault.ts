/** A real Vault on 127.0.0.1, not initialised. It is one process with its own folder of storage, which outlives the process. */
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { onFreePorts, type RealProcess, startProcess, untilReady } from "./real-process";

export interface RealVault {
  /** `http://127.0.0.1:<port>`, or https with a certificate. */
  readonly address: string;
  readonly port: number;
  /** Its own folder, with its configuration and {@link storage}. */
  readonly folder: string;
  /** The folder of its storage. Its plain files may be copied while Vault is stopped. */
  readonly storage: string;
  /** The process id; undefined while it does not run. */
  pid(): number | undefined;
  /** Kills the process, as a power cut does, and starts another one with the same storage, which is sealed. */
  restart(): Promise<void>;
  /** Ends the process; `start` continues with its storage. */
  halt(): Promise<void>;
  start(): Promise<void>;
  /** Ends the process, and removes its folder. */
  stop(): Promise<void>;
}

export interface RealVaultOptions {
  /** Certificate and key as PEM texts. Without them, plain HTTP. */
  tls?: { cert: string; key: string };
  /** Default: a free port. */
  port?: number;
}

/** Whether something listens there. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** @param program path of the part "vault" */
export function startRealVault(program: string, options: RealVaultOptions = {}): Promise<RealVault> {
  return options.port === undefined ? onFreePorts(1, ([port]) => startOn(program, port as number, options)) : startOn(program, options.port, options);
}

async function startOn(program: string, port: number, { tls }: RealVaultOptions): Promise<RealVault> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-real-vault-"));
  const storage = path.join(folder, "storage");
  fs.mkdirSync(storage, { mode: 0o700 });
  const write = (name: string, text: string): string => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  const config = {
    // A test may be swapped to disk, and locking memory needs privileges.
    disable_mlock: true,
    storage: { file: { path: storage } },
    listener: {
      tcp: {
        address: `127.0.0.1:${port}`,
        ...(tls === undefined ? { tls_disable: true } : { tls_cert_file: write("tls.crt", tls.cert), tls_key_file: write("tls.key", tls.key) }),
      },
    },
  };
  const configFile = write("config.json", JSON.stringify(config));
  let running: RealProcess | undefined;

  const start = async (): Promise<void> => {
    // Without the owner's environment, which may have the address and token of another Vault.
    running = await startProcess("vault", program, ["server", `-config=${configFile}`], { folder });
    await untilReady(running, "it listens", () => listens(port));
  };
  const halt = async (): Promise<void> => {
    const ended = running;
    running = undefined;
    await ended?.stop();
  };
  const vault: RealVault = {
    address: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    folder,
    storage,
    pid: () => running?.pid,
    start,
    halt,
    restart: async () => {
      await halt();
      await start();
    },
    stop: async () => {
      try {
        await halt();
      } finally {
        fs.rmSync(folder, { recursive: true, force: true });
      }
    },
  };
  try {
    await start();
  } catch (error) {
    await vault.stop().catch(() => undefined);
    throw error;
  }
  return vault;
}
