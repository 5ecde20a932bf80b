/**
 * `node bin/stacks/render-apps.js`: the applications of a stack as files for Git. Takes `{"stack":"dev"}` on standard input and prints
 * JSON. The orchestrator's child (`homelab render`). Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import { runChild } from "./child";
import { loadEstate } from "./load/estate";
import { planOf } from "./plan/plan";
import { renderApps } from "./plan/rendered-apps";
import { renderArgoCd } from "./plan/rendered-argo-cd";

const questionSchema = z.strictObject({ stack: z.string() });

if (require.main === module) {
  runChild((input) => {
    const { stack } = questionSchema.parse(JSON.parse(input));
    const { plan, plans } = planOf(loadEstate(), stack);
    const files = new Map([...renderApps(plan, plans), ...renderArgoCd(plan, plans)]);
    return Promise.resolve({ version: 1, stack: plan.stack.name, files: Object.fromEntries(files) });
  });
}
