import type { PlatformPlan } from "./platform-types";
import { vaultGrants } from "./vault-grants";

const plan = (environment: string, ...namespaces: string[]): PlatformPlan =>
  ({ environment, modules: [], applicationSecrets: new Map(namespaces.map((name) => [name, []])), place: { ownEntries: new Map() } }) as never;

test("a policy of a stack and one of a namespace that would be one resource are refused, by both", () => {
  expect(() => vaultGrants([plan("dev", "shop"), plan("dev-shop")])).toThrow(
    "the role shop of dev and the stack dev-shop would have one policy of Vault as a resource, dev-shop",
  );
  expect(() => vaultGrants([plan("dev", "a-b"), plan("dev-a", "b")])).toThrow(
    "the role a-b of dev and the role b of dev-a would have one policy of Vault as a resource, dev-a-b",
  );
  expect(vaultGrants([plan("dev", "shop"), plan("stg", "shop")]).map(({ stack }) => stack)).toEqual(["dev", "stg"]);
});
