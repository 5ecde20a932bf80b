/**
 * `node bin/stacks/render-apps.js`: the applications of a stack as files for Git. Takes `{"stack":"dev"}` on standard input and prints
 * JSON. The orchestrator's child (`homelab render`). Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import { runChild } from "./child";
import { loadEstate } from "./load/estate";
import { planEstate, stackOf } from "./plan/plan";
import { renderApps } from "./plan/rendered-apps";
import { renderArgoCd } from "./plan/rendered-argo-cd";

const questionSchema = z.strictObject({ stack: z.string() });

if (require.main === module) {
  runChild((input) => {
    const { stack } = questionSchema.parse(JSON.parse(input));
    const estate = loadEstate();
    const { name } = stackOf(estate, stack);
    const plans = planEstate(estate);
    const plan = plans.get(name);
    if (plan === undefined) throw new Error(`${name} has no plan`);
    const files = new Map([...renderApps(plan, plans), ...renderArgoCd(plan)]);
    return Promise.resolve({ version: 1, stack: name, files: Object.fromEntries(files) });
  });
}
