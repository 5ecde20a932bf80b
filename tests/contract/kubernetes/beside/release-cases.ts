/** Releases of charts in a folder: by our Kubernetes provider, which has the machine's helm install them, and by the official one. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { Secret, UNKNOWN, type Values } from "../../../../providers/sdk/values";
import type { State } from "../../../support/test-provider";
import { MERGE } from "../under-test";
import { type Case, RELEASE, type Side } from "./bench";

const GREETING = `apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}, labels: { chart: {{ .Chart.Name }} } }
data:
  greeting: {{ .Values.greeting | quote }}
  {{- if .Values.optional }}
  optional: {{ .Values.optional | quote }}
  {{- end }}
`;
const WEB = `{{- if .Values.web }}
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  selector: { matchLabels: { app: web } }
  template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: "nginx:1.27" }] } }
{{- end }}
`;

/** Strings that look like other types. A chart that does not quote them shows the type that Helm took them for. */
const LIKE_OTHERS = [
  "yes",
  "No",
  "on",
  "OFF",
  "y",
  "n",
  "true",
  "null",
  "~",
  "0755",
  "0o17",
  "0x1F",
  "0b11",
  "1_000",
  "1e3",
  ".5",
  "12:30:45",
  "2001-01-01",
  "",
];
const STRINGS = `apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-kinds, labels: { kind: {{ kindOf .Values.greeting }} } }
data: { kinds: "{{ range .Values.strings }}{{ kindOf . }} {{ . }};{{ end }}" }
`;

/** Objects that are named in different ways: in a list, in another namespace, by the API, not at all. */
const NAMED = `apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: ConfigMap, metadata: { name: {{ .Release.Name }}-in-a-list } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-b, namespace: {{ .Release.Namespace }} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-a }
---
# nothing
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: {{ .Release.Name }} }
rules: []
---
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-hook, annotations: { helm.sh/hook: post-install } }
`;

/** A chart in a folder: `version` 1.0.0 or another, with or without a mistake in it. */
class Charts {
  readonly #folder: string;
  static readonly #made = new Map<string, number>();

  /** The path is the same on both sides except for their marks, since a release's inputs contain it. */
  constructor(mark: string) {
    const count = (Charts.#made.get(mark) ?? 0) + 1;
    Charts.#made.set(mark, count);
    this.#folder = path.join(os.tmpdir(), `homelab-charts-${process.pid}-${mark}-${count}`);
    fs.mkdirSync(this.#folder);
  }

  /** @returns its path */
  write(version: string, more: Readonly<Record<string, string>> = {}): string {
    const chart = path.join(this.#folder, `greeter-${version}-${Object.keys(more).length}`);
    const files = {
      "Chart.yaml": `apiVersion: v2\nname: greeter\nversion: ${version}\nappVersion: "9"\n`,
      "values.yaml": "greeting: none\noptional: given\nweb: false\n",
      "templates/greeting.yaml": GREETING,
      "templates/web.yaml": WEB,
      ...more,
    };
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(chart, name)), { recursive: true });
      fs.writeFileSync(path.join(chart, name), text);
    }
    return chart;
  }

