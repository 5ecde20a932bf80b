/** Requests that ask instead of store: token reviews, access reviews, tokens for accounts. */
import type { Tokens, User } from "./auth";
import { authorize, rulesFor } from "./auth";
import { at, type KubeObject, mapAt, numberAt, textAt } from "./objects";
import type { ResourcePath } from "./request";
import type { ObjectStore } from "./store";

type Review = (body: KubeObject, user: User) => Record<string, unknown>;

const DEFAULT_AUDIENCE = "https://kubernetes.default.svc.cluster.local";

/** Whether the subject may do what the review asks about. */
function accessReview(body: KubeObject, subject: User, store: ObjectStore): Record<string, unknown> {
  const wanted = mapAt(body, "spec", "resourceAttributes");
  const text = (key: string): string | undefined => (typeof wanted[key] === "string" && wanted[key] !== "" ? wanted[key] : undefined);
  const allowed = authorize(
    subject,
    {
      verb: text("verb") ?? "",
      group: text("group") ?? "",
      resource: text("resource") ?? "",
      subresource: text("subresource"),
      namespace: text("namespace"),
      name: text("name"),
    },
    store,
  );
  return { ...body, metadata: {}, status: { allowed, ...(allowed ? {} : { reason: "" }) } };
}

/** The handler of a POST to this path, or undefined if the object is simply stored. */
export function reviews({ type, namespace, name, subresource }: ResourcePath, { store, tokens }: { store: ObjectStore; tokens: Tokens }): Review | undefined {
  if (type.kind === "ServiceAccount" && subresource === "token" && name !== undefined) {
    return (body) => {
      const account = store.get(type, namespace, name);
      const audiences = at(body, "spec", "audiences");
      const wanted = Array.isArray(audiences) && audiences.length > 0 ? audiences.map(String) : [DEFAULT_AUDIENCE];
      const seconds = numberAt(body, "spec", "expirationSeconds") ?? 3600;
      const { token, expires } = tokens.issue(account, wanted, seconds);
      return {
        kind: "TokenRequest",
        apiVersion: "authentication.k8s.io/v1",
        metadata: { name, namespace, creationTimestamp: store.now() },
        spec: { audiences: wanted, expirationSeconds: seconds, boundObjectRef: null },
        status: { token, expirationTimestamp: expires },
      };
    };
  }
  if (type.kind === "TokenReview") {
    return (body) => {
      const token = textAt(body, "spec", "token") ?? "";
      const user = tokens.user(token, store);
      const audiences = at(body, "spec", "audiences");
      const wanted = Array.isArray(audiences) && audiences.length > 0 ? audiences.map(String) : [DEFAULT_AUDIENCE];
      const shared = wanted.filter((audience) => tokens.read(token)?.aud.includes(audience) === true);
      const status =
        user !== undefined && shared.length > 0
          ? { authenticated: true, user: { username: user.name, uid: user.uid, groups: user.groups }, audiences: shared }
          : { user: {}, error: "[invalid bearer token, token lookup failed]" };
      return { ...body, metadata: {}, status };
    };
  }
  if (type.kind === "SelfSubjectRulesReview")
    return (body, user) => {
      const fields = ["verbs", "apiGroups", "resources", "resourceNames"];
      const rules = rulesFor(user, textAt(body, "spec", "namespace"), store).filter((rule) => rule["resources"] !== undefined);
      const resourceRules = rules.map((rule) => Object.fromEntries(Object.entries(rule).filter(([key]) => fields.includes(key))));
      return { ...body, metadata: {}, status: { resourceRules, nonResourceRules: [], incomplete: false } };
    };
  if (type.kind === "SelfSubjectReview")
    return (body, user) => ({ ...body, metadata: { creationTimestamp: store.now() }, status: { userInfo: { username: user.name, groups: user.groups } } });
  if (type.kind === "SelfSubjectAccessReview") return (body, user) => accessReview(body, user, store);
  if (type.kind === "SubjectAccessReview") {
    return (body) => {
      const groups = at(body, "spec", "groups");
      return accessReview(body, { name: textAt(body, "spec", "user") ?? "", groups: Array.isArray(groups) ? groups.map(String) : [] }, store);
    };
  }
  return undefined;
}
