import { loadEstate } from "../../stacks/load/estate";
import { allCommands } from "./catalogue";
import { complete } from "./complete";

/** The stacks of this checkout, whichever they are. There are at least two. */
const STACKS = loadEstate().stacks.map(({ name }) => name);
const [FIRST = "", SECOND = ""] = STACKS;
/** The beginning of the second one's name. Other names may begin with it too. */
const begun = SECOND.slice(0, 1);

test.each<[string, string[], readonly string[]]>([
  ["a command", ["gr"], ["graph"]],
  ["a stack", ["up", begun], STACKS.filter((name) => name.startsWith(begun))],
  ["stacks that are not named yet", ["up", FIRST, "--lab", ""], STACKS.filter((name) => name !== FIRST)],
  ["a value of a flag", ["graph", "--format", "m"], ["mermaid"]],
  ["nothing for the value of a flag that takes any", ["up", "--report", ""], []],
  ["a flag", ["up", "--conc"], ["--concurrency"]],
  ["a verb", ["lab", "st"], ["start", "stop", "status"]],
  ["a verb behind a flag with a value", ["hosts", "--engine", "auto", "in"], ["inventory"]],
  ["a flag of its verb alone", ["lab", "start", "--l"], ["--latency"]],
  ["a flag of no other verb", ["lab", "stop", "--l"], []],
  ["a flag before the verb", ["lab", "--l"], ["--latency"]],
  ["a word with a closed set of values", ["completion", "z"], ["zsh"]],
  ["a command for help", ["help", "prev"], ["preview"]],
  ["nothing behind --", ["ssh", "k8s-dev", "--", "l"], []],
  ["nothing for a command that there is not", ["frobnicate", ""], []],
  ["no command for programs", ["complet"], ["completion"]],
])("offers %s: %j", (_, line, expected) => {
  expect([...complete(line, allCommands())].sort()).toEqual([...expected].sort());
});
