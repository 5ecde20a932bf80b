/** Inputs that a program may give: no name, unknown and secret values, changes that replace, inputs that are refused. */
import { Secret, UNKNOWN, type Values } from "../../../../providers/sdk/values";
import type { Case, Side } from "./bench";
import { UNAWAITED } from "./type-cases";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const SECRET = "kubernetes:core/v1:Secret";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const SERVICE = "kubernetes:core/v1:Service";

const named = (side: Side, name: string, more: Values = {}): Values => ({ name, namespace: side.mark, annotations: UNAWAITED, ...more });
const labels = { app: "web" };
const deployment = (side: Side, name: string, more: Values = {}): Values => ({
  metadata: named(side, name),
  spec: {
    replicas: 1,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx:1.27" }] } },
    ...more,
  },
});

/** Creates a resource from one set of inputs, then compares it with other inputs. */
async function changes(side: Side, type: string, before: Values, afters: Record<string, Values>, ignoreChanges: readonly string[] = []): Promise<void> {
  const { plugin, record } = side;
  const checked = await record.step("check", plugin.check(type, before));
  const made = checked && (await record.step("create", plugin.create(type, checked.inputs)));
  if (made === undefined) return;
  for (const [name, after] of Object.entries(afters)) {
    const next = await record.step(`check: ${name}`, plugin.check(type, after, made.inputs));
    if (next !== undefined) await record.step(`diff: ${name}`, plugin.diff(type, made, next.inputs, ignoreChanges));
  }
}

