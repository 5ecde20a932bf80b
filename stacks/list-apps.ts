/**
 * `node bin/stacks/list-apps.js`: the applications of all stacks as JSON on standard output. The orchestrator's child (`homelab apps`,
 * `homelab promote`). Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { printAnswer } from "./child";
import { type Estate, loadEstate } from "./load/estate";
import { takesImageOfSettings } from "./plan/apps";
import { planEstate } from "./plan/plan";
import { imageOf } from "./plan/rendered-apps";

/** @param estate default: the checkout's own */
export function listApps(estate: Estate = loadEstate()): object {
  const plans = planEstate(estate);
  return {
    version: 1,
    site: estate.site.domain,
    stacks: [...plans.values()].map(({ stack, apps }) => ({
      name: stack.name,
      needs: stack.needs,
      production: stack.production,
      ...(stack.verify === undefined ? {} : { verify: stack.verify }),
      apps: apps.map((app) => ({
        name: app.name,
        image: imageOf(app, plans),
        movable: takesImageOfSettings(stack.apps[app.name]),
        delivery: app.delivery,
        hosts: app.spec.ports.flatMap(({ host }) => host ?? []),
      })),
    })),
  };
}

if (require.main === module) printAnswer(() => listApps());
