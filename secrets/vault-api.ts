import { z } from "zod";
import type { Clock } from "../common/clock";
import { HomelabError } from "../common/errors";
import { createHttpClient, type HttpClient, type HttpResponse } from "../common/http";
import { retry } from "../common/retry";
import { KV_MOUNT } from "../common/vault-layout";

const sealStatus = z.object({ initialized: z.boolean(), sealed: z.boolean(), t: z.number(), progress: z.number(), cluster_id: z.string().optional() });
const initAnswer = z.object({ keys_base64: z.array(z.string()).min(1), root_token: z.string().min(1) });

const listAnswer = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

type SealStatus = z.infer<typeof sealStatus>;

/** Vault's own defaults: how many unseal keys there are, and how many of them unseal it. */
const SHARES = 5;
const THRESHOLD = 3;
const MS_BETWEEN_TRIES = 1000;

/** What a first boot needs of Vault's HTTP API. */
export interface VaultApi {
  /** Asks until Vault itself answers: its pod, its route and its certificate may all come later than the chart. */
  waitUntilReachable(deadlineMs: number): Promise<SealStatus>;
  status(): Promise<SealStatus>;
  initialise(): Promise<{ rootToken: string; unsealKeys: string[] }>;
  unseal(key: string): Promise<SealStatus>;
  /** Asks until Vault takes requests: after it is unsealed it first reads its storage. */
  waitUntilActive(deadlineMs: number): Promise<void>;
  /** Names below a path of the KV mount; those of folders end with `/`. */
  list(token: string, below: string): Promise<string[]>;
  /** Deletes an entry with all its versions. */
  remove(token: string, entry: string): Promise<void>;
  /** Whether Vault knows the token. */
  accepts(token: string): Promise<boolean>;
  /** The id of this Vault: another Vault, or one that was rebuilt, has another id. Vault must be unsealed. */
  clusterId(): Promise<string>;
  /**
   * Any other call. @param what for a refusal: `make a policy`
   * @returns the answer's JSON; undefined where it has none
   * @throws VaultRefusal
   */
  ask(what: string, method: string, path: string, options?: { token?: string; body?: object }): Promise<unknown>;
  close(): Promise<void>;
}

/** Vault, or a proxy in front of it, refused a request. */
export class VaultRefusal extends HomelabError {
  constructor(
    readonly status: number,
    ...rest: ConstructorParameters<typeof HomelabError>
  ) {
    super(...rest);
  }
}

/** Vault lists errors with bullets, one on each line; the message here has one line. */
const oneLine = (errors: readonly string[]): string =>
  errors
    .map((text) => {
      const listed = [...text.matchAll(/^\s*\* (.*)$/gm)].map((match) => match[1]?.trim());
      return listed.length > 0 ? listed.join("; ") : text.trim().replace(/\s*\n\s*/g, " ");
    })
    .join("; ");

/** The error for a refusal, with Vault's own messages, which hold no secrets of the homelab. */
function refused(address: string, what: string, response: HttpResponse): HomelabError {
  const errors = z.object({ errors: z.array(z.string()) }).safeParse(parseJson(response.body));
  if (response.status < 300)
    return new HomelabError("E_VAULT", `what answers at ${address} is not Vault: it was asked to ${what} and gave no such answer`, {
      subject: address,
      hint: "correct the address, or look at what serves it (an ingress, a proxy)",
    });
  const sealed = response.status === 503 && errors.success && errors.data.errors.some((text) => text.includes("sealed"));
  return new VaultRefusal(
    response.status,
    "E_VAULT",
    `Vault at ${address} refused to ${what} (${response.status})${errors.success && errors.data.errors.length > 0 ? `: ${oneLine(errors.data.errors)}` : ""}`,
    { subject: address, hint: sealed ? "unseal it: `homelab vault unseal`" : (HINTS[response.status] ?? "look at the log of Vault's pod") },
  );
}

const HINTS: Readonly<Record<number, string>> = {
  403: "the token may have expired, or its policies do not allow this; without VAULT_TOKEN, a root token is made for this call",
  404: "something else answers there: correct the address, or look at the ingress",
};

/**
 * The address of a Vault as it was given, without slashes at its end.
 * @throws HomelabError E_USAGE where it is none
 */
export function vaultAddress(text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // The error is thrown below. The parser's message quotes the text, which may hold a password.
  }
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.host === "" || url.username !== "" || url.password !== "")
    throw new HomelabError("E_USAGE", "VAULT_ADDR is no address of a Vault", { hint: "for example: VAULT_ADDR=https://vault.example.org" });
  return text.replace(/\/+$/, "");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page, not Vault's answer: the caller's schema refuses undefined.
    return undefined;
  }
}

interface Connection {
  address: string;
  call(method: string, path: string, body?: unknown, token?: string): Promise<HttpResponse>;
  /** Tries again until it works or the time is over; then the last failure is thrown. */
  persist<T>(deadlineMs: number, attempt: () => Promise<{ done: T } | { failure: HomelabError }>): Promise<T>;
}

