/** `kubernetes:helm.sh/v3:Release`: a chart at a version, installed. */
import { z } from "zod";
import { diffValues } from "../../sdk/diff";
import { checkInputs, parseInputs } from "../../sdk/inputs";
import type { ResourceDefinition } from "../../sdk/resource";
import { isValues, type JsonObject, makeSecret, type Values } from "../../sdk/values";
import type { KubernetesClient } from "../client";
import type { ClusterTarget } from "../settings";
import type { ReleaseSpec } from "./installer";
import { revisions } from "./record";

const inputSchema = z.looseObject({
  chart: z.string(),
  name: z.string().optional(),
  namespace: z.string().optional(),
  version: z.string().optional(),
  repositoryOpts: z.looseObject({ repo: z.string().optional() }).optional(),
  values: z.record(z.string(), z.json()).optional(),
  createNamespace: z.boolean().optional(),
  skipAwait: z.boolean().optional(),
  skipCrds: z.boolean().optional(),
  atomic: z.boolean().optional(),
  cleanupOnFail: z.boolean().optional(),
  waitForJobs: z.boolean().optional(),
  timeout: z.number().optional(),
});

/** Inputs that only a full Helm library can honour. */
const REFUSED = ["dependencyUpdate", "devel", "keyring", "lint", "postrender", "valueYamlFiles", "verify", "manifest", "replace"];

const DEFAULT_TIMEOUT_S = 300;

const NO_FLAGS = Object.fromEntries(
  [
    ...["allowNullValues", "atomic", "cleanupOnFail", "createNamespace", "dependencyUpdate", "devel", "disableCRDHooks", "disableOpenapiValidation"],
    ...["disableWebhooks", "forceUpdate", "lint", "recreatePods", "renderSubchartNotes", "replace", "resetValues", "reuseValues", "skipAwait", "skipCrds"],
    ...["verify", "waitForJobs"],
  ].map((name) => [name, false]),
);
const NO_REPOSITORY_OPTIONS = { caFile: "", certFile: "", keyFile: "", password: "", repo: "", username: "" };

/** Inputs in the form in which the official provider keeps them: every one that is not given has its default. */
function withDefaults({ compat: _compat, ...given }: Values): Values {
  const options = given["repositoryOpts"];
  return {
    ...NO_FLAGS,
    ...{ description: "", keyring: "", postrender: "", values: {} },
    ...(given["skipAwait"] === true ? {} : { timeout: DEFAULT_TIMEOUT_S }),
    ...given,
    repositoryOpts: options === undefined || isValues(options) ? { ...NO_REPOSITORY_OPTIONS, ...options } : options,
  };
}

function specOf(inputs: JsonObject, client: KubernetesClient): ReleaseSpec {
  const given = parseInputs(inputSchema, inputs);
  return {
    name: given.name ?? "",
    namespace: given.namespace ?? client.defaultNamespace,
    chart: given.chart,
    version: given.version,
    repository: given.repositoryOpts?.repo || undefined,
    values: (given.values ?? {}) as JsonObject,
    createNamespace: given.createNamespace ?? false,
    skipAwait: given.skipAwait ?? false,
    skipCrds: given.skipCrds ?? false,
    atomic: given.atomic ?? false,
    cleanupOnFail: given.cleanupOnFail ?? false,
    waitForJobs: given.waitForJobs ?? false,
    timeout: given.timeout ?? DEFAULT_TIMEOUT_S,
  };
}

/** The inputs, and what Helm says of the newest revision. */
async function outputsOf(client: KubernetesClient, spec: ReleaseSpec, inputs: JsonObject, signal: AbortSignal): Promise<Values | undefined> {
  const last = (await revisions(client, spec.namespace, spec.name, signal)).at(-1);
  if (last === undefined) return undefined;
  const { metadata } = last.chart;
  return {
    ...inputs,
    __inputs: makeSecret(inputs),
    name: spec.name,
    namespace: spec.namespace,
    version: metadata.version,
    status: {
      appVersion: metadata.appVersion ?? "",
      chart: metadata.name,
      name: last.name,
      namespace: last.namespace,
      revision: last.version,
      status: last.info.status,
      version: metadata.version,
    },
  };
}

export function releaseResource(token: string): ResourceDefinition<ClusterTarget> {
  const applied = async ({ client, installer }: ClusterTarget, inputs: JsonObject, signal: AbortSignal): Promise<{ id: string; outputs: Values }> => {
    const spec = specOf(inputs, client);
    await installer().apply(spec, signal);
    const outputs = await outputsOf(client, spec, inputs, signal);
    if (outputs === undefined) throw new Error(`release ${spec.name} was installed, but left no record`);
    return { id: `${spec.namespace}/${spec.name}`, outputs };
  };
  return {
    token,
    computed: ["status"],
    computedOnUpdate: ["status"],
    check: async ({ news, olds, name, randomSeed, provider }) => {
      const failures = checkInputs(inputSchema, news);
      for (const property of REFUSED)
        if (![undefined, false, ""].some((none) => news[property] === none) && !(Array.isArray(news[property]) && news[property].length === 0))
          failures.push({ property, reason: "the embedded provider does not have it; the official plugin has" });
      const generated = `${name}-${Buffer.from(randomSeed).toString("hex").slice(0, 8)}`;
      const named = { ...news, name: news["name"] ?? olds?.["name"] ?? generated, namespace: news["namespace"] ?? provider.client.defaultNamespace };
      return { inputs: withDefaults(named), failures };
    },
    diff: async ({ oldInputs, news, ignoreChanges }) => ({
      ...diffValues(withDefaults(oldInputs), withDefaults(news), { replaceOn: ["name", "namespace"], ignore: [...ignoreChanges] }),
      deleteBeforeReplace: true,
    }),
    create: ({ provider, inputs, signal }) => applied(provider, inputs, signal),
    update: async ({ provider, inputs, signal }) => (await applied(provider, inputs, signal)).outputs,
    read: async ({ provider, id, inputs, signal }) => {
      const [namespace = "", name = ""] = id.split("/");
      const known = isValues(inputs) ? inputs : {};
      const outputs = await outputsOf(provider.client, { ...specOf({ chart: "", ...known }, provider.client), namespace, name }, known, signal);
      return outputs === undefined ? undefined : { id, outputs };
    },
    delete: async ({ provider, inputs, signal }) => {
      const { name, namespace, timeout } = specOf(inputs, provider.client);
      await provider.installer().remove({ name, namespace, timeout }, signal);
    },
  };
}
