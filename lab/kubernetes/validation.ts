/** Checks of the API server, with its messages. */
import { at, isMap, type KubeObject, listAt, mapAt, same, textAt } from "./objects";
import type { ResourceType } from "./resource-types";
import { badRequest, invalid, type StatusCause } from "./status";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
/** Kinds whose names may hold colons and capitals. */
const FREE_NAMES = new Set(["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]);

const required = (field: string, message = "Required value"): StatusCause => ({ reason: "FieldValueRequired", message, field });
const wrong = (field: string, message: string): StatusCause => ({ reason: "FieldValueInvalid", message, field });

function nameCauses(object: KubeObject): StatusCause[] {
  const { name } = object.metadata;
  if (name === undefined || name === "") return [required("metadata.name", "Required value: name or generateName is required")];
  if (FREE_NAMES.has(object.kind)) return [];
  const label = object.kind === "Namespace" || (object.kind === "Service" && object.apiVersion === "v1");
  if ((label ? LABEL : SUBDOMAIN).test(name)) return [];
  return [wrong("metadata.name", `Invalid value: "${name}": ${label ? LABEL_TEXT : SUBDOMAIN_TEXT}`)];
}

function workloadCauses(object: KubeObject): StatusCause[] {
  const causes: StatusCause[] = [];
  const selector = at(object, "spec", "selector");
  const labels = at(object, "spec", "template", "metadata", "labels");
  const wanted = mapAt(selector, "matchLabels");
  if (!isMap(selector) || Object.keys(selector).length === 0) causes.push(required("spec.selector"));
  const matches = isMap(labels) && Object.entries(wanted).every(([key, value]) => labels[key] === value);
  if (!matches || !isMap(selector))
    causes.push(wrong("spec.template.metadata.labels", `Invalid value: ${JSON.stringify(labels ?? null)}: \`selector\` does not match template \`labels\``));
  if (listAt(object, "spec", "template", "spec", "containers").length === 0) causes.push(required("spec.template.spec.containers"));
  return causes;
}

const IMMUTABLE: Record<string, (string | number)[][]> = {
  Deployment: [["spec", "selector"]],
  StatefulSet: [
    ["spec", "selector"],
    ["spec", "serviceName"],
    ["spec", "volumeClaimTemplates"],
    ["spec", "podManagementPolicy"],
  ],
  DaemonSet: [["spec", "selector"]],
  Job: [
    ["spec", "template"],
    ["spec", "selector"],
    ["spec", "completions"],
  ],
  PersistentVolumeClaim: [
    ["spec", "storageClassName"],
    ["spec", "accessModes"],
    ["spec", "volumeName"],
  ],
  RoleBinding: [["roleRef"]],
  ClusterRoleBinding: [["roleRef"]],
  Secret: [["type"]],
};

function immutableCauses(object: KubeObject, old: KubeObject): StatusCause[] {
  const causes = (IMMUTABLE[object.kind] ?? [])
    .filter((path) => at(old, ...path) !== undefined && !same(at(object, ...path), at(old, ...path)))
    .map((path) => wrong(path.join("."), `Invalid value: ${JSON.stringify(at(object, ...path) ?? null)}: field is immutable`));
  if ((object.kind === "ConfigMap" || object.kind === "Secret") && old["immutable"] === true) {
    for (const field of ["data", "binaryData", "immutable"]) {
      if (!same(object[field], old[field]))
        causes.push({ reason: "FieldValueForbidden", message: "Forbidden: field is immutable when `immutable` is set", field });
    }
  }
  const ip = textAt(old, "spec", "clusterIP");
  if (object.kind === "Service" && ip !== undefined && textAt(object, "spec", "clusterIP") !== undefined && textAt(object, "spec", "clusterIP") !== ip) {
    causes.push(wrong("spec.clusterIPs[0]", `Invalid value: ["${textAt(object, "spec", "clusterIP")}"]: may not change once set`));
  }
  return causes;
}

const WORKLOADS = new Set(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]);

/** Base64 as Go reads it: which byte is the first wrong one. */
function checkSecretData(object: KubeObject): void {
  for (const value of Object.values(mapAt(object, "data"))) {
    const text = String(value);
    const bad = [...text].findIndex((c) => !/[A-Za-z0-9+/=\n]/.test(c));
    if (bad >= 0 || text.replaceAll("\n", "").length % 4 !== 0) {
      throw badRequest(
        `Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte ${bad >= 0 ? bad : text.length - (text.length % 4)}`,
      );
    }
  }
}

/** @throws StatusError */
export function validate(type: ResourceType, object: KubeObject, old: KubeObject | undefined): void {
  if (object.kind === "Secret" && object.apiVersion === "v1") checkSecretData(object);
  const causes = nameCauses(object);
  if (type.crd === undefined && WORKLOADS.has(object.kind)) causes.push(...workloadCauses(object));
  if (old !== undefined && type.crd === undefined) causes.push(...immutableCauses(object, old));
  if (causes.length > 0) throw invalid(object.kind, type.group, object.metadata.name ?? "", causes);
}
