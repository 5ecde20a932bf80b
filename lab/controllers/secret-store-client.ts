/** How External Secrets talks to Vault: login by its configured way, reading, and ending the login. */
import { Agent, request as httpsRequest } from "node:https";
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { at, isMap, type JsonMap, mapAt, textAt } from "../kubernetes/objects";
import { decode64, type Kube } from "./kube";

interface Answer {
  status: number;
  body: JsonMap;
}

/** An open session with one store's Vault. */
export interface Session {
  /** All keys of an entry; undefined = there is none. */
  read(key: string, version?: string): Promise<JsonMap | undefined>;
  close(): Promise<void>;
}

const TOKEN_SECONDS = 600;
/** Ways to log in that the lab models. */
const METHODS = ["kubernetes", "tokenSecretRef"];

const problem = (what: string, { status, body }: Answer): Error => {
  const errors = at(body, "errors");
  return new Error(`${what}: Code: ${status}. Errors: ${Array.isArray(errors) ? errors.map((error) => `* ${String(error).trim()}`).join(" ") : ""}`);
};

export class SecretStoreClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(
    private readonly kube: Kube,
    private readonly ctx: LabContext,
  ) {}

  stop(): void {
    this.#agent.destroy();
  }

  async #call(vault: JsonMap, method: string, path: string, token: string | undefined, body?: unknown): Promise<Answer> {
    const url = new URL(textAt(vault, "server") ?? "");
    const port = Number(url.port || 443);
    const local = this.ctx.network.resolve(url.hostname, port);
    const where = `${method} "${url.origin}/v1/${path}"`;
    if (local === undefined) throw new Error(`${where}: dial tcp ${url.hostname}:${port}: connect: connection refused`);
    const bundle = textAt(vault, "caBundle");
    return new Promise((resolve, reject) => {
      const request = httpsRequest({
        host: "127.0.0.1",
        port: local.port,
        servername: url.hostname,
        ca: bundle === undefined ? this.ctx.tls.caPem : decode64(bundle),
        agent: this.#agent,
        method,
        path: `/v1/${path}`,
        headers: { host: url.host, "content-type": "application/json", ...(token === undefined ? {} : { "x-vault-token": token }) },
      });
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          try {
            const parsed: unknown = text === "" ? {} : JSON.parse(text);
            resolve({ status: response.statusCode ?? 0, body: isMap(parsed) ? parsed : {} });
          } catch {
            // A proxy's page, for example.
            resolve({ status: response.statusCode ?? 0, body: { errors: [text.slice(0, 200).trim()] } });
          }
        });
      });
      request.on("error", (cause) => reject(new Error(`${where}: ${cause.message}`)));
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** The namespace of an object that a store refers to. Undefined: it is the namespace of each ExternalSecret. */
  static namespaceOf(store: KubeObject, reference: JsonMap): string | undefined {
    return store.metadata.namespace ?? textAt(reference, "namespace");
  }

  /** The reference that the store logs in by. */
  static reference(store: KubeObject): JsonMap {
    const auth = mapAt(store, "spec", "provider", "vault", "auth");
    return auth["tokenSecretRef"] === undefined ? mapAt(auth, "kubernetes", "serviceAccountRef") : mapAt(auth, "tokenSecretRef");
  }

  /** @param namespace of the ExternalSecret that wants something. @throws Error with what a user of the operator would see */
  async open(store: KubeObject, namespace: string): Promise<Session> {
    const vault = mapAt(store, "spec", "provider", "vault");
    const auth = mapAt(vault, "auth");
    const unknown = [
      ...Object.keys(mapAt(store, "spec", "provider")).filter((key) => key !== "vault"),
      ...Object.keys(auth).filter((key) => !METHODS.includes(key)),
    ];
    if (unknown.length > 0 || Object.keys(auth).length === 0) {
      this.ctx.unhandled.add({
        system: "external-secrets",
        target: this.kube.cluster.name,
        what: `store ${store.metadata.name}: ${unknown.join(", ") || "no auth"}`,
      });
      throw new Error(`the lab does not model ${unknown.join(", ") || "a store without auth"}`);
    }
    const owner = SecretStoreClient.namespaceOf(store, SecretStoreClient.reference(store)) ?? namespace;
    const fixed = auth["tokenSecretRef"] !== undefined;
    const token = fixed ? this.#fixedToken(mapAt(auth, "tokenSecretRef"), owner) : await this.#login(vault, mapAt(auth, "kubernetes"), owner);
    return {
      read: (key, version) => this.#read(vault, token, key, version),
      close: async () => {
        if (!fixed) await this.#call(vault, "PUT", "auth/token/revoke-self", token, {});
      },
    };
  }

  #fixedToken(reference: JsonMap, namespace: string): string {
    const [name, key] = [textAt(reference, "name") ?? "", textAt(reference, "key") ?? ""];
    const secret = this.kube.find("v1", "Secret", namespace, name);
    if (secret === undefined) throw new Error(`cannot get Kubernetes secret "${name}" from namespace "${namespace}": secrets "${name}" not found`);
    const value = textAt(secret, "data", key);
    if (value === undefined) throw new Error(`cannot find secret data for key: "${key}"`);
    return decode64(value).trim();
  }

  async #login(vault: JsonMap, auth: JsonMap, namespace: string): Promise<string> {
    const reference = mapAt(auth, "serviceAccountRef");
    const name = textAt(reference, "name") ?? "";
    const account = this.kube.find("v1", "ServiceAccount", namespace, name);
    if (account === undefined)
      throw new Error(`cannot request Kubernetes service account token for service account "${name}": serviceaccounts "${name}" not found`);
    const listed = at(reference, "audiences");
    const audiences = Array.isArray(listed) && listed.length > 0 ? listed.map(String) : ["https://kubernetes.default.svc.cluster.local"];
    const { token: jwt } = this.kube.cluster.tokens.issue(account, audiences, TOKEN_SECONDS);
    const path = `auth/${textAt(auth, "mountPath") ?? "kubernetes"}/login`;
    const answer = await this.#call(vault, "PUT", path, undefined, { role: textAt(auth, "role") ?? "", jwt });
    const token = textAt(answer.body, "auth", "client_token");
    if (token === undefined)
      throw problem(`unable to log in with Kubernetes auth: Error making API request. URL: PUT ${textAt(vault, "server")}/v1/${path}`, answer);
    return token;
  }

  async #read(vault: JsonMap, token: string, key: string, version: string | undefined): Promise<JsonMap | undefined> {
    const mount = (textAt(vault, "path") ?? "").replace(/\/+$/, "");
    const second = (textAt(vault, "version") ?? "v2") === "v2";
    // A key may be written with the mount in front, and with the "data" that version 2 puts in between.
    const inside = mount !== "" && key.startsWith(`${mount}/`) ? key.slice(mount.length + 1).replace(second ? /^data\// : /^$/, "") : key;
    const path = [mount, second ? "data" : "", inside].filter((part) => part !== "").join("/");
    const answer = await this.#call(vault, "GET", `${path}${version === undefined ? "" : `?version=${encodeURIComponent(version)}`}`, token);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200)
      throw problem(`cannot read secret data from Vault: Error making API request. URL: GET ${textAt(vault, "server")}/v1/${path}`, answer);
    const data = second ? at(answer.body, "data", "data") : at(answer.body, "data");
    return isMap(data) ? data : undefined;
  }
}
