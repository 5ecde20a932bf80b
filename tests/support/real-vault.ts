/** A real Vault on 127.0.0.1: one process over a folder of its own, not initialised; what it keeps outlives its process. */
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { onFreePorts, type RealProcess, startProcess, untilReady } from "./real-process";

export interface RealVault {
  /** `http://127.0.0.1:<port>`, or https with a certificate. */
  readonly address: string;
  readonly port: number;
  /** Of its own, with its configuration and {@link storage}. */
  readonly folder: string;
  /** Its storage: a folder of plain files, which may be copied while it is stopped. */
  readonly storage: string;
  /** undefined while it does not run. */
  pid(): number | undefined;
  /** Ends the process at once, as a power cut does, and starts another over the same storage: sealed. */
  restart(): Promise<void>;
  /** Ends the process; `start` goes on with what it kept. */
  halt(): Promise<void>;
  start(): Promise<void>;
  /** Ends the process, and removes its folder. */
  stop(): Promise<void>;
}

export interface RealVaultOptions {
  /** PEM texts; without, plain HTTP. */
  tls?: { cert: string; key: string };
  /** Default: any free one. */
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
    // Swapping is nothing to a test, and locking memory takes rights.
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
    // Nothing of the owner's: neither an address nor a token of another Vault.
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
