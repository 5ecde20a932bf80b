/**
 * `node bin/stacks/render-apps.js`: the applications of stacks as files for Git. Takes `{"stacks":[…]}` on standard input and
 * prints JSON. `images` replaces images in the settings of the first stack. The orchestrator's child (`homelab promote`); `homelab render`
 * asks it in its own process. Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import { answerOrFailure, runChild } from "./child";
import { type Estate, loadEstate } from "./load/estate";
import { plansOf, type StackPlan } from "./plan/plan";
import { renderApps } from "./plan/rendered-apps";
import { renderArgoCd } from "./plan/rendered-argo-cd";

const questionSchema = z.strictObject({
  stacks: z.tuple([z.string()], z.string()),
  /** By application of the first stack: instead of the image in `homelab:images`. */
  images: z.record(z.string(), z.string()).default({}),
});

function withImages(estate: Estate, stack: string, images: Readonly<Record<string, string>>): Estate {
  const config = estate.settings.get(stack);
  if (config === undefined) return estate;
  return { ...estate, settings: new Map([...estate.settings, [stack, { ...config, images: { ...config.images, ...images } }]]) };
}

async function filesOfStacks(input: string): Promise<object> {
  const { stacks, images } = questionSchema.parse(JSON.parse(input));
  const estate = withImages(loadEstate(), stacks[0], images);
  const { chosen, plans } = plansOf(estate, stacks);
  const filesOf = (plan: StackPlan): object => Object.fromEntries([...renderApps(plan, plans), ...renderArgoCd(plan, plans)]);
  return Promise.resolve({ version: 1, stacks: chosen.map((plan) => ({ stack: plan.stack.name, files: filesOf(plan) })) });
}

export const answerHere = answerOrFailure(filesOfStacks);

if (require.main === module) runChild(filesOfStacks);
