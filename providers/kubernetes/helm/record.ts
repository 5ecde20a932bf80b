/** Releases as Helm 3 records them: a Secret for each revision, so that `helm list` and a later `helm upgrade` know of them. */
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { HomelabError } from "../../../common/errors";
import type { KubernetesClient } from "../client";

const hookSchema = z.looseObject({
  name: z.string(),
  kind: z.string(),
  path: z.string().optional(),
  manifest: z.string(),
  events: z.array(z.string()).optional(),
  weight: z.number().optional(),
  delete_policies: z.array(z.string()).optional(),
});

const releaseSchema = z.looseObject({
  name: z.string(),
  namespace: z.string(),
  version: z.number(),
  info: z.looseObject({ status: z.string(), first_deployed: z.string().optional(), last_deployed: z.string().optional() }),
  chart: z.looseObject({ metadata: z.looseObject({ name: z.string(), version: z.string(), appVersion: z.string().optional() }) }),
  config: z.record(z.string(), z.json()).nullish(),
  manifest: z.string().optional(),
  hooks: z.array(hookSchema).nullish(),
});

export type HelmRecord = z.infer<typeof releaseSchema>;

const secretName = (name: string, revision: number): string => `sh.helm.release.v1.${name}.v${revision}`;

function encode(record: HelmRecord): string {
  const inner = gzipSync(JSON.stringify(record)).toString("base64");
  return Buffer.from(inner).toString("base64");
}

/** @param secret namespace and name of the Secret, for the error. It has no cause: the parsers' own errors quote what may be a chart's values */
function decode(data: string, secret: string): HelmRecord {
  try {
    const inner = Buffer.from(Buffer.from(data, "base64").toString("utf8"), "base64");
    return releaseSchema.parse(JSON.parse(gunzipSync(inner).toString("utf8")));
  } catch {
    throw new HomelabError("E_HELM", `the Secret ${secret} is marked as a revision of a release, and does not hold one that can be read`, {
      subject: secret,
      hint: "where another revision is deployed, delete this Secret; otherwise restore it from a backup",
    });
  }
}

const listSchema = z.looseObject({
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }), data: z.record(z.string(), z.string()).optional() })),
});

/** All revisions, oldest first. */
export async function revisions(client: KubernetesClient, namespace: string, name: string, signal: AbortSignal): Promise<HelmRecord[]> {
  const query = encodeURIComponent(`owner=helm,name=${name}`);
  const { status, body } = await client.request("GET", `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets?labelSelector=${query}`, signal);
  if (status === 404) return [];
  if (status !== 200) throw new Error(`the releases of ${namespace} cannot be read: ${String(body["message"] ?? status)}`);
  return listSchema
    .parse(body)
    .items.flatMap(({ metadata, data }) => (data?.["release"] === undefined ? [] : [decode(data["release"], `${namespace}/${metadata.name}`)]))
    .sort((a, b) => a.version - b.version);
}

export async function writeRecord(client: KubernetesClient, record: HelmRecord, signal: AbortSignal): Promise<void> {
  const name = secretName(record.name, record.version);
  const object = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name,
      namespace: record.namespace,
      labels: {
        owner: "helm",
        name: record.name,
        status: record.info.status,
        version: String(record.version),
        modifiedAt: String(Math.floor(Date.now() / 1000)),
      },
    },
    type: "helm.sh/release.v1",
    data: { release: encode(record) },
  };
  await client.apply({ apiVersion: "v1", kind: "Secret", namespace: record.namespace, name }, object, "helm", signal, { force: true });
}

/** States in which a killed helm leaves a release, and in which helm refuses to install or upgrade. */
const CUT = ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"];

/**
 * Makes helm accept a release whose last operation was interrupted: marks that revision as failed. The next one takes over the objects
 * that it had begun to create. Only one operation works on a stack at a time, so no other helm is running.
 * @returns the state in which the release was left; undefined where it was not interrupted
 */
export async function mendPending(client: KubernetesClient, { name, namespace }: { name: string; namespace: string }, signal: AbortSignal) {
  const last = (await revisions(client, namespace, name, signal)).at(-1);
  if (last === undefined || !CUT.includes(last.info.status)) return undefined;
  const description = `Interrupted (${last.info.status})`;
  await writeRecord(client, { ...last, info: { ...last.info, status: "failed", description } }, signal);
  return { revision: last.version, status: last.info.status };
}

export async function removeRecords(client: KubernetesClient, records: readonly HelmRecord[], signal: AbortSignal): Promise<void> {
  for (const { name, namespace, version } of records)
    await client.delete({ apiVersion: "v1", kind: "Secret", namespace, name: secretName(name, version) }, "Background", signal);
}
