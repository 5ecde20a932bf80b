/** Applies the definitions in a chart's folder `crds/`: Helm installs them with the first revision, and never upgrades them. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { Clock } from "../../common/clock";
import { childEnv, ENV, readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { findOnPath } from "../../common/executables";
import { createHttpClient } from "../../common/http";
import { type Attempt, retry } from "../../common/retry";
import { kubernetesDocuments } from "../../common/yaml";
import { type Chart, chartSource } from "./chart";
import type { Answer, ClusterApi } from "./cluster-api";

/** Field manager of our server-side apply. */
const MANAGER = "homelab-crds";
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
/** Definitions of a large chart are some MiB of YAML. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface CrdsTask {
  chart: Chart;
  /** Time limit until all definitions are established. */
  budgetSeconds: number;
}

const definitionSchema = z.looseObject({
  apiVersion: z.literal("apiextensions.k8s.io/v1"),
  kind: z.literal("CustomResourceDefinition"),
  metadata: z.looseObject({ name: z.string() }),
});
type Definition = z.infer<typeof definitionSchema>;

const establishedSchema = z.object({ status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })) }) });
const shownSchema = z.object({ crds: z.array(definitionSchema) });

const refusal = ({ name, version }: Chart, what: string, hint?: string): HomelabError =>
  new HomelabError("E_CHART_CRDS", `definitions of chart ${name} ${version}: ${what}`, { subject: name, ...(hint === undefined ? {} : { hint }) });

/** Definitions of the lab's stand-in for a chart. */
async function ofLab(standIn: string, chart: Chart): Promise<Definition[]> {
  const http = createHttpClient(standIn);
  try {
    const { chart: name, repositoryOpts } = chartSource(chart);
    const body = JSON.stringify({ repository: repositoryOpts?.repo ?? "", chart: name, version: chart.version });
    const answer = await http.request({ method: "POST", url: `${standIn}/crds`, headers: { "content-type": "application/json" }, body });
    if (answer.status !== 200) throw refusal(chart, answer.body);
    return shownSchema.parse(JSON.parse(answer.body)).crds;
  } finally {
    await http.close();
  }
}

async function ofHelm(helm: string, chart: Chart): Promise<Definition[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-crds-"));
  try {
    const { chart: name, repositoryOpts } = chartSource(chart);
    const args = ["show", "crds", name, "--version", chart.version, ...(repositoryOpts === undefined ? [] : ["--repo", repositoryOpts.repo])];
    const env = childEnv({ HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder });
    const { stdout } = await promisify(execFile)(helm, args, { env, maxBuffer: MAX_OUTPUT_BYTES }).catch((thrown: { stderr?: string; message: string }) => {
      throw refusal(chart, `helm show crds failed: ${(thrown.stderr ?? thrown.message).trim()}`);
    });
    return kubernetesDocuments(stdout).flatMap((document) => {
      const value: unknown = document.toJS();
      return value === null ? [] : [definitionSchema.parse(value)];
    });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws HomelabError E_CHART_CRDS */
async function definitionsOf(chart: Chart): Promise<Definition[]> {
  const standIn = readEnv(ENV.chartStandIn);
  const helm = findOnPath("helm");
  if (standIn === undefined && helm === undefined) throw refusal(chart, "no helm executable is on PATH to read them", "install helm 3");
  const found = standIn === undefined ? await ofHelm(helm ?? "", chart) : await ofLab(standIn, chart);
  if (found.length === 0) throw refusal(chart, "it has none in crds/", "remove `crdsFolder` from its pin");
  return found;
}

const isEstablished = ({ body }: Answer): boolean =>
  establishedSchema.safeParse(body).data?.status.conditions.some(({ type, status }) => type === "Established" && status === "True") === true;

/**
 * @returns names of the definitions, sorted; each is established
 * @throws HomelabError E_CHART_CRDS
 */
export async function applyCrds(api: ClusterApi, { chart, budgetSeconds }: CrdsTask, clock: Clock): Promise<string[]> {
  const definitions = await definitionsOf(chart);
  const deadline = clock.now() + budgetSeconds * 1000;
  const pathOf = ({ metadata }: Definition): string => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`;
  for (const definition of definitions) {
    // With force, so that definitions that Helm has installed are taken over.
    const { status, message } = await api.request(
      "PATCH",
      `${pathOf(definition)}?fieldManager=${MANAGER}&force=true`,
      definition,
      "application/apply-patch+yaml",
    );
    if (status >= 300) throw refusal(chart, `the cluster refuses ${definition.metadata.name}: ${message}`);
  }
  for (const definition of definitions) {
    const again = ({ outcome, backoffMs }: Attempt<Answer>): number | undefined =>
      ("value" in outcome && isEstablished(outcome.value)) || clock.now() + backoffMs > deadline ? undefined : backoffMs;
    const answer = await retry(() => api.request("GET", pathOf(definition)), { clock, firstMs: FIRST_WAIT_MS, longestMs: LONGEST_WAIT_MS, again });
    if (!isEstablished(answer)) throw refusal(chart, `${definition.metadata.name} is not established within ${budgetSeconds} s`);
  }
  return definitions.map(({ metadata }) => metadata.name).toSorted();
}