  remove(): void {
    fs.rmSync(this.#folder, { recursive: true });
  }
}

async function withCharts(mark: string, work: (charts: Charts) => Promise<void>): Promise<void> {
  const charts = new Charts(mark);
  try {
    await work(charts);
  } finally {
    charts.remove();
  }
}

const objectSchema = z.looseObject({ data: z.record(z.string(), z.string()).optional() });

/** Records the data of the release's ConfigMap, or that it is gone. */
async function greeting({ api, mark, record }: Side, step: string, name: string): Promise<void> {
  const kinds = await api.call("GET", `/api/v1/namespaces/${mark}/configmaps/${name}-kinds`).catch(() => undefined);
  if (kinds !== undefined) record.note(`${step}, kinds`, { data: objectSchema.parse(kinds).data ?? {} });
  const found = await api.call("GET", `/api/v1/namespaces/${mark}/configmaps/${name}`).catch(() => undefined);
  record.note(step, { data: found === undefined ? "<gone>" : (objectSchema.parse(found).data ?? {}) });
}

/** The state that the engine gives to the next operation. After a failure that left something, it has the inputs. */
async function kept(side: Side, name: string, inputs: Values, work: Promise<State>): Promise<State | undefined> {
  const state = await side.record.step(name, work);
  return state === undefined ? undefined : { ...state, inputs: state.inputs ?? inputs };
}

async function deleted(side: Side, step: string, state: State): Promise<void> {
  await side.record.step(
    step,
    side.plugin.delete(RELEASE, state, { timeout: 60 }).then(() => undefined),
  );
}

const life: Case = {
  title: "the life of a release",
  run: (side) =>
    withCharts(side.mark, async (charts) => {
      const { plugin, mark, record } = side;
      const chart = charts.write("1.0.0");
      const news: Values = { chart, name: "life", namespace: mark, values: { greeting: "hello", nested: { a: [1, true, null], b: "x" } }, timeout: 60 };
      const checked = await record.step("check", plugin.check(RELEASE, news));
      if (checked === undefined) return;
      await record.step("preview of create", plugin.create(RELEASE, checked.inputs, { preview: true }));
      const made = await kept(side, "create", checked.inputs, plugin.create(RELEASE, checked.inputs));
      if (made === undefined) return;
      await greeting(side, "objects", "life");
      await record.step("check again", plugin.check(RELEASE, news, made.inputs));
      await record.step("diff without a change", plugin.diff(RELEASE, made, checked.inputs));
      const read = await record.step("read", plugin.read(RELEASE, made));
      if (read !== undefined) await record.step("diff after read", plugin.diff(RELEASE, read, checked.inputs));

      const changed = await plugin.check(RELEASE, { ...news, chart: charts.write("1.1.0"), values: { greeting: "bye" } }, made.inputs);
      await record.step("diff of another chart and values", plugin.diff(RELEASE, made, changed.inputs));
      await record.step("preview of update", plugin.update(RELEASE, made, changed.inputs, { preview: true }));
      const updated = await kept(side, "update", changed.inputs, plugin.update(RELEASE, made, changed.inputs));
      await greeting(side, "objects after the update", "life");
      await record.step("import", plugin.read(RELEASE, { id: `${mark}/life`, inputs: {}, outputs: {} }));
      for (const [what, more] of [
        ["name", { name: "other" }],
        ["namespace", { namespace: "default" }],
      ] as const)
        await record.step(`diff of another ${what}`, plugin.diff(RELEASE, made, (await plugin.check(RELEASE, { ...news, ...more }, made.inputs)).inputs));
      await deleted(side, "delete", updated ?? made);
      await greeting(side, "objects after the deletion", "life");
      await record.step("read of what is gone", plugin.read(RELEASE, made));
      await deleted(side, "delete again", made);
    }),
};

/** Checks and creates a release, and records what exists then. */
const made = (title: string, name: string, news: (side: Side, charts: Charts) => Values): Case => ({
  title,
  run: (side) =>
    withCharts(side.mark, async (charts) => {
      const { plugin, mark, record } = side;
      const checked = await record.step("check", plugin.check(RELEASE, { name, namespace: mark, timeout: 60, ...news(side, charts) }));
      if (checked === undefined || checked.failures.length > 0) return;
      await record.step("preview of create", plugin.create(RELEASE, checked.inputs, { preview: true }));
      const state = await kept(side, "create", checked.inputs, plugin.create(RELEASE, checked.inputs));
      await greeting(side, "objects", name);
      if (state === undefined) return;
      await record.step("read", plugin.read(RELEASE, state));
      await deleted(side, "delete", state);
      await greeting(side, "objects after the deletion", name);
    }),
});

const unknown: Case = {
  title: "a release with unknown values",
  run: (side) =>
    withCharts(side.mark, async (charts) => {
      const { plugin, mark, record } = side;
      const news: Values = { chart: charts.write("1.0.0"), name: "unknown", namespace: mark, values: { greeting: UNKNOWN } };
      const checked = await record.step("check", plugin.check(RELEASE, news));
      if (checked !== undefined) await record.step("preview of create", plugin.create(RELEASE, checked.inputs, { preview: true }));
    }),
};

const drift: Case = {
  title: "what somebody changed in a release's object",
  run: (side) =>
    withCharts(side.mark, async (charts) => {
      const { plugin, api, mark, record } = side;
      const state = await plugin.make(RELEASE, { chart: charts.write("1.0.0"), name: "drift", namespace: mark, values: { greeting: "hello" }, timeout: 60 });
      await api.call("PATCH", `/api/v1/namespaces/${mark}/configmaps/drift`, { data: { greeting: "by hand" } }, { type: MERGE });
      const read = await record.step("read", plugin.read(RELEASE, state));
      if (read !== undefined) await record.step("diff", plugin.diff(RELEASE, read, state.inputs));
      await deleted(side, "delete", state);
    }),
};

/** Fails: in Check with one provider, on installation with the other. */
const nowhere: Case = {
  title: "a chart that is not there",
  run: async ({ plugin, mark, record }) => {
    const checked = await record.step("check", plugin.check(RELEASE, { chart: "/nowhere/at/all", name: "nowhere", namespace: mark }));
    if (checked === undefined || checked.failures.length > 0) record.note("create", "<fails>");
    else await record.step("create", plugin.create(RELEASE, checked.inputs));
  },
};

export const RELEASE_CASES: Case[] = [
  life,
  unknown,
  drift,
  made("a release with a secret value", "secret", (_side, charts) => ({ chart: charts.write("1.0.0"), values: { greeting: new Secret("hunter2") } })),
  made("a release that takes a default away", "nulls", (_side, charts) => ({
    chart: charts.write("1.0.0"),
    allowNullValues: true,
    values: { optional: null },
  })),
  made("a release whose null is none", "no-nulls", (_side, charts) => ({ chart: charts.write("1.0.0"), values: { optional: null } })),
  made("a release without a name in a namespace that it makes", "unused", ({ mark }, charts) => ({
    ...{ chart: charts.write("1.0.0"), createNamespace: true, namespace: `made-${mark}` },
  })),
  made("a release that is not ready in its time", "late", (_side, charts) => ({ chart: charts.write("1.0.0"), timeout: 4, values: { web: true } })),
  made("a release that is not waited for", "unawaited", (_side, charts) => ({ chart: charts.write("1.0.0"), skipAwait: true, values: { web: true } })),
  made("an atomic release that is not ready in its time", "atomic", (_side, charts) => ({
    ...{ chart: charts.write("1.0.0"), timeout: 4, atomic: true, values: { web: true } },
  })),
  made("a chart that cannot be rendered", "broken", (_side, charts) => ({
    chart: charts.write("1.0.0", { "templates/broken.yaml": "{{ .Values.a.b.c }}\n" }),
  })),
  made("an object that the API refuses", "refused", (_side, charts) => ({
    chart: charts.write("1.0.0", { "templates/refused.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: Not_A_Name }\n" }),
  })),
  made("strings that readers of YAML take for something else", "strings", (_side, charts) => ({
    ...{ chart: charts.write("1.0.0", { "templates/strings.yaml": STRINGS }), values: { greeting: "yes", strings: LIKE_OTHERS } },
  })),
  made("objects in lists, with and without a namespace, and a hook", "names", (_side, charts) => ({
    chart: charts.write("1.0.0", { "templates/named.yaml": NAMED }),
  })),
  nowhere,
  made("a misspelt input", "misspelt", (_side, charts) => ({ chart: charts.write("1.0.0"), vaules: { greeting: "x" } })),
];
