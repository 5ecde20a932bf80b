/** cert-manager, while its Deployment runs: issuers become ready, and the lab's public CA stands for the public authorities. */
import { X509Certificate } from "node:crypto";
import { restoreAuthority } from "../core/tls";
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { at, type JsonMap, listAt, mapAt, textAt } from "../kubernetes/objects";
import { decode64, encode64, isReady, type Kube, ownerOf } from "./kube";
import type { WorkQueue } from "./queue";

const API = "cert-manager.io/v1";
const ISSUERS = ["ClusterIssuer", "Issuer"] as const;
const ANNOTATIONS = { cluster: "cert-manager.io/cluster-issuer", own: "cert-manager.io/issuer" } as const;
const NAMES = "cert-manager.io/alt-names";
/** Renewed when a third of its life is left. */
const RENEWAL = 2 / 3;

export class CertManager {
  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
    private readonly ctx: LabContext,
    /** Namespace of the Deployment that runs; undefined = none does. */
    private readonly home: () => string | undefined,
  ) {
    for (const kind of ISSUERS) queue.on(kind, (namespace, name) => this.#issuer(kind, namespace, name));
    queue.on("Certificate", (namespace, name) => this.#certificate(namespace, name));
    queue.on("Ingress", (namespace, name) => this.#ingress(namespace, name));
  }

  /** Queues everything that it manages; called when it starts. */
  resync(): void {
    for (const kind of [...ISSUERS, "Certificate"])
      for (const { metadata } of this.kube.all(API, kind)) this.queue.add(kind, metadata.namespace, metadata.name);
    for (const { metadata } of this.kube.all("networking.k8s.io/v1", "Ingress")) this.queue.add("Ingress", metadata.namespace, metadata.name);
  }

  /** Queues the objects that depend on a Secret that changed. */
  secretChanged(namespace: string | undefined, name: string): void {
    if (this.home() === undefined) return;
    for (const kind of ISSUERS)
      for (const issuer of this.kube.all(API, kind))
        if (textAt(issuer, "spec", "ca", "secretName") === name) this.queue.add(kind, issuer.metadata.namespace, issuer.metadata.name);
    for (const certificate of this.kube.all(API, "Certificate"))
      if (!isReady(certificate) || (certificate.metadata.namespace === namespace && textAt(certificate, "spec", "secretName") === name))
        this.queue.add("Certificate", certificate.metadata.namespace, certificate.metadata.name);
  }

  #issuer(kind: string, namespace: string | undefined, name: string): void {
    const home = this.home();
    const issuer = this.kube.find(API, kind, namespace, name);
    if (home === undefined || issuer === undefined || isReady(issuer)) return;
    const spec = mapAt(issuer, "spec");
    const told = (status: "True" | "False", reason: string, message: string, more: JsonMap = {}): void =>
      this.kube.status(issuer, {
        ...more,
        conditions: [{ ...this.kube.condition(issuer, "Ready", status, reason, message), observedGeneration: issuer.metadata.generation ?? 1 }],
      });
    const ready = (reason: string, message: string, more: JsonMap = {}): void => {
      told("True", reason, message, more);
      for (const { metadata } of this.kube.all(API, "Certificate")) this.queue.add("Certificate", metadata.namespace, metadata.name);
    };
    if (spec["acme"] !== undefined) {
      this.#accountKey(namespace ?? home, textAt(spec, "acme", "privateKeySecretRef", "name") ?? name);
      const server = textAt(spec, "acme", "server") ?? "";
      const account = server === "" ? "" : `${new URL(server).origin}/acme/acct/1`;
      ready("ACMEAccountRegistered", "The ACME account was registered with the ACME server", {
        acme: { uri: account, lastRegisteredEmail: textAt(spec, "acme", "email") ?? "" },
      });
    } else if (spec["selfSigned"] !== undefined) ready("IsReady", "");
    else if (spec["ca"] !== undefined) {
      const secret = textAt(spec, "ca", "secretName") ?? "";
      if (this.#keyPair(issuer) !== undefined) ready("KeyPairVerified", "Signing CA verified");
      else told("False", "ErrGetKeyPair", `Error getting keypair for CA issuer: secrets "${secret}" not found`);
    } else this.ctx.unhandled.add({ system: "cert-manager", target: this.kube.cluster.name, what: `${kind} ${name} of type ${Object.keys(spec).join(", ")}` });
  }

  /** Certificate and key that an issuer of the kind `ca` signs with; undefined while its Secret has none, and for issuers of other kinds. */
  #keyPair(issuer: KubeObject): { cert: string; key: string } | undefined {
    const name = textAt(issuer, "spec", "ca", "secretName");
    const secret = name === undefined ? undefined : this.kube.find("v1", "Secret", issuer.metadata.namespace ?? this.home(), name);
    const [cert, key] = [textAt(secret, "data", "tls.crt"), textAt(secret, "data", "tls.key")];
    return cert === undefined || key === undefined ? undefined : { cert: decode64(cert), key: decode64(key) };
  }

  #accountKey(namespace: string, name: string): void {
    if (this.kube.find("v1", "Secret", namespace, name) === undefined)
      this.kube.create({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name, namespace },
        type: "Opaque",
        data: { "tls.key": encode64("key of the lab's ACME account\n") },
      });
  }

  /** An ingress with an issuer's annotation asks for one certificate for each of its TLS entries. */
  #ingress(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const ingress = kube.find("networking.k8s.io/v1", "Ingress", namespace, name);
    if (this.home() === undefined || ingress === undefined || namespace === undefined || kube.store.types.byKind(API, "Certificate") === undefined) return;
    const annotations = ingress.metadata.annotations ?? {};
    const kind = annotations[ANNOTATIONS.cluster] === undefined ? "Issuer" : "ClusterIssuer";
    const issuer = annotations[ANNOTATIONS.cluster] ?? annotations[ANNOTATIONS.own];
    if (issuer === undefined) return;
    for (const tls of listAt(ingress, "spec", "tls")) {
      const secretName = textAt(tls, "secretName");
      if (secretName === undefined) continue;
      const spec = {
        dnsNames: tls["hosts"] ?? [],
        issuerRef: { group: "cert-manager.io", kind, name: issuer },
        secretName,
        usages: ["digital signature", "key encipherment"],
      };
      const known = kube.find(API, "Certificate", namespace, secretName);
      if (known === undefined)
        kube.create({ apiVersion: API, kind: "Certificate", metadata: { name: secretName, namespace, ownerReferences: [ownerOf(ingress)] }, spec });
      else if (known.metadata.ownerReferences?.some(({ uid }) => uid === ingress.metadata.uid))
        kube.modify(known, (current) => ({ ...current, spec: { ...mapAt(current, "spec"), ...spec } }));
    }
  }

  #issuerOf(certificate: KubeObject): { kind: string; name: string; issuer: KubeObject | undefined } {
    const reference = mapAt(certificate, "spec", "issuerRef");
    const [kind, name] = [textAt(reference, "kind") ?? "Issuer", textAt(reference, "name") ?? ""];
    return { kind, name, issuer: this.kube.find(API, kind, kind === "Issuer" ? certificate.metadata.namespace : undefined, name) };
  }

  /** Why a certificate cannot be issued now. */
  #problem(certificate: KubeObject): string | undefined {
    const { kube } = this;
    const { kind, name, issuer } = this.#issuerOf(certificate);
    if (issuer === undefined) return `Referenced "${kind}" not found: ${kind.toLowerCase()}.cert-manager.io "${name}" not found`;
    if (!isReady(issuer)) return `Referenced "${kind}" does not have a Ready status condition`;
    for (const solver of listAt(issuer, "spec", "acme", "solvers")) {
      const token = mapAt(solver, "dns01", "cloudflare", "apiTokenSecretRef");
      const namespace = issuer.metadata.namespace ?? this.home();
      const secret = textAt(token, "name");
      if (secret !== undefined && at(kube.find("v1", "Secret", namespace, secret), "data", textAt(token, "key") ?? "") === undefined)
        return `Error presenting challenge: error getting cloudflare secret: secrets "${secret}" not found`;
    }
    return undefined;
  }

  async #certificate(namespace: string | undefined, name: string): Promise<void> {
    const { kube } = this;
    const certificate = kube.find(API, "Certificate", namespace, name);
    if (this.home() === undefined || certificate === undefined || namespace === undefined) return;
    const secretName = textAt(certificate, "spec", "secretName") ?? "";
    const listed = at(certificate, "spec", "dnsNames");
    const names = Array.isArray(listed) ? listed.map(String) : [];
    const existing = kube.find("v1", "Secret", namespace, secretName);
    const generation = certificate.metadata.generation ?? 1;
    const condition = (status: "True" | "False", reason: string, message: string): JsonMap => ({
      ...kube.condition(certificate, "Ready", status, reason, message),
      observedGeneration: generation,
    });
    const known = existing?.metadata.annotations ?? {};
    const sameIssuer = known["cert-manager.io/issuer-name"] === this.#issuerOf(certificate).name;
    const upToDate = known[NAMES] === names.join(",") && sameIssuer && at(existing, "data", "tls.crt") !== undefined;
    if (upToDate && isReady(certificate)) return;
    const problem = this.#problem(certificate);
    if (problem !== undefined) {
      kube.status(certificate, { conditions: [condition("False", "DoesNotExist", problem)] });
      return;
    }
    const own = this.#ownAuthority(certificate);
    const pair = upToDate ? undefined : await (own === undefined ? this.ctx.tls : await restoreAuthority(own, this.ctx.clock.now())).issue(names);
    if (!kube.isAlive(namespace)) return;
    const authority = own === undefined ? {} : { "ca.crt": encode64(own.cert) };
    if (pair !== undefined) this.#store(certificate, secretName, names, { ...authority, "tls.crt": encode64(pair.cert), "tls.key": encode64(pair.key) });
    const { validFrom, validTo } = new X509Certificate(pair?.cert ?? Buffer.from(textAt(existing, "data", "tls.crt") ?? "", "base64"));
    const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
    const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
    kube.status(certificate, {
      conditions: [condition("True", "Ready", "Certificate is up to date and has not expired")],
      notBefore: time(from),
      notAfter: time(to),
      renewalTime: time(from + (to - from) * RENEWAL),
      revision: 1,
    });
  }

  /** What its issuer signs with, where that is an authority of the cluster's own. */
  #ownAuthority(certificate: KubeObject): { cert: string; key: string } | undefined {
    const { issuer } = this.#issuerOf(certificate);
    return issuer === undefined ? undefined : this.#keyPair(issuer);
  }

  #store(certificate: KubeObject, secretName: string, names: readonly string[], data: Record<string, string>): void {
    const { kube } = this;
    const { namespace = "default", name } = certificate.metadata;
    const issuer = mapAt(certificate, "spec", "issuerRef");
    const annotations = {
      [NAMES]: names.join(","),
      "cert-manager.io/certificate-name": name,
      "cert-manager.io/common-name": names[0] ?? "",
      "cert-manager.io/ip-sans": "",
      "cert-manager.io/issuer-group": textAt(issuer, "group") ?? "cert-manager.io",
      "cert-manager.io/issuer-kind": textAt(issuer, "kind") ?? "Issuer",
      "cert-manager.io/issuer-name": textAt(issuer, "name") ?? "",
      "cert-manager.io/uri-sans": "",
    };
    const labels = { "controller.cert-manager.io/fao": "true" };
    const existing = kube.find("v1", "Secret", namespace, secretName);
    if (existing === undefined)
      kube.create({ apiVersion: "v1", kind: "Secret", metadata: { name: secretName, namespace, labels, annotations }, type: "kubernetes.io/tls", data });
    else
      kube.modify(existing, (current) => ({
        ...current,
        data: { ...mapAt(current, "data"), ...data },
        metadata: { ...current.metadata, labels: { ...current.metadata.labels, ...labels }, annotations: { ...current.metadata.annotations, ...annotations } },
      }));
  }
}
