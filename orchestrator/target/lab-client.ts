/** Starts, asks and stops the lab. The lab is a process of its own, known by its files and its control port only. */
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { type AnswerOf, answeredJson } from "../../common/answer";
import { spawn } from "../../common/children";
import { childEnv, ENV, readEnv } from "../../common/env";
import { HomelabError, systemErrorCode } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import type { LabSite } from "../../common/lab-site";
import { projectRoot } from "../../common/paths";
import { isProcessAlive } from "../../common/processes";
import { PROXY_VARIABLES } from "../../common/proxy";
import { choosePorts, type LabPorts, rememberPorts } from "./lab-ports";

const labFileSchema = z.object({
  version: z.literal(1),
  pid: z.number(),
  startedAt: z.string(),
  control: z.string(),
  proxy: z.string(),
  bastion: z.object({ host: z.string(), port: z.number(), user: z.string(), keyFile: z.string(), hostKey: z.string() }),
  caFile: z.string(),
  kubeconfig: z.string(),
  chartStandIn: z.string(),
});

export type LabFile = z.infer<typeof labFileSchema>;

/** Folder of the lab's files. */
export function labDir(): string {
  return path.resolve(readEnv(ENV.labDir) ?? path.join(projectRoot(), ".lab"));
}

function readLabFile(): LabFile | undefined {
  const file = path.join(labDir(), "lab.json");
  let content: string;
  try {
    content = fs.readFileSync(file, "utf8");
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw new HomelabError("E_LAB_FILE", `${file} cannot be read`, { cause, subject: file, hint: `${ENV.labDir} names the folder of the lab` });
  }
  try {
    return labFileSchema.parse(JSON.parse(content));
  } catch (cause) {
    throw new HomelabError("E_LAB_FILE", `${file} is not a lab's file`, { cause, subject: file, hint: `stop the lab and remove ${file}` });
  }
}

/** Milliseconds for an answer. */
const TIMEOUT = 10_000;

/** Node's plain client with an agent of its own: `fetch` and the global agent send loopback through a proxy under NODE_USE_ENV_PROXY. */
function exchange(url: string, method: string, body?: string, timeoutMs = TIMEOUT): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent: new http.Agent(), signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    request.on("error", reject).end(body);
  });
}

/** Another program may listen on the port of a lab that has ended. */
const controlAnswer = (lab: Pick<LabFile, "control">, what: string): AnswerOf => ({
  from: `${what} of ${lab.control}`,
  code: "E_LAB_CONTROL",
  subject: lab.control,
  hint: "look at what listens there; `homelab lab stop` and `homelab lab start` begin anew",
});

/**
 * What a lab's control answers, as JSON.
 * @param timeoutMs default: 10 s
 * @throws HomelabError E_LAB_SILENT, E_LAB_CONTROL
 */
export async function control(lab: Pick<LabFile, "control">, method: string, route: string, given?: unknown, timeoutMs = TIMEOUT): Promise<unknown> {
  const url = `${lab.control}${route}`;
  const sent = given === undefined ? undefined : JSON.stringify(given);
  const { status, body } = await exchange(url, method, sent, timeoutMs).catch((cause: unknown) => {
    throw new HomelabError("E_LAB_SILENT", `${method} ${url}: no answer`, { cause, subject: lab.control });
  });
  if (status !== 200) throw new HomelabError("E_LAB_CONTROL", `the lab answered ${status} to ${method} ${route}: ${body}`);
  return body === "" ? undefined : answeredJson(body, controlAnswer(lab, `${method} ${route}`));
}

/** The lab that runs in this checkout, or undefined. A lab file whose process is gone is no lab. */
export async function runningLab(): Promise<LabFile | undefined> {
  const lab = readLabFile();
  if (lab === undefined) return undefined;
  try {
    await control(lab, "GET", "/status");
    return lab;
  } catch (thrown) {
    if (thrown instanceof HomelabError && thrown.code === "E_LAB_SILENT") return undefined;
    throw thrown;
  }
}

