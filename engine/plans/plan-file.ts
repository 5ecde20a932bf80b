/** The plan file, in the form in which CLI 3.260 writes and reads it. */
import * as fs from "node:fs";
import { z } from "zod";
import { writeFileAtomic } from "../../common/files";
import { hasMagic, manifestSchema, newManifest } from "../backend/checkpoint";
import { CliError } from "../errors";
import type { GoalAlias } from "../monitor/goal";
import { readProperties, type SecretsCodec, writeProperties } from "../snapshot/serialize";
import { STEP_OPS } from "../steps/step";
import { exactJson, parseExactJson } from "../wire/exact-json";
import type { PropertyMap, Value } from "../wire/values";
import type { GoalPlan, Plan, PlanDiff, ResourcePlan } from "./plan";

const properties = z.record(z.string(), z.custom<Value>());
const strings = z.array(z.string());
const diffSchema = z.strictObject({ adds: properties.optional(), deletes: strings.optional(), updates: properties.optional() });
const aliasSchema = z.strictObject({
  ...{ URN: z.string(), Name: z.string(), Type: z.string(), Project: z.string(), Stack: z.string(), Parent: z.string() },
  NoParent: z.boolean(),
});

/** Strict: an unknown field may limit the update, so it must not be ignored. */
const goalSchema = z.strictObject({
  ...{ type: z.string(), name: z.string(), custom: z.boolean(), protect: z.boolean() },
  ...{ inputDiff: diffSchema.optional(), outputDiff: diffSchema.optional(), parent: z.string().optional() },
  ...{ dependencies: strings.optional(), provider: z.string().optional(), propertyDependencies: z.record(z.string(), strings.nullable()).optional() },
  ...{ deleteBeforeReplace: z.boolean().optional(), ignoreChanges: strings.optional(), additionalSecretOutputs: strings.optional() },
  ...{ structuredAliases: z.array(aliasSchema).optional(), id: z.string().optional(), customTimeouts: z.record(z.string(), z.number()).optional() },
});

const planSchema = z.strictObject({
  manifest: manifestSchema,
  config: z.record(z.string(), z.unknown()).optional(),
  resourcePlans: z
    .record(
      z.string(),
      z.strictObject({
        goal: goalSchema.optional(),
        steps: z.array(z.enum(STEP_OPS)).optional(),
        state: properties.nullish(),
        seed: z.base64().optional(),
      }),
    )
    .optional(),
});

const sorted = <T>(map: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((key) => [key, map[key] as T]),
  );
const unlessEmpty = <T extends object>(value: T): T | undefined => (Object.keys(value).length === 0 ? undefined : value);

function diffToFile({ adds, deletes, updates }: PlanDiff, codec: SecretsCodec): z.infer<typeof diffSchema> {
  const values = (map: PropertyMap): PropertyMap | undefined => unlessEmpty(sorted(writeProperties(map, codec)));
  return { adds: values(adds), deletes: unlessEmpty([...deletes].sort()), updates: values(updates) };
}

const aliasToFile = ({ urn, name, type, project, stack, parent, noParent }: GoalAlias): z.infer<typeof aliasSchema> => ({
  ...{ URN: urn, Name: name, Type: type, Project: project, Stack: stack, Parent: parent, NoParent: noParent },
});

function goalToFile(goal: GoalPlan, codec: SecretsCodec): z.infer<typeof goalSchema> {
  const { type, name, custom, parent, protect, provider, deleteBeforeReplace } = goal;
  return {
    ...{ type, name, custom },
    inputDiff: diffToFile(goal.inputDiff, codec),
    outputDiff: diffToFile(goal.outputDiff, codec),
    ...{ parent, protect, dependencies: unlessEmpty(goal.dependencies), provider },
    ...{ propertyDependencies: unlessEmpty(sorted(goal.propertyDependencies)), deleteBeforeReplace },
    ...{ ignoreChanges: unlessEmpty(goal.ignoreChanges), additionalSecretOutputs: unlessEmpty(goal.additionalSecretOutputs) },
    ...{ structuredAliases: unlessEmpty(goal.aliases.map(aliasToFile)), id: goal.importId, customTimeouts: goal.customTimeouts },
  };
}

