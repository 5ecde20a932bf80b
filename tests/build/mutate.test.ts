/** The places at which `npm run mutate` changes the program: what decides about a resource, and no text that only people read. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";

interface Mutant {
  line: number;
  what: string;
  text: string;
}
const { mutantsOf } = require("../../build/mutate/mutants.cjs") as { mutantsOf(name: string, text: string): Mutant[] };

const { secondsFor } = require("../../build/mutate/time-limit.cjs") as { secondsFor(least: number, unchanged: number[]): number };

const line = (text: string): [string, string][] => mutantsOf("a.ts", text).map((mutant) => [mutant.what, mutant.text]);

test("an option of a resource is left out, a value is changed", () => {
  expect(line('new Secret("a", { data: x }, this.child({ dependsOn: [b, c] }));')).toEqual([
    ['"a" changed', 'new Secret("a-mutated", { data: x }, this.child({ dependsOn: [b, c] }));'],
    ["data left out", 'new Secret("a", {  }, this.child({ dependsOn: [b, c] }));'],
    ["dependsOn left out", 'new Secret("a", { data: x }, this.child({  }));'],
    ["element b left out", 'new Secret("a", { data: x }, this.child({ dependsOn: [c] }));'],
    ["element c left out", 'new Secret("a", { data: x }, this.child({ dependsOn: [b] }));'],
  ]);
});

test("a number grows, a truth is turned, a choice has one side, a spread goes", () => {
  expect(line("const a = { ...(b ? { c: true } : { d: 2 }) };")).toEqual([
    ["...(b ? { c: true } : { d: 2 }) left out", "const a = {  };"],
    ["always the first side of the choice", "const a = { ...({ c: true }) };"],
    ["always the second side of the choice", "const a = { ...({ d: 2 }) };"],
    ["c left out", "const a = { ...(b ? {  } : { d: 2 }) };"],
    ["true turned", "const a = { ...(b ? { c: false } : { d: 2 }) };"],
    ["d left out", "const a = { ...(b ? { c: true } : {  }) };"],
    ["2 changed", "const a = { ...(b ? { c: true } : { d: 3 }) };"],
  ]);
});

test("imports, types and the texts of errors stay", () => {
  expect(line('import { a } from "b";\ntype C = "d" | { e: 1 };\nthrow new HomelabError("E_F", "g", { hint: "h" });')).toEqual([]);
});

test("a folder without anything to change, and one whose name is wrong, are no success", () => {
  const { status, stderr } = spawnSync(process.execPath, ["build/mutate.cjs", "docs"], { cwd: path.join(__dirname, "../.."), encoding: "utf8" });
  expect([status, stderr]).toEqual([2, "error: there is nothing to change in docs\n"]);
});

test("tests of a busy machine get several times what they took before the change, and quick ones the least", () => {
  expect([secondsFor(180, [2, 3]), secondsFor(180, [100, 50]), secondsFor(180, [])]).toEqual([180, 600, 180]);
});
