/** Each value that a module gives to a chart is a key of the chart and has its type. This needs the charts' data beside the checkout. */
import { CILIUM_VERSION, ciliumValues } from "../../ansible-replacements";
import { MODULES } from "../../components/platform/catalogue";
import type { Module } from "../../components/platform/module";
import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";
import { chartData, strangeValues } from "../support/chart-data";
import { PLACE } from "../support/module-build";
import { skippedByName, testWhere } from "../support/skips";

type Values = Readonly<Record<string, unknown>>;

const plans = [...planEstate(loadEstate()).values()];

/** The values of a release: with the module's example options, and in each stack that has the module. */
function allValues(module: Module, release: string): Values[] {
  const planned = plans.flatMap(({ platform }) => platform.modules.filter(({ name }) => name === module.name).map(({ parts }) => parts.values[release]));
  return [module.parts(module.options.parse(module.example), PLACE).values[release], ...planned].filter((values) => values !== undefined);
}

const NO_DATA = "the chart's data is not beside the checkout";

/** The charts of a module, also those that it has only with some options. */
const chartsOf = (module: Module) => ({ ...module.parts(module.options.parse(module.example), PLACE).charts, ...module.charts });

const releases = (MODULES as readonly Module[]).flatMap((module) =>
  Object.entries(chartsOf(module)).map(([release, { name, version }]) => ({ release, module, name, version, data: chartData(name, version) })),
);
const known = releases.flatMap(({ data, ...rest }) => (data === undefined ? [] : [{ ...rest, data }]));
const unknown = releases.filter(({ data }) => data === undefined);

if (known.length > 0)
  test.each(known)("$module.name: the chart $name $version knows every value of the release $release", ({ module, release, data }) => {
    const all = allValues(module, release);
    expect(all.length).toBeGreaterThan(0);
    expect(all.flatMap((values) => strangeValues(data, values))).toEqual([]);
  });
for (const { module, name, version } of unknown) skippedByName(`${module.name}: ${name} ${version}`, NO_DATA);

const cilium = chartData("cilium", CILIUM_VERSION);
testWhere(cilium !== undefined, NO_DATA)(
  "the role of a kubeadm cluster gives Cilium values that its chart knows, and no certificate of Hubble is made by chance",
  () => {
    const values = ciliumValues("10.244.0.0/16");
    // The nested map that Helm makes of each path of `--set`.
    const maps = Object.entries(values).map(([path, value]) => path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Values);
    expect(maps.flatMap((one) => (cilium === undefined ? [] : strangeValues(cilium, one)))).toEqual([]);
    expect(values["hubble.tls.auto.method"]).not.toBe("helm");
  },
);

describe("what is strange to a chart", () => {
  const data = {
    values: { replicas: 1, mode: "x", image: { tag: "" }, env: {}, list: [], off: null, resources: { requests: { memory: "1Gi" } } },
    schema: undefined,
    read: new Set(["deep.key", "whole"]),
  };
  const CASES: Record<string, { given: Values; strange: string[] }> = {
    "values that it has": { given: { replicas: 2, image: { tag: "1" }, off: { a: 1 } }, strange: [] },
    "anything below an empty map or list": { given: { env: { A: { b: 1 } }, list: [{ a: 1 }] }, strange: [] },
    "a path that a template reads, and all below one that it hands on": { given: { deep: { key: 1 }, whole: { a: { b: 1 } } }, strange: [] },
    "limits beside requests": { given: { resources: { limits: { memory: "2Gi" } } }, strange: [] },
    "a key at the top": { given: { replica: 2 }, strange: ["replica: the chart knows no such key"] },
    "a key deep inside": { given: { image: { tagg: "1" } }, strange: ["image.tagg: the chart knows no such key"] },
    "a key beside one that a template reads": { given: { deep: { kez: 1 } }, strange: ["deep.kez: the chart knows no such key"] },
    "a limit that is none": { given: { resources: { limits: { ram: "2Gi" } } }, strange: ["resources.limits.ram: the chart knows no such key"] },
    "another type": {
      given: { replicas: "2", env: [] },
      strange: ["replicas: is string, and the chart takes number", "env: is array, and the chart takes object"],
    },
  };
  test.each(Object.entries(CASES))("%s", (_, { given, strange }) => {
    expect(strangeValues(data, given)).toEqual(strange);
  });

  test("a schema decides where there is one: keys, types through references, and lists of words", () => {
    const schema = {
      additionalProperties: false,
      properties: { kind: { enum: ["a", "b"] }, count: { $ref: "#/$defs/number" }, open: { type: "object" } },
      $defs: { number: { type: ["integer", "null"] } },
    };
    const withSchema = { values: { kind: "a", count: "1", open: { a: 1 } }, schema, read: new Set<string>() };
    expect(strangeValues(withSchema, { kind: "b", count: 3 })).toEqual([]);
    expect(strangeValues(withSchema, { kind: "c", count: "3", more: 1, open: { b: 1 } })).toEqual([
      'kind: is "c", and the chart takes a, b',
      "count: is string, and the chart takes number or null",
      "more: the chart's schema has no such key",
      "open.b: the chart knows no such key",
    ]);
  });
});
