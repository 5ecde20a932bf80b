/** The Proxmox VE API: form-encoded requests below /api2/json, `{data}` in answers, long work as tasks. */
import { answeredJson } from "../../common/answer";
import { type Clock, systemClock } from "../../common/clock";
import { HomelabError } from "../../common/errors";
import type { HttpClient, HttpResponse } from "../../common/http";
import { retry } from "../../common/retry";
import { isUnanswered } from "../sdk/unanswered";
import type { Json, JsonObject } from "../sdk/values";

export class PveError extends HomelabError {
  constructor(
    method: string,
    path: string,
    readonly status: number,
    /** What Proxmox says, its messages about single parameters included. */
    readonly detail: string,
  ) {
    super("E_PROXMOX", `Proxmox: ${method} ${path}: ${status}${detail === "" ? "" : `: ${detail}`}`, {
      subject: path,
      ...(status === 401 ? { hint: "check apiToken: user@realm!name=secret" } : {}),
      ...(/only root can/i.test(detail)
        ? { hint: "Proxmox allows this to root alone, and no API token: do it once on the node (docs/vms.md), then run again" }
        : {}),
      ...(status === 403 && !/only root can/i.test(detail) ? { hint: "the token's role lacks a privilege on this path (Datacenter → Permissions)" } : {}),
    });
  }

  /** The code of a failure that Proxmox expresses only in its message: the status 500 has many meanings. */
  get failureCode(): string | undefined {
    return isLockAnswer(this) ? "PVE_LOCK" : undefined;
  }

  /** Proxmox answers 500, not 404, for most things that are not there. */
  get missing(): boolean {
    return this.status === 404 || /does not exist|no such (resource|file|vm)/i.test(this.detail);
  }

  /** Another operation holds the VM or the file, or a node did not answer: another attempt may succeed. */
  get passing(): boolean {
    return [502, 503, 504, 595, 596, 599].includes(this.status) || /got timeout|VM is locked|can't lock file|CT is locked/i.test(this.detail);
  }
}

/** Whether a call or a task failed because somebody else holds the VM or the file: it changed nothing, and can be tried again. */
export const isLockAnswer = (thrown: unknown): boolean =>
  thrown instanceof HomelabError &&
  (thrown.code === "E_PROXMOX" || thrown.code === "E_PROXMOX_TASK") &&
  /can't lock file|VM is locked|unable to acquire lock|cfs-lock/i.test(thrown.message);

const isPassingAnswer = (thrown: unknown): boolean => thrown instanceof PveError && thrown.passing;

function detailOf(response: HttpResponse): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(response.body);
  } catch {
    // A proxy's error page or an empty body: the first line is the message.
    return response.body.split("\n")[0]?.slice(0, 200) ?? "";
  }
  if (typeof parsed !== "object" || parsed === null) return "";
  const message = "message" in parsed && typeof parsed.message === "string" ? parsed.message.trim() : "";
  const errors = "errors" in parsed && typeof parsed.errors === "object" && parsed.errors !== null ? parsed.errors : {};
  const fields = Object.entries(errors).map(([name, text]) => `${name}: ${String(text).trim()}`);
  return [message, ...fields].filter((part) => part !== "").join("; ");
}

const LOCK_ATTEMPTS = 5;

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Values of a request; undefined ones are left out. */
export type Params = Record<string, string | number | boolean | undefined>;

function encodeParams(params: Params): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) form.append(name, typeof value === "boolean" ? (value ? "1" : "0") : String(value));
  }
  return form.toString();
}

export interface PveClientOptions {
  /** Without /api2/json. */
  endpoint: string;
  /** `user@realm!name=secret` */
  apiToken: string;
  http: HttpClient;
  clock?: Clock;
}

/** Delays between looks at a task or a state, in ms: quick at first, since most are done at once. */
const FIRST_DELAY = 50;
/** Polling adds at most about 25 % to the time until the task or state is done. */
const DELAY_FACTOR = 1.25;
const LONGEST_DELAY = 2_000;
const LOG_LINES_SHOWN = 15;

export class PveClient {
  readonly #clock: Clock;
  #allocation: Promise<unknown> = Promise.resolve();
  readonly #allocated = new Set<number>();

  constructor(private readonly options: PveClientOptions) {
    this.#clock = options.clock ?? systemClock;
  }

  get endpoint(): string {
    return this.options.endpoint;
  }

  /** The `data` of the answer. @throws PveError */
  async request(method: Method, path: string, signal: AbortSignal, params: Params = {}): Promise<Json> {
    return (await this.answer(method, path, signal, params))["data"] ?? null;
  }

  /** The whole answer: a few calls have more in it than the `data`. @throws PveError */
  async answer(method: Method, path: string, signal: AbortSignal, params: Params = {}): Promise<JsonObject> {
    const encoded = encodeParams(params);
    const inQuery = (method === "GET" || method === "DELETE") && encoded !== "";
    const response = await this.options.http.request({
      method,
      url: `${this.options.endpoint}/api2/json/${path}${inQuery ? `?${encoded}` : ""}`,
      headers: {
        accept: "application/json",
        authorization: `PVEAPIToken=${this.options.apiToken}`,
        ...(inQuery || encoded === "" ? {} : { "content-type": "application/x-www-form-urlencoded" }),
      },
      signal,
      ...(inQuery || encoded === "" ? {} : { body: encoded }),
    });
    if (response.status < 200 || response.status >= 300) throw new PveError(method, path, response.status, detailOf(response));
    const hint = "look at the provider's endpoint: what answers there is not Proxmox";
    return asRecord(answeredJson(response.body, { from: `${method} ${path} of ${this.options.endpoint}`, hint }) as Json);
  }

