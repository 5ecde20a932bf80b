/** External Secrets, when its Deployment runs: logs in to Vault by its name with service account tokens, and keeps Secrets. */
import { request as httpsRequest } from "node:https";
import type { LabContext } from "../core/world";
import type { Cluster } from "../kubernetes";
import { at, type JsonMap, type KubeObject, listAt, mapAt, textAt } from "../kubernetes/objects";

const VERSIONS = ["external-secrets.io/v1", "external-secrets.io/v1beta1"];

interface Answer {
  status: number;
  body: JsonMap;
}

async function vaultCall(ctx: LabContext, server: string, method: string, path: string, token: string | undefined, body: unknown): Promise<Answer> {
  const url = new URL(server);
  const local = ctx.network.resolve(url.hostname, Number(url.port || 443));
  if (local === undefined) throw new Error(`${server}: connection refused`);
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: "127.0.0.1",
        port: local.port,
        servername: url.hostname,
        ca: ctx.tls.caPem,
        method,
        path: `/v1/${path}`,
        headers: { host: url.host, ...(token ? { "x-vault-token": token } : {}), "content-type": "application/json" },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          try {
            resolve({ status: response.statusCode ?? 0, body: text === "" ? {} : (JSON.parse(text) as JsonMap) });
          } catch {
            reject(new Error(`${server} answered ${response.statusCode} with no JSON`));
          }
        });
      },
    );
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const problem = ({ status, body }: Answer, what: string): Error => new Error(`${what}: Code: ${status}. Errors: ${JSON.stringify(body["errors"] ?? [])}`);

export class ExternalSecretsController {
  /** When each ExternalSecret is due, in milliseconds since the epoch. */
  readonly #due = new Map<string, { at: number; generation: string }>();

  constructor(
    private readonly cluster: Cluster,
    private readonly ctx: LabContext,
  ) {}

