/**
 * What each stack and each of its namespaces may do in Vault: read by the one stack that makes policies and roles. The other stacks
 * register the same namespaces by the same functions (components/platform). Loads no Pulumi SDK.
 */
import { externalDnsGrant, sharedGrant } from "../../components/platform/namespace-grants";
import type { StackGrant } from "../../components/platform/vault-names";
import { entryKeys, ownPaths } from "../../secrets/load";
import { environmentPath } from "../../secrets/vault-paths";
import type { Estate } from "../load/estate";
import { STORE } from "./secret-paths";

/** Where Vault keeps an entry for a stack. @param own paths for which the stack has values of its own */
export const vaultPathFor =
  (stack: string, own: ReadonlySet<string>) =>
  (path: string): string =>
    own.has(path) ? environmentPath(stack, path) : path;

/** Of all stacks. */
export function vaultGrants({ stacks, settings }: Pick<Estate, "stacks" | "settings">): StackGrant[] {
  return stacks.map(({ name, platform }) => {
    const vaultPath = vaultPathFor(name, new Set(ownPaths(name)));
    const shared = settings.get(name)?.sharedSecrets === true ? [sharedGrant([...entryKeys(STORE).keys()].map(vaultPath))] : [];
    const dns = platform["external-dns"] === undefined ? [] : [externalDnsGrant(vaultPath)];
    return { stack: name, writesCommon: platform["vault-entries"] !== undefined, namespaces: [...dns, ...shared] };
  });
}
