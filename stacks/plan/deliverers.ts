/** Which Argo CD delivers the applications of a stack: its own, or that of the stack that its module `argo-cd-access` names. Plain data. */
import { type OwnedName, sameName } from "../../common/same-names";
import { rootName } from "../../components/platform/argo-cd/root-name";
import type { DeliveredCluster } from "../../components/platform/place";
import type { Estate } from "../load/estate";
import type { LoadedStack } from "../load/stacks";
import { clusterVmOf, KUBERNETES_PORT } from "./hosts/planned-role";

const deliversApplications = ({ platform }: LoadedStack): boolean => platform["argo-cd"]?.applications !== undefined;

/** Applications of a stack that Argo CD delivers; each is in the namespace of its name. */
const deliveredApps = ({ apps }: Pick<LoadedStack, "apps">): string[] =>
  Object.entries(apps).flatMap(([name, { delivery }]) => (delivery === "argo-cd" ? [name] : []));

/** The stack whose Argo CD delivers; undefined: none does, or the options contradict each other ({@link deliveryProblem}). */
export function delivererOf({ stacks }: Pick<Estate, "stacks">, stack: LoadedStack): LoadedStack | undefined {
  const { from } = stack.platform["argo-cd-access"] ?? {};
  const deliverer = from === undefined ? stack : stacks.find(({ name }) => name === from);
  return deliverer !== undefined && deliversApplications(deliverer) ? deliverer : undefined;
}

/** What is wrong with the options about delivery, and what to do; undefined: nothing. */
export function deliveryProblem({ stacks }: Pick<Estate, "stacks">, stack: LoadedStack): readonly [what: string, hint: string] | undefined {
  const { from } = stack.platform["argo-cd-access"] ?? {};
  if (from === undefined) return undefined;
  const names = stacks.filter((other) => other.name !== stack.name && deliversApplications(other)).map(({ name }) => name);
  if (deliversApplications(stack))
    return [`argo-cd-access lets the Argo CD of ${from} deliver, and ${stack.name} has one of its own with applications`, "leave one of the two out"];
  if (names.includes(from)) return undefined;
  return [
    `argo-cd-access: from names ${from}, where no Argo CD delivers applications`,
    names.length === 0 ? `add applications to the module argo-cd of ${from}` : `those that do: ${names.join(", ")}`,
  ];
}

/** What one Argo CD has for a stack, by the names in components/platform/argo-cd. */
const argoCdNames = (stack: LoadedStack, home: string): OwnedName[] =>
  deliveredApps(stack).length === 0 && stack.name !== home
    ? []
    : [
        { name: `AppProject ${stack.name}`, owner: `the stack ${stack.name}` },
        ...["AppProject", "Application"].map((kind) => ({ name: `${kind} ${rootName(stack.name, home)}`, owner: `the root of ${stack.name}` })),
        ...deliveredApps(stack).map((app) => ({ name: `Application ${app}-${stack.name}`, owner: `${app} of ${stack.name}` })),
      ];

/** Two objects of one name in the Argo CD that delivers to the stack, and what to do; undefined: there are none. */
export function argoCdNameProblem({ stacks }: Pick<Estate, "stacks">, stack: LoadedStack): readonly [what: string, hint: string] | undefined {
  const home = delivererOf({ stacks }, stack);
  if (home === undefined) return undefined;
  const delivered = stacks.filter((other) => delivererOf({ stacks }, other) === home);
  const same = sameName(delivered.flatMap((other) => argoCdNames(other, home.name)));
  return same === undefined
    ? undefined
    : [`${same.owners[1]} and ${same.owners[0]} both have the ${same.name} in the Argo CD of ${home.name}`, "rename one of them"];
}

/** The clusters of other stacks to which the Argo CD of this one delivers at least one application. */
export const deliversTo = ({ stacks, vms }: Pick<Estate, "stacks" | "vms">, stack: LoadedStack): DeliveredCluster[] =>
  stacks.flatMap((other) => {
    const namespaces = deliveredApps(other);
    const address = vms.get(clusterVmOf(other))?.cloudInit.ipv4.address;
    if (other.name === stack.name || namespaces.length === 0 || address === undefined || delivererOf({ stacks }, other)?.name !== stack.name) return [];
    return [{ stack: other.name, server: `https://${address}:${KUBERNETES_PORT}`, namespaces }];
  });
