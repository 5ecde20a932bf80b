/** cert-manager, when its Deployment runs: issuers become ready, certificates get a secret of the lab's authority. */
import type { LabContext } from "../core/world";
import type { Cluster } from "../kubernetes";
import { at, type KubeObject, listAt, mapAt, textAt } from "../kubernetes/objects";

const API = "cert-manager.io/v1";

export async function reconcileCertManager(cluster: Cluster, ctx: LabContext): Promise<void> {
  const { store } = cluster;
  const condition = (message: string) => ({ type: "Ready", status: "True", reason: "Ready", message, lastTransitionTime: store.now() });
  const isReady = (object: KubeObject): boolean => listAt(object, "status", "conditions").some((c) => c["type"] === "Ready" && c["status"] === "True");
  const set = (object: KubeObject, status: Record<string, unknown>): void => {
    store.modify(
      store.type(object.apiVersion, object.kind),
      object.metadata.namespace,
      object.metadata.name,
      (o) => ({ ...o, status: { ...mapAt(o, "status"), ...status } }),
      { subresource: "status", manager: "cert-manager" },
    );
  };
  for (const kind of ["ClusterIssuer", "Issuer"])
    for (const issuer of store.all(API, kind))
      if (!isReady(issuer)) set(issuer, { conditions: [condition("The ACME account was registered with the ACME server")] });
  // An ingress with the issuer's annotation asks for one certificate for each TLS entry.
  for (const ingress of store.all("networking.k8s.io/v1", "Ingress")) {
    const issuer = ingress.metadata.annotations?.["cert-manager.io/cluster-issuer"];
    if (issuer === undefined || store.types.byKind(API, "Certificate") === undefined) continue;
    for (const tls of listAt(ingress, "spec", "tls")) {
      const secretName = textAt(tls, "secretName");
      const { namespace = "default" } = ingress.metadata;
      if (secretName === undefined || store.one(API, "Certificate", namespace, secretName) !== undefined) continue;
      const owner = {
        apiVersion: ingress.apiVersion,
        kind: ingress.kind,
        name: ingress.metadata.name,
        uid: ingress.metadata.uid ?? "",
        controller: true,
        blockOwnerDeletion: true,
      };
      store.create(
        store.type(API, "Certificate"),
        namespace,
        {
          apiVersion: API,
          kind: "Certificate",
          metadata: { name: secretName, namespace, ownerReferences: [owner] },
          spec: { secretName, dnsNames: tls["hosts"] ?? [], issuerRef: { group: "cert-manager.io", kind: "ClusterIssuer", name: issuer } },
        },
        { manager: "cert-manager" },
      );
    }
  }
  for (const certificate of store.all(API, "Certificate")) {
    const { namespace = "default" } = certificate.metadata;
    const secretName = textAt(certificate, "spec", "secretName") ?? "";
    if (isReady(certificate) && store.one("v1", "Secret", namespace, secretName) !== undefined) continue;
    const issuer = textAt(certificate, "spec", "issuerRef", "name") ?? "";
    if (store.one(API, "ClusterIssuer", undefined, issuer) === undefined && store.one(API, "Issuer", namespace, issuer) === undefined) continue;
    const names = at(certificate, "spec", "dnsNames");
    const { cert, key } = await ctx.tls.issue(Array.isArray(names) ? names.map(String) : []);
    const encode = (text: string): string => Buffer.from(text).toString("base64");
    const type = store.type("v1", "Secret");
    if (store.find(type, namespace, secretName) === undefined)
      store.create(
        type,
        namespace,
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: secretName, namespace },
          type: "kubernetes.io/tls",
          data: { "tls.crt": encode(cert), "tls.key": encode(key) },
        },
        { manager: "cert-manager" },
      );
    set(certificate, { conditions: [condition("Certificate is up to date and has not expired")] });
  }
}
