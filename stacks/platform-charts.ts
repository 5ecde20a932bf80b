/**
 * `node bin/stacks/platform-charts.js`: every chart and image that the stacks take from elsewhere, with values and the path of upgrades.
 * Takes `{"stack":"dev"}` or `{}` on standard input and prints JSON. The orchestrator's child (`homelab charts`, `homelab upgrades`). Loads
 * no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import { MODULES } from "../components/platform/catalogue";
import { DEFAULT_CREDENTIALS, findDefaultCredentials } from "../components/platform/default-credentials";
import type { Module, UpgradePath } from "../components/platform/module";
import { runChild } from "./child";
import { type Estate, loadEstate } from "./load/estate";
import { planEstate, stackOf } from "./plan/plan";

const questionSchema = z.strictObject({ stack: z.string().optional() });

export interface UsedChart {
  stack: string;
  module: string;
  release: string;
  namespace: string;
  repository: string;
  chart: string;
  version: string;
  /** Version of the cluster's Kubernetes. */
  kubeVersion: string;
  values: Readonly<Record<string, unknown>>;
  /** Paths of values that are known default credentials, with their owner. */
  credentials: readonly { path: string; of: string }[];
  upgrades: UpgradePath | undefined;
}
export interface UsedImage {
  stack: string;
  module: string;
  image: string;
  upgrades: UpgradePath | undefined;
}

/** @throws HomelabError E_STACK_UNKNOWN, and the errors of a plan */
export function takenFromElsewhere(estate: Estate, stack?: string): { charts: UsedChart[]; images: UsedImage[] } {
  const modules = new Map((MODULES as readonly Module[]).map((module) => [module.name, module]));
  const wanted = stack === undefined ? undefined : stackOf(estate, stack).name;
  const plans = [...planEstate(estate)].filter(([name]) => wanted === undefined || name === wanted);
  const all = plans.flatMap(([name, { platform }]) => platform.modules.map((module) => ({ stack: name, platform, module })));
  return {
    charts: all.flatMap(({ stack: of, platform, module: { name, charts, parts } }) =>
      Object.entries(charts).map(([release, { repository, name: chart, version }]) => ({
        ...{ stack: of, module: name, release, namespace: parts.namespaces[0] ?? name, repository, chart, version },
        kubeVersion: platform.cluster.version,
        values: parts.values[release] ?? {},
        credentials: findDefaultCredentials(parts.values[release] ?? {}),
        upgrades: modules.get(name)?.upgrades,
      })),
    ),
    images: all.flatMap(({ stack: of, module: { name, images } }) =>
      images.map(({ image }) => ({ stack: of, module: name, image, upgrades: modules.get(name)?.upgrades })),
    ),
  };
}

if (require.main === module) {
  runChild((input) => {
    const { stack } = questionSchema.parse(JSON.parse(input));
    return Promise.resolve({ version: 1, ...takenFromElsewhere(loadEstate(), stack), knownCredentials: Object.fromEntries(DEFAULT_CREDENTIALS) });
  });
}
