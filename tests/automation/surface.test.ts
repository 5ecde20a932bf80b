/** The command line of the CLI, whole: each command and each flag works, or is refused by its name. */

import { runCommandLine } from "../../engine/cli/command-line";
import { ALL, CLOUD_ONLY, listOf, REFUSED, works } from "../../engine/cli/surface";
import { CliError } from "../../engine/errors";
import recorded from "./cli-surface.json";

const COMMANDS: Record<string, string[]> = recorded.commands;
const flags = Object.entries(COMMANDS).flatMap(([command, names]) => names.map((flag) => [command, flag] as const));

const answer = async (argv: string[]): Promise<[message: string, code: number]> => {
  const thrown = await runCommandLine(argv).catch((error: unknown) => error);
  if (!(thrown instanceof CliError)) throw new Error(`${argv.join(" ")} was not refused`);
  return [thrown.message, thrown.exitCode];
};

test("each command and each flag of the CLI is in one of the lists", () => {
  expect(Object.keys(COMMANDS).filter((command) => command !== "" && listOf(command) === undefined)).toEqual([]);
  expect(flags.filter(([command, flag]) => listOf(command, flag) === undefined)).toEqual([]);
});

test("and in no second one, and nothing is listed that the CLI has not", () => {
  const lists = [works(), REFUSED, CLOUD_ONLY];
  const entries = lists.flatMap((list) =>
    Object.entries(list).flatMap(([command, names]) => (names === ALL ? [command] : names.map((flag) => `${command} --${flag.split("/")[0]}`))),
  );
  expect(entries.filter((entry, at) => entries.indexOf(entry) !== at)).toEqual([]);
  // These flags, which every command takes here, belong to single commands there; the CLI has `--event-log` with PULUMI_DEBUG_COMMANDS.
  const known = new Set([...Object.keys(COMMANDS), ...flags.map(([command, flag]) => `${command} --${flag}`)]);
  const extra = entries.filter((entry) => !known.has(entry) && !entry.endsWith(" --event-log"));
  expect(extra).toEqual([" --stack", " --config-file", " --help", " --version"]);
});

test("a command that does not work is refused by its name", async () => {
  const refused = Object.keys(COMMANDS).filter((command) => command !== "" && listOf(command) !== "works");
  for (const command of refused) {
    const [message, code] = await answer(command.split(" "));
    if (command.startsWith("org ") && code === 1) expect(message).toBe("file and S3 backends do not support organizations");
    else expect([message, code]).toEqual([expect.stringContaining(`\`pulumi ${command.split(" ")[0]}`), 2]);
  }
  expect(refused.length).toBeGreaterThan(150);
});

test("a flag that does not work is refused by its name, and the command", async () => {
  const refused = flags.filter(([command, flag]) => command !== "" && listOf(command) === "works" && listOf(command, flag) !== "works");
  for (const [command, flag] of refused)
    expect(await answer([...command.split(" "), `--${flag}=x`])).toEqual([expect.stringContaining(`--${flag} of \`pulumi ${command}\` `), 2]);
  expect(refused.length).toBeGreaterThan(20);
});

test("a flag of every command that does not work is refused by its name, wherever it stands", async () => {
  const refused = (COMMANDS[""] ?? []).filter((flag) => listOf("", flag) !== "works");
  for (const flag of refused) {
    expect(await answer([`--${flag}=x`])).toEqual([expect.stringMatching(`^--${flag} is not supported`), 2]);
    expect(await answer(["stack", "list", `--${flag}`])).toEqual([expect.stringContaining(`--${flag} of \`pulumi stack list\` `), 2]);
  }
  expect(refused).toEqual(["disable-integrity-checking", "memprofilerate", "otel-traces", "profiling", "tracing", "tracing-header"]);
});

test("what the CLI has not is a typing error, with its exit code", async () => {
  expect(await answer(["up", "--nope"])).toEqual(["unknown flag: --nope", 1]);
  expect(await answer(["upp"])).toEqual([expect.stringContaining('unknown command "upp" for "pulumi"'), 1]);
  expect(await answer(["stack", "lss"])).toEqual([expect.stringContaining('unknown command "lss" for "pulumi stack"'), 1]);
});
