/**
 * The account by which the Argo CD of another stack delivers applications to this cluster, and what it may do there: write the kinds of
 * an application in the namespaces of those that it delivers, and see their pods. It reads no Secret, and nothing of another namespace.
 * Loads no Pulumi SDK.
 */
import { APPLICATION_KINDS } from "../../apps/app-kinds";

export const ACCESS_NAMESPACE = "argo-cd-access";
export const ACCOUNT = "argo-cd";

const WRITE = ["get", "list", "watch", "create", "update", "patch", "delete"];
/** What Argo CD only reads, to show the pods below what it delivers. */
const SEEN = [
  { apiGroups: [""], resources: ["pods"] },
  { apiGroups: ["apps"], resources: ["replicasets"] },
];

/** Rules of its Role in a namespace that it delivers to. */
export function deliveryRules() {
  const groups = [...new Set(APPLICATION_KINDS.map(({ group }) => group))];
  return [
    ...groups.map((group) => ({
      apiGroups: [group],
      resources: APPLICATION_KINDS.filter((kind) => kind.group === group).map(({ resource }) => resource),
      verbs: [...WRITE],
    })),
    ...SEEN.map((rule) => ({ ...rule, verbs: ["get", "list", "watch"] })),
  ];
}

/** Its Role in a namespace, and the binding to its account. */
export function deliveryRights<N>(namespace: N) {
  const metadata = { name: ACCOUNT, namespace };
  return {
    role: { metadata, rules: deliveryRules() },
    binding: {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: ACCOUNT },
      subjects: [{ kind: "ServiceAccount", name: ACCOUNT, namespace: ACCESS_NAMESPACE }],
    },
  };
}
