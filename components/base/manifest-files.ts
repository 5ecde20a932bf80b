/** Manifests that somebody publishes as files: taken at a digest, applied, and removed again. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../common/clock";
import { ENV, readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { createHttpClient, type HttpResponse } from "../../common/http";
import { type Attempt, retry } from "../../common/retry";
import { kubernetesDocuments } from "../../common/yaml";
import type { Answer, ClusterApi, Manifest } from "./cluster-api";

/** Field manager of our server-side apply. */
const MANAGER = "homelab-manifest";
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
const MAX_REDIRECTS = 5;

/** A published file at one digest. */
export interface PinnedFile {
  /** `https://…` */
  readonly url: string;
  /** SHA-256 of its bytes, 64 hexadecimal digits. */
  readonly sha256: string;
}

const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const shownSchema = z.object({ content: z.string(), sha256: z.string() });
const conditionsSchema = z.object({
  metadata: z.object({ generation: z.number().optional() }),
  status: z.object({ observedGeneration: z.number().optional(), conditions: z.array(z.object({ type: z.string(), status: z.string() })) }),
});
/** The output of a run: what it applied. */
const appliedSchema = z.object({ objects: z.array(manifestSchema) });

const refusal = (url: string, what: string, hint?: string): HomelabError =>
  new HomelabError("E_MANIFEST", `${url}: ${what}`, { subject: url, ...(hint === undefined ? {} : { hint }) });

/** Follows redirects: files of releases are usually stored elsewhere. */
async function download(url: string, redirects = MAX_REDIRECTS): Promise<string> {
  const http = createHttpClient(new URL(url).origin);
  let answer: HttpResponse;
  try {
    answer = await http.request({ method: "GET", url });
  } finally {
    await http.close();
  }
  const { location } = answer.headers;
  if (answer.status >= 300 && answer.status < 400 && typeof location === "string") {
    const next = new URL(location, url);
    if (next.protocol !== "https:") throw refusal(url, `redirects to ${next.origin}, which is not https`);
    if (redirects === 0) throw refusal(url, `redirects more than ${MAX_REDIRECTS} times`);
    return download(next.href, redirects - 1);
  }
  if (answer.status !== 200) throw refusal(url, `the download is refused with status ${answer.status}`, "correct the version in the pin");
  return answer.body;
}

/** The lab's stand-in for the file, with the digest of the published one. */
async function ofLab(standIn: string, url: string): Promise<z.infer<typeof shownSchema>> {
  const http = createHttpClient(standIn);
  try {
    const answer = await http.request({
      method: "POST",
      url: `${standIn}/file`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ url }),
    });
    if (answer.status !== 200) throw refusal(url, answer.body);
    return shownSchema.parse(JSON.parse(answer.body));
  } finally {
    await http.close();
  }
}

/** @throws HomelabError E_MANIFEST for a file whose digest is not the pinned one */
async function contentOf({ url, sha256 }: PinnedFile): Promise<string> {
  const standIn = readEnv(ENV.chartStandIn);
  const found = standIn === undefined ? await download(url).then((content) => ({ content, sha256: digestOf(content) })) : await ofLab(standIn, url);
  if (found.sha256 === sha256) return found.content;
  throw refusal(
    url,
    `has the SHA-256 ${found.sha256}, and not ${sha256} as pinned; nothing of it was applied`,
    "find out what changed; if the new file is wanted, write its digest into the pin",
  );
}

const digestOf = (content: string): string => createHash("sha256").update(content).digest("hex");

/** The objects of a file, in its order. Namespaces are left out: the program makes those, with their policies. */
function objectsOf(url: string, content: string): Manifest[] {
  return kubernetesDocuments(content).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw refusal(url, `is no YAML: ${error.message}`);
    const value: unknown = document.toJS();
    if (value === null) return [];
    const manifest = manifestSchema.safeParse(value);
    if (!manifest.success) throw refusal(url, `contains a document that is no object of Kubernetes: ${z.prettifyError(manifest.error)}`);
    return manifest.data.kind === "Namespace" ? [] : [manifest.data as Manifest];
  });
}

