/** The applications of all stacks, as the program plans them. */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import { askProgram } from "../target/ask-program";

const appSchema = z.object({
  name: z.string(),
  image: z.string(),
  /** Whether `homelab:images` of the stack's settings names it: only such an image can be moved. */
  movable: z.boolean(),
  delivery: z.enum(["pulumi", "hand-over", "argo-cd"]),
  hosts: z.array(z.string()),
});

const stackSchema = z.object({
  name: z.string(),
  needs: z.array(z.string()),
  production: z.boolean(),
  verify: z.array(z.string()).optional(),
  apps: z.array(appSchema),
});

export type StackApps = z.infer<typeof stackSchema>;
export type AppFacts = z.infer<typeof appSchema>;

/** In the order of the matrix. */
export const readApps = async (): Promise<{ site: string; stacks: StackApps[] }> =>
  z.object({ site: z.string(), stacks: z.array(stackSchema) }).parse(await askProgram("list-apps"));

const unknown = (code: string, message: string, name: string, names: readonly string[]): HomelabError => {
  const meant = nearest(name, names);
  return new HomelabError(code, message, {
    subject: name,
    hint: meant === undefined ? `there are: ${names.join(", ")}` : `did you mean "${meant}"?`,
  });
};

/** @throws HomelabError E_STACK_UNKNOWN */
export function findStack(stacks: readonly StackApps[], stack: string): StackApps {
  const found = stacks.find(({ name }) => name === stack);
  if (found !== undefined) return found;
  throw unknown(
    "E_STACK_UNKNOWN",
    `there is no stack "${stack}"`,
    stack,
    stacks.map(({ name }) => name),
  );
}

/** @throws HomelabError E_STACK_UNKNOWN, E_APP_UNKNOWN */
export function findApp(stacks: readonly StackApps[], stack: string, app: string): { stack: StackApps; app: AppFacts } {
  const found = findStack(stacks, stack);
  const own = found.apps.find(({ name }) => name === app);
  if (own === undefined)
    throw unknown(
      "E_APP_UNKNOWN",
      `${stack} has no application "${app}"`,
      app,
      found.apps.map(({ name }) => name),
    );
  return { stack: found, app: own };
}

/** Whether a stack needs another one, directly or through the stacks that it needs. */
export function isAfter(stacks: readonly StackApps[], later: string, earlier: string, seen = new Set<string>()): boolean {
  if (seen.has(later)) return false;
  seen.add(later);
  const needs = stacks.find(({ name }) => name === later)?.needs ?? [];
  return needs.includes(earlier) || needs.some((need) => isAfter(stacks, need, earlier, seen));
}

/** The settings of a stack, below the checkout. */
export const settingsOf = (stack: string): string => `Pulumi.${stack}.yaml`;
