/** The Kubernetes API as far as resources need it: which path a kind has, and the verbs. */
import { z } from "zod";
import { type AnswerOf, answered } from "../../common/answer";
import { type Clock, systemClock } from "../../common/clock";
import { type ErrorDetails, HomelabError } from "../../common/errors";
import { createHttpClient, type HttpClient } from "../../common/http";
import type { JsonObject } from "../sdk/values";
import type { Connection } from "./kubeconfig";
import { type Answer, withRetries } from "./retry";

const resourceListSchema = z.looseObject({ resources: z.array(z.looseObject({ name: z.string(), kind: z.string(), namespaced: z.boolean() })) });

export interface ObjectRef {
  apiVersion: string;
  kind: string;
  namespace: string | undefined;
  name: string;
}

/** The API server refused. `message` is its own. */
export class ApiError extends HomelabError {
  constructor(
    readonly status: number,
    readonly reason: string,
    /** The server's own words. */
    readonly apiMessage: string,
    what: string,
    details: Omit<ErrorDetails, "subject"> = {},
  ) {
    super("E_KUBERNETES", `${what}: ${apiMessage}`, { subject: what, ...details });
  }
}

interface Mapping {
  plural: string;
  namespaced: boolean;
}

interface Response extends Answer {
  body: JsonObject;
}

const NOT_THE_API = "look at the address in the kubeconfig, and at what stands before it: what answers there is not the Kubernetes API";

const BODY_TYPES = { json: "application/json", apply: "application/apply-patch+yaml", patch: "application/json-patch+json" } as const;

const retryAfterOf = (header: string | string[] | undefined): number | undefined => {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return header === undefined || !Number.isFinite(seconds) || seconds < 0 ? undefined : seconds;
};

export class KubernetesClient {
  #http: HttpClient | undefined;
  readonly #mappings = new Map<string, Promise<Map<string, Mapping>>>();

  constructor(
    readonly connection: Connection,
    /** Namespace of objects that name none. */
    readonly defaultNamespace: string,
    private readonly clock: Clock = systemClock,
  ) {}

