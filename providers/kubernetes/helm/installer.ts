/** Two ways to install a chart: the `helm` executable, or, in the lab and without one, the lab's stand-in for the chart. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { z } from "zod";
import { childEnv, ENV, readEnv } from "../../../common/env";
import { HomelabError } from "../../../common/errors";
import { createHttpClient } from "../../../common/http";
import { type JsonObject, toJsonObject } from "../../sdk/values";
import type { KubernetesClient, ObjectRef } from "../client";
import { refOf } from "../object/identity";
import { DEFAULT_TIMEOUT_S, untilGone, untilReady } from "../object/wait";
import { type HelmRecord, removeRecords, revisions, writeRecord } from "./record";

export interface ReleaseSpec {
  name: string;
  namespace: string;
  chart: string;
  version: string | undefined;
  repository: string | undefined;
  values: JsonObject;
  createNamespace: boolean;
  skipAwait: boolean;
  skipCrds: boolean;
  atomic: boolean;
  cleanupOnFail: boolean;
  waitForJobs: boolean;
  /** Seconds. */
  timeout: number;
}

/** Installs, upgrades and removes releases. */
export interface Installer {
  apply(spec: ReleaseSpec, signal: AbortSignal): Promise<void>;
  remove(spec: Pick<ReleaseSpec, "name" | "namespace" | "timeout">, signal: AbortSignal): Promise<void>;
}

function helmExecutable(): string | undefined {
  return (readEnv("PATH") ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, "helm"))
    .find((file) => (fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o111);
}

class HelmCommand implements Installer {
  constructor(
    private readonly helm: string,
    private readonly kubeconfig: string,
  ) {}

  async #run(args: readonly string[], stdin: string, signal: AbortSignal): Promise<void> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-helm-"));
    try {
      // Helm takes a file only; ours alone, and gone when helm is.
      const file = path.join(folder, "kubeconfig");
      fs.writeFileSync(file, this.kubeconfig, { mode: 0o600 });
      await new Promise<void>((resolve, reject) => {
        const child = spawn(this.helm, [...args, "--kubeconfig", file], {
          env: childEnv({ HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder }),
          stdio: ["pipe", "ignore", "pipe"],
          signal,
        });
        let stderr = "";
        child.stderr.on("data", (chunk: Buffer) => {
          stderr = (stderr + chunk.toString("utf8")).slice(-4_000);
        });
        child.on("error", reject);
        child.on("close", (code) =>
          code === 0 ? resolve() : reject(new HomelabError("E_HELM", `helm ${args[0]} ${args[1]} failed (exit code ${code}): ${stderr.trim()}`)),
        );
        child.stdin.end(stdin);
      });
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }

  async apply(spec: ReleaseSpec, signal: AbortSignal): Promise<void> {
    const flags = [
      ...(spec.version === undefined ? [] : ["--version", spec.version]),
      ...(spec.repository === undefined ? [] : ["--repo", spec.repository]),
      ...(spec.createNamespace ? ["--create-namespace"] : []),
      ...(spec.skipAwait ? [] : ["--wait"]),
      ...(spec.waitForJobs ? ["--wait-for-jobs"] : []),
      ...(spec.atomic ? ["--atomic"] : []),
      ...(spec.cleanupOnFail ? ["--cleanup-on-fail"] : []),
      ...(spec.skipCrds ? ["--skip-crds"] : []),
    ];
    // Values may hold secrets: by standard input, never as arguments.
    await this.#run(
      ["upgrade", spec.name, spec.chart, "--install", "--namespace", spec.namespace, "--timeout", `${spec.timeout}s`, ...flags, "--values", "-"],
      stringify(spec.values),
      signal,
    );
  }

  async remove({ name, namespace, timeout }: Pick<ReleaseSpec, "name" | "namespace" | "timeout">, signal: AbortSignal): Promise<void> {
    await this.#run(["uninstall", name, "--namespace", namespace, "--wait", "--ignore-not-found", "--timeout", `${timeout}s`], "", signal);
  }
}

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const renderedSchema = z.object({
  manifests: z.array(objectSchema),
  crds: z.array(objectSchema),
  chart: z.object({ name: z.string(), version: z.string(), appVersion: z.string() }),
});

/** Helm's order of kinds, as far as charts here use them. */
const ORDER = [
  "Namespace",
  "NetworkPolicy",
  "ResourceQuota",
  "ServiceAccount",
  "Secret",
  "ConfigMap",
  "StorageClass",
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
  "StatefulSet",
  "Job",
  "CronJob",
  "Ingress",
];
const rank = (kind: string): number => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);

class StandIn implements Installer {
  constructor(
    private readonly url: string,
    private readonly client: KubernetesClient,
  ) {}

