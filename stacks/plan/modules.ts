/** What the modules of a stack's row of the matrix need and serve, before they are put in order. */
import { MODULES } from "../../components/platform/catalogue";
import type { Module, ModuleParts, Place } from "../../components/platform/module";
import { ownPaths } from "../../secrets/load";
import type { Estate } from "../load/estate";
import type { StackConfig } from "../load/settings";
import type { LoadedStack } from "../load/stacks";
import { vaultPathFor } from "./vault-grants";

/** Class of the volumes that k3s brings. */
export const LOCAL_PATH = "local-path";

/** Where the stack's modules run. */
export const placeOf = ({ site }: Pick<Estate, "site">, { name }: LoadedStack, config: StackConfig): Place => ({
  environment: name,
  domain: site.domain,
  contact: config.acmeEmail,
  ingressClass: config.ingressClass,
  storageClass: LOCAL_PATH,
  piholeUrl: site.piholeUrl,
  vaultAddress: site.vaultAddress,
  // Neither host names nor what the program itself puts somewhere depend on them.
  entries: new Map(),
  vaultPath: vaultPathFor(name, new Set(ownPaths(name))),
  hostNames: [],
});

/** The parts of each module of the row, by its name. */
export function moduleParts(place: Place, { platform }: LoadedStack): Map<string, ModuleParts> {
  const row: Readonly<Record<string, unknown>> = platform;
  return new Map(
    (MODULES as readonly Module[]).flatMap((module): [string, ModuleParts][] => {
      const options = row[module.name];
      return options === undefined ? [] : [[module.name, module.parts(module.options.parse(options), place)]];
    }),
  );
}
