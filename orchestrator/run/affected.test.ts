import fc from "fast-check";
import type { StackInputs } from "../target/stack-inputs";
import { affectedStacks, decide, type OutputChange, reasonText, whyLines } from "./affected";

const inputs = (name: string, of: Record<string, string>, ...consumes: StackInputs["consumes"]): StackInputs => ({
  name,
  needs: [...new Set(consumes.map(({ from }) => from))],
  description: "",
  consumes,
  inputs: of,
});
const tools = (digest = "1"): StackInputs => inputs("tools", { "vm dns": digest, packages: "p" });
const dev = (digest = "1"): StackInputs => inputs("dev", { "app a": digest, packages: "p" }, { from: "tools", output: "vaultTokens", key: "dev" });
const stg = (): StackInputs => inputs("stg", { packages: "p" }, { from: "dev", output: "appImage" }, { from: "tools", output: "vaultId" });
const home = (): StackInputs => inputs("home", { packages: "p" });

const chosen = (before: StackInputs[] | undefined, now: StackInputs[], standings = new Map()) =>
  Object.fromEntries(affectedStacks(before, now, standings).stacks.map(({ stack, reason }) => [stack, reasonText(reason)]));

test("nothing changed: no stack", () => {
  expect(chosen([tools(), dev()], [tools(), dev()])).toEqual({});
});

test("a changed stack, and what consumes something of it, however far", () => {
  expect(chosen([tools(), dev(), stg(), home()], [tools(), dev("2"), stg(), home()])).toEqual({ dev: "changed: app a", stg: "consumes dev.appImage" });
  expect(chosen([tools(), dev(), stg(), home()], [tools("2"), dev(), stg(), home()])).toEqual({
    tools: "changed: vm dns",
    dev: "consumes tools.vaultTokens",
    stg: "consumes dev.appImage, tools.vaultId",
  });
});

test("inputs that came and went are named; a new stack, and one that cannot be compared, run", () => {
  expect(chosen([inputs("dev", { old: "1" })], [inputs("dev", { "vm x": "1" }), home()])).toEqual({
    dev: "changed: old, vm x",
    home: "new: the commit that it is compared with does not have it",
  });
  expect(Object.keys(chosen(undefined, [tools(), home()]))).toEqual(["tools", "home"]);
});

test("what an earlier run left unsettled runs, whatever changed", () => {
  expect(chosen([home(), tools()], [home(), tools()], new Map([["home", "in doubt"]]))).toEqual({ home: "an earlier run left it in doubt" });
});

test("a stack that is gone is named, and no other", () => {
  const { stacks, removed } = affectedStacks([tools(), home()], [tools()], new Map());
  expect([stacks, removed.map(({ name }) => name)]).toEqual([[], ["home"]]);
});

test("the chain goes down to every input", () => {
  const affected = affectedStacks([tools(), dev(), stg()], [tools(), dev("2"), stg()], new Map());
  expect(whyLines(affected, "stg")).toEqual(["stg: consumes dev.appImage", "  dev: changed:", "    app a"]);
});

const value = (of: unknown) => ({ value: of, secret: false });
const outputs = (tokens: Record<string, string>): OutputChange["after"] => ({ vaultTokens: value(tokens), vaultId: value("v") });
const reason = { kind: "consumes" as const, outputs: [{ from: "tools", output: "vaultTokens", key: "dev" }] };

test.each<[string, OutputChange | undefined, boolean]>([
  ["its own entry of an output changed", { before: outputs({ dev: "1" }), after: outputs({ dev: "2" }) }, true],
  ["only the entry of another one changed", { before: outputs({ dev: "1" }), after: outputs({ dev: "1", stg: "2" }) }, false],
  ["nothing changed", { before: outputs({ dev: "1" }), after: outputs({ dev: "1" }) }, false],
  ["the other stack was built for the first time", { before: undefined, after: outputs({ dev: "1" }) }, true],
  ["the output was not there before", { before: {}, after: outputs({ dev: "1" }) }, true],
  ["the other stack did not have to run", undefined, false],
])("a stack that consumes, where %s", (_, change, runs) => {
  const { run, why } = decide(reason, new Map(change === undefined ? [] : [["tools", change]]));
  expect([run, why]).toEqual([runs, runs ? "changed: tools.vaultTokens" : "tools.vaultTokens is as before"]);
});

test("whatever changed: a stack is chosen exactly where it changed itself, or a chain of what it consumes leads to one", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ changed: fc.boolean(), consumes: fc.array(fc.nat(9), { maxLength: 3 }) }), { maxLength: 8 }), (given) => {
      const all = (digest: (i: number) => string) =>
        given.map(({ consumes }, i) =>
          inputs(`s${i}`, { x: digest(i) }, ...[...new Set(consumes)].filter((j) => j < i).map((j) => ({ from: `s${j}`, output: "o" }))),
        );
      const reached = given.map(() => false);
      for (const [i, { changed, consumes }] of given.entries()) reached[i] = changed || consumes.some((j) => j < i && reached[j] === true);
      const { stacks } = affectedStacks(
        all(() => "1"),
        all((i) => (given[i]?.changed === true ? "2" : "1")),
        new Map(),
      );
      expect(stacks.map(({ stack }) => stack)).toEqual(given.flatMap((_, i) => (reached[i] === true ? [`s${i}`] : [])));
    }),
  );
});