/** @param config as it stands in the settings, with its secrets encrypted */
export function writePlan(file: string, plan: Plan, config: Readonly<Record<string, unknown>>, codec: SecretsCodec): void {
  const resources = Object.fromEntries(
    [...plan].map(([urn, { goal, ops, outputs, seed }]) => [
      urn,
      {
        goal: goal && goalToFile(goal, codec),
        steps: unlessEmpty(ops),
        state: outputs === undefined ? null : sorted(writeProperties(outputs, codec)),
        seed: seed?.toString("base64"),
      },
    ]),
  );
  const text = exactJson({ manifest: newManifest(), config: unlessEmpty(sorted(config)), resourcePlans: unlessEmpty(sorted(resources)) }, 4);
  try {
    // It may hold secrets in the clear, by --show-secrets.
    writeFileAtomic(file, `${text}\n`, 0o600);
  } catch (cause) {
    throw new CliError(`the plan file ${file} cannot be written`, 1, { cause });
  }
}

function diffFromFile(diff: z.infer<typeof diffSchema> | undefined, codec: SecretsCodec): PlanDiff {
  return { adds: readProperties(diff?.adds ?? {}, codec), deletes: diff?.deletes ?? [], updates: readProperties(diff?.updates ?? {}, codec) };
}

const aliasFromFile = (alias: z.infer<typeof aliasSchema>): GoalAlias => ({
  ...{ urn: alias.URN, name: alias.Name, type: alias.Type, project: alias.Project, stack: alias.Stack, parent: alias.Parent },
  noParent: alias.NoParent,
});

function goalFromFile(goal: z.infer<typeof goalSchema>, codec: SecretsCodec): GoalPlan {
  const { type, name, custom, parent, protect, provider, deleteBeforeReplace, id } = goal;
  const dependencies = Object.entries(goal.propertyDependencies ?? {}).map(([key, urns]) => [key, urns ?? []] as const);
  return {
    ...{ type, name, custom, parent, protect, provider, deleteBeforeReplace, importId: id },
    inputDiff: diffFromFile(goal.inputDiff, codec),
    outputDiff: diffFromFile(goal.outputDiff, codec),
    ...{ dependencies: goal.dependencies ?? [], propertyDependencies: Object.fromEntries(dependencies) },
    ...{ ignoreChanges: goal.ignoreChanges ?? [], additionalSecretOutputs: goal.additionalSecretOutputs ?? [] },
    ...{ aliases: (goal.structuredAliases ?? []).map(aliasFromFile), customTimeouts: goal.customTimeouts ?? {} },
  };
}

/** @throws CliError for a file that cannot be read, is no plan, or holds secrets of another stack */
export function readPlan(file: string, codec: SecretsCodec): Plan {
  let raw: unknown;
  try {
    raw = parseExactJson(fs.readFileSync(file, "utf8"));
  } catch (cause) {
    throw new CliError(`the plan file ${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`, 1, { cause });
  }
  const parsed = planSchema.safeParse(raw);
  if (!parsed.success) throw new CliError(`${file} is no plan of \`pulumi preview --save-plan\`, or one of a newer CLI: ${z.prettifyError(parsed.error)}`);
  if (!hasMagic(parsed.data.manifest)) throw new CliError(`the plan file ${file} has a wrong magic number: it is damaged, or was changed by hand`);
  return new Map(
    Object.entries(parsed.data.resourcePlans ?? {}).map(([urn, { goal, steps, state, seed }]): [string, ResourcePlan] => [
      urn,
      {
        goal: goal && goalFromFile(goal, codec),
        ops: steps ?? [],
        outputs: state ? readProperties(state, codec) : undefined,
        seed: seed === undefined ? undefined : Buffer.from(seed, "base64"),
      },
    ]),
  );
}
