import * as http from "node:http";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { type LabSite, parseLabSite } from "../../common/lab-site";
import { FAULTS, type FaultName, type FaultQueue } from "./faults";
import { requestUrl } from "./request-url";
import { listenOn } from "./server";
import type { Records, Stoppable, Unhandled } from "./world";

const faultSchema = z.strictObject({
  name: z.string(),
  target: z.string().optional(),
  times: z.number().int().positive().optional(),
  after: z.number().int().nonnegative().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
});

export interface ControlOptions {
  port: number;
  records: Records;
  unhandled: Unhandled;
  faults: FaultQueue;
  status: () => unknown;
  /** The homelab that the lab models. */
  site: () => LabSite;
  /** @throws HomelabError E_LAB_OTHER_SITE */
  setSite: (site: LabSite) => Promise<void>;
  proxmox: () => unknown;
  /** @returns false: no VM of this name runs */
  resetVm: (name: string) => Promise<boolean>;
  /** Resolves when nothing in the lab changes by itself any more. */
  settled: () => Promise<void>;
  /** Called after the reply to POST /stop has been sent. */
  stop: () => void;
}

/**
 * Each call has a connection of its own: a client could send its next call on a kept connection just when the server closes it for being
 * idle.
 */
const HEADERS = { "content-type": "application/json", connection: "close" };

/** The lab's own HTTP interface, for the orchestrator and for tests. */
export async function startControl(options: ControlOptions): Promise<Stoppable & { port: number }> {
  const server = http.createServer((request, response) => {
    answer(options, request).then(
      ({ status, body }) => {
        response.writeHead(status, HEADERS);
        response.end(JSON.stringify(body), () => {
          if (status === 200 && request.method === "POST" && request.url === "/stop") options.stop();
        });
      },
      (error: unknown) => {
        response.writeHead(500, HEADERS);
        response.end(JSON.stringify({ error: String(error) }));
      },
    );
  });
  const port = await listenOn(server, options.port, "--control-port");
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        server.closeAllConnections();
      }),
  };
}

interface Reply {
  status: number;
  body: unknown;
}

async function answer(options: ControlOptions, request: http.IncomingMessage): Promise<Reply> {
  // A page in the owner's browser must not stop the lab.
  if (request.headers.origin !== undefined) return { status: 403, body: { error: "not from a browser" } };
  const url = requestUrl(request);
  const strange = [...url.searchParams.keys()].find((key) => url.pathname !== "/records" || key !== "since");
  if (strange !== undefined) return { status: 400, body: { error: `${request.method} ${url.pathname} has no parameter "${strange}"` } };
  const body = await readText(request);
  switch (`${request.method} ${url.pathname}`) {
    case "GET /status":
      return { status: 200, body: options.status() };
    case "GET /site":
      return { status: 200, body: options.site() };
    case "PUT /site":
      return takeSite(options, body);
    case "GET /records":
      return { status: 200, body: options.records.since(Number(url.searchParams.get("since") ?? 0)) };
    case "GET /unhandled":
      return { status: 200, body: options.unhandled.all() };
    case "GET /proxmox":
      return { status: 200, body: options.proxmox() };
    case "POST /proxmox/reset":
      return resetVm(options, body);
    case "GET /faults":
      return { status: 200, body: { names: Object.keys(FAULTS), waiting: options.faults.waiting(), chances: options.faults.chances() } };
    case "POST /faults":
      return queueFault(options, body);
    case "DELETE /faults":
      options.faults.clear();
      return { status: 200, body: {} };
    case "POST /settle":
      await options.settled();
      return { status: 200, body: {} };
    case "POST /stop":
      return { status: 200, body: { stopping: true } };
    default:
      return { status: 404, body: { error: `the lab's control has no ${request.method} ${url.pathname}` } };
  }
}

/** An invalid request gets the error as its answer. */
async function takeSite(options: ControlOptions, body: string): Promise<Reply> {
  const value = jsonOf(body);
  if (value === undefined) return { status: 400, body: { error: "not JSON" } };
  try {
    await options.setSite(parseLabSite(value, "what was given"));
    return { status: 200, body: {} };
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return { status: 409, body: { code: thrown.code, error: thrown.message, hint: thrown.hint } };
  }
}

const resetSchema = z.strictObject({ vm: z.string() });

async function resetVm(options: ControlOptions, body: string): Promise<Reply> {
  const parsed = resetSchema.safeParse(jsonOf(body));
  if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } };
  const { vm } = parsed.data;
  return (await options.resetVm(vm)) ? { status: 200, body: {} } : { status: 404, body: { error: `no VM ${vm} runs` } };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON text has the value undefined.
    return undefined;
  }
}

const isFault = (name: string): name is FaultName => Object.hasOwn(FAULTS, name);

function queueFault(options: ControlOptions, body: string): Reply {
  const value = jsonOf(body);
  if (value === undefined) return { status: 400, body: { error: "not JSON" } };
  const parsed = faultSchema.safeParse(value);
  if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } };
  const { name, target, times, after, parameters } = parsed.data;
  if (!isFault(name)) return { status: 400, body: { error: `the lab has no fault "${name}"; it has: ${Object.keys(FAULTS).join(", ")}` } };
  const known: readonly string[] = FAULTS[name];
  const strange = Object.keys(parameters ?? {}).find((key) => !known.includes(key));
  if (strange !== undefined) return { status: 400, body: { error: `the fault ${name} has no parameter "${strange}"; it has: ${known.join(", ") || "none"}` } };
  options.faults.queue({
    name,
    ...(target === undefined ? {} : { target }),
    ...(times === undefined ? {} : { times }),
    ...(after === undefined ? {} : { after }),
    ...(parameters === undefined ? {} : { parameters }),
  });
  return { status: 200, body: { waiting: options.faults.waiting() } };
}

async function readText(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
