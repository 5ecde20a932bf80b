/**
 * How webhooks become trusted: cert-manager's webhook has an authority of its own in a Secret. A moment after its injector (or the cert
 * controller of External Secrets) starts, it puts that authority into the configuration that the API server reads.
 */
import { createAuthority } from "../core/tls";
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { at, type JsonMap, listAt, numberAt, textAt } from "../kubernetes/objects";
import { encode64, type Kube } from "./kube";
import type { WorkQueue } from "./queue";

const API = "admissionregistration.k8s.io/v1";
const CONFIGURATIONS = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] as const;
const FROM_SECRET = "cert-manager.io/inject-ca-from-secret";
const FROM_CERTIFICATE = "cert-manager.io/inject-ca-from";

type Part = "webhook" | "injector" | "cert-controller";

const firstContainer = (deployment: KubeObject): JsonMap | undefined => listAt(deployment, "spec", "template", "spec", "containers")[0];

/** Which of these programs a Deployment runs, by its image and first argument. */
function partOf(deployment: KubeObject): Part | undefined {
  const container = firstContainer(deployment);
  const image = String(container?.["image"] ?? "");
  if (/(^|\/)cert-manager-webhook([:@]|$)/.test(image)) return "webhook";
  if (/(^|\/)cert-manager-cainjector([:@]|$)/.test(image)) return "injector";
  return /(^|\/)external-secrets([:@]|$)/.test(image) && at(container, "args", 0) === "certcontroller" ? "cert-controller" : undefined;
}

/** `--secret-name=x` of a Deployment; `$(POD_NAMESPACE)` is its own. */
function flag(deployment: KubeObject, name: string): string {
  const args = at(firstContainer(deployment), "args");
  const found = (Array.isArray(args) ? args.map(String) : []).find((arg) => arg.startsWith(`--${name}=`)) ?? "";
  return found.slice(name.length + 3).replace("$(POD_NAMESPACE)", deployment.metadata.namespace ?? "");
}

/** Operators that make an authority of their own, and write it into their configurations themselves. */
const OWN = [
  { image: /(^|\/)pilot([:@]|$)/, secret: "istio-ca-secret", configuration: /^(istio-sidecar-injector|istiod-default-validator)$/ },
  { image: /(^|\/)cloudnative-pg\/cloudnative-pg([:@]|$)/, secret: "cnpg-ca-secret", configuration: /^cnpg-(mutating|validating)-webhook-configuration$/ },
  { image: /(^|\/)metallb\/controller([:@]|$)/, secret: "metallb-webhook-cert", configuration: /^metallb-webhook-configuration$/ },
];

const ownOf = (deployment: KubeObject): (typeof OWN)[number] | undefined =>
  OWN.find(({ image }) => image.test(String(firstContainer(deployment)?.["image"] ?? "")));

