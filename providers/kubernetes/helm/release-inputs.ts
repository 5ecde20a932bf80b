/** Inputs of `helm.sh/v3:Release`: what each means, its default, and those that are refused. */
import { z } from "zod";
import { checkInputs, parseInputs } from "../../sdk/inputs";
import type { CheckFailure } from "../../sdk/resource";
import { notHere } from "../../sdk/unknown-input";
import { isValues, type JsonObject, type Value, type Values, withoutNullValues } from "../../sdk/values";
import type { ReleaseSpec } from "./release-spec";

const flag = z.boolean().optional();
const text = z.string().optional();

const repositorySchema = z.strictObject({ repo: text, username: text, password: text, caFile: text, certFile: text, keyFile: text });

/** Inputs that this provider honours. */
const HONOURED = {
  chart: z.string(),
  name: text,
  namespace: text,
  version: text,
  repositoryOpts: repositorySchema.optional(),
  values: z.record(z.string(), z.json()).optional(),
  allowNullValues: flag,
  atomic: flag,
  cleanupOnFail: flag,
  createNamespace: flag,
  dependencyUpdate: flag,
  description: text,
  devel: flag,
  disableOpenapiValidation: flag,
  disableWebhooks: flag,
  forceUpdate: flag,
  keyring: text,
  maxHistory: z.number().int().min(0).optional(),
  renderSubchartNotes: flag,
  resetValues: flag,
  reuseValues: flag,
  skipAwait: flag,
  skipCrds: flag,
  takeOwnership: flag,
  /** Seconds. */
  timeout: z.number().min(0).optional(),
  verify: flag,
  waitForJobs: flag,
};

/** Inputs that the official provider has and this one has not, with the reason. */
const REFUSED: Record<string, string> = {
  disableCRDHooks: "helm has no such option",
  lint: "run `helm lint` beside it",
  manifest: "it is made from the chart",
  postrender: "it would run a program of the machine",
  recreatePods: "helm 3 has no such option",
  replace: "an upgrade takes its place",
  resourceNames: "they are made from the chart",
  valueYamlFiles: "give their content as `values`",
};

const inputSchema = z.strictObject({ ...HONOURED, ...Object.fromEntries(Object.keys(REFUSED).map((name) => [name, z.unknown().optional()])) });

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
export function withDefaults({ compat: _compat, ...given }: Values): Values {
  const options = given["repositoryOpts"];
  return {
    ...NO_FLAGS,
    ...{ description: "", keyring: "", postrender: "", values: {} },
    ...(given["skipAwait"] === true ? {} : { timeout: DEFAULT_TIMEOUT_S }),
    ...given,
    repositoryOpts: options === undefined || isValues(options) ? { ...NO_REPOSITORY_OPTIONS, ...options } : options,
  };
}

const isNothing = (value: Value | undefined): boolean =>
  value === undefined ||
  value === false ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isValues(value) && Object.keys(value).length === 0);

/** What is wrong with the inputs: misspelt, of the wrong kind, or refused. */
export function failuresOf({ compat: _compat, ...news }: Values): CheckFailure[] {
  const failures = checkInputs(inputSchema, news);
  for (const [property, reason] of Object.entries(REFUSED)) if (!isNothing(news[property])) failures.push({ property, reason: notHere(reason) });
  return failures;
}

/** What is installed. Inputs that exclude each other are refused by helm itself. */
export function specOf(inputs: JsonObject, defaultNamespace: string): ReleaseSpec {
  const honoured = Object.fromEntries(Object.entries(inputs).filter(([key]) => key in HONOURED));
  const given = parseInputs(z.object(HONOURED), honoured);
  const { repositoryOpts: options = {}, values = {}, allowNullValues = false } = given;
  return {
    name: given.name ?? "",
    namespace: given.namespace ?? defaultNamespace,
    chart: given.chart,
    version: given.version || undefined,
    repository: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== "")),
    values: (allowNullValues ? values : withoutNullValues(values as Values)) as JsonObject,
    createNamespace: given.createNamespace ?? false,
    skipAwait: given.skipAwait ?? false,
    skipCrds: given.skipCrds ?? false,
    atomic: given.atomic ?? false,
    cleanupOnFail: given.cleanupOnFail ?? false,
    waitForJobs: given.waitForJobs ?? false,
    dependencyUpdate: given.dependencyUpdate ?? false,
    description: given.description || undefined,
    devel: given.devel ?? false,
    disableOpenapiValidation: given.disableOpenapiValidation ?? false,
    disableWebhooks: given.disableWebhooks ?? false,
    forceUpdate: given.forceUpdate ?? false,
    keyring: given.keyring || undefined,
    maxHistory: given.maxHistory,
    renderSubchartNotes: given.renderSubchartNotes ?? false,
    resetValues: given.resetValues ?? false,
    reuseValues: given.reuseValues ?? false,
    takeOwnership: given.takeOwnership ?? false,
    verify: given.verify ?? false,
    timeout: given.timeout ?? DEFAULT_TIMEOUT_S,
  };
}
