/**
 * Admission webhooks, as the API server calls them: which ones a request goes to, and the error if one cannot be reached. A webhook that can
 * be reached admits every object and changes nothing.
 */
import type { LabContext } from "../core/world";
import { at, type JsonMap, type KubeObject, listAt, mapAt, textAt } from "./objects";
import { quotaProblem } from "./quota";
import type { ResourceType } from "./resource-types";
import { selects } from "./selectors";
import { StatusError } from "./status";
import type { ObjectStore } from "./store";

const GROUP = "admissionregistration.k8s.io";
const CONFIGURATIONS = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] as const;

export interface AdmissionRequest {
  type: ResourceType;
  namespace: string | undefined;
  subresource: string | undefined;
  operation: "CREATE" | "UPDATE" | "DELETE";
  /** As it is to be, or as it was before its deletion. */
  object: KubeObject;
  dryRun: boolean;
}

const textsAt = (value: unknown, key: string): string[] => {
  const found = at(value, key);
  return Array.isArray(found) ? found.map(String) : [];
};
const names = (wanted: readonly string[], value: string): boolean => wanted.includes("*") || wanted.includes(value);

/** `pods`, `pods/status`, `*` (no sub-resources), `pods/*`, `*\/status`, `*\/*` */
function coversResource(pattern: string, plural: string, subresource: string | undefined): boolean {
  const [resource, sub] = pattern.split("/");
  const own = resource === "*" || resource === plural;
  return own && (sub === undefined ? subresource === undefined : sub === "*" || sub === subresource);
}

function covers(rule: JsonMap, { type, operation, subresource }: AdmissionRequest): boolean {
  const scope = textAt(rule, "scope") ?? "*";
  return (
    names(textsAt(rule, "operations"), operation) &&
    names(textsAt(rule, "apiGroups"), type.group) &&
    names(textsAt(rule, "apiVersions"), type.version) &&
    textsAt(rule, "resources").some((pattern) => coversResource(pattern, type.plural, subresource)) &&
    (scope === "*" || (scope === "Namespaced") === type.namespaced)
  );
}

export class Admission {
  constructor(
    private readonly store: ObjectStore,
    private readonly ctx: LabContext,
    private readonly cluster: string,
  ) {}

  /** @throws StatusError 500 for a webhook that cannot be reached, 403 for one that refuses or a quota that is used up, 400 for one that takes no dry runs */
  check(request: AdmissionRequest): void {
    // Otherwise nobody could remove a webhook that refuses its own removal.
    if (request.type.group === GROUP) return;
    for (const kind of CONFIGURATIONS)
      for (const configuration of this.store.all(`${GROUP}/v1`, kind))
        for (const webhook of listAt(configuration, "webhooks")) if (this.#concerns(webhook, request)) this.#ask(webhook, request);
    const over = request.operation === "CREATE" && request.subresource === undefined ? quotaProblem(this.store, request.object) : undefined;
    if (over !== undefined) throw new StatusError(403, "Forbidden", over);
  }

  #concerns(webhook: JsonMap, request: AdmissionRequest): boolean {
    const { namespace, object, type } = request;
    if (!listAt(webhook, "rules").some((rule) => covers(rule, request))) return false;
    const isNamespace = type.group === "" && type.kind === "Namespace";
    const home = isNamespace ? object : namespace === undefined ? undefined : this.store.one("v1", "Namespace", undefined, namespace);
    // The namespace selector does not apply to objects without a namespace.
    if (home !== undefined && !selects(mapAt(webhook, "namespaceSelector"), home.metadata.labels)) return false;
    return selects(mapAt(webhook, "objectSelector"), object.metadata.labels);
  }

  #ask(webhook: JsonMap, { dryRun }: AdmissionRequest): void {
    const name = textAt(webhook, "name") ?? "";
    if (dryRun && !["None", "NoneOnDryRun"].includes(textAt(webhook, "sideEffects") ?? ""))
      throw new StatusError(400, "BadRequest", `admission webhook "${name}" does not support dry run`);
    const problem = this.#problem(webhook, name);
    if (problem !== undefined && textAt(webhook, "failurePolicy") !== "Ignore") {
      const message = `failed calling webhook "${name}": ${problem}`;
      throw new StatusError(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ reason: "", message, field: "" }] });
    }
    const denied = problem === undefined ? this.ctx.faults.take("kubernetes.webhook-denies", name) : undefined;
    if (denied !== undefined)
      throw new StatusError(403, "Forbidden", `admission webhook "${name}" denied the request: ${String(denied["message"] ?? "no reason was given")}`);
  }

  /** Why no answer comes, as the API server words it; undefined where one does. */
  #problem(webhook: JsonMap, name: string): string | undefined {
    for (const what of ["matchConditions", ...(at(webhook, "clientConfig", "url") === undefined ? [] : ["clientConfig.url"])])
      if (at(webhook, ...what.split(".")) !== undefined) {
        this.ctx.unhandled.add({ system: "kubernetes", target: this.cluster, what: `webhook ${name} with ${what}` });
        return `${what} is not modelled by the lab`;
      }
    const service = mapAt(webhook, "clientConfig", "service");
    const [own, namespace] = [textAt(service, "name") ?? "", textAt(service, "namespace") ?? ""];
    const seconds = Number(at(webhook, "timeoutSeconds") ?? 10);
    const url = `https://${own}.${namespace}.svc:${Number(at(service, "port") ?? 443)}${textAt(service, "path") ?? "/"}?timeout=${seconds}s`;
    const failed = (why: string): string => `failed to call webhook: Post "${url}": ${why}`;
    if (this.store.one("v1", "Service", namespace, own) === undefined) return failed(`service "${own}" not found`);
    const slices = this.store
      .all("discovery.k8s.io/v1", "EndpointSlice", namespace)
      .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === own);
    const ready = slices.flatMap((slice) => listAt(slice, "endpoints")).some((endpoint) => at(endpoint, "conditions", "ready") === true);
    if (!ready) return failed(`no endpoints available for service "${own}"`);
    // Without a CA bundle the webhook's certificate is not trusted.
    if ((textAt(webhook, "clientConfig", "caBundle") ?? "") === "")
      return failed("tls: failed to verify certificate: x509: certificate signed by unknown authority");
    if (this.ctx.faults.take("kubernetes.webhook-silent", name) !== undefined) return failed("context deadline exceeded");
    return undefined;
  }
}