  #client(): HttpClient {
    const { ca, cert, key, verify, server, proxyUrl } = this.connection;
    this.#http ??= createHttpClient(server, { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}), verify }, proxyUrl);
    return this.#http;
  }

  /** Requests after this dial anew: a proxy or bastion on the way may be gone, with all connections through it. */
  #reconnect(): void {
    const former = this.#http;
    this.#http = undefined;
    // Closing waits for what still runs on it, and what runs reports its own failures.
    former?.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#http?.close();
  }

  /** One request, repeated as {@link withRetries} says. */
  async request(method: string, path: string, signal: AbortSignal, body?: unknown, type: keyof typeof BODY_TYPES = "json"): Promise<Response> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const send = (): Promise<Response> => this.#send(method, path, signal, text, BODY_TYPES[type]);
    return withRetries(method, send, { clock: this.clock, signal, reconnect: () => this.#reconnect() });
  }

  async #send(method: string, path: string, signal: AbortSignal, text: string | undefined, contentType: string): Promise<Response> {
    const { token, server } = this.connection;
    const { status, headers, body } = await this.#client().request({
      method,
      url: `${server}${path}`,
      signal,
      headers: {
        accept: "application/json",
        "user-agent": "pulumi-kubernetes",
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(text === undefined ? {} : { "content-type": contentType }),
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const parsed = parsedBody(status, body, { from: `${method} ${path.split("?")[0]} of ${server}`, hint: NOT_THE_API });
    return { status, retryAfter: retryAfterOf(headers["retry-after"]), message: String(parsed["message"] ?? ""), body: parsed };
  }

  #discover(apiVersion: string, signal: AbortSignal): Promise<Map<string, Mapping>> {
    const known = this.#mappings.get(apiVersion);
    if (known !== undefined) return known;
    const path = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const asking = this.request("GET", path, signal).then(({ status, body }) => {
      if (status === 404) return new Map<string, Mapping>();
      if (status !== 200) throw new ApiError(status, String(body["reason"] ?? ""), String(body["message"] ?? ""), `discovery of ${apiVersion}`);
      return new Map(
        resourceListSchema
          .parse(body)
          .resources.filter((r) => !r.name.includes("/"))
          .map((r) => [r.kind, { plural: r.name, namespaced: r.namespaced }]),
      );
    });
    this.#mappings.set(apiVersion, asking);
    asking.catch(() => this.#forget(apiVersion, asking));
    return asking;
  }

  /** Only the answer that was looked at: others that look at the same time then ask once, and not each. */
  #forget(apiVersion: string, answer: Promise<Map<string, Mapping>>): void {
    if (this.#mappings.get(apiVersion) === answer) this.#mappings.delete(apiVersion);
  }

  /** @throws HomelabError where the cluster does not serve the kind (a CRD that is not there yet) */
  async #mapping(apiVersion: string, kind: string, signal: AbortSignal): Promise<Mapping> {
    const known = this.#discover(apiVersion, signal);
    const found = (await known).get(kind);
    if (found !== undefined) return found;
    // The kind may have been defined since the last discovery.
    this.#forget(apiVersion, known);
    const anew = this.#discover(apiVersion, signal);
    const again = (await anew).get(kind);
    if (again !== undefined) return again;
    this.#forget(apiVersion, anew);
    throw new HomelabError("E_NO_KIND", `no matches for kind "${kind}" in version "${apiVersion}"`, {
      subject: kind,
      hint: "install what brings its CustomResourceDefinition first, and depend on it",
    });
  }

  async path({ apiVersion, kind, namespace, name }: ObjectRef, signal: AbortSignal): Promise<string> {
    const { plural, namespaced } = await this.#mapping(apiVersion, kind, signal);
    const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const scope = namespaced ? `/namespaces/${encodeURIComponent(namespace ?? this.defaultNamespace)}` : "";
    return `${base}${scope}/${plural}/${encodeURIComponent(name)}`;
  }

  async isNamespaced(apiVersion: string, kind: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#mapping(apiVersion, kind, signal)).namespaced;
  }

  #check({ status, body }: Response, ref: ObjectRef): JsonObject {
    if (status < 300) return body;
    throw new ApiError(
      status,
      String(body["reason"] ?? ""),
      String(body["message"] ?? `status ${status}`),
      `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ""}${ref.name}`,
    );
  }

  /** undefined: it does not exist. */
  async get(ref: ObjectRef, signal: AbortSignal): Promise<JsonObject | undefined> {
    const answer = await this.request("GET", await this.path(ref, signal), signal);
    return answer.status === 404 ? undefined : this.#check(answer, ref);
  }

  /** Server-side apply. A cluster-scoped object is sent without a namespace. */
  async apply(
    ref: ObjectRef,
    object: JsonObject,
    fieldManager: string,
    signal: AbortSignal,
    options: { force: boolean; dryRun?: boolean },
  ): Promise<JsonObject> {
    const path = await this.path(ref, signal);
    const namespaced = await this.isNamespaced(ref.apiVersion, ref.kind, signal);
    const body = namespaced ? object : withoutNamespace(object);
    const query = new URLSearchParams({ fieldManager, force: String(options.force), ...(options.dryRun === true ? { dryRun: "All" } : {}) });
    return this.#check(await this.request("PATCH", `${path}?${query}`, signal, body, "apply"), ref);
  }

  /** JSON patch. */
  async patch(ref: ObjectRef, operations: readonly JsonObject[], signal: AbortSignal): Promise<JsonObject> {
    return this.#check(await this.request("PATCH", await this.path(ref, signal), signal, operations, "patch"), ref);
  }

  async create(ref: ObjectRef, object: unknown, signal: AbortSignal): Promise<JsonObject> {
    const path = await this.path(ref, signal);
    return this.#check(await this.request("POST", path.slice(0, path.lastIndexOf("/")), signal, object), ref);
  }

  /** @returns false where it was gone already */
  async delete(ref: ObjectRef, propagation: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.request("DELETE", await this.path(ref, signal), signal, {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: propagation,
    });
    if (answer.status === 404) return false;
    this.#check(answer, ref);
    return true;
  }
}

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws HomelabError E_ANSWER where a success is no object: something on the way answered, and nothing is known of the request */
function parsedBody(status: number, text: string, of: AnswerOf): JsonObject {
  if (text === "") return {};
  if (status < 300) return answered(z.custom<JsonObject>(isObject, "it is no object"), text, of);
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed)) return parsed;
  } catch {
    // A proxy's page: its beginning is the message.
  }
  return { message: text.slice(0, 500) };
}

function withoutNamespace(object: JsonObject): JsonObject {
  const { metadata } = object;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) return object;
  const { namespace: _namespace, ...rest } = metadata;
  return { ...object, metadata: rest };
}
