/** Stand-ins for charts, as Helm's own chart folders: data/charts/<host and path of the repository>/<chart>/<version>. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import * as semver from "semver";
import { parse } from "yaml";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { kubernetesDocuments } from "../../common/yaml";
import { tar } from "../core/tar";
import { parseTemplate, renderTemplate } from "./template";
import { checkValues, extraPaths, schemaOf } from "./values";

const metadataSchema = z.strictObject({
  apiVersion: z.literal("v2"),
  name: z.string(),
  version: z.string(),
  appVersion: z.string(),
  description: z.string(),
  kubeVersion: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

export interface Chart extends z.infer<typeof metadataSchema> {
  /** `https://charts.jetstack.io` */
  repository: string;
  /** By path inside the chart. */
  files: ReadonlyMap<string, string>;
}

export interface Release {
  name: string;
  namespace: string;
  values: Record<string, unknown>;
  /** Version of the cluster's Kubernetes, as it says itself: `v1.31.4+k3s1`. */
  kubeVersion: string;
}

export type Manifest = Record<string, unknown>;

/** The order in which Helm installs kinds; others follow. */
const ORDER = [
  "PriorityClass",
  "Namespace",
  "NetworkPolicy",
  "ResourceQuota",
  "LimitRange",
  "PodDisruptionBudget",
  "ServiceAccount",
  "Secret",
  "ConfigMap",
  "StorageClass",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "CustomResourceDefinition",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
  "RoleBinding",
  "Service",
  "DaemonSet",
  "Pod",
  "ReplicaSet",
  "Deployment",
  "HorizontalPodAutoscaler",
  "StatefulSet",
  "Job",
  "CronJob",
  "IngressClass",
  "Ingress",
  "APIService",
];

function filesBelow(folder: string, inside = ""): [string, string][] {
  return fs.readdirSync(path.join(folder, inside), { withFileTypes: true }).flatMap((entry): [string, string][] => {
    const name = path.posix.join(inside, entry.name);
    return entry.isDirectory() ? filesBelow(folder, name) : [[name, fs.readFileSync(path.join(folder, name), "utf8")]];
  });
}

function readChart(root: string, folder: string): Chart {
  const [version = "", name = "", ...repository] = path.relative(root, folder).split(path.sep).reverse();
  const files = new Map(filesBelow(folder).sort(([a], [b]) => (a < b ? -1 : 1)));
  const metadata = metadataSchema.parse(parse(files.get("Chart.yaml") ?? ""));
  if (metadata.name !== name || metadata.version !== version)
    throw new HomelabError("E_CHART_FOLDER", `${folder}: Chart.yaml says ${metadata.name} ${metadata.version}`, {
      subject: folder,
      hint: "name the folder after the chart and its version",
    });
  return { ...metadata, repository: `https://${repository.reverse().join("/")}`, files };
}

let charts: Chart[] | undefined;
export function allCharts(): readonly Chart[] {
  if (charts === undefined) {
    const root = path.join(projectRoot(), "lab", "artefacts", "data", "charts");
    charts = filesBelow(root)
      .filter(([name]) => path.posix.basename(name) === "Chart.yaml")
      .map(([name]) => readChart(root, path.join(root, path.dirname(name))));
  }
  return charts;
}

/**
 * @param repository of `https://`, or of `oci://`
 * @param name in the repository, or the whole address of a chart of a registry (`oci://…`)
 * @param version exact, with or without a `v`, as Helm compares; without one the only version that there is
 */
export function findChart(repository: string, name: string, version: string | undefined): Chart | undefined {
  const plain = (text: string): string => text.replace(/^v/, "");
  // A chart of a registry is named by its whole address; its folder is that address as well.
  const oci = /^oci:\/\/(.+)\/([^/]+)$/.exec(repository.startsWith("oci://") ? `${repository}/${name}` : name);
  const [wantedRepository, wantedName] = oci === null ? [repository.replace(/\/+$/, ""), name] : [`https://${oci[1]}`, oci[2]];
  return allCharts().find(
    (chart) => chart.repository === wantedRepository && chart.name === wantedName && (!version || plain(chart.version) === plain(version)),
  );
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Values over the chart's own: maps are merged, and null removes a key. */
function coalesce(defaults: unknown, given: unknown): unknown {
  if (!isMap(defaults) || !isMap(given)) return given === undefined ? defaults : given;
  const result: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(given)) {
    if (value === null) delete result[key];
    else result[key] = coalesce(defaults[key], value);
  }
  return result;
}

/** Cache of long texts, already parsed. Most of a chart's text is CRDs, which are the same in each cluster. */
const read = new Map<string, string>();
const LONG = 10_000;

function documents(text: string, file: string): Manifest[] {
  const before = read.get(text);
  if (before !== undefined) return JSON.parse(before) as Manifest[];
  const manifests = kubernetesDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new HomelabError("E_CHART_TEMPLATE", `${file}: ${error.message}`, { subject: file });
    const value: unknown = document.toJS();
    return isMap(value) ? [value] : [];
  });
  if (text.length > LONG) read.set(text, JSON.stringify(manifests));
  return manifests;
}

const defaultsOf = (chart: Chart): unknown => parse(chart.files.get("values.yaml") ?? "{}") ?? {};
const extraOf = (chart: Chart): string[] => extraPaths(chart.files.get("known-values.txt"));

/** An object outside of the release: Helm makes it at an event of the release and waits for it (https://helm.sh/docs/topics/charts_hooks). */
export interface Hook {
  manifest: Manifest;
  /** `post-install`, `pre-upgrade`, … */
  events: string[];
  /** Those of an event run in this order, then by kind and name. */
  weight: number;
  /** `before-hook-creation` where the chart says nothing. */
  deletePolicies: string[];
}

