/** A stock kubectl against the lab's API. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import type * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { Duplex } from "node:stream";
import { createAuthority } from "../../lab/core/tls";
import { LabWorld, type WorldCluster } from "./lab-world";

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** A lab's cluster and a kubectl that is configured for it. */
export class KubectlWorld {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), "kubectl-"));

  private constructor(
    private readonly executable: string,
    readonly world: LabWorld,
    readonly dev: WorldCluster,
  ) {}

  static async start(executable: string): Promise<KubectlWorld> {
    const world = await LabWorld.start();
    const found = new KubectlWorld(executable, world, await world.cluster("dev", "192.168.1.12"));
    found.configure({ server: `https://127.0.0.1:${found.port}` });
    return found;
  }

  async stop(): Promise<void> {
    await this.world.stop();
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The port on this machine on which the API listens. */
  get port(): number {
    return this.world.ctx.network.resolve("192.168.1.12", 6443)?.port ?? 0;
  }

  file(name: string): string {
    return path.join(this.#folder, name);
  }

  /** @param caPem replaces the certificate of the cluster's own authority */
  configure(options: { server: string; proxyUrl?: string }, caPem?: string): void {
    const text = this.dev.cluster.adminKubeconfig({ name: "dev", ...options });
    const ca = caPem === undefined ? undefined : Buffer.from(caPem).toString("base64");
    fs.writeFileSync(this.file("config"), ca === undefined ? text : text.replace(/(certificate-authority-data: )\S+/, `$1${ca}`), { mode: 0o600 });
  }

  #start(environment: Readonly<Record<string, string>>, args: readonly string[]): ChildProcess {
    return spawn(this.executable, args, { env: { PATH: "/usr/bin:/bin", HOME: this.#folder, KUBECONFIG: this.file("config"), ...environment } });
  }

  /** Runs kubectl until it ends. */
  readonly run = (...args: string[]): Promise<Ran> => this.runWith({}, ...args);

  runWith({ environment = {}, input }: { environment?: Readonly<Record<string, string>>; input?: string }, ...args: string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = this.#start(environment, args);
      let [out, err] = ["", ""];
      child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
      child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
      child.stdin?.end(input);
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, out, err }));
    });
  }

  /** Creates the pod `alone` in the namespace `app`. No program serves it. */
  async alone(): Promise<void> {
    await this.run("create", "namespace", "app");
    await this.run("-n", "app", "run", "alone", "--image=registry/alone:1");
    await this.world.settled();
  }

  /** Starts a kubectl that forwards ports until the test ends it. */
  forward(environment: Readonly<Record<string, string>>, ...args: string[]): Promise<Forwarding> {
    const child = this.#start(environment, [...args, "--address=127.0.0.1"]);
    return forwarding(child, args.filter((arg) => arg.startsWith(":")).length);
  }
}

export interface Forwarding {
  /** The local ports, in the order of the arguments. */
  ports: number[];
  /** Resolves when kubectl has printed it. */
  says(what: RegExp): Promise<void>;
  end(): Promise<void>;
}

async function forwarding(child: ChildProcess, wanted: number): Promise<Forwarding> {
  let text = "";
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      for (const look of [...waiting]) look();
    });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      void ended.then(() => reject(new Error(text)));
      look();
    });
  const found = (): number[] => [...text.matchAll(/Forwarding from 127\.0\.0\.1:(\d+) ->/g)].map(([, port]) => Number(port));
  await until(() => found().length === wanted);
  return {
    ports: found(),
    says: (what) => until(() => what.test(text)),
    end: async () => {
      child.kill();
      await ended;
    },
  };
}

interface Relay {
  caPem: string;
  port: number;
  refused(): number;
  stop(): Promise<void>;
}

/** A server before the API that refuses one protocol, as some proxies do. @param refusedProtocol the value of `Upgrade`, in lower case */
export async function refusing(refusedProtocol: "websocket" | "spdy/3.1", { dev, port: target }: Pick<KubectlWorld, "dev" | "port">): Promise<Relay> {
  const authority = await createAuthority("relay");
  const { key, cert } = await authority.issue(["127.0.0.1"]);
  let refused = 0;
  const admin = dev.cluster.adminKubeconfig();
  const pem = (name: string): Buffer => Buffer.from(new RegExp(`${name}-data: (\\S+)`).exec(admin)?.[1] ?? "", "base64");
  const identity = { cert: pem("client-certificate"), key: pem("client-key"), rejectUnauthorized: false };
  const server = https.createServer({ key, cert }, (request, response) => {
    const onward = https.request(
      { port: target, host: "127.0.0.1", path: request.url, method: request.method, headers: request.headers, ...identity },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  const open = new Set<Duplex>();
  /** Handles errors of an upgraded connection, which the HTTP server no longer does. @param other is destroyed with it */
  const keep = (one: Duplex, other?: { destroy(): unknown }): void => {
    open.add(one);
    one.on("error", () => one.destroy());
    one.on("close", () => {
      open.delete(one);
      other?.destroy();
    });
  };
  server.on("upgrade", (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() === refusedProtocol) {
      keep(socket);
      refused++;
      socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      // Reads what it still sends, since the connection ends only after that.
      socket.resume();
      return;
    }
    const onward = https.request({ port: target, host: "127.0.0.1", path: request.url, method: request.method, headers: request.headers, ...identity });
    keep(socket, onward);
    onward.on("error", () => socket.destroy());
    onward.on("response", () => socket.destroy(new Error("the API has not upgraded the connection")));
    onward.on("upgrade", (answer, upstream, first) => {
      keep(upstream, socket);
      keep(socket, upstream);
      const lines = answer.rawHeaders.reduce((all, word, at) => all + (at % 2 === 0 ? `${word}: ` : `${word}\r\n`), "");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
      upstream.unshift(first);
      socket.unshift(head);
      upstream.pipe(socket).pipe(upstream);
    });
    onward.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    caPem: authority.caPem,
    port: (server.address() as AddressInfo).port,
    refused: () => refused,
    stop: async () => {
      for (const one of open) one.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
