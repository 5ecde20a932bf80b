/**
 * What each stack and each of its namespaces may do in Vault, from the plans of their platforms. The stack that makes policies and roles
 * uses it. Loads no Pulumi SDK.
 */
import { namespaceGrant } from "../../components/platform/namespace-grants";
import type { StackGrant } from "../../components/platform/vault/vault-names";
import { hasModule } from "./platform";
import type { PlatformPlan } from "./platform-types";

/** @param plans of all stacks */
export const vaultGrants = (plans: readonly PlatformPlan[]): StackGrant[] =>
  plans.map((plan) => ({
    stack: plan.environment,
    writesCommon: hasModule(plan, "vault-entries"),
    namespaces: plan.modules
      .flatMap(({ parts }) => [...parts.namespaceSecrets.map(({ namespace, wanted }) => namespaceGrant(namespace, wanted, plan.place)), ...parts.grants])
      .concat([...plan.applicationSecrets].map(([namespace, wanted]) => namespaceGrant(namespace, wanted, plan.place))),
  }));
