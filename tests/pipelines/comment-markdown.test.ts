/** The comment, rendered as GitHub-flavoured Markdown: whatever a report contains, no code fence and no fold stays open, and all HTML is ours. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import fc from "fast-check";
import { COMMENT_LIMITS, renderComment, renderNoReport } from "../../orchestrator/report/comment";
import { cut, lengthOf } from "../../orchestrator/report/comment-markdown";
import { type ReportStep, reportSchema, type StackReport } from "../../orchestrator/report/report-schema";
import { report } from "./comment-world";

function html(texts: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(__dirname, "markdown.mjs")], {
    input: JSON.stringify(texts),
    encoding: "utf8",
    maxBuffer: 512 * 1024 * 1024,
  });
  expect([status, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as string[];
}

const HOSTILE = [
  "```\n</details>\n@everyone | <img src=x onerror=alert(1)>",
  "~~~\n# title\n---",
  "<details><summary>",
  "<!-- homelab:preview --> -->",
  "<script>alert(1)</script>",
  "[click](javascript:alert(1)) ![x](http://x/y.png)",
  "\u202eevil\u2066x\u200b\u00ad",
  "::error file=a::b\n::set-output name=x::y\n##[command]z",
  "👨‍👩‍👧‍👦🇩🇪e\u0301 ".repeat(200),
  "مرحبا بالعالم עברית ",
  "\ud800 half \udc00",
  "`".repeat(3_000),
  "|\\|||",
  "&lt;b&gt; &#64;team \\`x\\`",
  "line of an error\n".repeat(3_000),
  "x".repeat(200_000),
  "\t```\n    ```\n> ```",
  "https://example.org/?a=b&c=<d>",
];
const said = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ maxLength: 300 }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.string({ unit: "binary", maxLength: 300 }),
);
const short = said.map((text) => text.slice(0, 1_000));

const step = fc.record({
  op: fc.constantFrom("create", "update", "replace", "delete", "same", "import"),
  name: short,
  many: fc.integer({ min: 1, max: 60 }),
  value: short,
});
const stack = fc.record({
  steps: fc.array(step, { maxLength: 4 }),
  status: fc.constantFrom("succeeded", "failed", "skipped", "cancelled"),
  error: fc.option(said),
  unknowns: fc.integer({ min: 0, max: 3_000 }),
  warnings: fc.array(said, { maxLength: 3 }),
  blame: fc.option(short.map((text) => text.slice(0, 300))),
});
const host = fc.constantFrom("github", "gitlab");

type StackSample = typeof stack extends fc.Arbitrary<infer T> ? T : never;

function reportOf(stacks: readonly StackSample[]) {
  const made = stacks.map(({ steps, status, error, unknowns, warnings, blame }, i): StackReport => {
    const all = steps.flatMap(({ op, name, many, value }) =>
      Array.from(
        { length: many },
        (): ReportStep => ({
          op,
          urn: "u",
          type: "a:b:C",
          name,
          component: false,
          diffs: [value],
          keys: [value],
          values: [{ path: value, from: value, to: name }],
        }),
      ),
    );
    return {
      ...{ stack: `stack-${i}`, status: status as StackReport["status"], duration: null, offset: null, changes: { create: all.length }, steps: all },
      diagnostics: warnings.map((message) => ({ severity: "warning" as const, urn: "", message })),
      unknowns: Array.from({ length: unknowns }, (_, n) => `observability.output${n}`),
      ...(blame === null ? {} : { blame }),
      ...(error === null ? {} : { error: { code: "E", message: error, hint: error } }),
    };
  });
  return report({ ok: stacks.every(({ status }) => status === "succeeded"), changed: true, stacks: made });
}

/** Tags that a comment may have: those of Markdown, and those of the folds. */
const TAGS = new Set(["h2", "h3", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "p", "ul", "li", "pre", "details", "summary", "a"]);

