/** The commands that there are: the files of `orchestrator/commands/`, each named after its command. */
import * as fs from "node:fs";
import * as path from "node:path";
import { nearest } from "../../common/nearest";
import { usageError } from "./arguments";
import { type CommandSpec, GROUPS, type NamedCommand } from "./command";

const FOLDER = path.join(__dirname, "..", "commands");

const isCommandFile = (file: string): boolean => /^[a-z][a-z-]*\.(js|ts)$/.test(file);

/** In alphabetical order. */
const commandNames = (): string[] =>
  fs
    .readdirSync(FOLDER)
    .filter(isCommandFile)
    .map((file) => path.parse(file).name)
    .sort();

function load(name: string): NamedCommand {
  const { command } = require(path.join(FOLDER, name)) as { command?: CommandSpec };
  if (command === undefined) throw new Error(`orchestrator/commands/${name}.ts exports no command`);
  return { name, ...command };
}

/** Every command, ordered by group, then by place in the group, then by name. */
export function allCommands(): NamedCommand[] {
  return commandNames()
    .map(load)
    .sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group) || (a.place ?? Number.MAX_SAFE_INTEGER) - (b.place ?? Number.MAX_SAFE_INTEGER));
}

/** Loads that command alone. @throws HomelabError E_USAGE where there is none of the name */
export function findCommand(name: string): NamedCommand {
  const names = commandNames();
  if (names.includes(name)) return load(name);
  const shown = allCommands().filter(({ hidden }) => hidden !== true);
  const known = shown.map((command) => command.name);
  const meant = nearest(name, known);
  throw usageError(`there is no command ${name}`, meant === undefined ? `use one of: ${known.join(", ")}` : `did you mean ${meant}? See \`homelab help\``);
}
