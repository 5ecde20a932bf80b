/** Charts and images that the stacks take from elsewhere, as the program says. */
import { z } from "zod";
import { askProgram } from "../target/ask-program";

const pathSchema = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("minor"), why: z.string() }),
  z.strictObject({ by: z.literal("steps"), steps: z.array(z.object({ version: z.string(), why: z.string() })) }),
]);
const chartSchema = z.object({
  ...{ stack: z.string(), module: z.string(), release: z.string(), namespace: z.string() },
  ...{ repository: z.string(), chart: z.string(), version: z.string(), kubeVersion: z.string() },
  values: z.record(z.string(), z.unknown()),
  credentials: z.array(z.object({ path: z.string(), of: z.string() })),
  upgrades: pathSchema.optional(),
});
const answerSchema = z.object({
  version: z.literal(1),
  charts: z.array(chartSchema),
  images: z.array(z.object({ stack: z.string(), module: z.string(), image: z.string(), upgrades: pathSchema.optional() })),
  knownCredentials: z.record(z.string(), z.string()),
});
export type Taken = z.output<typeof answerSchema>;

/** @param stack that one alone. @throws HomelabError E_STACK_UNKNOWN; and the errors with which the program refuses a plan */
export const takenFromElsewhere = async (stack: string | undefined): Promise<Taken> =>
  answerSchema.parse(await askProgram("platform-charts", JSON.stringify(stack === undefined ? {} : { stack })));
