/** Reads the help of all commands of the real CLI: each command and flag is in exactly one of the embedded engine's lists. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ALL, CLOUD_ONLY, listOf, REFUSED, type SurfaceList, works } from "../../engine/cli/surface";
import recorded from "../automation/cli-surface.json";
import { type RealCli, realCli } from "../support/real-cli";
import { describeReal } from "../support/real-parts";

interface Help {
  commands: string[];
  /** The command's own flags, without `--help` and the global ones. */
  flags: string[];
}

function parseHelp(text: string): Help {
  const help: Help = { commands: [], flags: [] };
  let section = "";
  for (const line of text.split("\n")) {
    if (/^\S.*:$/.test(line)) section = line;
    const command = /Commands:$/.test(section) ? /^ {2}([a-z][a-z-]*) +\S/.exec(line)?.[1] : undefined;
    if (command !== undefined) help.commands.push(command);
    const flag = section === "Flags:" ? /^ +(?:-\w, )?--([a-z][a-z-]*)/.exec(line)?.[1] : undefined;
    if (flag !== undefined && flag !== "help") help.flags.push(flag);
  }
  return help;
}

const LISTS: Record<string, SurfaceList> = { works: works(), refused: REFUSED, "cloud only": CLOUD_ONLY };

const naming = (has: (list: SurfaceList) => boolean): string[] => Object.keys(LISTS).filter((name) => has(LISTS[name] ?? {}));

/** The lists that have a command or flag: by itself, or by a group of commands that they have as a whole. The longest match counts. */
function listsWith(command: string, flag?: string): string[] {
  const hasIt = (list: SurfaceList): boolean => {
    const own = list[command];
    if (own === ALL || own === undefined) return own === ALL;
    // For a command that works, the other lists may have an entry with only the flags that do not work. That is no entry of the command.
    return flag === undefined ? list === LISTS["works"] : own.some((entry) => entry.split("/")[0] === flag);
  };
  const own = naming(hasIt);
  const words = command.split(" ");
  for (let length = words.length - 1; length > 0; length -= 1) {
    const whole = naming((list) => list[words.slice(0, length).join(" ")] === ALL);
    if (own.length === 0 && whole.length > 0) return whole;
  }
  // Some flags, as `--stack`, are global here and flags of single commands in the CLI.
  return own.length > 0 || flag === undefined
    ? own
    : naming((list) => (list[""] as readonly string[] | undefined)?.some((entry) => entry.split("/")[0] === flag) ?? false);
}

describeReal(["pulumi"], "the help of the real CLI", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cli-help-"));
  const found = new Map<string, Help>();
  let cli: RealCli;

  /** Reads the help of one command. @returns its subcommands */
  async function read(words: string[]): Promise<string[][]> {
    const { status, stdout, stderr } = await cli.run([...words, "--help"], { cwd: folder, env: { PULUMI_DEBUG_COMMANDS: "" } });
    if (status !== 0) throw new Error(`pulumi ${words.join(" ")} --help ended with ${status}: ${stderr}`);
    const help = parseHelp(stdout);
    found.set(words.join(" "), help);
    return help.commands.filter((command) => command !== "help").map((command) => [...words, command]);
  }

  async function walk(): Promise<void> {
    const left: string[][] = [[]];
    while (left.length > 0) left.push(...(await Promise.all(left.splice(0, 4).map(read))).flat());
  }

  beforeAll(async () => {
    cli = realCli(folder);
    await walk();
  }, 1_800_000);
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  test("has commands and flags", () => {
    expect(found.size).toBeGreaterThan(150);
    expect(found.get("stack tag")).toEqual({ commands: ["get", "list", "remove", "set"], flags: ["stack"] });
    expect(found.get("up")?.flags).toContain("target-dependents");
  });

  test("each command is in exactly one list, which is the one that answers", () => {
    const commands = [...found.keys()].filter((command) => command !== "");
    expect(commands.map((command) => [command, listsWith(command)])).toEqual(commands.map((command) => [command, [listOf(command)]]));
  });

  test("each flag is in exactly one list, which is the one that answers", () => {
    const flags = [...found].flatMap(([command, help]) => help.flags.map((flag): [string, string] => [command, flag]));
    expect(flags.map(([command, flag]) => [command, flag, listsWith(command, flag)])).toEqual(
      flags.map(([command, flag]) => [command, flag, [listOf(command, flag)]]),
    );
  });

  test("the recorded surface has all of it", () => {
    const names: Record<string, string[]> = recorded.commands;
    expect([...found.keys()].filter((command) => names[command] === undefined)).toEqual([]);
    const missing = [...found].flatMap(([command, help]) => help.flags.filter((flag) => !names[command]?.includes(flag)).map((flag) => `${command} --${flag}`));
    expect(missing).toEqual([" --version"]);
  });
});
