import { createHash, X509Certificate } from "node:crypto";
import { z } from "zod";
import { HomelabError } from "../../common/errors";

const kubeconfigSchema = z.looseObject({
  apiVersion: z.literal("v1"),
  kind: z.literal("Config"),
  clusters: z.array(z.looseObject({ name: z.string(), cluster: z.looseObject({ server: z.string(), "certificate-authority-data": z.string() }) })).length(1),
  users: z.array(z.looseObject({ name: z.string(), user: z.looseObject({}) })).length(1),
  contexts: z.array(z.looseObject({ name: z.string(), context: z.looseObject({ cluster: z.string(), user: z.string() }) })).length(1),
});

function parseKubeconfig(text: string): z.infer<typeof kubeconfigSchema> {
  const { parse } = require("yaml") as typeof import("yaml");
  try {
    return kubeconfigSchema.parse(parse(text));
  } catch {
    // No cause: both parsers quote the text, which holds a private key.
    throw new HomelabError("E_KUBECONFIG", "the host's kubeconfig is not what k3s and kubeadm write: one cluster, one user, one context", {
      hint: "look at /etc/rancher/k3s/k3s.yaml or /etc/kubernetes/admin.conf on the host; run the stack again once it is written",
    });
  }
}

/**
 * The administrator's kubeconfig as k3s wrote it (server https://127.0.0.1:6443, everything named `default`) or kubeadm
 * (`kubernetes-admin@<cluster>`), made to be used from elsewhere under one name.
 * @param name of the cluster, its user and its context
 * @param server `https://<address>:6443`
 * @returns YAML; holds the administrator's private key
 * @throws HomelabError E_KUBECONFIG, without the text
 */
export function renameKubeconfig(text: string, name: string, server: string): string {
  const { stringify } = require("yaml") as typeof import("yaml");
  const config = parseKubeconfig(text);
  return stringify(
    {
      ...config,
      clusters: config.clusters.map((entry) => ({ ...entry, name, cluster: { ...entry.cluster, server } })),
      users: config.users.map((entry) => ({ ...entry, name })),
      contexts: config.contexts.map((entry) => ({ ...entry, name, context: { ...entry.context, cluster: name, user: name } })),
      "current-context": name,
    },
    // Its readers parse YAML 1.1.
    { lineWidth: 0, compat: "yaml-1.1" },
  );
}

/** How the cluster of such a kubeconfig is reached: its server, the server's authority, and the administrator's credentials as PEM. */
export function connectionOf(text: string): { server: string; ca: string; cert: string; key: string } {
  const { clusters, users } = parseKubeconfig(text);
  const decoded = (value: unknown): string => Buffer.from(typeof value === "string" ? value : "", "base64").toString("utf8");
  const user = users[0]?.user ?? {};
  return {
    server: clusters[0]?.cluster.server ?? "",
    ca: clusterCa(text),
    cert: decoded(user["client-certificate-data"]),
    key: decoded(user["client-key-data"]),
  };
}

/** The certificate authority of a kubeconfig's cluster, as PEM. */
export function clusterCa(text: string): string {
  const authority = parseKubeconfig(text).clusters[0]?.cluster["certificate-authority-data"] ?? "";
  return Buffer.from(authority, "base64").toString("utf8");
}

/**
 * The hash by which kubeadm pins an authority: the SHA-256 of its public key, as SPKI in DER.
 * @param pem the authority's certificate
 * @throws HomelabError E_KUBECONFIG where it is no certificate
 */
export function authorityHash(pem: string): string {
  try {
    const key = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
    return `sha256:${createHash("sha256").update(key).digest("hex")}`;
  } catch (cause) {
    throw new HomelabError("E_KUBECONFIG", "the authority in the cluster's kubeconfig is no certificate", {
      cause,
      hint: "look at /etc/kubernetes/admin.conf on the host",
    });
  }
}