  #condition(object: KubeObject, ready: boolean, reason: string, message: string, extra: JsonMap = {}): void {
    const { store } = this.cluster;
    const known = listAt(object, "status", "conditions").find(
      (c) => c["type"] === "Ready" && c["status"] === (ready ? "True" : "False") && c["reason"] === reason,
    );
    store.modify(
      store.type(object.apiVersion, object.kind),
      object.metadata.namespace,
      object.metadata.name,
      (o) => ({
        ...o,
        status: {
          ...mapAt(o, "status"),
          ...extra,
          conditions: [
            {
              type: "Ready",
              status: ready ? "True" : "False",
              reason,
              message,
              lastTransitionTime: (known?.["lastTransitionTime"] as string | undefined) ?? store.now(),
            },
          ],
        },
      }),
      { subresource: "status", manager: "external-secrets" },
    );
  }

  async #login(store: KubeObject, namespace: string): Promise<{ server: string; path: string; token: string }> {
    const vault = mapAt(store, "spec", "provider", "vault");
    const server = textAt(vault, "server") ?? "";
    const path = textAt(vault, "path") ?? "";
    const auth = mapAt(vault, "auth", "kubernetes");
    const reference = mapAt(auth, "serviceAccountRef");
    const account = this.cluster.store.one("v1", "ServiceAccount", textAt(reference, "namespace") ?? namespace, textAt(reference, "name") ?? "");
    if (account === undefined)
      throw new Error(`cannot request Kubernetes service account token for service account "${textAt(reference, "name")}": serviceaccounts not found`);
    const audiences = at(reference, "audiences");
    const { token: jwt } = this.cluster.tokens.issue(
      account,
      Array.isArray(audiences) && audiences.length > 0 ? audiences.map(String) : ["https://kubernetes.default.svc.cluster.local"],
      600,
    );
    const answer = await vaultCall(this.ctx, server, "POST", `auth/${textAt(auth, "mountPath") ?? "kubernetes"}/login`, undefined, {
      role: textAt(auth, "role"),
      jwt,
    });
    const token = textAt(answer.body, "auth", "client_token");
    if (token === undefined) throw problem(answer, "unable to log in with Kubernetes auth");
    return { server, path, token };
  }

  async #data(external: KubeObject, session: { server: string; path: string; token: string }): Promise<Record<string, string>> {
    const read = async (key: string): Promise<JsonMap> => {
      const answer = await vaultCall(this.ctx, session.server, "GET", `${session.path}/data/${key}`, session.token, undefined);
      if (answer.status !== 200)
        throw answer.status === 404 ? new Error(`Secret does not exist: ${key}`) : problem(answer, `cannot read secret data from Vault: ${key}`);
      return mapAt(answer.body, "data", "data");
    };
    const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
    const data: Record<string, string> = {};
    for (const source of listAt(external, "spec", "dataFrom")) {
      const key = textAt(source, "extract", "key");
      if (key !== undefined) for (const [name, value] of Object.entries(await read(key))) data[name] = text(value);
    }
    for (const entry of listAt(external, "spec", "data")) {
      const values = await read(textAt(entry, "remoteRef", "key") ?? "");
      const property = textAt(entry, "remoteRef", "property");
      if (property !== undefined && values[property] === undefined) throw new Error(`cannot find secret data for key: "${property}"`);
      data[textAt(entry, "secretKey") ?? ""] = property === undefined ? JSON.stringify(values) : text(values[property]);
    }
    return data;
  }

  async #stores(apiVersion: string): Promise<void> {
    for (const kind of ["ClusterSecretStore", "SecretStore"]) {
      for (const store of this.cluster.store.all(apiVersion, kind)) {
        if (listAt(store, "status", "conditions").some((c) => c["type"] === "Ready" && c["status"] === "True")) continue;
        try {
          await this.#login(store, store.metadata.namespace ?? "default");
          this.#condition(store, true, "Valid", "store validated", { capabilities: "ReadWrite" });
        } catch (thrown) {
          this.#condition(store, false, "InvalidProviderConfig", `unable to validate store: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
        }
      }
    }
  }

  async #secret(external: KubeObject, apiVersion: string): Promise<void> {
    const { store } = this.cluster;
    const { namespace = "default", name, uid = "", generation = 1 } = external.metadata;
    const now = this.ctx.clock.now();
    const due = this.#due.get(uid);
    if (due !== undefined && due.generation === String(generation) && due.at > now) return;
    const reference = mapAt(external, "spec", "secretStoreRef");
    const kind = textAt(reference, "kind") ?? "SecretStore";
    const source = store.one(apiVersion, kind, kind === "SecretStore" ? namespace : undefined, textAt(reference, "name") ?? "");
    try {
      if (source === undefined) throw new Error(`could not get ${kind} "${textAt(reference, "name")}"`);
      const data = await this.#data(external, await this.#login(source, namespace));
      const target = textAt(external, "spec", "target", "name") ?? name;
      const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
      const type = store.type("v1", "Secret");
      const owner = { apiVersion: external.apiVersion, kind: external.kind, name, uid, controller: true, blockOwnerDeletion: true };
      if (store.find(type, namespace, target) === undefined)
        store.create(
          type,
          namespace,
          { apiVersion: "v1", kind: "Secret", metadata: { name: target, namespace, ownerReferences: [owner] }, type: "Opaque", data: encoded },
          { manager: "external-secrets" },
        );
      else store.modify(type, namespace, target, (o) => ({ ...o, data: encoded }), { manager: "external-secrets" });
      this.#due.set(uid, { at: now + seconds(textAt(external, "spec", "refreshInterval") ?? "1h") * 1000, generation: String(generation) });
      this.#condition(external, true, "SecretSynced", "secret synced", { binding: { name: target } });
    } catch (thrown) {
      this.#due.set(uid, { at: now + 1_000, generation: String(generation) });
      this.#condition(
        external,
        false,
        "SecretSyncedError",
        `could not get secret data from provider: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
    }
  }

  /** Brings every store and secret up to date that is due. */
  async reconcile(): Promise<void> {
    const apiVersion = VERSIONS.find((version) => this.cluster.store.types.byKind(version, "ExternalSecret") !== undefined);
    if (apiVersion === undefined) return;
    await this.#stores(apiVersion);
    for (const external of this.cluster.store.all(apiVersion, "ExternalSecret")) await this.#secret(external, apiVersion);
  }
}

/** Go durations of hours, minutes and seconds. */
function seconds(text: string): number {
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (unit === "h" ? 3600 : unit === "m" ? 60 : 1),
    0,
  );
}
