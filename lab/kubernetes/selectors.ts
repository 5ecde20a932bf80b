import { at, type JsonMap, type KubeObject, listAt, mapAt, textAt } from "./objects";
import { badRequest } from "./status";

type Test = (object: KubeObject) => boolean;

/** `a=b`, `a!=b`, `a in (x,y)`, `a notin (x)`, `a`, `!a`, joined by commas. */
export function labelSelector(text: string): Test {
  const tests = (text.match(/[^,(]+(\([^)]*\))?/g) ?? []).map((raw): Test => {
    const part = raw.trim();
    const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(part);
    if (set) {
      const [, key = "", word, list = ""] = set;
      const values = list.split(",").map((value) => value.trim());
      return ({ metadata }) => values.includes(metadata.labels?.[key] ?? "") === (word === "in") && (word === "notin" || metadata.labels?.[key] !== undefined);
    }
    const equal = /^([^!=\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(part);
    if (equal) {
      const [, key = "", sign, value = ""] = equal;
      return ({ metadata }) => (metadata.labels?.[key] === value) === (sign !== "!=");
    }
    if (part.startsWith("!")) return ({ metadata }) => metadata.labels?.[part.slice(1)] === undefined;
    return ({ metadata }) => metadata.labels?.[part] !== undefined;
  });
  return (object) => tests.every((test) => test(object));
}

/** Fields that some kinds can be selected by, beside name and namespace. */
const FIELDS: Record<string, string[]> = {
  Pod: ["spec.nodeName", "spec.restartPolicy", "status.phase", "status.podIP", "spec.serviceAccountName", "spec.schedulerName"],
  Event: ["involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "reason", "type", "source", "reportingComponent"],
  Secret: ["type"],
  Namespace: ["status.phase"],
  Node: ["spec.unschedulable"],
};

/** @throws StatusError 400 for a field that the kind cannot be selected by */
export function fieldSelector(text: string, kind: string): Test {
  const known = ["metadata.name", "metadata.namespace", ...(FIELDS[kind] ?? [])];
  const tests = text
    .split(",")
    .filter((part) => part !== "")
    .map((part): Test => {
      const [, key = "", sign, value = ""] = /^([^!=]+)(==|=|!=)(.*)$/.exec(part) ?? [];
      if (!known.includes(key)) throw badRequest(`"${key}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
      return (object) => ((textAt(object, ...key.split(".")) ?? "") === value) === (sign !== "!=");
    });
  return (object) => tests.every((test) => test(object));
}

/** Whether labels satisfy a LabelSelector. */
export function selects(selector: JsonMap, labels: Readonly<Record<string, string>> = {}): boolean {
  const exact = Object.entries(mapAt(selector, "matchLabels")).every(([key, value]) => labels[key] === value);
  return (
    exact &&
    listAt(selector, "matchExpressions").every((expression) => {
      const value = labels[textAt(expression, "key") ?? ""];
      const listed = at(expression, "values");
      const values = Array.isArray(listed) ? listed.map(String) : [];
      switch (textAt(expression, "operator")) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}
