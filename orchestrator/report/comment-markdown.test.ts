import { bulletList, fenced, folded, harmless, inline, lengthOf, sharing } from "./comment-markdown";

test("what is not seen is not there: signs of direction, of variation, and ends of lines that are none", () => {
  expect(harmless("a\ufe0fb\u2028c\u2029d\u200be\u202ef")).toBe("abcdef");
});

test("a line is cut, and says so, also where what is cut was hidden behind what is not seen", () => {
  expect(inline("x".repeat(400))).toBe(`\`${"x".repeat(400)}\``);
  expect(inline("x".repeat(401))).toBe(`\`${"x".repeat(400)}…\``);
  expect(inline(`a${"\u200b".repeat(900)}hidden`)).toBe("`a…`");
  expect(fenced("t", "", ["x".repeat(600)], 5_000)).toBe(`t\n\n\`\`\`\n${"x".repeat(400)}…\n\`\`\``);
});

test("a text of nothing is code all the same: two marks beside one another would begin a fence of their own", () => {
  expect([inline(""), inline(" \n\t "), inline("a\n  b")]).toEqual(["` `", "` `", "`a b`"]);
});

test("how many lines are left out is what it says", () => {
  const lines = Array.from({ length: 100 }, (_, i) => `${i} ${"x".repeat(90)}`);
  for (const text of [fenced("t", "", lines, 5_000), folded("t", "diff", lines, 5_000), bulletList("t", lines, 5_000)]) {
    const shown = text.split("\n").filter((line) => /^(- )?\d+ x/.test(line)).length;
    expect(shown).toBeGreaterThan(40);
    expect(text).toContain(`… ${100 - shown} more lines are left out here; the run's report has them all`);
    expect(lengthOf(text)).toBeLessThanOrEqual(5_000);
  }
});

test("where no line would fit there is no fence; a fold says that it is too long, or is not there", () => {
  expect([fenced("t", "", ["x"], 700), folded("t", "diff", ["x"], 60), bulletList("t", [], 700)]).toEqual(["", "", ""]);
  expect(folded("t", "diff", ["x"], 700)).toBe("<details><summary>t</summary>\n\ntoo long for a comment; see the run's report\n\n</details>");
});

test("the title of a fold is text alone", () => {
  expect(folded("<b> `x` @team\u202e", "diff", ["y"], 5_000)).toMatch(/^<details><summary>‹b› ʼxʼ @\u200bteam<\/summary>\n\n```diff\ny\n```\n\n<\/details>$/);
});

test("blocks share a budget: each may take as much, and no less than a block needs", () => {
  const given = (count: number): number[] => {
    const budgets: number[] = [];
    sharing(Array.from({ length: count }), 8_000, (_, budget) => `${budgets.push(budget)}`, String);
    return [...new Set(budgets)];
  };
  expect([given(1), given(4), given(20)]).toEqual([[8_000], [2_000], [1_000]]);
  expect([
    sharing([], 8_000, () => "x", String),
    sharing(
      [1, 2, 3],
      5,
      () => "x",
      (count) => `${count} more`,
    ),
  ]).toEqual(["", "x\n\n2 more"]);
});
