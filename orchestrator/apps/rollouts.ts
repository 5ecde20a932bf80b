/** Whether applications run what the settings name, asked of their clusters by the kubeconfigs in the stacks' outputs. */
import { z } from "zod";
import type { Arguments } from "../cli/command";
import type { Session } from "../cli/session";
import { queryAll } from "../run/query-stacks";
import { askProgram } from "../target/ask-program";

const rolloutSchema = z.object({ state: z.enum(["done", "progressing", "failed"]), says: z.string() });
export type Rollout = z.infer<typeof rolloutSchema>;
const answerSchema = z.object({ version: z.literal(1), apps: z.array(rolloutSchema.extend({ stack: z.string(), app: z.string() })) });

interface Wanted {
  readonly app: string;
  readonly stack: string;
  readonly image: string;
}

/**
 * @param minutes how long to wait for them
 * @returns each with the state of its rollout
 * @throws HomelabError where a state cannot be read
 */
export async function withRollouts<T extends Wanted>(
  wanted: readonly T[],
  minutes: number,
  args: Arguments,
  session: Session,
): Promise<(T & { rollout: Rollout })[]> {
  // Without names of stacks, `queryAll` would ask all of them.
  if (wanted.length === 0) return [];
  const stacks = [...new Set(wanted.map(({ stack }) => stack))];
  const { site, results } = await queryAll("outputs", { ...args, words: stacks }, session);
  const clusters = results.flatMap(([stack, { outputs }]) => {
    const kubeconfig = outputs?.["kubeconfig"]?.value;
    const apps = wanted.filter((one) => one.stack === stack).map(({ app, image }) => ({ name: app, image }));
    return typeof kubeconfig === "string" ? [{ stack, kubeconfig, apps }] : [];
  });
  session.err(`asking ${clusters.map(({ stack, apps }) => `${stack} for ${apps.map(({ name }) => name).join(", ")}`).join("; ") || "no cluster"}\n`);
  const { apps } = answerSchema.parse(await askProgram("rollouts", JSON.stringify({ seconds: minutes * 60, clusters }), site.env));
  const missing: Rollout = { state: "failed", says: "the stack is not built" };
  return wanted.map((one) => {
    const found = apps.find(({ stack, app }) => stack === one.stack && app === one.app);
    return { ...one, rollout: found === undefined ? missing : { state: found.state, says: found.says } };
  });
}
