/** Reads kubeconfigs: which server, which credentials. */
import * as fs from "node:fs";
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
});
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

/**
 * @param text the kubeconfig itself, or a file's path
 * @throws HomelabError E_KUBECONFIG; never with the content, which is a credential
 */
export function readKubeconfig(text: string, contextName?: string, clusterName?: string): Connection {
  let content = text;
  if (!text.includes("\n") && !text.trimStart().startsWith("{")) {
    try {
      content = fs.readFileSync(text, "utf8");
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
  const cluster = config.clusters.find((entry) => entry.name === (clusterName ?? context.cluster))?.["cluster"] as z.infer<typeof clusterSchema> | undefined;
  const user = config.users.find((entry) => entry.name === context.user)?.["user"] as z.infer<typeof userSchema> | undefined;
  if (cluster === undefined || user === undefined)
    throw new HomelabError("E_KUBECONFIG", `provider kubernetes: context ${wanted} names a cluster or a user that the kubeconfig does not have`);
  return {
    server: cluster.server.replace(/\/+$/, ""),
    ca: decode(cluster["certificate-authority-data"]) ?? readFile(cluster["certificate-authority"]),
    cert: decode(user["client-certificate-data"]) ?? readFile(user["client-certificate"]),
    key: decode(user["client-key-data"]) ?? readFile(user["client-key"]),
    token: user.token,
    verify: cluster["insecure-skip-tls-verify"] !== true,
    proxyUrl: cluster["proxy-url"] || undefined,
    namespace: context.namespace,
  };
}
