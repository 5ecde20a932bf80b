/**
 * `node bin/stacks/platform-values.js`: what Helm would get for a module of a stack. Takes `{"stack":"dev","module":"cert-manager"}` on
 * standard input and prints JSON. A text in angle brackets stands for what is known only while the stack is built, such as secrets. The
 * orchestrator's child (`homelab values`). Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import { runChild } from "./child";
import { type Estate, loadEstate } from "./load/estate";
import { planOf } from "./plan/plan";
import { moduleOf } from "./plan/platform";

const questionSchema = z.strictObject({ stack: z.string(), module: z.string() });

export interface ReleaseValues {
  /** Name of the release. */
  release: string;
  repository: string;
  chart: string;
  version: string;
  values: Readonly<Record<string, unknown>>;
}

/** @throws HomelabError E_STACK_UNKNOWN, E_MODULE_UNKNOWN, and the errors of a plan */
export function valuesOf(estate: Estate, stack: string, module: string): ReleaseValues[] {
  const { charts, parts } = moduleOf(planOf(estate, stack).plan.platform, module);
  return Object.entries(charts).map(([release, { repository, name, version }]) => ({
    release,
    repository,
    chart: name,
    version,
    values: parts.values[release] ?? {},
  }));
}

if (require.main === module) {
  runChild((input) => {
    const { stack, module: name } = questionSchema.parse(JSON.parse(input));
    return Promise.resolve({ version: 1, stack, module: name, releases: valuesOf(loadEstate(), stack, name) });
  });
}
