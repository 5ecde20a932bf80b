/** What `homelab drift` found, as it is printed or written for programs and read again by `homelab issue`. */
import { z } from "zod";
import { hostResultsSchema } from "../hosts/host-results";
import { changedValueSchema } from "../worker/worker-protocol";

const resourceSchema = z.object({
  urn: z.string(),
  type: z.string(),
  name: z.string(),
  how: z.enum(["changed", "gone"]),
  /** Of a changed resource: `from` is in the state, `to` was found; names only: neither. Empty where only a secret differs. */
  fields: z.array(changedValueSchema),
});
export type DriftedResource = z.infer<typeof resourceSchema>;

export const driftSchema = z.object({
  version: z.literal(1),
  site: z.enum(["real", "lab"]),
  /** When it was looked for. */
  lookedAt: z.iso.datetime(),
  drifted: z.boolean(),
  stacks: z.array(
    z.object({
      /** As Pulumi names stacks: none of these characters is special in Markdown or HTML. */
      stack: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/),
      resources: z.array(resourceSchema),
      /** Why it could not be looked at. */
      error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).loose().optional(),
    }),
  ),
  hosts: hostResultsSchema.shape.hosts,
});
export type DriftReport = z.infer<typeof driftSchema>;