export class WebhookAuthorities {
  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
    private readonly ctx: LabContext,
  ) {
    queue.on("Deployment", (namespace, name) => this.#deployment(namespace, name));
    for (const kind of CONFIGURATIONS) queue.on(kind, (_namespace, name) => this.#configuration(kind, name));
    queue.on("Secret", (namespace, name) =>
      this.#all(({ metadata: { annotations = {} } }) => annotations[FROM_SECRET] === `${namespace}/${name}` || annotations[FROM_CERTIFICATE] !== undefined),
    );
  }

  #running(part: Part): KubeObject | undefined {
    return this.kube
      .all("apps/v1", "Deployment")
      .find((deployment) => partOf(deployment) === part && (numberAt(deployment, "status", "availableReplicas") ?? 0) > 0);
  }

  #all(concerns: (configuration: KubeObject) => boolean = () => true): void {
    const wait = this.ctx.latency.of("kubernetes.webhook-trusted");
    for (const kind of CONFIGURATIONS)
      for (const configuration of this.kube.all(API, kind).filter(concerns)) this.queue.after(wait, kind, undefined, configuration.metadata.name);
  }

  async #deployment(namespace: string | undefined, name: string): Promise<void> {
    const deployment = this.kube.find("apps/v1", "Deployment", namespace, name);
    const own = deployment === undefined ? undefined : ownOf(deployment);
    if (own !== undefined && (numberAt(deployment, "status", "availableReplicas") ?? 0) > 0) {
      await this.#authority(namespace ?? "", own.secret);
      this.#all(({ metadata }) => own.configuration.test(metadata.name));
    }
    const part = deployment === undefined ? undefined : partOf(deployment);
    if (deployment === undefined || part === undefined || this.#running(part)?.metadata.uid !== deployment.metadata.uid) return;
    if (part === "webhook") await this.#authority(flag(deployment, "dynamic-serving-ca-secret-namespace"), flag(deployment, "dynamic-serving-ca-secret-name"));
    if (part === "cert-controller") await this.#authority(flag(deployment, "secret-namespace"), flag(deployment, "secret-name"));
    this.#all();
  }

  /** Fills the Secret with an authority, once. */
  async #authority(namespace: string, name: string): Promise<void> {
    if (textAt(this.kube.find("v1", "Secret", namespace, name), "data", "ca.crt") !== undefined) return;
    const { cert, key } = (await createAuthority(name, this.ctx.clock.now())).save();
    const data = Object.fromEntries(["ca.crt", "tls.crt"].map((file) => [file, encode64(cert)]).concat([["tls.key", encode64(key)]]));
    // The Secret may have been created or deleted while the keys were made.
    const found = this.kube.find("v1", "Secret", namespace, name);
    if (found !== undefined) this.kube.modify(found, (secret) => ({ ...secret, data: { ...data, ...(secret["data"] as JsonMap | undefined) } }));
    else if (this.kube.isAlive(namespace)) this.kube.create({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type: "Opaque", data });
  }

  /** The CA bundle for a configuration's webhooks, in base64; undefined if no controller injects one, or it does not exist yet. */
  #bundle({ metadata }: KubeObject): string | undefined {
    const authorityIn = (place: string): string | undefined => {
      const [namespace, name = ""] = place.split("/");
      return textAt(this.kube.find("v1", "Secret", namespace, name), "data", "ca.crt");
    };
    const [secret, certificate] = [metadata.annotations?.[FROM_SECRET], metadata.annotations?.[FROM_CERTIFICATE]];
    if (secret !== undefined || certificate !== undefined) {
      if (this.#running("injector") === undefined) return undefined;
      if (secret !== undefined) return authorityIn(secret);
      const [namespace, name = ""] = (certificate ?? "").split("/");
      return authorityIn(`${namespace}/${textAt(this.kube.find("cert-manager.io/v1", "Certificate", namespace, name), "spec", "secretName") ?? ""}`);
    }
    const own = OWN.find(({ configuration }) => configuration.test(metadata.name));
    if (own !== undefined) {
      const operator = this.kube.all("apps/v1", "Deployment").find((deployment) => ownOf(deployment) === own);
      return operator && authorityIn(`${operator.metadata.namespace}/${own.secret}`);
    }
    if (metadata.labels?.["external-secrets.io/component"] !== "webhook") return undefined;
    const controller = this.#running("cert-controller");
    return controller && authorityIn(`${flag(controller, "secret-namespace")}/${flag(controller, "secret-name")}`);
  }

  #configuration(kind: string, name: string): void {
    const configuration = this.kube.find(API, kind, undefined, name);
    const caBundle = configuration && this.#bundle(configuration);
    if (configuration === undefined || caBundle === undefined) return;
    this.kube.modify(configuration, (current) => ({
      ...current,
      webhooks: listAt(current, "webhooks").map((webhook) => ({ ...webhook, clientConfig: { ...(webhook["clientConfig"] as JsonMap), caBundle } })),
    }));
  }
}
