/** The clusters that one Argo CD knows: its own, and those of its Secrets (https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters). */
import { z } from "zod";
import { decode64, type Kube } from "../controllers/kube";
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { mapAt } from "../kubernetes/objects";
import { ClusterClient } from "./cluster-client";
import { type RepositoryCredential, withoutGit } from "./repository";
import { type Destination, NotModelled, OWN_CLUSTER, PREFIX, parseStrictly } from "./schema";

const SECRET_TYPE = `${PREFIX}/secret-type`;
const CONTROLLER = "argocd-application-controller";

/** No cluster of that name or address; the message is the Application's condition. */
export class UnknownCluster extends Error {}

const tlsSchema = z.strictObject({ caData: z.string(), certData: z.string().optional(), keyData: z.string().optional() });
const configSchema = z.strictObject({ bearerToken: z.string().optional(), tlsClientConfig: tlsSchema });
const dataSchema = z.strictObject({
  name: z.string(),
  server: z.url(),
  config: z.string(),
  /** Left out: all. */
  namespaces: z.string().min(1).optional(),
  /** Beside those of its namespaces; without `namespaces` it has all of them anyway. */
  clusterResources: z.enum(["true", "false"]).default("false"),
});

/** The entries of a Secret as texts. */
const secretTexts = (secret: KubeObject): Record<string, string> =>
  Object.fromEntries(Object.entries(mapAt(secret, "data")).map(([key, value]) => [key, decode64(String(value))]));

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export class Clusters {
  /** Clients, each with the version of its Secret: another version gets a new client. */
  readonly #clients = new Map<string, { version: string; client: ClusterClient }>();

  constructor(
    private readonly kube: Kube,
    private readonly ctx: LabContext,
  ) {}

  stop(): void {
    for (const { client } of this.#clients.values()) client.stop();
    this.#clients.clear();
  }

  #client(name: string, version: string, make: () => ClusterClient): ClusterClient {
    const known = this.#clients.get(name);
    if (known?.version === version) return known.client;
    known?.client.stop();
    const client = make();
    this.#clients.set(name, { version, client });
    return client;
  }

  /** @param home namespace of Argo CD. @throws UnknownCluster */
  own(home: string): ClusterClient {
    const { kube, ctx } = this;
    const { cluster } = kube;
    const account = kube.find("v1", "ServiceAccount", home, CONTROLLER);
    if (account === undefined) throw new UnknownCluster(`serviceaccounts "${CONTROLLER}" not found`);
    // Like the token that the kubelet gives a pod: valid for an hour, and replaced before the hour is over.
    let held: { token: string; until: number } | undefined;
    const token = (): string => {
      if (held === undefined || held.until < ctx.clock.now())
        held = { token: cluster.tokens.issue(account, [], 3600).token, until: ctx.clock.now() + 3_000_000 };
      return held.token;
    };
    const address = `https://${cluster.address}:6443`;
    return this.#client(
      "in-cluster",
      account.metadata.uid ?? "",
      () => new ClusterClient(ctx, { name: "in-cluster", server: OWN_CLUSTER, address, caPem: cluster.caPem, token }),
    );
  }

  /** The cluster of that name or address. @throws UnknownCluster, NotModelled */
  find({ server, name }: Destination, home: string): ClusterClient {
    if ((server === undefined) === (name === undefined))
      throw new UnknownCluster(
        server === undefined
          ? "Destination server missing from app spec"
          : `application destination can't have both name and server defined: ${name} ${server}`,
      );
    if (server === OWN_CLUSTER || name === "in-cluster") return this.own(home);
    const secrets = this.kube.all("v1", "Secret", home).filter(({ metadata }) => metadata.labels?.[SECRET_TYPE] === "cluster");
    const found = secrets.find((secret) => {
      const data = secretTexts(secret);
      return name === undefined ? data["server"] === server : data["name"] === name;
    });
    if (found === undefined) throw new UnknownCluster(name === undefined ? `cluster "${server}" not found` : `there are no clusters with this name: ${name}`);
    return this.#client(found.metadata.name, found.metadata.resourceVersion ?? "", () => this.#other(found));
  }

  #other(secret: KubeObject): ClusterClient {
    const where = `Secret ${secret.metadata.name}`;
    const data = parseStrictly(dataSchema, secretTexts(secret), where);
    const { bearerToken, tlsClientConfig } = parseStrictly(configSchema, jsonOf(data.config), `${where}.config`);
    const { certData, keyData } = tlsClientConfig;
    const namespaces = data.namespaces?.split(",").map((name) => name.trim());
    if (bearerToken === undefined && (certData === undefined || keyData === undefined))
      throw new NotModelled(`not modelled by the lab: ${where}.config: a cluster without a token and without a certificate`);
    return new ClusterClient(this.ctx, {
      name: data.name,
      server: data.server,
      caPem: decode64(tlsClientConfig.caData),
      ...(namespaces === undefined ? {} : { managed: { namespaces, clusterResources: data.clusterResources === "true" } }),
      ...(bearerToken === undefined ? {} : { token: () => bearerToken }),
      ...(certData === undefined || keyData === undefined ? {} : { certificate: { cert: decode64(certData), key: decode64(keyData) } }),
    });
  }

  /** The login of a repository, where a Secret has one; such a Secret may be for all repositories below an address. */
  credential(url: string, home: string): RepositoryCredential | undefined {
    const ofType = (type: string): Record<string, string>[] =>
      this.kube.all("v1", "Secret", home).flatMap((secret) => (secret.metadata.labels?.[SECRET_TYPE] === type ? [secretTexts(secret)] : []));
    const found =
      ofType("repository").find((data) => withoutGit(data["url"] ?? "") === withoutGit(url)) ??
      ofType("repo-creds").find((data) => url.startsWith(data["url"] ?? "\0"));
    if (found === undefined || (found["username"] === undefined && found["password"] === undefined)) return undefined;
    return { username: found["username"] ?? "", password: found["password"] ?? "" };
  }
}
