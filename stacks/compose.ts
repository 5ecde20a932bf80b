/**
 * `node bin/stacks/compose.js`: applications of a stack as a file of Docker Compose. Takes `{"stack":"dev","apps":["writer"]}` on standard
 * input, where `stack` can be left out, and prints JSON. The orchestrator's child (`homelab dev`). Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import { runChild } from "./child";
import { loadEstate } from "./load/estate";
import { composeFile, stackWith } from "./plan/compose";
import { planOf } from "./plan/plan";

const questionSchema = z.strictObject({ stack: z.string().optional(), apps: z.array(z.string()) });

if (require.main === module) {
  runChild((input) => {
    const { stack, apps } = questionSchema.parse(JSON.parse(input));
    const estate = loadEstate();
    const { plan, plans } = planOf(estate, stack ?? stackWith(estate.stacks, apps));
    return Promise.resolve({ version: 1, compose: composeFile(plan, plans, apps) });
  });
}
