/** A lab for one test, which starts and uses it by the `homelab` executable, as a person does. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ProxyAgent, request } from "undici";
import { parse } from "yaml";
import { z } from "zod";
import { openSsh } from "../../components/hosts/ssh-session";
import { loadSecrets } from "../../secrets/load";
import { resolveOverTcp } from "./dns-client";
import { copyProgram, HOMELAB_SECRETS, type Part, placeHomelab } from "./homelab";
import { type CommandResult, runCommand } from "./run-command";
import { type Finished, type RunningCommand, runningCommand } from "./running-command";

export type { Finished, RunningCommand } from "./running-command";

const ROOT = path.join(__dirname, "..", "..");

const recordSchema = z.object({ seq: z.number(), system: z.string(), target: z.string(), kind: z.enum(["read", "write"]), action: z.string() });
export type LabRecord = z.infer<typeof recordSchema>;

const proxmoxSchema = z.object({
  vms: z.array(z.object({ vmid: z.number(), node: z.string(), status: z.string(), config: z.record(z.string(), z.string()) })),
});
const imagesSchema = z.object({
  tasks: z.array(z.object({ exitstatus: z.string().optional() })),
  volumes: z.array(z.object({ node: z.string(), content: z.string() })),
});
export type LabVm = z.infer<typeof proxmoxSchema>["vms"][number];

const kubeconfigSchema = z.object({
  clusters: z.array(
    z.object({ name: z.string(), cluster: z.looseObject({ server: z.string(), "proxy-url": z.string(), "certificate-authority-data": z.string() }) }),
  ),
  users: z.array(z.object({ name: z.string(), user: z.looseObject({ "client-certificate-data": z.string(), "client-key-data": z.string() }) })),
});

const labOnlySchema = z.object({ proxmox: z.object({ token: z.object({ id: z.string(), secret: z.string() }) }) });

/** An answer of one of the lab's servers; `body` is its JSON, or an empty object. */
export interface Answer {
  status: number;
  body: unknown;
}

interface Call {
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  headers?: Record<string, string>;
  body?: object;
}

