/**
 * `node bin/stacks/render-apps.js`: the applications of a stack as files for Git. Takes `{"stack":"dev"}` on standard input and prints
 * JSON; with `images` as they would be with other images of its settings. The orchestrator's child (`homelab render`, `homelab promote`).
 * Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import { runChild } from "./child";
import { type Estate, loadEstate } from "./load/estate";
import { planOf } from "./plan/plan";
import { renderApps } from "./plan/rendered-apps";
import { renderArgoCd } from "./plan/rendered-argo-cd";

const questionSchema = z.strictObject({
  stack: z.string(),
  /** By application: in the place of what `homelab:images` names. */
  images: z.record(z.string(), z.string()).default({}),
});

function withImages(estate: Estate, stack: string, images: Readonly<Record<string, string>>): Estate {
  const config = estate.settings.get(stack);
  if (config === undefined) return estate;
  return { ...estate, settings: new Map([...estate.settings, [stack, { ...config, images: { ...config.images, ...images } }]]) };
}

if (require.main === module) {
  runChild((input) => {
    const { stack, images } = questionSchema.parse(JSON.parse(input));
    const { plan, plans } = planOf(withImages(loadEstate(), stack, images), stack);
    const files = new Map([...renderApps(plan, plans), ...renderArgoCd(plan, plans)]);
    return Promise.resolve({ version: 1, stack: plan.stack.name, files: Object.fromEntries(files) });
  });
}
