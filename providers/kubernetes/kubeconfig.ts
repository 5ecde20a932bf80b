/** Reads kubeconfigs: which server, which credentials. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { HomelabError } from "../../common/errors";

const named = <T extends z.ZodType>(name: string, inner: T) => z.array(z.looseObject({ name: z.string(), [name]: inner }));
const clusterSchema = z.looseObject({
  server: z.string(),
  "certificate-authority-data": z.string().optional(),
  "certificate-authority": z.string().optional(),
  "insecure-skip-tls-verify": z.boolean().optional(),
  "tls-server-name": z.string().optional(),
  "proxy-url": z.string().optional(),
});
const userSchema = z.looseObject({
  "client-certificate-data": z.string().optional(),
  "client-certificate": z.string().optional(),
  "client-key-data": z.string().optional(),
  "client-key": z.string().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
});
/** Fields that are not supported. To ignore them would send requests elsewhere, or without credentials. */
const REFUSED = {
  cluster: ["tls-server-name"],
  user: ["exec", "auth-provider", "username", "password", "as", "as-uid", "as-groups", "as-user-extra"],
};

const kubeconfigSchema = z.looseObject({
  "current-context": z.string().optional(),
  clusters: named("cluster", clusterSchema),
  users: named("user", userSchema),
  contexts: named("context", z.looseObject({ cluster: z.string(), user: z.string(), namespace: z.string().optional() })),
});

export interface Connection {
  server: string;
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  token: string | undefined;
  verify: boolean;
  /** Proxy that the cluster's entry names; it goes before those of the environment. */
  proxyUrl: string | undefined;
  namespace: string | undefined;
}

const decode = (text: string | undefined): string | undefined => (text === undefined ? undefined : Buffer.from(text, "base64").toString("utf8"));
const readFile = (file: string | undefined): string | undefined => (file === undefined ? undefined : fs.readFileSync(file, "utf8"));

type Cluster = z.infer<typeof clusterSchema>;
type User = z.infer<typeof userSchema>;

interface Chosen {
  context: { name: string | undefined; namespace?: string | undefined };
  cluster: Cluster | undefined;
  user: User | undefined;
}

function choose(text: string, contextName: string | undefined, clusterName: string | undefined): Chosen {
  let content = text;
  if (!text.includes("\n") && !text.trimStart().startsWith("{")) {
    try {
      content = fs.readFileSync(text === "~" || text.startsWith("~/") ? path.join(os.homedir(), text.slice(1)) : text, "utf8");
    } catch (cause) {
      throw new HomelabError("E_KUBECONFIG", `provider kubernetes: the kubeconfig file ${text.slice(0, 200)} cannot be read`, { cause });
    }
  }
  const parsed = kubeconfigSchema.safeParse(parse(content));
  if (!parsed.success)
    throw new HomelabError(
      "E_KUBECONFIG",
      `provider kubernetes: the kubeconfig is malformed at ${parsed.error.issues.map((issue) => issue.path.join(".")).join(", ")}`,
    );
  const config = parsed.data;
  const wanted = contextName ?? config["current-context"];
  const context = config.contexts.find((entry) => entry.name === wanted)?.["context"] as { cluster: string; user: string; namespace?: string } | undefined;
  if (context === undefined) throw new HomelabError("E_KUBECONFIG", `provider kubernetes: the kubeconfig has no context ${wanted ?? "(none is current)"}`);
  const cluster = config.clusters.find((entry) => entry.name === (clusterName ?? context.cluster))?.["cluster"] as Cluster | undefined;
  const user = config.users.find((entry) => entry.name === context.user)?.["user"] as User | undefined;
  return { context: { name: wanted, namespace: context.namespace }, cluster, user };
}

/** The cluster's entry that would be used; undefined where there is none, or nothing that can be read. */
export function clusterOf(text: string, contextName?: string, clusterName?: string): Cluster | undefined {
  try {
    return choose(text, contextName, clusterName).cluster;
  } catch (thrown) {
    if (thrown instanceof HomelabError) return undefined;
    throw thrown;
  }
}

function refuse(what: keyof typeof REFUSED, entry: Record<string, unknown>, context: string | undefined): void {
  const [key] = REFUSED[what].filter((name) => name in entry);
  if (key === undefined) return;
  throw new HomelabError(
    "E_KUBECONFIG",
    `provider kubernetes: the ${what} of context ${context ?? ""} has ${key}, which the embedded provider does not support`,
    {
      hint: "give a kubeconfig with a client certificate or a token, or install the official Kubernetes plugin",
    },
  );
}

/**
 * @param text the kubeconfig itself, or a file's path
 * @throws HomelabError E_KUBECONFIG; never with the content, which is a credential
 */
export function readKubeconfig(text: string, contextName?: string, clusterName?: string): Connection {
  const { context, cluster, user } = choose(text, contextName, clusterName);
  if (cluster === undefined || user === undefined)
    throw new HomelabError("E_KUBECONFIG", `provider kubernetes: context ${context.name} names a cluster or a user that the kubeconfig does not have`);
  refuse("cluster", cluster, context.name);
  refuse("user", user, context.name);
  return {
    server: cluster.server.replace(/\/+$/, ""),
    ca: decode(cluster["certificate-authority-data"]) ?? readFile(cluster["certificate-authority"]),
    cert: decode(user["client-certificate-data"]) ?? readFile(user["client-certificate"]),
    key: decode(user["client-key-data"]) ?? readFile(user["client-key"]),
    token: user.token ?? readFile(user.tokenFile)?.trim(),
    verify: cluster["insecure-skip-tls-verify"] !== true,
    proxyUrl: cluster["proxy-url"] || undefined,
    namespace: context.namespace,
  };
}
