/** The Applications of an ApplicationSet: its template, once for each element of its lists. */
import type { KubeObject } from "../kubernetes";
import { isMap } from "../kubernetes/objects";
import { ARGO_API, CASCADE, NotModelled, type SetSpec } from "./schema";

/** A set cannot be made into Applications; the message is its condition. */
export class GenerateError extends Error {}

const FIELD = /\{\{-?\s*([^{}]*?)\s*-?\}\}/g;

/** Texts with `{{ .field }}` filled in. The lab has fields alone: no function, no condition. */
function filled(value: unknown, element: Readonly<Record<string, unknown>>, where: string): unknown {
  if (Array.isArray(value)) return value.map((item) => filled(item, element, where));
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, element, where)]));
  if (typeof value !== "string") return value;
  return value.replaceAll(FIELD, (_, action: string) => {
    const field = /^\.([A-Za-z_]\w*)$/.exec(action)?.[1];
    if (field === undefined) throw new NotModelled(`not modelled by the lab: ${where}: the template {{ ${action} }}`);
    if (element[field] === undefined)
      throw new GenerateError(`failed to execute go template ${value}: template: at <.${field}>: map has no entry for key "${field}"`);
    return String(element[field]);
  });
}

/** @returns the Applications, without owner references. @throws GenerateError, NotModelled */
export function applicationsOf({ metadata: { name, namespace } }: KubeObject, { generators, template, syncPolicy }: SetSpec): KubeObject[] {
  const made = generators.flatMap(({ list: { elements } }) =>
    elements.map((element) => {
      const { metadata, spec } = filled(template, element, `ApplicationSet ${name}`) as typeof template;
      // applicationset/utils/utils.go, RenderTemplateParams
      const cascades = !syncPolicy.preserveResourcesOnDeletion && (metadata.finalizers ?? []).length === 0;
      const own = { ...metadata, namespace, ...(cascades ? { finalizers: [CASCADE] } : {}) };
      return { apiVersion: ARGO_API, kind: "Application", metadata: own, spec } as KubeObject;
    }),
  );
  const names = made.map((application) => application.metadata.name);
  const twice = names.find((each, index) => names.indexOf(each) < index);
  if (twice !== undefined) throw new GenerateError(`ApplicationSet ${name} contains applications with duplicate name: ${twice}`);
  return made;
}
