/** Random changes of what an owner changes in a site: the size of a VM, and the description of an application. */
import * as fs from "node:fs";
import * as path from "node:path";
import fc from "fast-check";
import { reportSchema } from "../../orchestrator/report/report-schema";

interface Edit {
  file: string;
  from: RegExp;
  to: string;
}

const VM = "site/vms/k8s-dev.yaml";
const APP = "site/apps/whoami.ts";
const edit = (file: string, from: RegExp, to: fc.Arbitrary<string>): fc.Arbitrary<Edit> => to.map((text) => ({ file, from, to: text }));
const number = (min: number, max: number): fc.Arbitrary<string> => fc.integer({ min, max }).map(String);

/** A set of edits: each kind at most once, sometimes one that changes nothing. */
const edits: fc.Arbitrary<Edit[]> = fc
  .record(
    {
      memory: edit(VM, /^memory: \d+$/m, fc.constantFrom("memory: 4608", "memory: 5120")),
      cores: edit(
        VM,
        /^cores: \d+$/m,
        number(1, 4).map((cores) => `cores: ${cores}`),
      ),
      onboot: edit(VM, /^onboot: \w+$/m, fc.constantFrom("onboot: true", "onboot: false")),
      image: edit(APP, /whoami:v1\.10\.\d/, fc.constantFrom("whoami:v1.10.2", "whoami:v1.10.3", "whoami:v1.10.4")),
      limit: edit(
        APP,
        /memoryLimit: "\d+Mi"/,
        number(32, 96).map((mebibytes) => `memoryLimit: "${mebibytes}Mi"`),
      ),
      environment: edit(
        APP,
        /WHOAMI_PORT_NUMBER: "8080".*\}/,
        fc.constantFrom('WHOAMI_PORT_NUMBER: "8080" }', 'WHOAMI_PORT_NUMBER: "8080", WHOAMI_NAME: "other" }'),
      ),
      user: edit(
        APP,
        /runAsUser: \d+/,
        number(1000, 1002).map((user) => `runAsUser: ${user}`),
      ),
    },
    { requiredKeys: [] },
  )
  .map((chosen) => Object.values(chosen));

/** @param seed the same seed gives the same changes */
export const randomEdits = (seed: number, count: number): Edit[][] => fc.sample(edits, { seed, numRuns: count });

export function apply(checkout: string, changes: readonly Edit[]): void {
  for (const { file, from, to } of changes) {
    const full = path.join(checkout, file);
    const text = fs.readFileSync(full, "utf8");
    if (!from.test(text)) throw new Error(`${file} has no ${from}`);
    fs.writeFileSync(full, text.replace(from, to));
  }
}

/** @returns a function that restores the files as they are now */
export function keep(checkout: string): () => void {
  const texts = [VM, APP].map((file) => [path.join(checkout, file), fs.readFileSync(path.join(checkout, file), "utf8")] as const);
  return () => {
    for (const [file, text] of texts) fs.writeFileSync(file, text);
  };
}

/** A step in a run's report. */
interface Step {
  /** Stack, operation, resource and changed properties. */
  what: string;
  /** New values by property. */
  values: ReadonlyMap<string, string | undefined>;
}

/** The steps of a run's report, whether of an up or of a preview. */
export function stepsIn(file: string): Step[] {
  const { stacks } = reportSchema.parse(JSON.parse(fs.readFileSync(file, "utf8")));
  return stacks.flatMap(({ stack, steps }) =>
    steps
      .filter(({ op }) => op !== "read")
      .map(({ op, urn, diffs, values = [] }) => ({
        what: `${stack} ${op} ${urn} ${[...diffs].toSorted().join(",")}`,
        values: new Map(values.map((value) => [value.path, value.to])),
      })),
  );
}

const UNKNOWN = "(unknown)";

/** How the steps that were done differ from those that a preview showed. Any value matches one that was unknown in the preview. */
export function differences(shown: readonly Step[], done: readonly Step[]): string[] {
  const left = new Map(done.map((step) => [step.what, step]));
  const missing = shown.flatMap(({ what, values }) => {
    const same = left.get(what);
    left.delete(what);
    if (same === undefined) return [`shown, and not done: ${what}`];
    return [...values].flatMap(([property, value]) =>
      value?.includes(UNKNOWN) === true || same.values.get(property) === value
        ? []
        : [`${what}: ${property} was to be ${value}, and is ${same.values.get(property)}`],
    );
  });
  return [...missing, ...[...left.keys()].map((what) => `done, and not shown: ${what}`)];
}
