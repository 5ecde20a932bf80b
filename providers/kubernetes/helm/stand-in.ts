/** Installs what the lab renders for a chart: objects, and Helm's own record of the release. */
import { z } from "zod";
import { HomelabError } from "../../../common/errors";
import { createHttpClient } from "../../../common/http";
import type { JsonObject } from "../../sdk/values";
import type { KubernetesClient } from "../client";
import { DEFAULT_TIMEOUT_S, untilGone, untilReady } from "../object/wait";
import { type HookRun, type RecordedHook, runHooks, withoutHooks } from "./hooks";
import { type Manifest, manifestsIn, objectSchema, rank, recorded, refOfManifest } from "./manifest";
import { type HelmRecord, removeRecords, revisions, writeRecord } from "./record";
import type { Installer, ReleaseName, ReleaseSpec } from "./release-spec";

const renderedSchema = z.object({
  manifests: z.array(objectSchema),
  hooks: z.array(z.object({ manifest: objectSchema })).default([]),
  /** From the chart's folder `crds/`. */
  crds: z.array(objectSchema),
  chart: z.object({ name: z.string(), version: z.string(), appVersion: z.string() }),
});

const versionSchema = z.looseObject({ gitVersion: z.string() });

/** Revisions that helm keeps where nothing else is said. */
const HELM_HISTORY = 10;
const CLEAN_UP_MS = 60_000;

/** Inputs about files, or about how helm patches, are refused: the lab's charts are not files. */
function refuse(spec: ReleaseSpec): void {
  const asked = (["dependencyUpdate", "devel", "forceUpdate", "keyring", "reuseValues", "verify"] as const).filter((name) => spec[name]);
  if (asked.length > 0)
    throw new HomelabError("E_CHART", `release ${spec.name}: the lab's stand-in for charts does not have ${asked.join(", ")}`, { subject: spec.name });
}

function recordOf(
  spec: ReleaseSpec,
  chart: z.infer<typeof renderedSchema>["chart"],
  sorted: readonly Manifest[],
  hooks: RecordedHook[],
  earlier: readonly HelmRecord[],
): HelmRecord {
  const now = new Date().toISOString();
  const last = earlier.at(-1);
  return {
    name: spec.name,
    namespace: spec.namespace,
    version: (last?.version ?? 0) + 1,
    info: {
      first_deployed: earlier[0]?.info.first_deployed ?? now,
      last_deployed: now,
      deleted: "",
      description: spec.description ?? (last === undefined ? "Install complete" : "Upgrade complete"),
      status: "deployed",
    },
    chart: { metadata: { ...chart, apiVersion: "v2", description: "lab stand-in" }, lock: null, templates: [], values: {}, schema: null, files: null },
    config: spec.values,
    manifest: sorted.map((object) => `---\n${recorded(object)}`).join(""),
    hooks,
  };
}

export class StandIn implements Installer {
  constructor(
    private readonly url: string,
    private readonly client: KubernetesClient,
  ) {}

  /** Renders the chart for this cluster. Like helm, it reads the cluster's version, which templates may use. */
  async #render(spec: ReleaseSpec, signal: AbortSignal): Promise<z.infer<typeof renderedSchema>> {
    const kubeVersion = versionSchema.parse((await this.client.request("GET", "/version", signal)).body).gitVersion;
    const http = createHttpClient(this.url);
    try {
      const { status, body } = await http.request({
        method: "POST",
        url: `${this.url}/render`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          repository: spec.repository.repo ?? "",
          chart: spec.chart,
          version: spec.version ?? "",
          releaseName: spec.name,
          namespace: spec.namespace,
          values: spec.values,
          kubeVersion,
        }),
        signal,
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

  async #put(object: Manifest, spec: ReleaseSpec, signal: AbortSignal, wait: boolean): Promise<void> {
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
    const ref = refOfManifest(object, spec.namespace);
    const live = await this.client.apply(ref, owned as unknown as JsonObject, "helm", signal, { force: true });
    if (!wait) return;
    const { problem } = await untilReady(ref, live, { client: this.client, inputs: {}, seconds: spec.timeout || DEFAULT_TIMEOUT_S, signal });
    if (problem !== undefined) throw new HomelabError("E_HELM", `release ${spec.name}: ${object.kind} ${metadata.name}: ${problem}`);
  }

