/** Plans that one engine writes constrain the other: the file is the same, and so is what it allows. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { EMBEDDED } from "../../support/real-cli";
import { describeReal } from "../../support/real-parts";
import type { Json } from "../engine/normalise";
import { CaseRun } from "../engine/recorded-case";

const BEFORE: Json = [
  { n: "group", comp: true },
  { n: "a", a: { name: "a", pw: "hunter2", list: [1, { x: null }] }, secret: ["pw"], out: true },
  { n: "b", a: { name: "b", rname: "x" }, refs: { v: "a.out" }, o: { dep: ["a"] } },
  { n: "gone", a: { v: 1 } },
  { n: "old", a: { v: 1 } },
  { n: "first", a: { rname: "x" } },
  { n: "after", refs: { rv: "first.out" } },
];
/** Every way in which a plan can constrain a resource. */
const AFTER: Json = [
  { n: "group", comp: true },
  { n: "a", a: { name: "a2", pw: "hunter3", big: 1e21 }, secret: ["pw"], out: true },
  {
    n: "b",
    a: { name: "b", rname: "y" },
    refs: { v: "a.out" },
    o: { dep: ["a"], customTimeouts: { create: "5m" }, ignoreChanges: ["zz"], additionalSecretOutputs: ["out"], protect: false },
  },
  { n: "new", a: { v: 1 }, o: { aliases: ["old"] } },
  { n: "first", a: { rname: "y" }, o: { deleteBeforeReplace: true } },
  { n: "after", refs: { rv: "first.out" } },
  { n: "comes", a: { name: "c" }, refs: { v: "b.out" }, o: { parent: "group" } },
];
const OTHER = (AFTER as { n: string; a?: object }[]).map((one) => (one.n === "comes" ? { ...one, a: { name: "d" } } : one)) as Json;

/** Without what is new in each plan: the time, seeds, nonces. */
function comparable(file: string): unknown {
  const strip = (value: unknown, key?: string): unknown => {
    if (key === "seed" || key === "ciphertext" || key === "time") return typeof value;
    if (Array.isArray(value)) return value.map((item) => strip(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, strip(item, name)]));
  };
  return strip(JSON.parse(fs.readFileSync(file, "utf8")));
}

describeReal(["pulumi"], "plans, from one engine to the other", (pathOf) => {
  let run: CaseRun;
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "plans-"));
    run = new CaseRun(EMBEDDED);
  });
  afterEach(() => {
    run.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const call = (pulumi: string, args: string[], spec: Json) => run.call([...args, "--stack", "dev"], { SPEC: JSON.stringify(spec), CFG: "token" }, pulumi);
  const does = async (pulumi: string, args: string[], spec: Json) => expect({ args, ...(await call(pulumi, args, spec)) }).toMatchObject({ args, status: 0 });

  async function start(): Promise<void> {
    await does(EMBEDDED, ["stack", "init"], []);
    await does(EMBEDDED, ["config", "set", "--secret", "token", "hush"], []);
    await does(EMBEDDED, ["config", "set", "--path", "map.inner", "5"], []);
    await does(EMBEDDED, ["up", "--yes", "--skip-preview"], BEFORE);
  }

  test("both write the same file", async () => {
    await start();
    const cli = pathOf("pulumi");
    for (const spec of [BEFORE, AFTER]) {
      await does(cli, ["preview", "--save-plan", path.join(folder, "cli.json")], spec);
      await does(EMBEDDED, ["preview", "--save-plan", path.join(folder, "embedded.json")], spec);
      expect(comparable(path.join(folder, "embedded.json"))).toEqual(comparable(path.join(folder, "cli.json")));
    }
  }, 900_000);

  test("both write the same import file", async () => {
    await start();
    const NEW: Json = [
      ...(BEFORE as Json[]),
      { n: "held", prov: true, a: { x: "1", pw: "hunter2" }, secret: ["pw"] },
      { n: "same", comp: true },
      { n: "same", a: { name: "s" } },
      { n: "below", a: { name: "w" }, o: { parent: "a", provider: "held" } },
      { n: "open", prov: true, refs: { z: "below.out" } },
    ];
    const written: { resources: { name: string }[] }[] = [];
    for (const [at, pulumi] of [pathOf("pulumi"), EMBEDDED].entries()) {
      const file = path.join(folder, `import-${at}.json`);
      await does(pulumi, ["preview", "--import-file", file], NEW);
      const one = comparable(file) as { resources: { name: string }[] };
      // Independent resources come in any order.
      one.resources.sort((a, b) => (a.name < b.name ? -1 : 1));
      written.push(one);
    }
    expect(written[1]).toEqual(written[0]);
  }, 900_000);

  test.each([0, 1])(
    "a plan that one saved constrains the other (%i)",
    async (turn) => {
      await start();
      const [saves, ups] = turn === 0 ? [EMBEDDED, pathOf("pulumi")] : [pathOf("pulumi"), EMBEDDED];
      const plan = path.join(folder, "plan.json");
      await does(saves, ["preview", "--save-plan", plan], AFTER);
      const refused = await call(ups, ["up", "--yes", "--skip-preview", "--plan", plan], OTHER);
      expect(refused).toMatchObject({ status: 1 });
      expect(refused.stdout + refused.stderr).toContain("violates plan: properties changed: ++name[{c}!={d}]");
      await does(saves, ["preview", "--save-plan", plan], AFTER);
      await does(ups, ["up", "--yes", "--skip-preview", "--plan", plan], AFTER);
      await does(saves, ["preview", "--expect-no-changes"], AFTER);
      const again = await call(ups, ["up", "--yes", "--skip-preview", "--plan", plan], AFTER);
      expect(again).toMatchObject({ status: 1 });
      expect(again.stdout + again.stderr).toContain("expected resource operations for urn:pulumi:dev::conf::exp:index:Res::b but none were seen");
    },
    900_000,
  );
});
