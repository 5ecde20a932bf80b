/** A real Vault on 127.0.0.1: one process over a folder of its own, not initialised; what it keeps outlives its process. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

const START_LIMIT_MS = 60_000;

export interface RealVault {
  /** `http://127.0.0.1:<port>`, or https with a certificate. */
  readonly address: string;
  /** Its storage: a folder of plain files, which may be copied while it is stopped. */
  readonly storage: string;
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

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
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
export async function startRealVault(program: string, options: RealVaultOptions = {}): Promise<RealVault> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-real-vault-"));
  const [storage, log] = [path.join(folder, "storage"), path.join(folder, "log")];
  const port = options.port ?? (await freePort());
  fs.mkdirSync(storage, { mode: 0o700 });
  const write = (name: string, text: string): string => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  const { tls } = options;
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
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const output = fs.openSync(log, "a");
    const started = spawn(program, ["server", `-config=${configFile}`], {
      stdio: ["ignore", output, output],
      cwd: folder,
      // Nothing of the owner's: neither an address nor a token of another Vault.
      env: { PATH: process.env["PATH"], HOME: folder },
    });
    fs.closeSync(output);
    child = started;
    const failure = new Promise<never>((_, reject) => started.once("error", reject));
    const ready = async (): Promise<void> => {
      for (const deadline = Date.now() + START_LIMIT_MS; ; ) {
        if (started.exitCode !== null) throw new Error(`vault ended: ${fs.readFileSync(log, "utf8").slice(-2000)}`);
        if (await listens(port)) return;
        if (Date.now() > deadline) throw new Error(`vault does not listen: ${fs.readFileSync(log, "utf8").slice(-2000)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await Promise.race([ready(), failure]);
  };
  const halt = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      running.once("exit", () => resolve());
      running.kill("SIGKILL");
    });
  };
  const vault: RealVault = {
    address: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    storage,
    start,
    halt,
    restart: async () => {
      await halt();
      await start();
    },
    stop: async () => {
      await halt();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
  } catch (error) {
    await vault.stop();
    throw error;
  }
  return vault;
}
