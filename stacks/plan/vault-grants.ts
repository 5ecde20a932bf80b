/**
 * What each stack and each of its namespaces may do in Vault, from the plans of their platforms. The stack that makes policies and roles
 * uses it. Loads no Pulumi SDK.
 */
import { HomelabError } from "../../common/errors";
import { sameName } from "../../common/same-names";
import { namespaceGrant } from "../../components/platform/namespace-grants";
import type { StackGrant } from "../../components/platform/vault/vault-names";
import { hasModule } from "./platform";
import type { PlatformPlan } from "./platform-types";

/**
 * Vault itself keeps the two apart, but their resources have one name: that of the policy of the stack `a-b`, and that of the namespace `b`
 * in `a`.
 */
function checkNames(grants: readonly StackGrant[]): void {
  const same = sameName(
    grants.flatMap(({ stack, namespaces }) => [
      { name: stack, owner: `the stack ${stack}` },
      ...namespaces.map(({ role }) => ({ name: `${stack}-${role}`, owner: `the role ${role} of ${stack}` })),
    ]),
  );
  if (same === undefined) return;
  throw new HomelabError("E_PLATFORM", `${same.owners.join(" and ")} would have one policy of Vault as a resource, ${same.name}`, {
    subject: same.name,
    hint: "rename one of them in site/stacks.ts",
  });
}

/** @param plans of all stacks @throws HomelabError E_PLATFORM for two policies of one name */
export function vaultGrants(plans: readonly PlatformPlan[]): StackGrant[] {
  const grants = plans.map((plan) => ({
    stack: plan.environment,
    writesCommon: hasModule(plan, "vault-entries"),
    namespaces: plan.modules
      .flatMap(({ parts }) => [...parts.namespaceSecrets.map(({ namespace, wanted }) => namespaceGrant(namespace, wanted, plan.place)), ...parts.grants])
      .concat([...plan.applicationSecrets].map(([namespace, wanted]) => namespaceGrant(namespace, wanted, plan.place))),
  }));
  checkNames(grants);
  return grants;
}