const HOOK = "helm.sh/hook";
const HOOK_EVENTS = ["install", "upgrade", "rollback", "delete"].flatMap((what) => [`pre-${what}`, `post-${what}`]).concat("test");

/** @throws HomelabError E_CHART_TEMPLATE for an event that Helm does not know */
function hookOf(manifest: Manifest): Hook | undefined {
  const { annotations } = (manifest["metadata"] ?? {}) as { annotations?: Record<string, string> };
  const listed = (key: string): string[] =>
    (annotations?.[key] ?? "")
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  const events = listed(HOOK);
  if (events.length === 0) return undefined;
  const strange = events.find((event) => !HOOK_EVENTS.includes(event));
  if (strange !== undefined) throw new HomelabError("E_CHART_TEMPLATE", `there is no hook "${strange}" in Helm`, { subject: strange });
  const policies = listed(`${HOOK}-delete-policy`);
  return { manifest, events, weight: Number(annotations?.[`${HOOK}-weight`] ?? 0), deletePolicies: policies.length > 0 ? policies : ["before-hook-creation"] };
}

/** Whether the chart can be installed in a cluster of that version. @throws HomelabError E_CHART_KUBE_VERSION in Helm's words where not */
function checkKubeVersion({ kubeVersion }: Chart, cluster: string): void {
  // As Helm's own library compares: build metadata after a `+` is ignored, and a range may have a pre-release as its lower end.
  if (kubeVersion === undefined || semver.satisfies(cluster, kubeVersion, { includePrerelease: true })) return;
  throw new HomelabError("E_CHART_KUBE_VERSION", `chart requires kubeVersion: ${kubeVersion} which is incompatible with Kubernetes ${cluster}`);
}

/** What templates may ask about the cluster. */
function capabilities(cluster: string): object {
  const { major, minor } = semver.coerce(cluster) ?? { major: 0, minor: 0 };
  return { KubeVersion: { Version: cluster, GitVersion: cluster, Major: String(major), Minor: String(minor) } };
}

/** The CRDs in the chart's `crds/` folder: Helm installs them with the first revision, and never changes them afterwards. */
export const folderCrds = ({ files }: Chart): Manifest[] =>
  [...files].filter(([file]) => file.startsWith("crds/")).flatMap(([file, text]) => documents(text, file));

/**
 * @throws HomelabError E_CHART_VALUES for a value that the stand-in does not know; E_CHART_KUBE_VERSION for a cluster that is too old
 *   or too new for the chart; and when a template fails
 */
export function renderChart(chart: Chart, { name, namespace, values, kubeVersion }: Release): { manifests: Manifest[]; crds: Manifest[]; hooks: Hook[] } {
  checkValues(chart.name, defaultsOf(chart), values, extraOf(chart));
  checkKubeVersion(chart, kubeVersion);
  const data = {
    Capabilities: capabilities(kubeVersion),
    Release: { Name: name, Namespace: namespace, Service: "Helm", Revision: 1, IsInstall: true, IsUpgrade: false },
    Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
    Values: coalesce(defaultsOf(chart), values),
  };
  const files = [...chart.files];
  const rendered = files
    .filter(([file]) => /^templates\/[^_].*\.yaml$/.test(file))
    .flatMap(([file, text]) => documents(renderTemplate(parseTemplate(text, file), data, file), file));
  const rank = ({ kind }: Manifest): number => (ORDER.indexOf(String(kind)) + ORDER.length + 1) % (ORDER.length + 1);
  const sorted = rendered.sort((a, b) => rank(a) - rank(b)).map((manifest) => ({ manifest, hook: hookOf(manifest) }));
  return {
    manifests: sorted.flatMap(({ manifest, hook }) => (hook === undefined ? [manifest] : [])),
    crds: folderCrds(chart),
    hooks: sorted.flatMap(({ hook }) => hook ?? []).sort((a, b) => a.weight - b.weight),
  };
}

const packages = new WeakMap<Chart, Buffer>();
/** The archive that a real helm installs. */
export function packageChart(chart: Chart): Buffer {
  const schema = `${JSON.stringify({ $schema: "http://json-schema.org/draft-07/schema#", ...schemaOf(defaultsOf(chart), extraOf(chart)) })}\n`;
  const files = [...chart.files, ["values.schema.json", schema] as const].map(([file, text]) => [`${chart.name}/${file}`, text]);
  const known = packages.get(chart) ?? gzipSync(tar(Object.fromEntries(files)));
  packages.set(chart, known);
  return known;
}

export const archiveUrl = (chart: Chart): string => `${chart.repository}/${chart.name}-${chart.version}.tgz`;

/** index.yaml of a repository; undefined where there is none at that URL. */
export function repositoryIndex(url: string): Record<string, unknown> | undefined {
  const found = allCharts().filter(({ repository }) => url === `${repository}/index.yaml`);
  if (found.length === 0) return undefined;
  const created = "2025-01-01T00:00:00Z";
  const entries: Record<string, unknown[]> = {};
  for (const chart of found) {
    const { apiVersion, name, version, appVersion, description } = chart;
    const digest = createHash("sha256").update(packageChart(chart)).digest("hex");
    entries[name] = [...(entries[name] ?? []), { apiVersion, name, version, appVersion, description, created, digest, urls: [archiveUrl(chart)] }];
  }
  return { apiVersion: "v1", entries, generated: created };
}