async function ask(dispatcher: ProxyAgent, url: string, { method, headers = {}, body }: Call): Promise<Answer> {
  try {
    const answer = await request(url, {
      dispatcher,
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text === "" ? {} : JSON.parse(text) };
  } finally {
    await dispatcher.close();
  }
}

/** Sends a request to the Vault of the lab in this folder. @param route below `/v1/` */
export async function askVault(dir: string, route: string, token?: string, call: Call = { method: "GET" }): Promise<Answer> {
  const lab = z.object({ proxy: z.string(), caFile: z.string() }).parse(JSON.parse(fs.readFileSync(path.join(dir, "lab.json"), "utf8")));
  const agent = new ProxyAgent({ uri: lab.proxy, requestTls: { ca: fs.readFileSync(lab.caFile, "utf8") }, proxyTunnel: true });
  return ask(agent, `https://vault.fullstack.pw/v1/${route}`, { ...call, headers: token === undefined ? {} : { "x-vault-token": token } });
}

export interface StartOptions {
  env?: NodeJS.ProcessEnv;
  /** Standard input; default: none. */
  input?: string;
  /** The checkout whose `homelab` runs; default: the rehearsal's own. */
  checkout?: string;
}

export class Rehearsal {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-"));
  /** Its own checkout, with this checkout's program and the tests' homelab. A test may change it. */
  readonly checkout = path.join(this.dir, "checkout");
  /** A copy of the homelab's encrypted files, which a test may change. */
  readonly secretsDir = path.join(this.dir, "secrets");
  readonly #env: NodeJS.ProcessEnv;
  #control = "";

  /** @param part of the homelab; default: all of it */
  constructor(part?: Part) {
    // Only what Node needs: nothing of the machine's Pulumi, helm and home.
    this.#env = {
      PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: path.join(this.dir, "home"),
      HOMELAB_LAB_DIR: this.dir,
      HOMELAB_SECRETS_DIR: this.secretsDir,
      NO_COLOR: "1",
    };
    fs.mkdirSync(path.join(this.dir, "home"));
    fs.cpSync(HOMELAB_SECRETS, this.secretsDir, { recursive: true });
    copyProgram(this.checkout);
    placeHomelab(this.checkout, part);
  }

  start(args: readonly string[], { env = {}, input, checkout = this.checkout }: StartOptions = {}): RunningCommand {
    const child = spawn(process.execPath, [path.join(checkout, "orchestrator", "bin", "homelab"), ...args], {
      cwd: checkout,
      env: { ...this.#env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    return runningCommand(child, input);
  }

  homelab(...args: string[]): Promise<Finished> {
    return this.start(args).done;
  }

  /** Runs a script of a POSIX shell in the rehearsal's checkout. */
  shell(script: string): Promise<CommandResult> {
    return runCommand(spawn("sh", ["-c", script], { cwd: this.checkout, env: this.#env, stdio: ["pipe", "pipe", "pipe"] }));
  }

  /** `homelab secrets …` with the lab's key. */
  secrets(args: readonly string[], input?: string): Promise<Finished> {
    return this.start(["secrets", ...args], {
      env: { SOPS_AGE_KEY_FILE: path.join(ROOT, "secrets", "lab-only.agekey") },
      ...(input === undefined ? {} : { input }),
    }).done;
  }

  /** A second checkout of the same homelab, for settings that the first one does not have. */
  copyCheckout(): string {
    const folder = path.join(this.dir, "second-checkout");
    fs.cpSync(this.checkout, folder, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    return folder;
  }

  /** Sends a request to a cluster's API as its administrator. @param route `/api/v1/…` */
  async kubernetes(stack: string, route: string, call: Call = { method: "GET" }): Promise<Answer> {
    const config = kubeconfigSchema.parse(parse(fs.readFileSync(path.join(this.dir, "kubeconfig"), "utf8")));
    const cluster = config.clusters.find(({ name }) => name === stack)?.cluster;
    const user = config.users.find(({ name }) => name === stack)?.user;
    if (cluster === undefined || user === undefined) throw new Error(`the kubeconfig has no ${stack}`);
    const pem = (text: string): string => Buffer.from(text, "base64").toString("utf8");
    const requestTls = { ca: pem(cluster["certificate-authority-data"]), cert: pem(user["client-certificate-data"]), key: pem(user["client-key-data"]) };
    return ask(new ProxyAgent({ uri: cluster["proxy-url"], requestTls, proxyTunnel: true }), `${cluster.server}${route}`, call);
  }

  /** Sends a request to Vault. @param route below `/v1/` */
  vault(route: string, token?: string, call: Call = { method: "GET" }): Promise<Answer> {
    return askVault(this.dir, route, token, call);
  }

  /** Sends a request to Proxmox as the program does. @param route below `/api2/json/` */
  async proxmox(method: Call["method"], route: string): Promise<Answer> {
    const { proxy, caFile } = z.object({ proxy: z.string(), caFile: z.string() }).parse(JSON.parse(fs.readFileSync(path.join(this.dir, "lab.json"), "utf8")));
    const agent = new ProxyAgent({ uri: proxy, requestTls: { ca: fs.readFileSync(caFile, "utf8") }, proxyTunnel: true });
    const { id, secret } = labOnlySchema.parse(JSON.parse(fs.readFileSync(path.join(ROOT, "lab", "lab-only.json"), "utf8"))).proxmox.token;
    const headers = { authorization: `PVEAPIToken=${id}=${secret}` };
    return ask(agent, `https://192.168.1.248:8006/api2/json/${route}`, { method, headers });
  }

  /** Logs in to Pi-hole's API and sends a request. @param route below `/api/` */
  async pihole(method: Call["method"], route: string): Promise<Answer> {
    const entry = "cluster-secret-store/secrets/EXTERNAL_DNS_PIHOLE_PASSWORD";
    const secrets = await loadSecrets({ only: [entry], ageKeyFile: path.join(ROOT, "secrets", "lab-only.agekey") });
    const { proxy } = z.object({ proxy: z.string() }).parse(JSON.parse(fs.readFileSync(path.join(this.dir, "lab.json"), "utf8")));
    const call = (at: string, how: Call): Promise<Answer> => ask(new ProxyAgent({ uri: proxy, proxyTunnel: true }), `http://192.168.1.3/api/${at}`, how);
    const { body } = await call("auth", { method: "POST", body: { password: secrets.get(entry)?.["PIHOLE_PASSWORD"] ?? "" } });
    const { sid } = z.object({ session: z.object({ sid: z.string() }) }).parse(body).session;
    try {
      return await call(route, { method, headers: { "x-ftl-sid": sid } });
    } finally {
      await call("auth", { method: "DELETE", headers: { "x-ftl-sid": sid } });
    }
  }

  /** The IPv4 addresses of names by the homelab's name server (DNS over TCP). Names that it does not know are left out. */
  async resolveAll(names: readonly string[], server = "192.168.1.3"): Promise<Record<string, string>> {
    const { proxy } = z.object({ proxy: z.url() }).parse(JSON.parse(fs.readFileSync(path.join(this.dir, "lab.json"), "utf8")));
    const found = await Promise.all(names.map(async (name) => [name, await resolveOverTcp(new URL(proxy), server, name)] as const));
    return Object.fromEntries(found.flatMap(([name, address]) => (address === undefined ? [] : [[name, address]])));
  }

  /** Waits until nothing in the lab changes by itself any more. */
  async settle(): Promise<void> {
    const response = await fetch(`${this.#control}/settle`, { method: "POST" });
    if (!response.ok) throw new Error(`settle: ${response.status}`);
  }

  /** Runs a command on a host as an operator does, with the homelab's key, through the bastion. @returns its output */
  async ssh(host: string, command: string): Promise<string> {
    const { bastion } = z
      .object({ bastion: z.object({ host: z.string(), port: z.number(), user: z.string(), keyFile: z.string() }) })
      .parse(JSON.parse(fs.readFileSync(path.join(this.dir, "lab.json"), "utf8")));
    const entry = "cluster-secret-store/secrets/SSH_PRIVATE_KEY";
    const secrets = await loadSecrets({ only: [entry], ageKeyFile: path.join(ROOT, "secrets", "lab-only.agekey") });
    const target = { host, user: "suporte", privateKey: secrets.get(entry)?.["SSH_PRIVATE_KEY"] ?? "" };
    const jump = { host: bastion.host, port: bastion.port, user: bastion.user, privateKey: fs.readFileSync(bastion.keyFile, "utf8") };
    const session = await openSsh({ ...target, bastion: jump }, AbortSignal.timeout(60_000));
    try {
      const { code, stdout, stderr } = await session.run(command, "", AbortSignal.timeout(60_000));
      if (code !== 0) throw new Error(`${command} on ${host} ended with ${code}: ${stderr}`);
      return stdout;
    } finally {
      session.close();
    }
  }

  async startLab(): Promise<void> {
    const { code, stderr } = await this.homelab("lab", "start", "--latency", "zero", "--proxy-port", "0", "--bastion-port", "0", "--control-port", "0");
    if (code !== 0) throw new Error(`the lab did not start: ${stderr}`);
    this.attach();
  }

  /** Connects to a lab that was started in this folder. */
  attach(): void {
    this.#control = z.object({ control: z.string() }).parse(JSON.parse(fs.readFileSync(path.join(this.dir, "lab.json"), "utf8"))).control;
  }

  async #get(route: string): Promise<unknown> {
    const response = await fetch(`${this.#control}${route}`);
    if (!response.ok) throw new Error(`${route}: ${response.status}`);
    return response.json();
  }

  /** The lab's records of what the outside world saw, oldest first. */
  async records(since = 0): Promise<LabRecord[]> {
    return z.array(recordSchema).parse(await this.#get(`/records?since=${since}`));
  }

  /** The records of changes. */
  async writes(since = 0): Promise<LabRecord[]> {
    return (await this.records(since)).filter(({ kind }) => kind === "write");
  }

  /** `kill -9` of all processes of this lab's runs, except the lab itself. It finds them by Linux' /proc. */
  killRuns(): void {
    const { pid: lab } = z.object({ pid: z.number() }).parse(JSON.parse(fs.readFileSync(path.join(this.dir, "lab.json"), "utf8")));
    const isOfRun = (entry: string): boolean => /^\d+$/.test(entry) && Number(entry) !== lab;
    // A process may start another one during the search, so it is repeated until nothing is found. A killed process has no environment any more.
    for (let pass = 0, killed = -1; killed !== 0 && pass < 1_000; pass++) {
      killed = 0;
      for (const name of fs.readdirSync("/proc").filter(isOfRun)) {
        try {
          if (!fs.readFileSync(`/proc/${name}/environ`, "utf8").includes(`HOMELAB_LAB_DIR=${this.dir}\0`)) continue;
          process.kill(Number(name), "SIGKILL");
          killed++;
        } catch {
          // The process has ended meanwhile, or belongs to another user.
        }
      }
    }
  }

  /** Waits until the outside world saw a matching change, polling often enough for a kill right after it. @throws Error after five minutes */
  async sawWrite(since: number, matches: (record: LabRecord) => boolean): Promise<void> {
    for (let tries = 0; tries < 3000; tries++) {
      if ((await this.writes(since)).some(matches)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the lab saw no such change: ${JSON.stringify((await this.writes(since)).slice(-5))}`);
  }

  async lastSeq(): Promise<number> {
    return (await this.records()).at(-1)?.seq ?? 0;
  }

  /** Queues a fault that takes effect once, at the next call of its target (docs/lab.md). */
  async fault(name: string, target?: string): Promise<void> {
    const body = JSON.stringify({ name, ...(target === undefined ? {} : { target }) });
    const response = await fetch(`${this.#control}/faults`, { method: "POST", body });
    if (!response.ok) throw new Error(`fault ${name}: ${await response.text()}`);
  }

  async unhandled(): Promise<unknown> {
    return this.#get("/unhandled");
  }

  async vms(): Promise<LabVm[]> {
    return proxmoxSchema.parse(await this.#get("/proxmox")).vms;
  }

  /** The VMs without templates. */
  async machines(): Promise<LabVm[]> {
    return (await this.vms()).filter(({ config }) => config["template"] !== "1");
  }

  /** Waits until no task of Proxmox runs. @returns the nodes that have an image */
  async nodesWithImage(): Promise<string[]> {
    for (let tries = 0; tries < 600; tries++) {
      const { tasks, volumes } = imagesSchema.parse(await this.#get("/proxmox"));
      if (tasks.every(({ exitstatus }) => exitstatus !== undefined)) return volumes.flatMap(({ node, content }) => (content === "import" ? [node] : []));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("a task of Proxmox does not end");
  }

  /** Stops the lab and removes its folder. */
  async close(): Promise<void> {
    await this.homelab("lab", "stop");
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