export const PLAN_CASES: Case[] = [
  {
    title: "no name",
    async run(side) {
      const { plugin, record } = side;
      const first = await plugin.check(CONFIG_MAP, { metadata: { namespace: side.mark }, data: { a: "1" } });
      const metadata = first.inputs["metadata"] as Values;
      record.note("autonamed", { annotations: metadata["annotations"], name: String(metadata["name"]).replace(/-[0-9a-f]{8}$/, "-<8>") });
      const again = await plugin.check(CONFIG_MAP, { metadata: { namespace: side.mark }, data: { a: "2" } }, first.inputs);
      record.note("keeps its name", (again.inputs["metadata"] as Values)["name"] === metadata["name"]);
      const made = await plugin.create(CONFIG_MAP, first.inputs);
      const diff = await plugin.diff(CONFIG_MAP, made, again.inputs);
      record.note("data changes", diff);
      record.note(
        "a name is given",
        await plugin.diff(
          CONFIG_MAP,
          made,
          (await plugin.check(CONFIG_MAP, { metadata: { name: "given", namespace: side.mark }, data: { a: "1" } }, first.inputs)).inputs,
        ),
      );
    },
  },
  {
    title: "no metadata",
    run: async (side) =>
      void (await side.record.step(
        "check",
        side.plugin.check(CONFIG_MAP, { data: {} }).then(({ failures }) => ({ failures })),
      )),
  },
  { title: "generateName", run: async (side) => void (await side.record.step("check", side.plugin.check(CONFIG_MAP, { metadata: { generateName: "a-" } }))) },
  { title: "a list", run: async (side) => void (await side.record.step("check", side.plugin.check("kubernetes:core/v1:ConfigMapList", { items: [] }))) },
  {
    title: "unknown values",
    async run(side) {
      const { plugin, record } = side;
      const news = { metadata: named(side, "unknown"), data: { known: "1", later: UNKNOWN } };
      const checked = await record.step("check", plugin.check(CONFIG_MAP, news));
      await record.step("preview of create", plugin.create(CONFIG_MAP, checked?.inputs ?? {}, { preview: true }));
      await record.step("check of an unknown name", plugin.check(CONFIG_MAP, { metadata: { name: UNKNOWN, namespace: side.mark }, data: {} }));
      await record.step("check of unknown metadata", plugin.check(CONFIG_MAP, { metadata: UNKNOWN, data: {} }));
      const known = await plugin.check(CONFIG_MAP, { ...news, data: { known: "1", later: "2" } });
      const made = await plugin.create(CONFIG_MAP, known.inputs);
      await record.step("diff", plugin.diff(CONFIG_MAP, made, checked?.inputs ?? {}));
      await record.step("preview of update", plugin.update(CONFIG_MAP, made, checked?.inputs ?? {}, { preview: true }));
      const scaled = await plugin.check(DEPLOYMENT, deployment(side, "unknown", { replicas: UNKNOWN }));
      await record.step("preview of a deployment", plugin.create(DEPLOYMENT, scaled.inputs, { preview: true }));
    },
  },
  {
    title: "secret values",
    async run(side) {
      const { plugin, record } = side;
      const news = { metadata: named(side, "secret"), data: { open: "1", hidden: new Secret("2") } };
      const checked = await record.step("check", plugin.check(CONFIG_MAP, news));
      const made = checked && (await record.step("create", plugin.create(CONFIG_MAP, checked.inputs)));
      if (made === undefined || checked === undefined) return;
      await record.step("read", plugin.read(CONFIG_MAP, made));
      await record.step(
        "diff",
        plugin.diff(CONFIG_MAP, made, (await plugin.check(CONFIG_MAP, { ...news, data: { open: "1", hidden: new Secret("3") } }, checked.inputs)).inputs),
      );
      const env = { name: "KEY", value: new Secret("of the environment") };
      const containers = [{ name: "web", image: "nginx:1.27", env: [{ name: "OPEN", value: "1" }, env] }];
      const template = { metadata: { labels }, spec: { containers } };
      const web = await record.step("check of a secret in a list", plugin.check(DEPLOYMENT, deployment(side, "secret", { template })));
      await record.step("create of a secret in a list", plugin.create(DEPLOYMENT, web?.inputs ?? {}));
    },
  },
  {
    title: "a Secret",
    async run(side) {
      const { plugin, record } = side;
      const news = { metadata: named(side, "it"), stringData: { a: "1" } };
      const checked = await record.step("check", plugin.check(SECRET, news));
      const made = checked && (await record.step("create", plugin.create(SECRET, checked.inputs)));
      if (made === undefined || checked === undefined) return;
      await record.step("diff", plugin.diff(SECRET, made, checked.inputs));
      await record.step("read", plugin.read(SECRET, made));
      await record.step(
        "data for stringData",
        plugin.diff(SECRET, made, (await plugin.check(SECRET, { metadata: named(side, "it"), data: { a: "MQ==" } }, checked.inputs)).inputs),
      );
      await record.step("another type", plugin.diff(SECRET, made, (await plugin.check(SECRET, { ...news, type: "example.com/x" }, checked.inputs)).inputs));
    },
  },
  {
    title: "what replaces a config map",
    run: (side) =>
      changes(
        side,
        CONFIG_MAP,
        { metadata: named(side, "it"), data: { a: "1" } },
        {
          same: { metadata: named(side, "it"), data: { a: "1" } },
          data: { metadata: named(side, "it"), data: { a: "2" } },
          "more data": { metadata: named(side, "it"), data: { a: "1", b: "2" } },
          "no data": { metadata: named(side, "it") },
          "binary data": { metadata: named(side, "it"), data: { a: "1" }, binaryData: { b: "MQ==" } },
          labels: { metadata: named(side, "it", { labels }), data: { a: "1" } },
          immutable: { metadata: named(side, "it"), data: { a: "1" }, immutable: true },
          "another name": { metadata: named(side, "other"), data: { a: "1" } },
          "another namespace": { metadata: { ...named(side, "it"), namespace: "default" }, data: { a: "1" } },
          "no namespace": { metadata: { name: "it", annotations: UNAWAITED }, data: { a: "1" } },
        },
      ),
  },
  {
    title: "what replaces a deployment",
    run: (side) =>
      changes(side, DEPLOYMENT, deployment(side, "it"), {
        same: deployment(side, "it"),
        replicas: deployment(side, "it", { replicas: 2 }),
        selector: deployment(side, "it", {
          selector: { matchLabels: { app: "api" } },
          template: { metadata: { labels: { app: "api" } }, spec: { containers: [{ name: "web", image: "nginx:1.27" }] } },
        }),
        "another container": deployment(side, "it", { template: { metadata: { labels }, spec: { containers: [{ name: "api", image: "nginx:1.27" }] } } }),
        "two containers": deployment(side, "it", {
          template: {
            metadata: { labels },
            spec: {
              containers: [
                { name: "web", image: "nginx:1.27" },
                { name: "b", image: "b:1" },
              ],
            },
          },
        }),
        quantities: deployment(side, "it", {
          template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx:1.27", resources: { limits: { memory: "1024Mi" } } }] } },
        }),
        nulls: deployment(side, "it", { paused: null }),
        "no replicas": { ...deployment(side, "it"), spec: { ...(deployment(side, "it")["spec"] as Values), replicas: null } },
      }),
  },
  {
    title: "quantities in other words",
    run: (side) => {
      const sized = (cpu: Values[string], memory: string) =>
        deployment(side, "quantities", {
          template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "n:1", resources: { limits: { cpu, memory } } }] } },
        });
      return changes(side, DEPLOYMENT, sized("1000m", "1024Mi"), {
        same: sized("1000m", "1024Mi"),
        "in other words": sized(1, "1Gi"),
        more: sized("2", "1Gi"),
      });
    },
  },
  {
    title: "what replaces a service",
    run: (side) => {
      const service = (more: Values): Values => ({ metadata: named(side, "it"), spec: { selector: labels, ports: [{ name: "http", port: 80 }], ...more } });
      return changes(side, SERVICE, service({}), {
        same: service({}),
        type: service({ type: "NodePort" }),
        clusterIP: service({ clusterIP: "None" }),
        "target port as text": service({ ports: [{ name: "http", port: 80, targetPort: "http" }] }),
        "two ports": service({
          ports: [
            { name: "http", port: 80 },
            { name: "https", port: 443 },
          ],
        }),
      });
    },
  },
  {
    title: "ignored changes",
    run: (side) =>
      changes(
        side,
        DEPLOYMENT,
        deployment(side, "ignoring"),
        {
          "replicas and image": deployment(side, "ignoring", {
            replicas: 3,
            template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx:1.28" }] } },
          }),
        },
        ["spec.replicas"],
      ),
  },
  {
    title: "settings of mutability",
    async run(side) {
      const plugin = await side.start({ enableConfigMapMutable: true, enableSecretMutable: true });
      try {
        const other = { ...side, plugin };
        await changes(
          other,
          CONFIG_MAP,
          { metadata: named(side, "mutable"), data: { a: "1" } },
          { data: { metadata: named(side, "mutable"), data: { a: "2" } } },
        );
        await changes(
          other,
          SECRET,
          { metadata: named(side, "mutable"), stringData: { a: "1" } },
          { data: { metadata: named(side, "mutable"), stringData: { a: "2" } } },
        );
      } finally {
        await plugin.close();
      }
    },
  },
  {
    title: "a kind that is not defined",
    async run(side) {
      const { plugin, record } = side;
      const type = "kubernetes:nowhere.example/v1:Thing";
      const checked = await record.step(
        "check",
        plugin.check(type, { apiVersion: "nowhere.example/v1", kind: "Thing", metadata: named(side, "it"), spec: { a: 1 } }),
      );
      await record.step("preview of create", plugin.create(type, checked?.inputs ?? {}, { preview: true }));
      await record.step("create", plugin.create(type, checked?.inputs ?? {}));
      const state = { id: `${side.mark}/it`, inputs: checked?.inputs ?? {}, outputs: { ...checked?.inputs, __inputs: checked?.inputs ?? {} } };
      await record.step("read", plugin.read(type, state));
      await record.step(
        "delete",
        plugin.delete(type, state).then(() => undefined),
      );
    },
  },
  {
    title: "what the API refuses",
    async run(side) {
      const { plugin, record } = side;
      const wrong = deployment(side, "wrong", {
        template: { metadata: { labels: { app: "other" } }, spec: { containers: [{ name: "web", image: "nginx:1.27" }] } },
      });
      const checked = await record.step("check", plugin.check(DEPLOYMENT, wrong));
      await record.step("preview of create", plugin.create(DEPLOYMENT, checked?.inputs ?? {}, { preview: true }));
      await record.step("create", plugin.create(DEPLOYMENT, checked?.inputs ?? {}));
      const made = await plugin.make(DEPLOYMENT, deployment(side, "wrong"));
      const negative = (await plugin.check(DEPLOYMENT, deployment(side, "wrong", { replicas: -1 }), made.inputs)).inputs;
      await record.step("preview of update", plugin.update(DEPLOYMENT, made, negative, { preview: true }));
      await record.step("update", plugin.update(DEPLOYMENT, made, negative));
      const nowhere = await plugin.check(CONFIG_MAP, { metadata: { name: "it", namespace: "nowhere" }, data: {} });
      await record.step("preview in a namespace that is not there", plugin.create(CONFIG_MAP, nowhere.inputs, { preview: true }));
      await record.step("create in a namespace that is not there", plugin.create(CONFIG_MAP, nowhere.inputs));
      const unknownField = await record.step("check of an unknown field", plugin.check(CONFIG_MAP, { metadata: named(side, "field"), data: {}, dta: {} }));
      await record.step("create of an unknown field", plugin.create(CONFIG_MAP, unknownField?.inputs ?? {}));
    },
  },
  {
    title: "somebody deleted it",
    async run(side) {
      const { plugin, record, api, mark } = side;
      const made = await plugin.make(CONFIG_MAP, { metadata: named(side, "gone"), data: { a: "1" } });
      await api.call("DELETE", `/api/v1/namespaces/${mark}/configmaps/gone`);
      await record.step("read", plugin.read(CONFIG_MAP, made));
      await record.step(
        "delete",
        plugin.delete(CONFIG_MAP, made).then(() => undefined),
      );
      await record.step("update", plugin.update(CONFIG_MAP, made, { ...made.inputs, data: { a: "2" } }));
    },
  },
];
