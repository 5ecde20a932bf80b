/**
 * What the Pulumi CLI 3.260 has on its command line, in three lists: what works here, what is refused by name, and what cannot
 * be here since only Pulumi Cloud answers it. Every command and flag that `pulumi generate-cli-spec` of that version names stands in
 * exactly one of them (tests/automation/surface.test.ts; against the CLI itself: tests/real).
 */
import { GLOBAL_FLAGS } from "./flags";
import { ANSWERED, COMMANDS } from "./table/commands";

/**
 * By command, the names of its flags; `""` is what every command takes. A command with the value `ALL` is in the list with all
 * of its flags and all commands below it.
 */
export type SurfaceList = Readonly<Record<string, readonly string[] | typeof ALL>>;
export const ALL = "all of it";

/** Known, not built: the answer names the command or flag, and the exit code is 2. A letter after `/` is the flag's short form. */
export const REFUSED: SurfaceList = {
  "": ["disable-integrity-checking", "memprofilerate", "otel-traces", "profiling", "tracing", "tracing-header"],
  ...Object.fromEntries(Object.keys(ANSWERED).map((command) => [command, ALL])),
  "about env": ALL,
  about: ["transitive/t"],
  convert: ALL,
  "convert-trace": ALL,
  destroy: ["ignore-protect", "output"],
  do: ALL,
  events: ALL,
  "gen-markdown": ALL,
  "generate-cli-spec": ALL,
  import: ["from", "generate-resources", "output", "properties"],
  ...{ "logs decrypt": ALL, "logs list": ALL, "logs remove": ALL, "logs share": ALL },
  new: ALL,
  package: ALL,
  "plugin install": ALL,
  "plugin list": ["project/p"],
  "plugin remove": ALL,
  "plugin run": ALL,
  "policy analyze": ALL,
  "policy install": ALL,
  "policy new": ALL,
  "policy validate-config": ALL,
  preview: ["attach-debugger", "ignore-protect", "output"],
  "project new": ALL,
  refresh: ["output"],
  "replay-events": ALL,
  schema: ALL,
  stack: ["output"],
  "stack get": ALL,
  "stack list": ["tag/t"],
  "stack migrate": ALL,
  "state promote": ALL,
  "state upgrade": ALL,
  template: ALL,
  up: ["attach-debugger", "ignore-protect", "output", "secrets-provider"],
  "view-trace": ALL,
  watch: ALL,
};

/** Answered by Pulumi Cloud alone, so that no engine has it with a file or S3 backend: refused by name as well. */
export const CLOUD_ONLY: SurfaceList = {
  api: ALL,
  config: ["open"],
  "config env": ALL,
  "config get": ["open"],
  console: ALL,
  deployment: ALL,
  destroy: ["copilot", "neo", "override-env"],
  env: ALL,
  insights: ALL,
  login: ["default-org", "insecure", "interactive", "oidc-expiration", "oidc-org", "oidc-team", "oidc-token", "oidc-user"],
  neo: ALL,
  org: ALL,
  policy: ALL,
  preview: ["copilot", "neo", "neo-task-on-failure", "override-env"],
  project: ALL,
  refresh: ["copilot", "neo", "override-env"],
  "stack drift": ALL,
  "stack history events": ALL,
  "stack list": ["organization/o"],
  "stack new": ["remote-config", "teams"],
  "stack schedule": ALL,
  "stack webhook": ALL,
  up: ["copilot", "neo", "neo-task-on-failure", "override-env"],
};

/** What works, as the command table has it. */
export const works = (): SurfaceList => ({
  "": [...Object.keys(GLOBAL_FLAGS), "version"],
  help: [],
  ...Object.fromEntries(["plugin", "stack tag", "state"].map((group) => [group, []])),
  ...Object.fromEntries(Object.entries(COMMANDS).map(([name, { flags }]) => [name, Object.keys(flags)])),
});

/** The command and the groups that it belongs to, itself first. */
const withGroups = (command: string): string[] => command.split(" ").map((_word, at, words) => words.slice(0, words.length - at).join(" "));

/** The longest command that the words begin with and that the list has as a whole. */
export const listedCommand = (list: SurfaceList, command: string): string | undefined => withGroups(command).find((name) => list[name] === ALL);

/** Whether the list has a flag of a command, by its name or its letter. @returns its name */
export function listedFlag(list: SurfaceList, command: string, flag: string): string | undefined {
  for (const name of [command, ""]) {
    const flags = list[name];
    const found = flags === undefined || flags === ALL ? undefined : flags.find((entry) => entry.split("/").includes(flag));
    if (found !== undefined) return found.split("/")[0];
  }
  return undefined;
}

/**
 * In which of the lists a command or one of its flags stands: the one that names most of the command's words; undefined in none.
 * @param flag without its dashes
 */
export function listOf(command: string, flag?: string): "works" | "refused" | "cloud only" | undefined {
  const lists = [
    ["works", works()],
    ["refused", REFUSED],
    ["cloud only", CLOUD_ONLY],
  ] as const;
  for (const name of withGroups(command)) {
    const found = lists.find(([, list]) => list[name] === ALL || (flag === undefined ? name === command && list[name] !== undefined : false));
    if (found !== undefined) return found[0];
    const holder = flag === undefined ? undefined : lists.find(([, list]) => listedFlag({ [name]: list[name] ?? [] }, name, flag) !== undefined);
    if (holder !== undefined) return holder[0];
  }
  return flag === undefined ? undefined : lists.find(([, list]) => listedFlag({ "": list[""] ?? [] }, "", flag) !== undefined)?.[0];
}
