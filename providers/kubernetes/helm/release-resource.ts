/** `kubernetes:helm.sh/v3:Release`: a chart at a version, installed. */
import { isDeepStrictEqual } from "node:util";
import { asError, describeError, HomelabError } from "../../../common/errors";
import { diffValues } from "../../sdk/diff";
import { PartialFailure, type PreviewUpdateCall, type ResourceCall, type ResourceDefinition } from "../../sdk/resource";
import { isValues, type JsonObject, makeSecret, Secret, UNKNOWN, type Value, type Values, withoutNullValues } from "../../sdk/values";
import type { KubernetesClient } from "../client";
import { specOfKind } from "../kinds";
import type { ClusterTarget } from "../settings";
import { type RefusedChange, refusedChanges, replacingStep } from "./immutable";
import { manifestsIn, resourceNamesIn } from "./manifest";
import { type HelmRecord, mendPending, revisions } from "./record";
import { failuresOf, specOf, withDefaults } from "./release-inputs";
import type { ReleaseSpec } from "./release-spec";

/** Time to read the record of a release after its operation has used up its own time. */
const LOOK_MS = 10_000;

type Named = Pick<ReleaseSpec, "name" | "namespace">;

async function lastRevision(client: KubernetesClient, { name, namespace }: Named, signal: AbortSignal): Promise<HelmRecord | undefined> {
  return (await revisions(client, namespace, name, signal)).at(-1);
}

/** The inputs, and what Helm says of a revision. */
function outputsOf({ name, namespace }: Named, inputs: JsonObject, last: HelmRecord): Values {
  const { metadata } = last.chart;
  return {
    ...inputs,
    __inputs: makeSecret(inputs),
    name,
    namespace,
    version: metadata.version,
    resourceNames: resourceNamesIn(last.manifest),
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

const idOf = ({ name, namespace }: Named): string => `${namespace}/${name}`;

/** What ended an installation, in words. */
function endOf(thrown: unknown, timeoutSeconds: number | undefined): string {
  const code = thrown instanceof HomelabError ? thrown.code : "";
  if (code === "E_TIMEOUT") return `it is not ready after ${timeoutSeconds ?? 0} s`;
  return code === "E_CANCELLED" ? "the operation was cancelled before it was ready" : describeError(asError(thrown));
}

type Call = Pick<ResourceCall<ClusterTarget>, "provider" | "signal" | "timeoutSeconds" | "log">;

/** @throws PartialFailure where the release exists and is not what was asked for */
async function applied({ provider, signal, timeoutSeconds, log }: Call, inputs: JsonObject): Promise<{ id: string; outputs: Values }> {
  const { client } = provider;
  const spec = specOf(inputs, client.defaultNamespace);
  const installer = provider.installer();
  const cut = await mendPending(client, spec, signal);
  if (cut !== undefined) log("warning", `release ${idOf(spec)}: revision ${cut.revision} was left ${cut.status} by a run that was cut; it goes on from there`);
  try {
    await installer.apply(spec, signal);
  } catch (thrown) {
    const last = await lastRevision(client, spec, AbortSignal.timeout(LOOK_MS)).catch(() => undefined);
    if (last === undefined) throw thrown;
    const reason = `release ${idOf(spec)} is ${last.info.status} in revision ${last.version}: ${endOf(thrown, timeoutSeconds)}`;
    throw new PartialFailure(idOf(spec), outputsOf(spec, inputs, last), [reason], { cause: thrown });
  }
  const last = await lastRevision(client, spec, signal);
  if (last === undefined) throw new Error(`release ${spec.name} was installed, but left no record`);
  return { id: idOf(spec), outputs: outputsOf(spec, inputs, last) };
}

/** Replaces unknown values by a text: sizes and storage classes do not depend on them. */
function planned(value: Value | undefined): JsonObject[string] {
  if (value === UNKNOWN) return "not known yet";
  if (value instanceof Secret) return planned(value.value);
  if (Array.isArray(value)) return value.map(planned);
  return isValues(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, planned(inner)])) : (value as JsonObject[string]);
}

