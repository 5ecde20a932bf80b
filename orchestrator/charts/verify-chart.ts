/** What is wrong with a chart and the values that it gets. Pure. */
import { parseAllDocuments } from "yaml";
import { type ChartData, isMap, strangeValues } from "./known-values";

export interface ChartUse {
  readonly stack: string;
  readonly module: string;
  readonly release: string;
  readonly namespace: string;
  readonly repository: string;
  readonly chart: string;
  readonly version: string;
  readonly kubeVersion: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly credentials: readonly { readonly path: string; readonly of: string }[];
}

export interface Finding {
  readonly kind: "unknown-value" | "default-credential" | "latest";
  readonly text: string;
}

/** Values that the chart does not know, and default credentials. */
export function findingsOfValues({ values, credentials }: ChartUse, data: ChartData): Finding[] {
  return [
    ...strangeValues(data, values).map((text): Finding => ({ kind: "unknown-value", text })),
    ...credentials.map(({ path, of }): Finding => ({ kind: "default-credential", text: `${path}: the credential that ${of} has by default` })),
  ];
}

/** Images of all containers in rendered manifests, each once. */
export function imagesIn(manifests: readonly unknown[]): string[] {
  const found = new Set<string>();
  const look = (node: unknown, key: string): void => {
    if (Array.isArray(node)) for (const item of node) look(item, key);
    else if (isMap(node)) {
      if (/ontainers$/.test(key) && typeof node["image"] === "string") found.add(node["image"]);
      for (const [inner, value] of Object.entries(node)) look(value, inner);
    }
  };
  for (const manifest of manifests) look(manifest, "");
  return [...found].toSorted();
}

/** Objects of Helm's output. @throws the error of the YAML parser */
export const manifestsOf = (text: string): unknown[] =>
  parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const value: unknown = document.toJS();
    return isMap(value) ? [value] : [];
  });

/** Whether the image has a tag that will name another image later: `latest`, or none. */
const floats = (image: string): boolean => !image.includes("@") && (/:latest$/.test(image) || !/:[^/]+$/.test(image));

/** @param known default credentials, each with the software that has it */
export function findingsOfManifests(manifests: readonly unknown[], known: Readonly<Record<string, string>>): Finding[] {
  const texts: { text: string; at: string }[] = [];
  const look = (node: unknown, at: string, secret: boolean): void => {
    if (typeof node === "string") texts.push({ text: secret ? Buffer.from(node, "base64").toString("utf8") : node, at });
    else if (Array.isArray(node)) for (const [i, item] of node.entries()) look(item, `${at}.${i}`, secret);
    else if (isMap(node)) for (const [key, value] of Object.entries(node)) look(value, `${at}.${key}`, secret);
  };
  for (const manifest of manifests) {
    if (!isMap(manifest)) continue;
    const { kind, metadata } = manifest as { kind?: unknown; metadata?: { name?: unknown } };
    const name = `${String(kind)} ${String(metadata?.name)}`;
    for (const [key, value] of Object.entries(manifest)) look(value, `${name}: ${key}`, kind === "Secret" && key === "data");
  }
  return [
    ...texts.flatMap(({ text, at }): Finding[] =>
      Object.hasOwn(known, text) ? [{ kind: "default-credential", text: `${at}: the credential that ${known[text]} has by default` }] : [],
    ),
    ...imagesIn(manifests).flatMap((image): Finding[] => (floats(image) ? [{ kind: "latest", text: `${image}: its tag is not fixed` }] : [])),
  ];
}