  async render(spec: ReleaseSpec, signal: AbortSignal): Promise<Manifest[]> {
    refuse(spec);
    return withoutHooks((await this.#render(spec, signal)).manifests).objects;
  }

  async apply(spec: ReleaseSpec, signal: AbortSignal): Promise<void> {
    refuse(spec);
    const rendered = await this.#render(spec, signal);
    if (spec.createNamespace)
      await this.client.apply(
        { apiVersion: "v1", kind: "Namespace", namespace: undefined, name: spec.namespace },
        { apiVersion: "v1", kind: "Namespace", metadata: { name: spec.namespace } },
        "helm",
        signal,
        { force: true },
      );
    const earlier = await revisions(this.client, spec.namespace, spec.name, signal);
    const last = earlier.at(-1);
    if (last?.info.status.startsWith("pending-") === true)
      throw new HomelabError("E_HELM", `release ${spec.name}: another operation (install/upgrade/rollback) is in progress`, { subject: spec.name });
    const { objects, hooks } = withoutHooks([...rendered.manifests, ...rendered.hooks.map(({ manifest }) => manifest)]);
    const sorted = objects.sort((one, other) => rank(one.kind) - rank(other.kind));
    const record = recordOf(spec, rendered.chart, sorted, hooks, earlier);
    const [before, after] = last === undefined ? (["pre-install", "post-install"] as const) : (["pre-upgrade", "post-upgrade"] as const);
    const due = spec.disableWebhooks ? [] : hooks;
    const run = this.#hookRun(spec, signal);
    // As helm does, the release is recorded before it is applied, so that an interrupted run leaves no unrecorded objects.
    await writeRecord(this.client, { ...record, info: { ...record.info, status: last === undefined ? "pending-install" : "pending-upgrade" } }, signal);
    try {
      // As helm does, CRDs are created with the first revision only.
      if (!spec.skipCrds && last === undefined) for (const crd of rendered.crds) await this.#put(crd, spec, signal, true);
      await runHooks(before, due, run);
      await this.#install(spec, sorted, signal);
      await this.#prune(last, sorted, signal);
      await runHooks(after, due, run);
    } catch (thrown) {
      await this.#failed(spec, record, last);
      throw thrown;
    }
    await writeRecord(this.client, record, signal);
    if (last !== undefined) await writeRecord(this.client, { ...last, info: { ...last.info, status: "superseded" } }, signal);
    const kept = spec.maxHistory ?? HELM_HISTORY;
    if (kept > 0) await removeRecords(this.client, [...earlier, record].slice(0, -kept), signal);
  }

  #hookRun({ name, namespace, timeout }: Pick<ReleaseSpec, "name" | "namespace" | "timeout">, signal: AbortSignal): HookRun {
    return { client: this.client, release: name, namespace, seconds: timeout || DEFAULT_TIMEOUT_S, signal };
  }

  async #install(spec: ReleaseSpec, sorted: readonly Manifest[], signal: AbortSignal): Promise<void> {
    // A CRD comes before the objects of its kind, and must be established before these are created.
    for (const object of sorted) await this.#put(object, spec, signal, object.kind === "CustomResourceDefinition");
    if (!spec.skipAwait) for (const object of sorted) await this.#put(object, spec, signal, true);
  }

  /** Records a failure; with `atomic`, restores the earlier revision. It has a time limit of its own, since the operation's may be used up. */
  async #failed(spec: ReleaseSpec, record: HelmRecord, last: HelmRecord | undefined): Promise<void> {
    const signal = AbortSignal.timeout(CLEAN_UP_MS);
    await writeRecord(this.client, { ...record, info: { ...record.info, status: "failed" } }, signal);
    if (!spec.atomic) return;
    if (last === undefined) return this.remove({ ...spec, timeout: CLEAN_UP_MS / 1000 }, signal);
    const former = manifestsOf(last);
    for (const object of former) await this.#put(object, spec, signal, false);
    await this.#prune(record, former, signal);
    const info = { ...last.info, status: "deployed", description: `Rollback to ${last.version}`, last_deployed: new Date().toISOString() };
    await writeRecord(this.client, { ...last, version: record.version + 1, info }, signal);
    await writeRecord(this.client, { ...last, info: { ...last.info, status: "superseded" } }, signal);
  }

  /** Deletes the objects that the last revision had and this one does not. */
  async #prune(last: HelmRecord | undefined, now: readonly Manifest[], signal: AbortSignal): Promise<void> {
    const key = (object: { apiVersion: string; kind: string; metadata: { name: string; namespace?: string | undefined } }): string =>
      `${object.apiVersion}/${object.kind}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    const kept = new Set(now.map(key));
    for (const object of manifestsOf(last))
      if (!kept.has(key(object)) && !stays(object))
        await this.client.delete(refOfManifest(object, last?.namespace ?? this.client.defaultNamespace), "Background", signal);
  }

  async remove({ name, namespace, timeout, disableWebhooks }: ReleaseName, signal: AbortSignal): Promise<void> {
    const records = await revisions(this.client, namespace, name, signal);
    const last = records.at(-1);
    const hooks = disableWebhooks ? [] : (last?.hooks ?? []);
    const run = this.#hookRun({ name, namespace, timeout }, signal);
    await runHooks("pre-delete", hooks, run);
    const going = manifestsOf(last).filter((object) => !stays(object));
    for (const object of going.sort((a, b) => rank(b.kind) - rank(a.kind))) {
      const ref = refOfManifest(object, namespace);
      if (await this.client.delete(ref, "Background", signal)) await untilGone(ref, { client: this.client, seconds: timeout, signal });
    }
    await runHooks("post-delete", hooks, run);
    await removeRecords(this.client, records, signal);
  }
}

/** Whether the chart tells helm never to delete the object. */
const stays = ({ metadata }: Manifest): boolean => (metadata["annotations"] as Record<string, unknown> | undefined)?.["helm.sh/resource-policy"] === "keep";

const manifestsOf = (record: HelmRecord | undefined): Manifest[] => manifestsIn(record?.manifest);
