/**
 * `node bin/stacks/compose.js`: applications of a stack as a file of Docker Compose. Takes `{"stack":"dev","apps":["writer"]}` on standard
 * input and prints JSON. The orchestrator's child (`homelab dev`). Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import { runChild } from "./child";
import { loadEstate } from "./load/estate";
import { composeFile } from "./plan/compose";
import { planEstate, stackOf } from "./plan/plan";

const questionSchema = z.strictObject({ stack: z.string(), apps: z.array(z.string()) });

if (require.main === module) {
  runChild((input) => {
    const { stack, apps } = questionSchema.parse(JSON.parse(input));
    const estate = loadEstate();
    const plans = planEstate(estate);
    const plan = plans.get(stackOf(estate, stack).name);
    if (plan === undefined) throw new Error(`${stack} has no plan`);
    return Promise.resolve({ version: 1, compose: composeFile(plan, plans, apps) });
  });
}
