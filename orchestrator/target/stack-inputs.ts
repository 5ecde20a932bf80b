/** What each stack is built from, as digests: asked of the program of this checkout, and of the one of another commit. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { projectRoot } from "../../common/paths";
import { askProgram } from "./ask-program";

const consumedSchema = z.object({ from: z.string(), output: z.string(), key: z.string().optional() });
/** An output of another stack, or one entry of it. */
export type Consumed = z.infer<typeof consumedSchema>;

const stackSchema = z.object({
  name: z.string(),
  needs: z.array(z.string()),
  description: z.string(),
  production: z.literal(true).optional(),
  backup: z.array(z.string()).optional(),
  consumes: z.array(consumedSchema),
  /** Keyed digests by the name of the input. */
  inputs: z.record(z.string(), z.string()),
});
export type StackInputs = z.infer<typeof stackSchema>;

const answerSchema = z.object({ version: z.literal(1), stacks: z.array(stackSchema) });

/**
 * @param key of the digests; only those with one key can be compared
 * @param env of the site, for its secrets
 * @param root of the checkout
 * @returns undefined where the program is too old to print digests
 * @throws HomelabError with the program's own code
 */
export async function stackInputs(key: string, env: Readonly<Record<string, string>>, root = projectRoot()): Promise<StackInputs[] | undefined> {
  if (!fs.existsSync(path.join(root, "bin", "stacks", "inputs.js"))) return undefined;
  return answerSchema.parse(await askProgram("inputs", JSON.stringify({ key }), env, root)).stacks;
}