const isDefinition = ({ kind }: Pick<Manifest, "kind">): boolean => kind === "CustomResourceDefinition";
const titleOf = ({ kind, metadata: { namespace, name } }: Manifest): string => `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
const keyOf = (object: Manifest): string => `${object.apiVersion} ${titleOf(object)}`;
/** The object without its content: only what identifies it. */
const referenceTo = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest): Manifest => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

const is =
  (type: string) =>
  ({ body }: Answer): boolean => {
    const { data } = conditionsSchema.safeParse(body);
    const current = (data?.status.observedGeneration ?? data?.metadata.generation) === data?.metadata.generation;
    return current && data?.status.conditions.some((condition) => condition.type === type && condition.status === "True") === true;
  };

/** Applies and removes the objects of one task, within one budget. */
class Objects {
  readonly #deadline: number;

  constructor(
    private readonly api: ClusterApi,
    private readonly clock: Clock,
    private readonly budgetSeconds: number,
  ) {
    this.#deadline = clock.now() + budgetSeconds * 1000;
  }

  async #until(path: string, settled: (answer: Answer) => boolean): Promise<boolean> {
    const again = ({ outcome, backoffMs }: Attempt<Answer>): number | undefined =>
      ("value" in outcome && settled(outcome.value)) || this.clock.now() + backoffMs > this.#deadline ? undefined : backoffMs;
    return settled(await retry(() => this.api.request("GET", path), { clock: this.clock, firstMs: FIRST_WAIT_MS, longestMs: LONGEST_WAIT_MS, again }));
  }

  async #pathOf(object: Manifest): Promise<string | undefined> {
    const folder = await this.api.pathOf(object);
    return folder === undefined ? undefined : `${folder}/${object.metadata.name}`;
  }

  async apply(object: Manifest): Promise<void> {
    const path = await this.#pathOf(object);
    if (path === undefined) throw refusal(titleOf(object), `the cluster has no kind ${object.kind} of ${object.apiVersion}`);
    // With force, so that what was applied by hand before is taken over.
    const { status, message } = await this.api.request("PATCH", `${path}?fieldManager=${MANAGER}&force=true`, object, "application/apply-patch+yaml");
    if (status >= 300) throw refusal(titleOf(object), `the cluster refuses it: ${message}`);
  }

  async wait(object: Manifest, condition: string): Promise<void> {
    const path = await this.#pathOf(object);
    if (path !== undefined && (await this.#until(path, is(condition)))) return;
    throw refusal(titleOf(object), `is not ${condition} within ${this.budgetSeconds} s`, "look at its pods and their events, and run the stack again");
  }

  async remove(object: Manifest): Promise<void> {
    const path = await this.#pathOf(object);
    // The cluster does not have its kind, so the object does not exist.
    if (path === undefined) return;
    const { status, message } = await this.api.request("DELETE", `${path}?propagationPolicy=Background`);
    if (status >= 300 && status !== 404) throw refusal(titleOf(object), `the cluster refuses to delete it: ${message}`);
    if (await this.#until(path, (answer) => answer.status === 404)) return;
    throw refusal(titleOf(object), `is not gone within ${this.budgetSeconds} s`, "something holds it by a finalizer: look at its metadata");
  }
}

export interface ManifestTask {
  readonly files: readonly PinnedFile[];
  /** For all of it. */
  readonly budgetSeconds: number;
}

/** What an earlier run applied, by its output. */
const appliedBefore = (previous: string | undefined): Manifest[] =>
  previous === undefined ? [] : (appliedSchema.parse(JSON.parse(previous)).objects as Manifest[]);

/**
 * Applies the files, definitions first, and waits until the definitions are established and Deployments available. Objects that the
 * previous run applied and that are in no file now are deleted.
 * @param previous the output of that run
 * @returns what identifies the objects, in the order in which they were applied
 * @throws HomelabError E_MANIFEST; where a digest is not the pinned one, before anything is applied
 */
export async function applyManifest(api: ClusterApi, { files, budgetSeconds }: ManifestTask, clock: Clock, previous?: string): Promise<Manifest[]> {
  const read: Manifest[] = [];
  for (const file of files) read.push(...objectsOf(file.url, await contentOf(file)));
  const definitions = read.filter(isDefinition);
  const others = read.filter((object) => !isDefinition(object));
  const objects = new Objects(api, clock, budgetSeconds);
  for (const definition of definitions) await objects.apply(definition);
  for (const definition of definitions) await objects.wait(definition, "Established");
  for (const object of others) await objects.apply(object);
  for (const object of others) if (object.kind === "Deployment") await objects.wait(object, "Available");
  const kept = new Set(read.map(keyOf));
  for (const object of appliedBefore(previous).toReversed()) if (!kept.has(keyOf(object))) await objects.remove(object);
  return [...definitions, ...others].map(referenceTo);
}

/** Deletes what a run applied, in reverse order, and waits until each object is gone. @throws HomelabError E_MANIFEST */
export async function removeManifest(api: ClusterApi, budgetSeconds: number, clock: Clock, previous: string | undefined): Promise<Manifest[]> {
  const objects = new Objects(api, clock, budgetSeconds);
  const applied = appliedBefore(previous);
  for (const object of applied.toReversed()) await objects.remove(object);
  return applied.map(referenceTo);
}
