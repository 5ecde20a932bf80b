/** The Kubernetes API as far as resources need it: which path a kind has, and the verbs. */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { createHttpClient, type HttpClient } from "../../common/http";
import type { JsonObject } from "../sdk/values";
import type { Connection } from "./kubeconfig";

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
    message: string,
    what: string,
  ) {
    super("E_KUBERNETES", `${what}: ${message}`, { subject: what });
  }
}

interface Mapping {
  plural: string;
  namespaced: boolean;
}

export class KubernetesClient {
  readonly #http: HttpClient;
  readonly #mappings = new Map<string, Promise<Map<string, Mapping>>>();

  constructor(
    readonly connection: Connection,
    /** Namespace of objects that name none. */
    readonly defaultNamespace: string,
  ) {
    const { ca, cert, key, verify, proxyUrl } = connection;
    this.#http = createHttpClient(connection.server, { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}), verify }, proxyUrl);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async request(
    method: string,
    path: string,
    signal: AbortSignal,
    body?: unknown,
    contentType = "application/json",
  ): Promise<{ status: number; body: JsonObject }> {
    const { token, server } = this.connection;
    const response = await this.#http.request({
      method,
      url: `${server}${path}`,
      signal,
      headers: {
        accept: "application/json",
        "user-agent": "pulumi-kubernetes",
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { "content-type": contentType }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    try {
      return { status: response.status, body: response.body === "" ? {} : (JSON.parse(response.body) as JsonObject) };
    } catch {
      return { status: response.status, body: { message: response.body.slice(0, 500) } };
    }
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
    asking.catch(() => this.#mappings.delete(apiVersion));
    return asking;
  }

  /** @throws HomelabError where the cluster does not serve the kind (a CRD that is not there yet) */
  async #mapping(apiVersion: string, kind: string, signal: AbortSignal): Promise<Mapping> {
    const found = (await this.#discover(apiVersion, signal)).get(kind);
    if (found !== undefined) return found;
    // What was not there a moment ago may have been defined since.
    this.#mappings.delete(apiVersion);
    const again = (await this.#discover(apiVersion, signal)).get(kind);
    if (again !== undefined) return again;
    this.#mappings.delete(apiVersion);
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

  #check({ status, body }: { status: number; body: JsonObject }, ref: ObjectRef): JsonObject {
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

  /** Server-side apply. */
  async apply(ref: ObjectRef, object: unknown, fieldManager: string, signal: AbortSignal, force = false): Promise<JsonObject> {
    const query = `?fieldManager=${encodeURIComponent(fieldManager)}${force ? "&force=true" : ""}`;
    return this.#check(await this.request("PATCH", `${await this.path(ref, signal)}${query}`, signal, object, "application/apply-patch+yaml"), ref);
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