/** Whether nothing listens on the lab's control port any more. A lab that is only slow has not ended. */
export async function labHasEnded({ control: url }: Pick<LabFile, "control">): Promise<boolean> {
  try {
    await exchange(`${url}/status`, "GET");
    return false;
  } catch (cause) {
    return systemErrorCode(cause) === "ECONNREFUSED";
  }
}

/** @throws HomelabError E_LAB_DOWN */
export async function requireLab(): Promise<LabFile> {
  const lab = await runningLab();
  if (lab === undefined) {
    throw new HomelabError("E_LAB_DOWN", "the lab is not running", { subject: labDir(), hint: "start it with `npx homelab lab start` (or `make lab`)" });
  }
  return lab;
}

const refusalSchema = z.object({ code: z.string(), error: z.string(), hint: z.string().optional() });

/**
 * Tells a running lab which homelab it is used with. The lab accepts a homelab that has only grown since the lab was started.
 * @throws HomelabError E_LAB_OTHER_SITE where the lab models another one
 */
export async function tellSite(lab: LabFile, site: LabSite): Promise<void> {
  const { status, body } = await exchange(`${lab.control}/site`, "PUT", JSON.stringify(site));
  if (status === 200) return;
  const refusal = refusalSchema.safeParse(status === 409 ? answeredJson(body, controlAnswer(lab, "PUT /site")) : undefined);
  if (!refusal.success) throw new HomelabError("E_LAB_CONTROL", `the lab answered ${status} to PUT /site: ${body}`);
  const { code, error, hint } = refusal.data;
  throw new HomelabError(code, error, { subject: labDir(), ...(hint === undefined ? {} : { hint }) });
}

/** The lab's own status, as JSON. */
export async function labStatus(lab: LabFile): Promise<unknown> {
  return control(lab, "GET", "/status");
}

export interface LabOptions {
  /** The homelab that it models. */
  site: LabSite;
  /** As given by flags. Others are those of the previous start, or the defaults. */
  ports: Partial<Record<keyof LabPorts, string>>;
  latency?: string;
}

/** Starts the lab's process in the background; resolves when it is up. Errors are the lab's own text. */
export async function startLab(options: LabOptions): Promise<LabFile> {
  const dir = labDir();
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const log = path.join(dir, "lab.log");
  const fd = fs.openSync(log, "a", 0o600);
  const ports = await choosePorts(dir, options.ports);
  const siteFile = path.join(dir, "site.json");
  writeFileAtomic(siteFile, `${JSON.stringify(options.site, null, 2)}\n`, 0o600);
  const flags = Object.entries(ports).flatMap(([name, port]) => [`--${name}-port`, String(port)]);
  if (options.latency !== undefined) flags.push("--latency", options.latency);
  const from = fs.fstatSync(fd).size;
  const child = spawn(process.execPath, [path.join(projectRoot(), "bin", "lab", "main.js"), "--dir", dir, "--site", siteFile, ...flags], {
    detached: true,
    stdio: ["ignore", "pipe", fd],
    // The lab contacts nothing outside this machine, and its own servers are not behind a proxy.
    env: childEnv(Object.fromEntries(PROXY_VARIABLES.map((name) => [name, undefined]))),
  });
  fs.closeSync(fd);
  const { stdout: output } = child;
  if (output === null) throw new Error("the lab was started without a pipe for its first line");
  await new Promise<void>((resolve, reject) => {
    let stdout = "";
    output.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (stdout.includes("\n")) resolve();
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      const said = fs.readFileSync(log).subarray(from).toString("utf8").trim();
      reject(new HomelabError("E_LAB_START", said || `the lab ended with exit code ${code ?? "none"} before it was up`, { subject: log }));
    });
  });
  output.destroy();
  child.removeAllListeners();
  child.unref();
  const lab = await requireLab();
  rememberPorts(dir, lab);
  return lab;
}

/** Asks the lab to save its state and end; resolves when its process is gone. */
export async function stopLab(lab: LabFile): Promise<void> {
  await control(lab, "POST", "/stop");
  const deadline = Date.now() + 15_000;
  while (isProcessAlive(lab.pid)) {
    if (Date.now() > deadline)
      throw new HomelabError("E_LAB_STOP", `the lab (process ${lab.pid}) does not end`, { hint: `look at ${path.join(labDir(), "lab.log")}` });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
