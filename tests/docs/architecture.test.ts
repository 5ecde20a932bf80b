/** The tables of docs/architecture.md say the same as the rules that `npm run deps` enforces. */
import * as fs from "node:fs";
import * as path from "node:path";

const ROOT = path.join(__dirname, "../..");
const PAGE = fs.readFileSync(path.join(ROOT, "docs/architecture.md"), "utf8");
const { forbidden } = require(path.join(ROOT, ".dependency-cruiser.cjs")) as { forbidden: readonly { name: string; comment?: string }[] };

/** The cells of each row of the table with this head. */
function table(head: string): string[][] {
  const [, below] = PAGE.split(`\n${head}\n`);
  if (below === undefined) throw new Error(`docs/architecture.md has no table ${head}`);
  const rows = (below.split("\n\n")[0] ?? "").split("\n").slice(1);
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const nameOf = ([cell = ""]: readonly string[]): string => cell.replaceAll("`", "").replace(/\/$/, "");

/** The rules whose names match, in their order: the folder that each name contains, and what that folder may import. */
const rules = (pattern: RegExp): [name: string, may: string[]][] =>
  forbidden.flatMap(({ name, comment = "" }): [string, string[]][] => {
    const [, of] = pattern.exec(name) ?? [];
    const may = comment.split("may import: ")[1]?.split(", ") ?? [];
    return of === undefined ? [] : [[of, may.filter((one) => !one.startsWith("no other"))]];
  });

test("each folder, with what it may import", () => {
  const held = rules(/^((?!orchestrator-|stacks-)[a-z-]+|orchestrator|stacks)-imports$/);
  const folders = held.map(([name]) => name);
  const said = table("| folder | job | may import |").map((row): [string, string[]] => {
    const words = new Set<string>((row[2] ?? "").match(/[a-z]+(?:-[a-z]+)*/g));
    return [nameOf(row), folders.filter((folder) => words.has(folder)).toSorted()];
  });
  expect(said).toEqual(held.map(([name, may]) => [name, may.toSorted()]));
});

test("the rooms of the orchestrator, in their order", () => {
  expect(table("| room | job |").map(nameOf)).toEqual(rules(/^orchestrator-([a-z-]+)-imports$/).map(([name]) => name));
});

test("the rooms of the program in their order, and its entries", () => {
  expect(table("| room | takes | gives |").map(nameOf)).toEqual(rules(/^stacks-([a-z-]+)-imports$/).map(([name]) => name));
  const asked = fs
    .readdirSync(path.join(ROOT, "orchestrator"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .flatMap((file) => [...fs.readFileSync(path.join(ROOT, "orchestrator", file), "utf8").matchAll(/askProgram\("([a-z-]+)"/g)])
    .map(([, name = ""]) => name);
  expect(asked.length).toBeGreaterThan(10);
  const paragraph = PAGE.split("\n").find((line) => line.startsWith("The entries lie at the root of `stacks/`")) ?? "";
  expect([...new Set(asked)].filter((name) => !paragraph.includes(`\`${name}.ts\``))).toEqual([]);
});
