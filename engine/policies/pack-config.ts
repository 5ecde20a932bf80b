/** Settings of policies: the pack's own, and over them those of a file of `--policy-pack-config`. */
import * as fs from "node:fs";
import { z } from "zod";
import { DeploymentError } from "../errors";
import type { EnforcementLevel, GivenConfig, PackFacts, PolicyFacts, PolicySettings } from "./analysis";

const LEVELS = ["advisory", "mandatory", "remediate", "disabled"] as const satisfies readonly EnforcementLevel[];
const level = z.enum(LEVELS);
const given = z.record(
  z.string(),
  z.union([
    level.transform((one) => ({ level: one, properties: {} })),
    z.looseObject({ enforcementLevel: level.optional() }).transform(({ enforcementLevel, ...properties }) => ({ level: enforcementLevel, properties })),
  ]),
);

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new DeploymentError(`the settings of policies in ${file} are not valid JSON: ${cause.message}`);
    throw cause;
  }
}

/**
 * Reads a file of `--policy-pack-config`: JSON, by policy a level or a map with `enforcementLevel` and the policy's own settings.
 * @throws DeploymentError that names the file and the policy
 */
export function readPackConfig(file: string): GivenConfig {
  if (!fs.existsSync(file)) throw new DeploymentError(`the settings of policies in ${file} cannot be read: there is no such file`);
  const text = fs.readFileSync(file, "utf8");
  if (text.trim() === "") return {};
  const json = parsed(text, file);
  if (typeof json === "object" && json !== null && "environments" in json)
    throw new DeploymentError(`${file}: \`environments\` are Pulumi Cloud's, and no file or S3 backend has them`);
  const result = given.safeParse(json);
  if (result.success) return result.data;
  const places = result.error.issues.map(({ path }) => path.join(".") || "the file");
  throw new DeploymentError(`${file}: ${[...new Set(places)].join(", ")} must be a level (${LEVELS.join(", ")}) or a map, with one as its enforcementLevel`);
}

const ownDefaults = ({ properties }: PolicyFacts): Record<string, unknown> =>
  Object.fromEntries(Object.entries(properties).flatMap(([key, { default: value }]) => (value === undefined ? [] : [[key, value]])));

/** `all` sets the level of every policy; a policy's own settings override it. */
function applied(settings: Map<string, PolicySettings>, config: GivenConfig): void {
  const all = config["all"]?.level;
  if (all !== undefined) for (const [name, own] of settings) settings.set(name, { ...own, level: all });
  for (const [name, own] of Object.entries(config)) {
    const before = settings.get(name);
    if (before === undefined) continue;
    settings.set(name, { level: own.level ?? before.level, properties: { ...before.properties, ...own.properties } });
  }
}

function problemsOf({ name, properties, required }: PolicyFacts, settings: PolicySettings): string[] {
  const schema = z.fromJSONSchema({ type: "object", properties, required });
  const result = schema.safeParse(settings.properties);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${name}: ${[...path.map(String), message].join(": ")}`);
}

/**
 * The settings of every policy of a pack.
 * @param config from a file
 * @throws DeploymentError that names each wrong setting
 */
export function settingsOf(pack: PackFacts, config: GivenConfig): Map<string, PolicySettings> {
  const names = new Set(pack.policies.map(({ name }) => name));
  const unknown = Object.keys(config).filter((name) => name !== "all" && !names.has(name));
  if (unknown.length > 0)
    throw new DeploymentError(`policy pack ${pack.name} has no policy ${unknown.join(", ")}; it has ${[...names].sort().join(", ") || "none"}`);
  const settings = new Map(pack.policies.map((policy) => [policy.name, { level: policy.level, properties: ownDefaults(policy) }]));
  applied(settings, pack.initialConfig);
  applied(settings, config);
  const problems = pack.policies.flatMap((policy) => problemsOf(policy, settings.get(policy.name) ?? { level: policy.level, properties: {} }));
  if (problems.length > 0)
    throw new DeploymentError(`settings of policies are wrong:\n${problems.map((problem) => `${pack.name} ${pack.version}: ${problem}`).join("\n")}`);
  return settings;
}
