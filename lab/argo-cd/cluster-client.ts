/** A cluster as Argo CD's controller reaches it: by its API over the lab's network, with the rights of the account that it was given. */
import { Agent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { groupOf, isMap, type JsonMap, listAt, textAt } from "../kubernetes/objects";

/** The manager in `managedFields` of objects that Argo CD applies. */
const MANAGER = "argocd-controller";

export interface ClusterAccess {
  /** As Applications and projects name it. */
  readonly name: string;
  readonly server: string;
  /** Where its API answers, where that is not `server`. */
  readonly address?: string;
  readonly caPem: string;
  /** What Argo CD manages in it. Undefined: everything. */
  readonly managed?: { readonly namespaces: readonly string[]; readonly clusterResources: boolean };
  readonly token?: () => string;
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** An answer that is no success; the message is the API server's. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

const apiPath = (apiVersion: string): string => `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}`;

export class ClusterClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #kinds = new Map<string, Map<string, Resource>>();

  constructor(
    private readonly ctx: LabContext,
    readonly access: ClusterAccess,
  ) {}

  stop(): void {
    this.#agent.destroy();
  }

  async #call(method: string, path: string, body?: unknown): Promise<JsonMap> {
    const url = new URL(this.access.address ?? this.access.server);
    const port = Number(url.port || 443);
    const local = this.ctx.network.resolve(url.hostname, port);
    if (local === undefined) throw new ApiError(0, `Get "${url.origin}${path}": dial tcp ${url.hostname}:${port}: connect: connection refused`);
    const { caPem, token, certificate } = this.access;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answered = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const request = httpsRequest({
        host: "127.0.0.1",
        port: local.port,
        servername: isIP(url.hostname) === 0 ? url.hostname : "",
        // The connection goes to this machine, but the certificate is that of the production address.
        checkServerIdentity: (_host, peer) => checkServerIdentity(url.hostname, peer),
        ca: caPem,
        ...certificate,
        agent: this.#agent,
        method,
        path,
        headers: {
          host: url.host,
          accept: "application/json",
          "user-agent": "argocd-application-controller",
          ...(token === undefined ? {} : { authorization: `Bearer ${token()}` }),
          ...(text === undefined
            ? {}
            : { "content-length": Buffer.byteLength(text), "content-type": method === "PATCH" ? "application/apply-patch+yaml" : "application/json" }),
        },
      });
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
      });
      request.on("error", (cause) => reject(new ApiError(0, `Get "${url.origin}${path}": ${cause.message}`)));
      request.end(text);
    });
    const { status } = answered;
    const answer: unknown = answered.text === "" ? {} : JSON.parse(answered.text);
    if (status >= 300) throw new ApiError(status, textAt(answer, "message") ?? `${method} ${path}: ${status}`);
    return isMap(answer) ? answer : {};
  }

  /** How the cluster serves a kind; undefined where it does not. @throws ApiError */
  async resource(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const known = this.#kinds.get(apiVersion)?.get(kind);
    if (known !== undefined) return known;
    try {
      const list = await this.#call("GET", apiPath(apiVersion));
      const kinds = listAt(list, "resources").flatMap((each) =>
        String(each["name"]).includes("/") ? [] : [[String(each["kind"]), { plural: String(each["name"]), namespaced: each["namespaced"] === true }] as const],
      );
      this.#kinds.set(apiVersion, new Map(kinds));
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.status !== 404) throw thrown;
    }
    return this.#kinds.get(apiVersion)?.get(kind);
  }

  async #path(apiVersion: string, kind: string, namespace: string | undefined, name?: string): Promise<string> {
    const resource = await this.resource(apiVersion, kind);
    if (resource === undefined) throw new ApiError(404, `The Kubernetes API could not find ${groupOf({ apiVersion })}/${kind} for requested resource`);
    const inside = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : "";
    return `${apiPath(apiVersion)}${inside}/${resource.plural}${name === undefined ? "" : `/${name}`}`;
  }

  /** @throws ApiError */
  async find(apiVersion: string, kind: string, namespace: string | undefined, name: string): Promise<KubeObject | undefined> {
    try {
      return (await this.#call("GET", await this.#path(apiVersion, kind, namespace, name))) as unknown as KubeObject;
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 404) return undefined;
      throw thrown;
    }
  }

  /** @throws ApiError */
  async list(apiVersion: string, kind: string, namespace: string): Promise<KubeObject[]> {
    const answer = await this.#call("GET", await this.#path(apiVersion, kind, namespace));
    return listAt(answer, "items").map((item) => ({ ...item, apiVersion, kind }) as unknown as KubeObject);
  }

  /** Server-side apply with force, so fields of other managers are taken over. @returns the object as it is, or would be. @throws ApiError */
  async apply(object: KubeObject, { dryRun = false }: { dryRun?: boolean } = {}): Promise<KubeObject> {
    const { apiVersion, kind, metadata } = object;
    const query = `fieldManager=${MANAGER}&force=true${dryRun ? "&dryRun=All" : ""}`;
    return (await this.#call("PATCH", `${await this.#path(apiVersion, kind, metadata.namespace, metadata.name)}?${query}`, object)) as unknown as KubeObject;
  }

  /** Deletes in the foreground: what the object owns goes first. A missing object is no error. @throws ApiError */
  async remove({ apiVersion, kind, metadata }: KubeObject): Promise<void> {
    try {
      await this.#call("DELETE", await this.#path(apiVersion, kind, metadata.namespace, metadata.name), { propagationPolicy: "Foreground" });
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.status !== 404) throw thrown;
    }
  }
}