function problems(text: string, rendered: string): string[] {
  const found: string[] = [];
  const open: string[] = [];
  const body = rendered.replace(/^<!-- homelab:preview -->\n/, "");
  for (const [whole, close, name = ""] of body.matchAll(/<(\/?)([a-zA-Z!][\w-]*)?[^>]*>/g)) {
    if (!TAGS.has(name)) found.push(`a tag ${whole.slice(0, 60)}`);
    if (name === "a" && close === "" && whole !== `<a href="${RUN.runUrl}">`) found.push(`a link ${whole.slice(0, 80)}`);
    if (close === "") open.push(name);
    else if (open.pop() !== name) found.push(`${whole} closes nothing`);
  }
  if (open.length > 0) found.push(`open at the end: ${open.join(" ")}`);
  // The last line is ours, and is inside no fence or fold.
  if (!/<p>commit <code>a{40}<\/code>.*<\/p>\n$/s.test(body)) found.push("the line of the run is not a paragraph of its own");
  if (/(^|[^\w])@[a-z]/i.test(text)) found.push("a mention");
  if (/[\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u.test(text)) found.push("a character that turns text, or half of one");
  return found;
}
const RUN = { commit: "a".repeat(40), runUrl: "https://github.com/me/homelab/actions/runs/7" };

test("whatever a report holds: within the host's limit, well formed, with its table, and none of its text is more than text", () => {
  const samples = fc.sample(fc.record({ stacks: fc.array(stack, { minLength: 1, maxLength: 7 }), host }), {
    numRuns: 60,
    seed: Number(process.env["COMMENT_SEED"] ?? 17),
  });
  const texts = samples.map(({ stacks, host: name }) => {
    const text = renderComment(reportOf(stacks), { limit: COMMENT_LIMITS[name], run: RUN });
    expect([...text].length).toBeLessThanOrEqual(COMMENT_LIMITS[name]);
    for (const i of stacks.keys()) expect(text).toContain(`| stack-${i} |`);
    return text;
  });
  for (const [i, rendered] of html(texts).entries())
    expect({ sample: samples[i], found: problems(texts[i] ?? "", rendered) }).toEqual({ sample: samples[i], found: [] });
});

test("each hostile text, in each place in which a report holds text, and as the last word of a run without one", () => {
  const stackOf = (text: string): StackSample => {
    const near = text.slice(0, 1_000);
    const steps = (["update", "replace", "delete", "create"] as const).map((op) => ({ op, name: near, many: 1, value: near }));
    return { steps, status: "failed", error: text, unknowns: 3, warnings: [text], blame: near.slice(0, 300) };
  };
  const texts = HOSTILE.flatMap((text) => [renderComment(reportOf([stackOf(text), stackOf(text)]), { run: RUN }), renderNoReport(text, { run: RUN })]);
  for (const [i, rendered] of html(texts).entries())
    expect([HOSTILE[i >> 1]?.slice(0, 40), problems(texts[i] ?? "", rendered)]).toEqual([HOSTILE[i >> 1]?.slice(0, 40), []]);
});

test("the check itself sees an open fence, an open fold, HTML, a mention and a link", () => {
  const foot = `\n\ncommit \`${RUN.commit}\`, [x](${RUN.runUrl})\n`;
  const bad = ["```\nx", "<details><summary>x</summary>\n\ny", "<b>x</b>", "by @team", "[x](https://evil.example)", "\u202ex"];
  const rendered = html(bad.map((text) => `${text}${foot}`));
  for (const [i, text] of bad.entries()) expect([text, problems(`${text}${foot}`, rendered[i] ?? "").length > 0]).toEqual([text, true]);
  expect(problems(foot, html([foot])[0] ?? "")).toEqual([]);
});

test("a report that these tests make is one that the schema takes, where no text is too long", () => {
  expect(reportSchema.safeParse(reportOf([{ steps: [], status: "failed", error: "x", unknowns: 2, warnings: ["y"], blame: "z" }])).success).toBe(true);
});

test.each([
  ["abc", 2, "ab"],
  ["😀😀", 1, "😀"],
  ["👨‍👩‍👧‍👦x", 4, ""],
  ["x👨‍👩‍👧‍👦", 4, "x"],
  ["x👨‍👩‍👧‍👦y", 8, "x👨‍👩‍👧‍👦"],
  ["e\u0301e\u0301", 3, "e\u0301"],
  ["🇩🇪🇫🇷", 3, "🇩🇪"],
  ["abc", 3, "abc"],
])("%s cut to %s is %s", (text, most, kept) => {
  expect(cut(text, most)).toBe(kept);
});

test("a cut text is a beginning of it, no longer than asked, and its length is what Ruby would say", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.integer({ min: 0, max: 70 }), (text, most) => {
      const kept = cut(text, most);
      expect([text.startsWith(kept), [...kept].length <= most, lengthOf(text)]).toEqual([true, true, [...text].length]);
      expect(/\p{Surrogate}/u.test(kept)).toBe(false);
      if ([...text].length <= most) expect(kept).toBe(text);
    }),
  );
});