function connect(address: string, clock: Clock, client: HttpClient): Connection {
  return {
    address,
    call: (method, path, body, token) =>
      client.request({
        method,
        url: `${address}/v1/${path}`,
        headers: { "content-type": "application/json", ...(token === undefined ? {} : { "x-vault-token": token }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs: 30_000,
      }),
    async persist(deadlineMs, attempt) {
      const mayPass = (thrown: unknown): boolean => thrown instanceof HomelabError && thrown.code === "E_HTTP";
      const result = await retry(attempt, {
        ...{ clock, firstMs: MS_BETWEEN_TRIES, longestMs: MS_BETWEEN_TRIES },
        again: ({ outcome, elapsedMs, backoffMs }) => {
          const failed = "thrown" in outcome ? mayPass(outcome.thrown) : "failure" in outcome.value;
          return failed && elapsedMs + backoffMs <= deadlineMs ? backoffMs : undefined;
        },
      });
      if ("failure" in result) throw result.failure;
      return result.done;
    },
  };
}

async function trySealStatus({ call }: Connection): Promise<SealStatus | HttpResponse> {
  const response = await call("GET", "sys/seal-status");
  const parsed = sealStatus.safeParse(parseJson(response.body));
  return response.status === 200 && parsed.success ? parsed.data : response;
}

async function statusOrThrow(connection: Connection): Promise<SealStatus> {
  const status = await trySealStatus(connection);
  if ("sealed" in status) return status;
  throw refused(connection.address, "tell its state", status);
}

/** The calls that bring an empty Vault to where it takes requests. */
function bootCalls(connection: Connection): Pick<VaultApi, "status" | "waitUntilReachable" | "initialise" | "unseal" | "waitUntilActive"> {
  const { address, call, persist } = connection;
  return {
    status: () => statusOrThrow(connection),
    waitUntilReachable: (deadlineMs) =>
      persist(deadlineMs, async () => {
        const status = await trySealStatus(connection);
        return "sealed" in status ? { done: status } : { failure: refused(address, "answer", status) };
      }),
    async initialise() {
      const response = await call("PUT", "sys/init", { secret_shares: SHARES, secret_threshold: THRESHOLD });
      const answer = initAnswer.safeParse(parseJson(response.body));
      if (response.status !== 200 || !answer.success) throw refused(address, "initialise", response);
      return { rootToken: answer.data.root_token, unsealKeys: answer.data.keys_base64 };
    },
    async unseal(key) {
      const response = await call("PUT", "sys/unseal", { key });
      const status = sealStatus.safeParse(parseJson(response.body));
      if (response.status !== 200 || !status.success) throw refused(address, "take an unseal key", response);
      return status.data;
    },
    waitUntilActive: (deadlineMs) =>
      persist(deadlineMs, async () => {
        const response = await call("GET", "sys/health?standbyok=true");
        return response.status === 200 ? { done: undefined } : { failure: refused(address, "become active", response) };
      }),
  };
}

/** The calls to an unsealed Vault. */
function openCalls(connection: Connection): Pick<VaultApi, "accepts" | "clusterId" | "ask" | "list" | "remove"> {
  const { address, call } = connection;
  return {
    async accepts(token) {
      const response = await call("GET", "auth/token/lookup-self", undefined, token);
      if (response.status === 200) return true;
      if (response.status === 403) return false;
      throw refused(address, "look at its root token", response);
    },
    async clusterId() {
      const { cluster_id: id } = await statusOrThrow(connection);
      if (id === undefined)
        throw new HomelabError("E_VAULT", `Vault at ${address} does not say what its id is`, { subject: address, hint: "unseal it: `homelab vault unseal`" });
      return id;
    },
    async ask(what, method, path, { token, body } = {}) {
      const response = await call(method, path, body, token);
      if (response.status >= 300) throw refused(address, what, response);
      return parseJson(response.body);
    },
    async list(token, below) {
      const response = await call("GET", `${KV_MOUNT}/metadata/${encodePath(below)}?list=true`, undefined, token);
      if (response.status === 404) return [];
      const answer = listAnswer.safeParse(parseJson(response.body));
      if (response.status !== 200 || !answer.success) throw refused(address, `list ${KV_MOUNT}/${below}`, response);
      return answer.data.data.keys;
    },
    async remove(token, entry) {
      const response = await call("DELETE", `${KV_MOUNT}/metadata/${encodePath(entry)}`, undefined, token);
      if (response.status >= 300) throw refused(address, `delete ${KV_MOUNT}/${entry}`, response);
    },
  };
}

export function createVaultApi(address: string, clock: Clock, client: HttpClient = createHttpClient(address)): VaultApi {
  const connection = connect(address, clock, client);
  return { ...bootCalls(connection), ...openCalls(connection), close: () => client.close() };
}
