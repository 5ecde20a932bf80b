/** YAML for programs that read it differently: Kubernetes, Helm, cloud-init and GitLab read version 1.1, the library writes 1.2. */
import {
  type CreateNodeOptions,
  type Document,
  type DocumentOptions,
  parseAllDocuments,
  type ScalarTag,
  stringify,
  type Tags,
  type ToStringOptions,
} from "yaml";

/**
 * Types of YAML 1.1 that Kubernetes' parser does not have: those that JSON lacks. It has no base-60 numbers either. It does read `yes`
 * as true and `0755` as octal.
 */
const NOT_KUBERNETES = new Set(["timestamp", "binary", "omap", "pairs", "set"].map((name) => `tag:yaml.org,2002:${name}`));
const SEXAGESIMAL = "TIME";

/** `0o755` of YAML 1.2: Kubernetes' parser reads it too. */
const OCTAL: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  format: "OCT",
  test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) => (text.startsWith("-") ? -1 : 1) * Number.parseInt(text.replace(/^[-+]?0o|_/g, ""), 8),
};

const kubernetesTags = (tags: Tags): Tags => [
  OCTAL,
  ...tags.filter((tag) => typeof tag === "string" || !(NOT_KUBERNETES.has(tag.tag) || ("format" in tag && tag.format === SEXAGESIMAL))),
];

/** The documents of a text as Kubernetes, Helm and Argo CD read it (sigs.k8s.io/yaml), with their errors. @param text YAML or JSON */
export const kubernetesDocuments = (text: string): Document.Parsed[] => [
  ...parseAllDocuments(text, { version: "1.1", merge: true, customTags: kubernetesTags, prettyErrors: true }),
];

/** A text in which a string is a string to readers of either version: `"yes"`, `"0755"`, `"12:30"` are quoted. */
export const portableYaml = (value: unknown, options: CreateNodeOptions & DocumentOptions & ToStringOptions = {}): string =>
  stringify(value, { lineWidth: 0, ...options, compat: "yaml-1.1" });

/** Several documents, one after the other, as {@link portableYaml} writes each. */
export const portableDocuments = (values: readonly unknown[], options?: CreateNodeOptions & DocumentOptions & ToStringOptions): string =>
  values.map((value) => portableYaml(value, options)).join("---\n");
