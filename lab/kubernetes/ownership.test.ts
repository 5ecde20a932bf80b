import type { KubeObject } from "./objects";
import { applied } from "./ownership";
import type { ResourceType } from "./resource-types";

const ACCOUNT = { group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts", namespaced: true } as unknown as ResourceType;
const account = (fields: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "reviewer", namespace: "access" },
  ...fields,
});
const by = (manager: string) => ({ manager, now: "2026-11-30T10:00:00Z", force: false });

test("an object that says nothing beside its name conflicts with nobody, and one that says something else does", () => {
  const live = applied(ACCOUNT, account({ automountServiceAccountToken: false }), undefined, by("first"));
  expect(applied(ACCOUNT, account(), live, by("second"))).toMatchObject({ automountServiceAccountToken: false });
  expect(applied(ACCOUNT, account(), applied(ACCOUNT, account(), undefined, by("first")), by("second"))).toMatchObject(account());
  expect(() => applied(ACCOUNT, account({ automountServiceAccountToken: true }), live, by("second"))).toThrow(
    'Apply failed with 1 conflict: conflict with "first": .automountServiceAccountToken',
  );
});