  /** Like `request`, for a change of a file of the node or the cluster: one that found it locked is repeated. */
  write(method: Exclude<Method, "GET">, path: string, signal: AbortSignal, params: Params = {}): Promise<Json> {
    return this.retrying(LOCK_ATTEMPTS, signal, () => this.request(method, path, signal, params), isLockAnswer);
  }

  /**
   * Like `request`, for calls that start a task; waits for its end. An answer without a task was done at once.
   * @param started is called with the task that was started
   */
  async task(method: "POST" | "PUT" | "DELETE", path: string, signal: AbortSignal, params: Params = {}, started?: (upid: string) => void): Promise<void> {
    const upid = await this.request(method, path, signal, params);
    if (typeof upid === "string") started?.(upid);
    if (typeof upid === "string" && upid.startsWith("UPID:")) await this.#waitForTask(upid, signal, () => false);
  }

  /** Like `task`, for one that cuts connections of its node: looks that fail meanwhile are repeated. */
  async disruptiveTask(method: "POST" | "PUT" | "DELETE", path: string, signal: AbortSignal): Promise<void> {
    const upid = String(await this.request(method, path, signal));
    await this.#waitForTask(upid, signal, (thrown) => !signal.aborted && (thrown instanceof PveError ? thrown.passing : isUnanswered(thrown)));
  }

  /** Stops an abandoned task, and waits until it has ended, whatever its result. */
  async stopTask(upid: string, signal: AbortSignal): Promise<void> {
    const [, node = ""] = upid.split(":");
    const path = `nodes/${node}/tasks/${encodeURIComponent(upid)}`;
    await this.request("DELETE", path, signal);
    await this.poll(signal, async () => (asRecord(await this.request("GET", `${path}/status`, signal))["status"] === "running" ? undefined : true));
  }

  /** @param isPassing which failures of a look say nothing about the task */
  async #waitForTask(upid: string, signal: AbortSignal, isPassing: (thrown: unknown) => boolean): Promise<void> {
    const [, node = "", , , , kind = "task", subject = ""] = upid.split(":");
    const path = `nodes/${node}/tasks/${encodeURIComponent(upid)}`;
    const exit = await this.poll(signal, async () => {
      const status = await this.request("GET", `${path}/status`, signal).then(asRecord, (thrown: unknown) => {
        if (isPassing(thrown)) return undefined;
        throw thrown;
      });
      return status === undefined || status["status"] === "running" ? undefined : String(status["exitstatus"] ?? "");
    });
    if (exit === "OK" || (exit.startsWith("WARNINGS: ") && !exit.includes("ERROR"))) return;
    const log = await this.#taskLog(path, signal);
    throw new HomelabError(
      "E_PROXMOX_TASK",
      `Proxmox: ${kind}${subject === "" ? "" : ` of ${subject}`} on ${node} failed: ${exit}${log === "" ? "" : `\n${log}`}`,
    );
  }

  async #taskLog(path: string, signal: AbortSignal): Promise<string> {
    const lines = await this.request("GET", `${path}/log`, signal, { limit: 500 }).catch((thrown: unknown) => {
      // The failure that the log would explain is the one to report.
      if (thrown instanceof PveError) return [];
      throw thrown;
    });
    if (!Array.isArray(lines)) return "";
    return lines
      .map((line) => String(asRecord(line)["t"] ?? ""))
      .slice(-LOG_LINES_SHOWN)
      .join("\n");
  }

  /** Calls `look` until it returns a value. */
  async poll<T>(signal: AbortSignal, look: () => Promise<T | undefined>): Promise<T> {
    for (let delay = FIRST_DELAY; ; delay = Math.min(delay * DELAY_FACTOR, LONGEST_DELAY)) {
      const found = await look();
      if (found !== undefined) return found;
      await this.#clock.sleep(delay, signal);
    }
  }

  /** Repeats what failed for a passing reason. */
  async retrying<T>(attempts: number, signal: AbortSignal, work: () => Promise<T>, isPassing = isPassingAnswer): Promise<T> {
    return retry(work, {
      ...{ clock: this.#clock, signal, firstMs: 500, longestMs: 10_000 },
      again: ({ number, outcome, backoffMs }) => ("thrown" in outcome && number < attempts && isPassing(outcome.thrown) ? backoffMs : undefined),
    });
  }

  /** A VM id that is free, and given to nobody else by this provider. */
  async nextId(signal: AbortSignal): Promise<number> {
    const mine = this.#allocation.then(async () => {
      let id = Number(await this.request("GET", "cluster/nextid", signal));
      while (this.#allocated.has(id)) id++;
      this.#allocated.add(id);
      return id;
    });
    // The next call waits for this one, but does not fail with it.
    this.#allocation = mine.catch(() => undefined);
    return mine;
  }

  close(): Promise<void> {
    return this.options.http.close();
  }
}

export const asRecord = (value: Json | undefined): Record<string, Json> => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {});
