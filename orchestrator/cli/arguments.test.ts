import { parseCommandLine } from "./arguments";
import { allCommands, findCommand } from "./catalogue";
import { type Leaf, leafOf, type NamedCommand } from "./command";
import { helpText, overview } from "./help";

/** Every command and every verb, as a person can type it. */
const leaves: [string, NamedCommand, string, Leaf][] = allCommands().flatMap((command) =>
  (command.verbs === undefined ? [""] : Object.keys(command.verbs)).map((verb): [string, NamedCommand, string, Leaf] => {
    const leaf = leafOf(command, verb);
    return [leaf.path, command, verb, leaf];
  }),
);
const valueFor = ({ choices, count }: Leaf["flags"][number]): string => choices?.[0] ?? (count === true ? "2" : "some value");
const wordsFor = (leaf: Leaf): string[] => leaf.words.filter(({ optional }) => optional !== true).map(({ choices }) => choices?.[0] ?? "word");

test.each(leaves)("homelab %s: help has a line for each flag and word, and the parser takes each of them", (_, command, verb, leaf) => {
  const help = helpText(command, verb, 80);
  for (const { name, value } of leaf.flags) expect(help).toMatch(new RegExp(`^ +--${name}${value === undefined ? "" : ` <.*>`} +\\S`, "m"));
  for (const { name } of leaf.words) expect(help).toMatch(new RegExp(`^ +${name} +\\S`, "m"));
  // Examples stay whole: they are for copying.
  const [described = ""] = help.split("\nExamples:");
  expect(Math.max(...described.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);

  const words = wordsFor(leaf);
  const flags = leaf.flags.flatMap((flag) => [`--${flag.name}`, ...(flag.value === undefined ? [] : [valueFor(flag)])]);
  const parsed = parseCommandLine(command, [...flags, ...(verb === "" ? [] : [verb]), ...words]);
  expect([parsed.verb, parsed.args.words]).toEqual([verb, words]);
  for (const flag of leaf.flags)
    expect(flag.value === undefined ? parsed.args.flag(flag.name) : parsed.args.text(flag.name)).toBe(flag.value === undefined ? true : valueFor(flag));
});

/** The words of a text, in their order, however it is wrapped. */
const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");
/** Lines that are wider than the terminal, and could be shorter. */
const tooWide = (text: string, columns: number): string[] => text.split("\n").filter((line) => line.length > columns && wordsOf(line).length > 1);

test.each([20, 40, 60, 79])("on a terminal of %i columns help says the same, and no line is wider", (columns) => {
  for (const [name, command, verb] of leaves) {
    const [help, described = ""] = [helpText(command, verb, columns), helpText(command, verb, columns).split("\nExamples:")[0]];
    expect([name, wordsOf(help)]).toEqual([name, wordsOf(helpText(command, verb, 200))]);
    expect([name, tooWide(described, columns)]).toEqual([name, []]);
  }
  for (const command of allCommands().filter(({ verbs }) => verbs !== undefined)) {
    expect(wordsOf(helpText(command, "", columns))).toEqual(wordsOf(helpText(command, "", 200)));
    expect(tooWide(helpText(command, "", columns).split("\nExamples:")[0] ?? "", columns)).toEqual([]);
  }
  expect(wordsOf(overview(allCommands(), columns))).toEqual(wordsOf(overview(allCommands(), 200)));
  expect(tooWide(overview(allCommands(), columns), columns)).toEqual([]);
});

test("the overview of a usual terminal has a line for each command, and none is wider", () => {
  const text = overview(allCommands(), 80);
  expect(tooWide(text, 80)).toEqual([]);
  for (const { name, hidden } of allCommands()) if (hidden !== true) expect(text).toMatch(new RegExp(`^ {2}${name} +\\S`, "m"));
});

test.each(leaves)("homelab %s: a flag that is misspelt, one without its value and one with a wrong value are refused", (_, command, verb, leaf) => {
  const line = [...(verb === "" ? [] : [verb]), ...wordsFor(leaf)];
  const code = expect.objectContaining({ code: "E_USAGE" });
  for (const flag of leaf.flags) {
    expect(() => parseCommandLine(command, [...line, `--${flag.name}x`])).toThrow(code);
    if (flag.value !== undefined) expect(() => parseCommandLine(command, [...line, `--${flag.name}`])).toThrow(code);
    if (flag.choices !== undefined || flag.count === true) expect(() => parseCommandLine(command, [...line, `--${flag.name}`, "0"])).toThrow(code);
  }
});

const refused = (...argv: string[]): unknown => {
  try {
    const [name = "", ...rest] = argv;
    return parseCommandLine(findCommand(name), rest);
  } catch (thrown) {
    const { message, hint } = thrown as { message: string; hint: string };
    return [message, hint];
  }
};

test.each([
  [["upp"], "there is no command upp", "did you mean up? See `homelab help`"],
  [["destory"], "there is no command destory", "did you mean destroy? See `homelab help`"],
  [["preview", "--expect-no-change"], "unknown option '--expect-no-change'", "did you mean --expect-no-changes? See `homelab help preview`"],
  [["up", "--expect-no-changes"], "unknown option '--expect-no-changes'", "see `homelab help up`"],
  [["up", "--concurrency", "many"], "--concurrency takes a whole number of at least 1, not many", undefined],
  [["secrets", "--staged", "list"], "unknown option '--staged'", "see `homelab help secrets list`"],
  [
    ["secrets", "chek"],
    "secrets takes list, check, get, set, new, view, edit, rotate, recipients or generate, not chek",
    "did you mean check? See `homelab help secrets`",
  ],
  [["graph", "dev"], "graph takes no words", "see `homelab help graph`"],
  [["unlock"], "unlock takes <stack>…", "see `homelab help unlock`"],
  [["completion", "tcsh"], "completion takes bash, zsh, fish as <shell>, not tcsh", "see `homelab help completion`"],
])("homelab %j is refused with what to do next", (argv, message, hint) => {
  expect(refused(...argv)).toEqual([message, hint]);
});

test("what follows -- is words, even if it looks like a flag; the error for an excess word does not repeat it", () => {
  expect(parseCommandLine(findCommand("ssh"), ["--lab", "host", "--", "ls", "--help"]).args.words).toEqual(["host", "ls", "--help"]);
  expect(refused("secrets", "set", "entry", "key", "hunter2")).toEqual(["secrets set takes <entry> <key>", "see `homelab help secrets set`"]);
});
