/** Who owns which field: conflicts, force, adoption, import, fields that are left to others. */
import type { Values } from "../../../../providers/sdk/values";
import { APPLY, MERGE } from "../under-test";
import type { Case, Side } from "./bench";
import { UNAWAITED } from "./type-cases";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const labels = { app: "web" };

const configMap = (side: Side, name: string, data: Values, annotations: Values = {}): Values => ({
  metadata: { name, namespace: side.mark, labels: { set: "us" }, annotations: { ...UNAWAITED, ...annotations } },
  data,
});
const deployment = (side: Side, name: string, image: string, replicas = 1): Values => ({
  metadata: { name, namespace: side.mark, annotations: UNAWAITED },
  spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: "web", image }] } } },
});
const maps = (side: Side): string => `/api/v1/namespaces/${side.mark}/configmaps`;

/** Records the object as the API has it now, with who owns which field. */
async function live(side: Side, path: string): Promise<void> {
  const { metadata, ...object } = await side.api.call("GET", path);
  const { managedFields, labels: own, annotations } = metadata as { managedFields: { manager: string }[] } & Values;
  const managers = managedFields.toSorted((a, b) => (a.manager < b.manager ? -1 : 1));
  side.record.note("what is there", { ...object, metadata: { labels: own, annotations, managedFields: managers } });
}

/** Changes only a label: that is done in place, while changed data of a config map would replace it. */
const relabelled = (inputs: Values, value: string): Values => ({ ...inputs, metadata: { ...(inputs["metadata"] as Values), labels: { set: value } } });

const foreign = (title: string, manager: string, type: string): Case => ({
  title,
  async run(side) {
    const { plugin, record, api } = side;
    const made = await plugin.make(CONFIG_MAP, configMap(side, `of-${manager}`, { a: "1" }));
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `of-${manager}`, labels: { set: "them" } } };
    await api.call("PATCH", `${maps(side)}/of-${manager}${type === APPLY ? "?force=true" : ""}`, body, { manager, type });
    await record.step("diff", plugin.diff(CONFIG_MAP, made, relabelled(made.inputs, "again")));
    await record.step("preview of update", plugin.update(CONFIG_MAP, made, relabelled(made.inputs, "again"), { preview: true }));
    await record.step("update", plugin.update(CONFIG_MAP, made, relabelled(made.inputs, "again")));
    await live(side, `${maps(side)}/of-${manager}`);
  },
});

export const OWNER_CASES: Case[] = [
  foreign("a field that kubectl edit wrote", "kubectl-edit", MERGE),
  foreign("a field that kubectl patch wrote", "kubectl-patch", MERGE),
  foreign("a field that a controller wrote", "a-controller", MERGE),
  foreign("a field that another applier took", "another", APPLY),
  foreign("a field that kubectl apply --server-side took", "kubectl", APPLY),
  {
    title: "patchForce",
    async run(side) {
      const { plugin, record, api } = side;
      const made = await plugin.make(CONFIG_MAP, configMap(side, "forced", { a: "1" }, { "pulumi.com/patchForce": "true" }));
      await api.call(
        "PATCH",
        `${maps(side)}/forced?force=true`,
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "forced", labels: { set: "them" } } },
        { manager: "another", type: APPLY },
      );
      await record.step("update", plugin.update(CONFIG_MAP, made, relabelled(made.inputs, "again")));
      await live(side, `${maps(side)}/forced`);
    },
  },
  {
    title: "enablePatchForce",
    async run(side) {
      const plugin = await side.start({ enablePatchForce: true });
      try {
        const made = await plugin.make(CONFIG_MAP, configMap(side, "forced-by-setting", { a: "1" }));
        await side.api.call(
          "PATCH",
          `${maps(side)}/forced-by-setting?force=true`,
          { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "forced-by-setting", labels: { set: "them" } } },
          { manager: "another", type: APPLY },
        );
        await side.record.step("update", plugin.update(CONFIG_MAP, made, relabelled(made.inputs, "again")));
        await live(side, `${maps(side)}/forced-by-setting`);
      } finally {
        await plugin.close();
      }
    },
  },
  ...["kubectl-create", "kubectl-client-side-apply", "somebody"].map(
    (manager): Case => ({
      title: `adoption of what ${manager} made`,
      async run(side) {
        const { plugin, record, api } = side;
        const name = `adopted-from-${manager}`;
        await api.call(
          "POST",
          maps(side),
          { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels: { set: "them" } }, data: { a: "1", b: "1" } },
          { manager },
        );
        const { inputs } = await plugin.check(CONFIG_MAP, configMap(side, name, { a: "1" }));
        await record.step("preview of create", plugin.create(CONFIG_MAP, inputs, { preview: true }));
        const made = await record.step("create", plugin.create(CONFIG_MAP, inputs));
        await live(side, `${maps(side)}/${name}`);
        if (made === undefined) return;
        await record.step("update", plugin.update(CONFIG_MAP, made, relabelled(inputs, "again")));
        await live(side, `${maps(side)}/${name}`);
      },
    }),
  ),
  {
    title: "import",
    async run(side) {
      const { plugin, record, api } = side;
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "imported", labels: { set: "them" } }, data: { a: "1" } };
      await api.call("POST", maps(side), body, { manager: "kubectl-create" });
      const found = await record.step("read", plugin.read(CONFIG_MAP, { id: `${side.mark}/imported`, inputs: {}, outputs: {} }));
      if (found === undefined) return;
      const { inputs } = await plugin.check(
        CONFIG_MAP,
        { metadata: { name: "imported", namespace: side.mark, labels: { set: "us" } }, data: { a: "1" } },
        found.inputs,
      );
      await record.step("diff", plugin.diff(CONFIG_MAP, found, inputs));
      await record.step("update", plugin.update(CONFIG_MAP, found, inputs));
      await live(side, `${maps(side)}/imported`);
      await record.step("read of nothing", plugin.read(CONFIG_MAP, { id: `${side.mark}/nothing`, inputs: {}, outputs: {} }));
    },
  },
  {
    title: "another field manager",
    async run(side) {
      const { plugin, record } = side;
      const made = await plugin.make(CONFIG_MAP, configMap(side, "managed", { a: "1" }, { "pulumi.com/patchFieldManager": "first" }));
      const { inputs } = await plugin.check(CONFIG_MAP, configMap(side, "managed", { a: "1" }, { "pulumi.com/patchFieldManager": "second" }), made.inputs);
      await record.step("update", plugin.update(CONFIG_MAP, made, inputs));
      await live(side, `${maps(side)}/managed`);
    },
  },
  {
    title: "replicas that an autoscaler owns",
    async run(side) {
      const { plugin, record, api } = side;
      const path = `/apis/apps/v1/namespaces/${side.mark}/deployments/scaled`;
      const made = await plugin.make(DEPLOYMENT, deployment(side, "scaled", "nginx:1.26"));
      await api.call("PATCH", `${path}/scale`, { spec: { replicas: 3 } }, { manager: "kubectl", type: MERGE });
      const found = (await plugin.read(DEPLOYMENT, made)) ?? made;
      const { inputs } = await plugin.check(DEPLOYMENT, deployment(side, "scaled", "nginx:1.27"), made.inputs);
      await record.step("diff", plugin.diff(DEPLOYMENT, found, inputs, ["spec.replicas"]));
      await record.step("update", plugin.update(DEPLOYMENT, found, inputs, { ignoreChanges: ["spec.replicas"] }));
      await live(side, path);
    },
  },
];
