import { parseCommandLine } from "./arguments";
import { allCommands, findCommand } from "./catalogue";
import { type Leaf, leafOf, type NamedCommand } from "./command";
import { helpText } from "./help";

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
