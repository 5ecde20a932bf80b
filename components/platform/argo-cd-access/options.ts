import { z } from "zod";

export const argoCdAccessOptions = z.strictObject({
  from: z
    .string()
    .min(1)
    .describe('The stack whose Argo CD delivers the applications of this one that have `delivery: "argo-cd"`; its module `argo-cd` has `applications`'),
});

export type ArgoCdAccessOptions = z.output<typeof argoCdAccessOptions>;
