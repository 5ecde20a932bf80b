/** Reads kubeconfigs: which server, which credentials. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse, YAMLError } from "yaml";
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

type Cluster = z.infer<typeof clusterSchema>;
type User = z.infer<typeof userSchema>;

interface Chosen {
  /** What relative paths in it start from: its own folder, or the working folder for one that was given as text. */
  folder: string;
  context: { name: string | undefined; namespace?: string | undefined };
  cluster: Cluster | undefined;
  user: User | undefined;
}

const refused = (why: string, options: ConstructorParameters<typeof HomelabError>[2] = {}): HomelabError =>
  new HomelabError("E_KUBECONFIG", `provider kubernetes: ${why}`, options);

/** The longest path that Linux takes. A kubeconfig in base64 is longer, and an error must not show it. */
const LONGEST_PATH = 4096;
/** Of a kubeconfig in base64, and of no path: it begins with `apiVersion`, `kind` or `{`. */
const BASE64 = /^(YXBpVmVyc2lvb|a2luZD|ey)[A-Za-z0-9+/=]{60,}$/;

/** @returns its text, and the folder in which it lies */
function textOf(given: string): { content: string; folder: string } {
  if (given.includes("\n") || given.trimStart().startsWith("{")) return { content: given, folder: process.cwd() };
  if (given.length > LONGEST_PATH || BASE64.test(given)) throw refused("the kubeconfig is neither a path nor the text of one", { hint: "decode it first" });
  const file = given === "~" || given.startsWith("~/") ? path.join(os.homedir(), given.slice(1)) : given;
  try {
    return { content: fs.readFileSync(file, "utf8"), folder: path.dirname(path.resolve(file)) };
  } catch (cause) {
    throw refused(`the kubeconfig file ${given} cannot be read`, { cause });
  }
}

function parseConfig(content: string): z.infer<typeof kubeconfigSchema> {
  let value: unknown;
  try {
    value = parse(content);
  } catch (thrown) {
    // No cause: the parser's own errors quote the text.
    const place = thrown instanceof YAMLError ? thrown.linePos?.[0].line : undefined;
    throw refused(`the kubeconfig is not valid YAML${place === undefined ? "" : ` at line ${place}`}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refused("what was given as kubeconfig is no kubeconfig");
  const parsed = kubeconfigSchema.safeParse(value);
  if (!parsed.success) throw refused(`the kubeconfig is malformed at ${parsed.error.issues.map((issue) => issue.path.join(".")).join(", ")}`);
  return parsed.data;
}

function choose(text: string, contextName: string | undefined, clusterName: string | undefined): Chosen {
  const { content, folder } = textOf(text);
  const config = parseConfig(content);
  const wanted = contextName ?? config["current-context"];
  const context = config.contexts.find((entry) => entry.name === wanted)?.["context"] as { cluster: string; user: string; namespace?: string } | undefined;
  if (context === undefined) throw refused(`the kubeconfig has no context ${wanted ?? "(none is current)"}`);
  const cluster = config.clusters.find((entry) => entry.name === (clusterName ?? context.cluster))?.["cluster"] as Cluster | undefined;
  const user = config.users.find((entry) => entry.name === context.user)?.["user"] as User | undefined;
  return { folder, context: { name: wanted, namespace: context.namespace }, cluster, user };
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
  throw refused(`the ${what} of context ${context ?? ""} has ${key}, which the embedded provider does not support`, {
    hint: "give a kubeconfig with a client certificate or a token, or install the official Kubernetes plugin",
  });
}

/**
 * @param text the kubeconfig itself, or a file's path
 * @throws HomelabError E_KUBECONFIG; never with the content, which is a credential
 */
export function readKubeconfig(text: string, contextName?: string, clusterName?: string): Connection {
  const { folder, context, cluster, user } = choose(text, contextName, clusterName);
  if (cluster === undefined || user === undefined) throw refused(`context ${context.name} names a cluster or a user that the kubeconfig does not have`);
  refuse("cluster", cluster, context.name);
  refuse("user", user, context.name);
  const fileOf = <E extends Cluster | User>(entry: E, key: keyof E & string): string | undefined => {
    const file = entry[key] as string | undefined;
    // An empty one is none, as in client-go.
    if (file === undefined || file === "") return undefined;
    try {
      return fs.readFileSync(path.resolve(folder, file), "utf8");
    } catch (cause) {
      throw refused(`the file of ${key}: ${file} cannot be read`, { cause });
    }
  };
  return {
    server: cluster.server.replace(/\/+$/, ""),
    ca: decode(cluster["certificate-authority-data"]) ?? fileOf(cluster, "certificate-authority"),
    cert: decode(user["client-certificate-data"]) ?? fileOf(user, "client-certificate"),
    key: decode(user["client-key-data"]) ?? fileOf(user, "client-key"),
    // In this order, as client-go has it.
    token: fileOf(user, "tokenFile")?.trim() ?? user.token,
    verify: cluster["insecure-skip-tls-verify"] !== true,
    proxyUrl: cluster["proxy-url"] || undefined,
    namespace: context.namespace,
  };
}