  async #render(spec: ReleaseSpec): Promise<z.infer<typeof renderedSchema>> {
    const http = createHttpClient(this.url);
    try {
      const { status, body } = await http.request({
        method: "POST",
        url: `${this.url}/render`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          repository: spec.repository ?? "",
          chart: spec.chart,
          version: spec.version ?? "",
          releaseName: spec.name,
          namespace: spec.namespace,
          values: spec.values,
        }),
      });
      if (status !== 200)
        throw new HomelabError("E_CHART", `chart ${spec.chart} ${spec.version ?? ""}: ${String((JSON.parse(body) as { error?: unknown }).error ?? status)}`, {
          subject: spec.chart,
        });
      return renderedSchema.parse(JSON.parse(body));
    } finally {
      await http.close();
    }
  }

  async #put(object: z.infer<typeof objectSchema>, spec: ReleaseSpec, signal: AbortSignal, wait: boolean): Promise<void> {
    const { metadata } = object;
    const owned = {
      ...object,
      metadata: {
        ...metadata,
        labels: { ...(metadata["labels"] as Record<string, string> | undefined), "app.kubernetes.io/managed-by": "Helm" },
        annotations: {
          ...(metadata["annotations"] as Record<string, string> | undefined),
          "meta.helm.sh/release-name": spec.name,
          "meta.helm.sh/release-namespace": spec.namespace,
        },
      },
    };
    const ref: ObjectRef = { apiVersion: object.apiVersion, kind: object.kind, namespace: metadata.namespace ?? spec.namespace, name: metadata.name };
    const live = await this.client.apply(ref, owned as unknown as JsonObject, "helm", signal, { force: true });
    if (!wait) return;
    const { problem } = await untilReady(ref, live, { client: this.client, inputs: {}, seconds: spec.timeout || DEFAULT_TIMEOUT_S, signal });
    if (problem !== undefined) throw new HomelabError("E_HELM", `release ${spec.name}: ${object.kind} ${metadata.name}: ${problem}`);
  }

  async apply(spec: ReleaseSpec, signal: AbortSignal): Promise<void> {
    const { manifests, crds, chart } = await this.#render(spec);
    if (spec.createNamespace)
      await this.client.apply(
        { apiVersion: "v1", kind: "Namespace", namespace: undefined, name: spec.namespace },
        { apiVersion: "v1", kind: "Namespace", metadata: { name: spec.namespace } },
        "helm",
        signal,
        { force: true },
      );
    const sorted = [...manifests].sort((a, b) => rank(a.kind) - rank(b.kind));
    if (!spec.skipCrds) for (const crd of crds) await this.#put(crd, spec, signal, true);
    for (const object of sorted) await this.#put(object, spec, signal, false);
    if (!spec.skipAwait) for (const object of sorted) await this.#put(object, spec, signal, true);
    const earlier = await revisions(this.client, spec.namespace, spec.name, signal);
    await this.#prune(earlier.at(-1), sorted, signal);
    const now = new Date().toISOString();
    const last = earlier.at(-1);
    await writeRecord(
      this.client,
      {
        name: spec.name,
        namespace: spec.namespace,
        version: (last?.version ?? 0) + 1,
        info: {
          first_deployed: earlier[0]?.info.first_deployed ?? now,
          last_deployed: now,
          deleted: "",
          description: last === undefined ? "Install complete" : "Upgrade complete",
          status: "deployed",
        },
        chart: { metadata: { ...chart, apiVersion: "v2", description: "lab stand-in" }, lock: null, templates: [], values: {}, schema: null, files: null },
        config: spec.values,
        manifest: sorted.map((object) => `---\n${stringify(object)}`).join(""),
        hooks: [],
      },
      signal,
    );
    if (last !== undefined) await writeRecord(this.client, { ...last, info: { ...last.info, status: "superseded" } }, signal);
  }

  /** What the last revision had and this one does not. */
  async #prune(last: HelmRecord | undefined, now: readonly z.infer<typeof objectSchema>[], signal: AbortSignal): Promise<void> {
    const key = (object: { apiVersion: string; kind: string; metadata: { name: string; namespace?: string | undefined } }): string =>
      `${object.apiVersion}/${object.kind}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    const kept = new Set(now.map(key));
    for (const object of manifestsOf(last))
      if (!kept.has(key(object))) await this.client.delete(refOf(toJsonObject(object as never), this.client), "Background", signal);
  }

  async remove({ name, namespace, timeout }: Pick<ReleaseSpec, "name" | "namespace" | "timeout">, signal: AbortSignal): Promise<void> {
    const records = await revisions(this.client, namespace, name, signal);
    const objects = manifestsOf(records.at(-1)).sort((a, b) => rank(b.kind) - rank(a.kind));
    for (const object of objects) {
      const ref: ObjectRef = {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace: object.metadata.namespace ?? namespace,
        name: object.metadata.name,
      };
      if (await this.client.delete(ref, "Background", signal)) await untilGone(ref, { client: this.client, seconds: timeout, signal });
    }
    await removeRecords(this.client, records, signal);
  }
}

function manifestsOf(record: HelmRecord | undefined): z.infer<typeof objectSchema>[] {
  if (record?.manifest === undefined) return [];
  return parseAllDocuments(record.manifest).flatMap((document) => {
    const value: unknown = document.toJS();
    return value === null ? [] : [objectSchema.parse(value)];
  });
}

/** @throws HomelabError where there is neither helm nor a lab */
export function chooseInstaller(client: KubernetesClient, kubeconfig: string): Installer {
  // First: the lab has no chart repositories for a real helm to read, and a newcomer's machine may well have one installed.
  const standIn = readEnv(ENV.chartStandIn);
  if (standIn !== undefined) return new StandIn(standIn, client);
  const helm = helmExecutable();
  if (helm !== undefined) return new HelmCommand(helm, kubeconfig);
  throw new HomelabError("E_NO_HELM", "no helm executable is on PATH", {
    hint: "install helm 3, or the official Kubernetes plugin; without helm, charts can be installed in the lab only",
  });
}
