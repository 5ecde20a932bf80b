/**
 * The schema of Pulumi.yaml, as the CLI's own (`sdk/go/common/workspace/project.json`): unknown keys are allowed at the top, and
 * refused further inside.
 */
import { z } from "zod";
import type { ConfigValue } from "../config/value-path";

const text = z.string().nullish();
const map = z.record(z.string(), z.custom<ConfigValue>());

const pluginSchema = z.strictObject({ name: z.string(), path: z.string(), version: z.string().optional() });

const packageSchema = z.strictObject({
  source: z.string(),
  version: z.string().optional(),
  parameters: z.array(z.string()).optional(),
  pluginDownloadURL: z.string().optional(),
  checksums: z.record(z.string(), z.string()).optional(),
  extensions: z.array(z.string()).optional(),
});

const templateSchema = z.strictObject({
  displayName: text,
  description: text,
  quickstart: text,
  important: z.boolean().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  config: z.record(z.string(), z.looseObject({ description: text, secret: z.boolean().nullish() })).nullish(),
});

export const projectSchema = z.looseObject({
  name: z.string("project is missing a non-empty string 'name' attribute").min(1, "project is missing a non-empty string 'name' attribute"),
  runtime: z
    .union([z.string().min(1), z.strictObject({ name: z.string().min(1), options: map.optional() })], "a runtime's name, or { name, options }")
    .optional(),
  main: text,
  description: text,
  author: text,
  website: text,
  license: text,
  config: z.union([z.string(), map], "a map of settings, or (its old meaning) the folder of the stacks' settings").nullish(),
  stackConfigDir: text,
  backend: z.strictObject({ url: z.string().optional() }).nullish(),
  options: z.strictObject({ refresh: z.literal("always").optional() }).nullish(),
  template: templateSchema.nullish(),
  // For `pulumi install` and other languages: a program in TypeScript imports its packages itself.
  packages: z.record(z.string(), z.union([z.string(), packageSchema])).optional(),
  plugins: z
    .looseObject({ providers: z.array(pluginSchema).optional(), languages: z.array(pluginSchema).optional(), analyzers: z.array(pluginSchema).optional() })
    .optional(),
  requiredPulumiVersion: z.string().optional(),
});

/** `runtime.options` of a Node program. Options with other names are left alone. */
export const nodeOptionsSchema = z.looseObject({
  typescript: z.boolean("typescript option must be a boolean").optional(),
  tsconfig: z.string("tsconfig option must be a string").optional(),
  nodeargs: z.string("nodeargs option must be a string").optional(),
  production: z.boolean("production option must be a boolean").optional(),
  packagemanager: z.enum(["auto", "npm", "yarn", "pnpm", "bun"], "packagemanager option must be one of auto, npm, yarn, pnpm or bun").optional(),
});
