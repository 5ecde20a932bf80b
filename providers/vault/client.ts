/** Vault's HTTP API: paths below /v1, JSON both ways, errors in Vault's own words. */
import { answeredJson } from "../../common/answer";
import { type Clock, systemClock } from "../../common/clock";
import { HomelabError } from "../../common/errors";
import type { HttpClient } from "../../common/http";
import { retry } from "../../common/retry";
import { isGatewayStatus } from "../sdk/unanswered";
import type { JsonObject } from "../sdk/values";
import { asObject, asString } from "./resources/values";

export class VaultError extends HomelabError {
  constructor(
    method: string,
    path: string,
    readonly status: number,
    /** Vault's own messages; they name paths and policies, never values. */
    readonly messages: readonly string[],
  ) {
    super("E_VAULT", `Vault: ${method} ${path}: ${status}${messages.length > 0 ? `: ${messages.join("; ")}` : ""}`, {
      ...(status === 503 ? { hint: "Vault is sealed or not initialised: unseal it" } : {}),
      ...(status === 403
        ? {
            hint: "the token has expired or was replaced (`homelab up` gives a stack its new one; for that of the stack that runs Vault see docs/runbooks.md), or its policies do not allow this",
          }
        : {}),
      subject: path,
    });
  }
}

export interface VaultClientOptions {
  address: string;
  token: string;
  /** Repetitions after an answer of the 500s; default 2. */
  maxRetries: number;
  http: HttpClient;
  clock?: Clock;
}

interface Options {
  signal: AbortSignal;
  headers?: Record<string, string>;
  /** A second request of this kind is refused, or creates a second object: it is not repeated where a gateway answered (502, 504). */
  once?: boolean;
}

const FIRST_DELAY = 200;
/** Vault lists several errors by bullets, one a line; a message of ours is one line. */
function oneLine(text: string): string {
  const listed = [...text.matchAll(/^\s*\* (.*)$/gm)].map((match) => (match[1] ?? "").trim());
  return listed.length > 0 ? listed.join("; ") : text.trim().replace(/\s*\n\s*/g, " ");
}

/** A KV mount that was just made version 2 answers 400 for a moment. */
const UPGRADING = /Upgrading from non-versioned to versioned/;
const UPGRADE_ATTEMPTS = 20;
const UPGRADE_DELAY = 500;
const MOVE_DELAY = 200;

function messagesOf(body: string): string[] {
  try {
    const parsed: unknown = JSON.parse(body);
    const errors = typeof parsed === "object" && parsed !== null && "errors" in parsed ? parsed.errors : undefined;
    return Array.isArray(errors) ? errors.map((error) => oneLine(String(error))) : [];
  } catch {
    // A proxy's page, for example: its first line says enough.
    return [body.split("\n")[0]?.slice(0, 200) ?? ""].filter((line) => line !== "");
  }
}

type Method = "GET" | "LIST" | "PUT" | "POST" | "DELETE";

export class VaultClient {
  readonly #clock: Clock;

  constructor(private readonly options: VaultClientOptions) {
    this.#clock = options.clock ?? systemClock;
  }

  /** The answer's JSON, or undefined for an answer without one. @throws VaultError */
  request(method: Method, path: string, options: Options, body?: JsonObject): Promise<JsonObject | undefined> {
    return retry(() => this.#ask(method, path, options, body), {
      clock: this.#clock,
      signal: options.signal,
      firstMs: FIRST_DELAY,
      longestMs: Number.POSITIVE_INFINITY,
      again: ({ number, outcome, backoffMs }) =>
        "thrown" in outcome && outcome.thrown instanceof VaultError && !(options.once && isGatewayStatus(outcome.thrown.status))
          ? this.#delayBefore(outcome.thrown, number, backoffMs)
          : undefined,
    });
  }

  async #ask(method: Method, path: string, options: Options, body: JsonObject | undefined): Promise<JsonObject | undefined> {
    const response = await this.options.http.request({
      method,
      url: `${this.options.address}/v1/${path.split("/").map(encodeURIComponent).join("/")}`,
      headers: {
        "x-vault-token": this.options.token,
        "x-vault-request": "true",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      signal: options.signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const of = { from: `${method} ${path} of ${this.options.address}`, hint: "look at Vault's address: what answers there is not Vault" };
    if (response.status < 300) return response.body === "" ? undefined : (answeredJson(response.body, of) as JsonObject);
    throw new VaultError(method, path, response.status, messagesOf(response.body));
  }

  /** @param attempts made so far */
  #delayBefore(error: VaultError, attempts: number, backoffMs: number): number | undefined {
    if (error.status === 400 && error.messages.some((message) => UPGRADING.test(message))) return attempts <= UPGRADE_ATTEMPTS ? UPGRADE_DELAY : undefined;
    // 501: not initialised; 503: sealed. Neither goes away by itself.
    const passing = (error.status >= 500 && error.status !== 501 && error.status !== 503) || error.status === 412;
    return passing && attempts <= this.options.maxRetries ? backoffMs : undefined;
  }

  /** The `data` of an answer, or the answer itself where it has none; undefined where there is nothing at the path. */
  async read(path: string, options: Options): Promise<JsonObject | undefined> {
    try {
      const answer = await this.request("GET", path, options);
      const data = answer?.["data"];
      return typeof data === "object" && data !== null && !Array.isArray(data) ? data : answer;
    } catch (thrown) {
      if (thrown instanceof VaultError && (thrown.status === 404 || isNoMount(thrown))) return undefined;
      throw thrown;
    }
  }

  async write(path: string, body: JsonObject, options: Options): Promise<JsonObject | undefined> {
    return this.request("PUT", path, options, body);
  }

  async remove(path: string, options: Options): Promise<void> {
    try {
      await this.request("DELETE", path, options);
    } catch (thrown) {
      if (!(thrown instanceof VaultError && (thrown.status === 404 || isNoMount(thrown)))) throw thrown;
    }
  }

  /**
   * Moves a mount, and waits until it is there: Vault answers at once and moves afterwards.
   * @throws VaultError; HomelabError E_VAULT_MOVE where the move fails on the way
   */
  async move(from: string, to: string, options: Options): Promise<void> {
    const asked = await this.request("POST", "sys/remount", options, { from, to });
    const id = asString(asObject(asked?.["data"])["migration_id"]);
    // A Vault before 1.10 answers when the move is done.
    if (id === "") return;
    for (;;) {
      const found = await this.read(`sys/remount/status/${id}`, options);
      const status = asString(asObject(found?.["migration_info"])["status"]);
      if (status === "success") return;
      if (status !== "in-progress")
        throw new HomelabError("E_VAULT_MOVE", `Vault: ${from} was not moved to ${to}: ${status || "nothing is known of it"}`, {
          subject: from,
          hint: "Vault's log says why",
        });
      await this.#clock.sleep(MOVE_DELAY, options.signal);
    }
  }

  close(): Promise<void> {
    return this.options.http.close();
  }
}

const isNoMount = (error: VaultError): boolean => error.status === 400 && error.messages.some((message) => /No (secret|auth) engine( mount)? at/.test(message));
