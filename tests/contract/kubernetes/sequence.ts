/** Recorded requests to a Kubernetes API with the answers of a real kube-apiserver, and how answers are compared. */
import * as fs from "node:fs";
import * as path from "node:path";
import { type Dispatcher, request } from "undici";

interface Step {
  request: { method?: string; path: string; headers?: Record<string, string>; body?: unknown; anonymous?: boolean };
  response: { status: number; contentType?: string; body: unknown };
}
/** A pause, for what the server does on its own. */
interface Wait {
  waitMs: number;
}
export type SequenceStep = Step | Wait;

export interface Server {
  origin: string;
  /** Connects as the administrator. */
  admin: Dispatcher;
  /** Connects without credentials. */
  anonymous: Dispatcher;
}

const FOLDER = path.join(__dirname, "recorded");

export const SEQUENCES: readonly string[] = fs.readdirSync(FOLDER).map((name) => path.basename(name, ".json"));

export function sequence(name: string): SequenceStep[] {
  return (JSON.parse(fs.readFileSync(path.join(FOLDER, `${name}.json`), "utf8")) as { steps: SequenceStep[] }).steps;
}

interface Normalisation {
  /** Leaves out `managedFields`. */
  dropManagers: boolean;
}

/** Replaces what differs from run to run by placeholders. */
export function normalise(value: unknown, options: Normalisation, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item, options, key));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !(options.dropManagers && name === "managedFields"))
        .map(([name, item]) => [name, normalise(item, options, name)]),
    );
  }
  if (typeof value !== "string") return value;
  if (key === "uid") return "<uid>";
  if (key === "resourceVersion") return "<rv>";
  if (key === "continue") return "<continue>";
  // The age column of a table.
  if (key === "cells" && /^\d+s$/.test(value)) return "<age>";
  if (/^10\.\d+\.\d+\.\d+$/.test(value)) return "<cluster ip>";
  return /^\d{4}-\d\d-\d\dT/.test(value) ? "<time>" : value;
}

/** The parsed body. A watch answers with one object a line; several lines become an array. */
function bodyOf(text: string, contentType: string): unknown {
  if (!contentType.startsWith("application/json")) return text;
  const lines = text.trimEnd().split("\n");
  if (lines.length > 1 && lines.every((line) => line.startsWith('{"type":'))) return lines.map((line) => JSON.parse(line) as unknown);
  return JSON.parse(text) as unknown;
}

export async function answer(server: Server, step: Step): Promise<{ status: number; contentType: string; body: unknown }> {
  const { method = "GET", path: where, headers = {}, body, anonymous = false } = step.request;
  const response = await request(`${server.origin}${where}`, {
    dispatcher: anonymous || headers["authorization"] !== undefined ? server.anonymous : server.admin,
    method: method as "GET",
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const contentType = String(response.headers["content-type"] ?? "");
  return { status: response.statusCode, contentType, body: bodyOf(await response.body.text(), contentType) };
}
