/**
 * The report of one run, as it is written to disk and read again. `homelab comment` reads reports that somebody else's code wrote, so every
 * length and every set of words is bounded here. `version` rises with a change that a reader must know of; what was added later is optional.
 * Outputs are never in it.
 */
import { z } from "zod";

const name = z.string().max(300);
const text = z.string().max(200_000);

/** Characters of a value. */
export const VALUE_LENGTH = 120;
/** One changed property: `from` is missing where it is added, `to` where it is removed. Both are cut to {@link VALUE_LENGTH}. */
const valueSchema = z.object({
  path: z.string().max(1_000),
  from: z.string().max(1_000).optional(),
  to: z.string().max(1_000).optional(),
  kind: z.enum(["add", "update", "delete"]).optional(),
  replaces: z.boolean().optional(),
});

const stepSchema = z.object({
  op: z.string().max(40),
  urn: z.string().max(2_000),
  type: name,
  name: z.string().max(1_000),
  /** A component resource: only its children are created. */
  component: z.boolean().optional(),
  /** Changed property paths, where the engine knows them. */
  diffs: z.array(z.string().max(1_000)).max(5_000),
  /** Properties that force a replacement. */
  keys: z.array(z.string().max(1_000)).max(5_000),
  /** A deletion from the state only: the resource itself stays. */
  kept: z.boolean().optional(),
  values: z.array(valueSchema).max(5_000).optional(),
  /** Milliseconds after the start of the run, and how long it took; of steps that ran. */
  offset: z.number().nonnegative().optional(),
  duration: z.number().nonnegative().optional(),
});
export type ReportStep = z.infer<typeof stepSchema>;

const stackSchema = z.object({
  /** As Pulumi names stacks: none of these characters is special in Markdown or HTML. */
  stack: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/),
  status: z.enum(["succeeded", "unaffected", "failed", "skipped", "cancelled"]),
  /** Milliseconds; null where it never started. */
  duration: z.number().nonnegative().nullable(),
  /** Milliseconds after the start of the run; null where it never started. */
  offset: z.number().nonnegative().nullable(),
  /** Operation to count; `same` included. */
  changes: z.record(z.string().max(40), z.number().int().nonnegative()),
  steps: z.array(stepSchema).max(20_000),
  /** Steps that failed. */
  failures: z.array(stepSchema).max(20_000).optional(),
  diagnostics: z.array(z.object({ severity: z.enum(["info", "warning", "error"]), urn: z.string().max(2_000), message: text })).max(20_000),
  /** Outputs of other stacks that were unknown to a preview. */
  unknowns: z.array(z.string().max(1_000)).max(20_000),
  blame: name.optional(),
  /** Why it ran, or why it did not have to; of runs that choose by what changed. */
  why: z.string().max(2_000).optional(),
  error: z.object({ code: name, message: text, hint: text.optional(), class: name.optional(), provider: z.array(name).max(1_000).optional() }).optional(),
  /** Failed tries that were followed by another; `delay` in milliseconds. */
  retries: z
    .array(z.object({ attempt: z.number().int().positive(), class: name, message: text, delay: z.number().nonnegative() }))
    .max(100)
    .optional(),
});
export type StackReport = z.infer<typeof stackSchema>;

/** Everything that the program describes, whichever stacks ran. */
const estateSchema = z.object({
  /** Proxmox nodes. */
  nodes: z.array(name).max(1_000),
  stacks: z
    .array(
      z.object({
        stack: name,
        needs: z.array(name).max(1_000),
        /** The distribution of Kubernetes. */
        cluster: name,
        machines: z.array(z.object({ name, node: name, address: name, cluster: z.boolean() })).max(1_000),
        modules: z.array(name).max(1_000),
        apps: z.array(name).max(1_000),
      }),
    )
    .max(1_000),
});
export type Estate = z.infer<typeof estateSchema>;

export const reportSchema = z.object({
  version: z.literal(1),
  operation: z.enum(["preview", "up", "refresh", "destroy", "preview-destroy"]),
  site: z.enum(["real", "lab"]),
  engine: z.object({ name: z.enum(["pulumi", "embedded"]), why: text }),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Milliseconds. */
  duration: z.number().nonnegative(),
  ok: z.boolean(),
  changed: z.boolean(),
  /** Warnings about the program's data, such as a host that is overcommitted. */
  warnings: z.array(text).max(1_000).optional(),
  estate: estateSchema.optional(),
  stacks: z.array(stackSchema).max(1_000),
});
export type RunReport = z.infer<typeof reportSchema>;
