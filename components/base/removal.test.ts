import type { Answer, ClusterApi } from "./cluster-api";
import { prepareRemoval } from "./removal";

const TASK = {
  of: "longhorn",
  none: { apiVersion: "longhorn.io/v1beta2", kind: "Volume", namespace: "longhorn-system" },
  set: [{ apiVersion: "longhorn.io/v1beta2", kind: "Setting", metadata: { name: "deleting-confirmation-flag", namespace: "longhorn-system" }, value: "true" }],
};

/** A cluster with these volumes. @param known its kinds */
function cluster(volumes: readonly string[], known: readonly string[] = ["Volume", "Setting"], refusal?: Answer): ClusterApi & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    request: async (method, path, body) => {
      asked.push(`${method} ${path}${body === undefined ? "" : ` ${JSON.stringify((body as { value: string }).value)}`}`);
      if (method === "PATCH" && refusal !== undefined) return refusal;
      return { status: 200, message: "", body: { items: volumes.map((name) => ({ metadata: { name } })) } };
    },
    pathOf: async ({ kind, metadata }) =>
      known.includes(kind) ? `/apis/longhorn.io/v1beta2/namespaces/${metadata.namespace}/${kind.toLowerCase()}s` : undefined,
    close: () => Promise.resolve(),
  };
}

test("where nothing would be lost, what allows the removal is applied", async () => {
  const api = cluster([]);
  await prepareRemoval(api, TASK);
  expect(api.asked).toEqual([
    "GET /apis/longhorn.io/v1beta2/namespaces/longhorn-system/volumes",
    'PATCH /apis/longhorn.io/v1beta2/namespaces/longhorn-system/settings/deleting-confirmation-flag?fieldManager=homelab-removal&force=true "true"',
  ]);
});

test("a volume stops it, by its name, and nothing is changed", async () => {
  const api = cluster(["a", "b", "c", "d", "e", "f"]);
  await expect(prepareRemoval(api, TASK)).rejects.toMatchObject({
    code: "E_REMOVAL",
    message: "longhorn: it still has 6 of the kind Volume: a, b, c, d, e and 1 more; their data would be lost",
  });
  expect(api.asked).toHaveLength(1);
});

test("what is gone already needs nothing; what the cluster refuses is said", async () => {
  const gone = cluster([], []);
  await prepareRemoval(gone, TASK);
  expect(gone.asked).toEqual([]);
  await expect(prepareRemoval(cluster([], undefined, { status: 403, message: "no", body: undefined }), TASK)).rejects.toMatchObject({
    message: "longhorn: the cluster refuses Setting deleting-confirmation-flag: no",
  });
});
