/** What a stack is made from, in parts with names for people; and the values of other stacks that it uses. Plain data from its plan. */
import type { FromStack } from "../define/app";
import type { StackPlan } from "./plan";

/** A value of another stack that a stack is built with. */
export interface Consumed {
  from: string;
  output: string;
  /** The one entry of the output, where the stack takes no others. */
  key?: string;
}

const ofReference = (reference: FromStack): Consumed =>
  "image" in reference ? { from: reference.from, output: "images", key: reference.image } : { from: reference.from, output: reference.output };

/** Without repetitions. `stacks/outputs/upstream.ts` reads these values and no others; a test compares the two. */
export function consumedOf({ stack, templatesOf, vaultOf, apps }: StackPlan): Consumed[] {
  const templates: Consumed[] = templatesOf === stack.name ? [] : [{ from: templatesOf, output: "templateIds" }];
  const vault: Consumed[] =
    vaultOf === stack.name
      ? []
      : [
          { from: vaultOf, output: "vaultAddress" },
          { from: vaultOf, output: "vaultId" },
          { from: vaultOf, output: "vaultTokens", key: stack.name },
        ];
  const ofApps = apps.flatMap(({ references }) => [...references.values()].map(ofReference));
  return [...new Map([...templates, ...vault, ...ofApps].map((one): [string, Consumed] => [`${one.from}.${one.output}.${one.key ?? ""}`, one])).values()];
}

/** The plan in its parts: `vm <name>`, `roles of <name>`, `module vault`, `app jaeger`, `settings`, … */
export function planParts(plan: StackPlan): Record<string, unknown> {
  const { stack, config, site, vms, roles, platform, apps, secrets: _secrets, ...rest } = plan;
  const { modules, ...cluster } = platform;
  return {
    // The stack's needs and description are left out: they change nothing that is built.
    settings: config,
    "site/site.ts": site,
    ...Object.fromEntries(vms.map((vm) => [`vm ${vm.name}`, vm])),
    ...Object.fromEntries([...roles].map(([host, planned]) => [`roles of ${host}`, planned])),
    ...Object.fromEntries(modules.map((module) => [`module ${module.name}`, module])),
    ...Object.fromEntries(apps.map((app) => [`app ${app.name}`, app])),
    "the stack's row in site/stacks.ts": { name: stack.name, duties: stack.duties, preparesNodes: stack.preparesNodes },
    "the cluster and its network": cluster,
    "the plan of nodes, names and grants": rest,
  };
}
