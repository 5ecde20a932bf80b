/**
 * What each stack and each of its namespaces may do in Vault: read by the one stack that makes policies and roles. The other stacks
 * register the same namespaces by the same functions (components/platform). Loads no Pulumi SDK.
 */
import { externalDnsGrant, sharedGrant } from "../components/platform/namespace-grants";
import type { StackGrant } from "../components/platform/vault-names";
import { entryKeys, ownPaths } from "../secrets/load";
import { environmentPath } from "../secrets/vault-paths";
import type { StackConfig } from "./config";
import type { AnyStackDefinition } from "./graph";
import type { StackName } from "./outputs";

/** Below it lies what the old shared Secret holds. */
export const SHARED_ENTRIES = "cluster-secret-store/secrets";

/** Where Vault keeps an entry for a stack. @param own paths for which the stack has values of its own */
export const vaultPathFor =
  (stack: string, own: ReadonlySet<string>) =>
  (path: string): string =>
    own.has(path) ? environmentPath(stack, path) : path;

/** @param stacks all of them; @param configs settings of each */
export function vaultGrants(stacks: readonly Pick<AnyStackDefinition, "name" | "secrets">[], configs: ReadonlyMap<StackName, StackConfig>): StackGrant[] {
  return stacks.map(({ name, secrets }) => {
    const vaultPath = vaultPathFor(name, new Set(ownPaths(name)));
    const shared = configs.get(name)?.sharedSecrets === true ? [sharedGrant([...entryKeys(SHARED_ENTRIES).keys()].map(vaultPath))] : [];
    return { stack: name, writesCommon: secrets === "all", namespaces: [externalDnsGrant(vaultPath), ...shared] };
  });
}