/** @throws HomelabError E_IMMUTABLE where Kubernetes refuses what the release would change; nothing was changed then */
async function refuseImpossible({ provider, inputs, signal, log }: PreviewUpdateCall<ClusterTarget>): Promise<void> {
  const { client } = provider;
  const spec = specOf(planned(inputs) as JsonObject, client.defaultNamespace);
  const last = await lastRevision(client, spec, signal);
  if (last === undefined) return;
  const rendered = await provider
    .installer()
    .render(spec, signal)
    .catch((thrown: unknown) => {
      // The update itself fails with the same error before it changes anything.
      log("warning", `release ${idOf(spec)}: its immutable fields cannot be checked in the preview: ${describeError(asError(thrown))}`);
      return [];
    });
  const found: RefusedChange[] = [];
  // An object that no longer exists is created again.
  for (const change of refusedChanges(manifestsIn(last.manifest), rendered, spec.namespace)) if (await client.get(change, signal)) found.push(change);
  if (found.length === 0) return;
  const lines = found.map((change) => `${change.kind} ${change.name}: ${change.fields.join("; ")}`);
  throw new HomelabError("E_IMMUTABLE", `release ${idOf(spec)}: Kubernetes refuses to change immutable fields: ${lines.join(". ")}`, {
    subject: spec.name,
    hint: found.map(replacingStep).join("; "),
  });
}

/** The program's inputs, with values and version of the newest revision where these differ. */
function liveInputs(known: JsonObject, last: HelmRecord): JsonObject {
  if (Object.keys(known).length === 0)
    return { chart: last.chart.metadata.name, name: last.name, namespace: last.namespace, version: last.chart.metadata.version, values: last.config ?? {} };
  const sameValues = isDeepStrictEqual(specOf(known, "").values, last.config ?? {});
  const version = known["version"];
  const live = last.chart.metadata.version;
  // A version range cannot be compared with the installed version.
  const otherVersion = typeof version === "string" && /^v?\d+\.\d+\.\d+$/.test(version) && version.replace(/^v/, "") !== live.replace(/^v/, "");
  return { ...known, ...(sameValues ? {} : { values: last.config ?? {} }), ...(otherVersion ? { version: live } : {}) };
}

export function releaseResource(token: string): ResourceDefinition<ClusterTarget> {
  return {
    token,
    spec: () => specOfKind(token),
    computed: ["resourceNames", "status"],
    computedOnUpdate: ["resourceNames", "status"],
    check: async ({ news: given, olds, name, randomSeed, provider }) => {
      const news = withoutNullValuesBesideValues(given);
      const generated = `${name}-${Buffer.from(randomSeed).toString("hex").slice(0, 8)}`;
      const named = { ...news, name: news["name"] ?? olds?.["name"] ?? generated, namespace: news["namespace"] ?? provider.client.defaultNamespace };
      return { inputs: withSecretPassword(withDefaults(named)), failures: failuresOf(news) };
    },
    diff: async ({ oldInputs, news, ignoreChanges }) => ({
      ...diffValues(withDefaults(oldInputs), withDefaults(news), { replaceOn: ["name", "namespace"], ignore: [...ignoreChanges] }),
      deleteBeforeReplace: true,
    }),
    previewUpdate: async (call) => {
      await refuseImpossible(call);
      const { inputs, oldOutputs } = call;
      return { ...oldOutputs, ...inputs, resourceNames: UNKNOWN, status: UNKNOWN };
    },
    create: ({ inputs, ...call }) => applied(call, inputs),
    update: async ({ inputs, ...call }) => (await applied(call, inputs)).outputs,
    read: async ({ provider, id, inputs, signal }) => {
      const [namespace = "", name = ""] = id.split("/");
      const last = await lastRevision(provider.client, { name, namespace }, signal);
      if (last === undefined) return undefined;
      const found = withDefaults(liveInputs(inputs, last)) as JsonObject;
      return { id, outputs: outputsOf({ name, namespace }, found, last), inputs: found };
    },
    delete: async ({ provider, inputs, signal }) => {
      await provider.installer().remove(specOf(inputs, provider.client.defaultNamespace), signal);
    },
  };
}

/** Chart values may be null on purpose: that removes a default of the chart. */
function withoutNullValuesBesideValues(given: Values): Values {
  const { values, ...others } = given;
  return { ...withoutNullValues(others), ...(isValues(values) || values !== undefined ? { values: values ?? {} } : {}) };
}

/** A password is a secret whatever the program said. */
function withSecretPassword(inputs: Values): Values {
  const options = inputs["repositoryOpts"];
  const password = isValues(options) ? options["password"] : undefined;
  return isValues(options) && typeof password === "string" && password !== ""
    ? { ...inputs, repositoryOpts: { ...options, password: makeSecret(password) } }
    : inputs;
}
