/** Stacks and namespaces with what they are granted, and the entries of all of them. */
import { storePath } from "../../../common/vault-layout";
import type { StackGrant } from "../../../components/platform/vault/vault-names";
import { argoCdAccessEntry, kubeconfigEntry } from "../../../components/platform/vault/vault-names";

const namespace = (name: string, ...paths: string[]) => ({ namespace: name, role: name, reader: "vault-reader", paths });
/** Grants whose names could be confused: `a` and `a-b`, `b-c` and `c`. */
export const GRANTS: readonly StackGrant[] = [
  { stack: "tools", writesCommon: true, namespaces: [namespace("external-dns", "store/dns")] },
  { stack: "dev", writesCommon: false, namespaces: [namespace("external-dns", "environments/dev/store/dns"), namespace("shop", "store/shop")] },
  { stack: "dev-two", writesCommon: false, namespaces: [namespace("external-dns", "store/dns"), namespace("shop", "store/shop-two")] },
  { stack: "prod", writesCommon: false, namespaces: [namespace("external-dns", "store/dns"), namespace("two-shop", "environments/prod/store/shop")] },
];
export const COMMON = ["store/dns", "store/shop", "store/shop-two", "store/nobody", "certificate", storePath("DNS")];
export const own = (stack: string): string[] => [
  kubeconfigEntry(stack),
  argoCdAccessEntry(stack),
  `environments/${stack}/store/dns`,
  `environments/${stack}/store/shop`,
  `environments/${stack}/certificate`,
  `environments/${stack}/${storePath("DNS")}`,
];
export const ENTRIES = [...COMMON, ...GRANTS.flatMap(({ stack }) => own(stack))];
/** The value of an entry. It occurs in no other text. */
export const markOf = (entry: string): string => `value-of-${entry.replaceAll("/", "=")}!`;
