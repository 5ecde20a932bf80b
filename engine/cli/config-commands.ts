/** `config …` (engine-contract A3, A10). */
import * as fs from "node:fs";
import { z } from "zod";
import { readHistory } from "../backend/history";
import { shortest } from "../config/plain-scalar";
import { withProjectValues } from "../config/project-config";
import type { StackSettings } from "../config/stack-settings";
import { asText, type ConfigValue, getAt, hasSecret, mapLeaves, parseConfigPath, setAt } from "../config/value-path";
import { CliError, EXIT_CODE, unsupported } from "../errors";
import { exactJson, parseExactJson } from "../wire/exact-json";
import type { Flags } from "./flags";
import { openStack, shownStack } from "./stack-context";
import { print, table } from "./terminal";

/** The key with its namespace. One that the CLI could not read again is refused. */
function checkedKey(settings: StackSettings, text: string): string {
  const key = settings.fullKey(text);
  if (key.split(":").length > 2)
    throw new CliError(
      `invalid configuration key: could not parse ${text} as a configuration key (configuration keys should be of the form \`<namespace>:<name>\`)`,
    );
  return key;
}

/** A key and the path inside its value. */
function locate(settings: StackSettings, text: string, asPath: boolean): { key: string; path: ReturnType<typeof parseConfigPath> } {
  if (!asPath) return { key: checkedKey(settings, text), path: [] };
  const colon = text.indexOf(":");
  const [first, ...path] = parseConfigPath(colon < 0 ? text : text.slice(colon + 1));
  if (typeof first !== "string") throw new CliError(`config key ${text} must begin with a name`);
  return { key: checkedKey(settings, colon < 0 ? first : `${text.slice(0, colon)}:${first}`), path };
}

/** An integer in the range of Go's int64. */
function int64(text: string): number | bigint | undefined {
  if (!/^[-+]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ""));
  return value === BigInt.asIntN(64, value) ? shortest(value) : undefined;
}

/** Inside a map or a list, whole numbers and truth values are what they look like, unless a type is asked for. */
function typed(text: string, type: string | undefined): ConfigValue {
  const wrong = (): CliError => new CliError(`"${text}" is no value of type ${type}`);
  if (type === undefined) {
    if (text === "true" || text === "false") return text === "true";
    // What begins with a zero (a file mode, a telephone number) stays text.
    return (/^(0|[1-9]\d*|[-+]\d+)$/.test(text) ? int64(text) : undefined) ?? text;
  }
  if (type === "string") return text;
  if (type === "int") {
    const value = int64(text);
    if (value === undefined) throw wrong();
    return value;
  }
  if (type === "bool") {
    if (text !== "true" && text !== "false") throw wrong();
    return text === "true";
  }
  if (type !== "float") throw new CliError(`invalid type "${type}"; must be one of string, int, bool, or float`);
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) || !Number.isFinite(Number(text))) throw wrong();
  return Number(text);
}

interface Assignment {
  path: boolean;
  secret: boolean;
  type?: string | undefined;
}

function assign(settings: StackSettings, name: string, text: string, { path: asPath, secret, type }: Assignment): void {
  const { key, path } = locate(settings, name, asPath);
  // A scalar is stored as text, whatever it looks like.
  const plain = (): ConfigValue => (path.length > 0 ? typed(text, type) : type === undefined ? text : String(typed(text, type)));
  const value: ConfigValue = secret ? { secure: settings.secrets().encrypt(text) } : plain();
  settings.set(key, setAt(settings.values()[key], path, value));
}

const decrypt = (settings: StackSettings, value: ConfigValue): ConfigValue => mapLeaves(value, (ciphertext) => settings.secrets().decrypt(ciphertext));

function view(settings: StackSettings, value: ConfigValue, show: boolean): { value?: string; objectValue?: ConfigValue; secret: boolean } {
  const secret = hasSecret(value);
  if (secret && !show) return { secret };
  const plain = decrypt(settings, value);
  return { value: asText(plain), ...(typeof plain === "object" && plain !== null ? { objectValue: plain } : {}), secret };
}

export async function configList(flags: Flags): Promise<number> {
  const { settings, project } = await openStack(flags);
  const entries = Object.entries(withProjectValues(project.name, project.declarations, settings.values())).sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = Object.fromEntries(entries.map(([key, value]) => [key, view(settings, value, flags.has("show-secrets"))]));
  if (flags.json) print(exactJson(shown, 2));
  else {
    const own = `${project.name}:`;
    const rows = Object.entries(shown).map(([key, { value }]) => [key.startsWith(own) ? key.slice(own.length) : key, value ?? "[secret]"]);
    print(table([["KEY", "VALUE"], ...rows]));
  }
  return EXIT_CODE.ok;
}

export async function configGet(flags: Flags): Promise<number> {
  const { settings, stack, project } = await openStack(flags);
  const [name = ""] = flags.words;
  const { key, path } = locate(settings, name, flags.has("path"));
  const value = getAt(withProjectValues(project.name, project.declarations, settings.values())[key], path);
  if (value === undefined) throw new CliError(`configuration key '${name}' not found for stack '${shownStack(flags, project, stack)}'`);
  const shown = view(settings, value, true);
  print(flags.json ? exactJson(shown, 2) : (shown.value ?? ""));
  return EXIT_CODE.ok;
}

export async function configSet(flags: Flags): Promise<number> {
  const { settings } = await openStack(flags);
  const [name = "", given] = flags.words;
  // From standard input, so that a secret need not be an argument.
  const read = given === undefined ? fs.readFileSync(0, "utf8") : given;
  const text = given !== undefined || flags.has("raw") ? read : read.replace(/\n$/, "");
  const type = flags.text("type");
  const kinds = ["secret", "plaintext", "type"].filter((flag) => flags.has(flag) || flags.text(flag) !== undefined);
  if (kinds.length > 1)
    throw new CliError(`if any flags in the group [secret plaintext type] are set none of the others can be; [${kinds.join(" ")}] were all set`);
  assign(settings, name, text, { path: flags.has("path"), secret: flags.has("secret"), type });
  settings.save();
  return EXIT_CODE.ok;
}

const jsonConfigSchema = z.record(
  z.string(),
  z.looseObject({ value: z.string().nullish(), objectValue: z.custom<ConfigValue>().optional(), secret: z.boolean().nullish() }),
);

/** Text of a command line as JSON. The error does not quote it: it may hold secrets. */
function givenJson(text: string, what: string): unknown {
  try {
    return parseExactJson(text);
  } catch (cause) {
    throw new CliError(`could not parse ${what}: it is not valid JSON, or has a number that is out of range`, 1, { cause });
  }
}

/** What `config --json` prints, as settings. Of a map or list, `value` counts, as in the CLI: its text has all digits of its numbers. */
function setFromJson(settings: StackSettings, json: string): void {
  const parsed = jsonConfigSchema.safeParse(givenJson(json, "--json argument"));
  if (!parsed.success) throw new CliError(`could not parse --json argument: ${z.prettifyError(parsed.error)}`);
  for (const [key, { value, objectValue, secret }] of Object.entries(parsed.data)) {
    if (value === undefined || value === null)
      throw new CliError(`value for --json object key "${key}" is nil; \`config --json\` leaves out secret values, but for --show-secrets`);
    const isObject = objectValue !== undefined && objectValue !== null;
    if (isObject && secret !== true) settings.set(checkedKey(settings, key), givenJson(value, `value of --json object key "${key}"`) as ConfigValue);
    else assign(settings, key, value, { path: false, secret: secret === true });
  }
}

export async function configSetAll(flags: Flags): Promise<number> {
  const { settings } = await openStack(flags);
  const json = flags.text("json");
  if (json !== undefined) setFromJson(settings, json);
  for (const kind of ["plaintext", "secret"] as const) {
    for (const pair of flags.list(kind)) {
      const at = pair.indexOf("=");
      if (at < 0) throw new CliError("config value must be in the form [key]=[value]");
      assign(settings, pair.slice(0, at), pair.slice(at + 1), { path: flags.has("path"), secret: kind === "secret" });
    }
  }
  settings.save();
  return EXIT_CODE.ok;
}

/** One setting, or all of them, into another stack's settings: encrypted anew, for each stack has a salt of its own. */
export async function copySettings(from: StackSettings, to: StackSettings, keys: readonly string[]): Promise<void> {
  const values = from.values();
  for (const key of keys)
    to.set(
      key,
      mapLeaves(values[key] ?? null, (ciphertext) => ({ secure: to.secrets().encrypt(from.secrets().decrypt(ciphertext)) })),
    );
  to.save();
}

export async function configCopy(flags: Flags): Promise<number> {
  const dest = flags.text("dest");
  if (dest === undefined) throw new CliError("missing destination stack: pulumi config copy [key] --dest <stack>", EXIT_CODE.usage);
  const from = await openStack(flags);
  const to = await openStack(flags, dest);
  if (from.stack === to.stack) throw new CliError("current stack and destination stack are the same");
  const [name] = flags.words;
  if (name === undefined) await copySettings(from.settings, to.settings, Object.keys(from.settings.values()));
  else {
    const { key, path } = locate(from.settings, name, flags.has("path"));
    const value = getAt(from.settings.values()[key], path);
    if (value === undefined) throw new CliError(`configuration key '${name}' not found for stack '${shownStack(flags, from.project, from.stack)}'`);
    const again = mapLeaves(value, (ciphertext) => ({ secure: to.settings.secrets().encrypt(from.settings.secrets().decrypt(ciphertext)) }));
    to.settings.set(key, setAt(to.settings.values()[key], path, again));
    to.settings.save();
  }
  return EXIT_CODE.ok;
}

/** `-c key=value` of an operation: kept in the stack's settings, as the CLI does. */
export function setGiven(settings: StackSettings, pairs: readonly string[], path: boolean): void {
  if (pairs.length === 0) return;
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 0) throw new CliError(`config value must be in the form [key]=[value], not ${pair}`);
    assign(settings, pair.slice(0, at), pair.slice(at + 1), { path, secret: false });
  }
  settings.save();
}

export async function configRm(flags: Flags): Promise<number> {
  const { settings } = await openStack(flags);
  for (const name of flags.words) {
    const { key, path } = locate(settings, name, flags.has("path"));
    settings.set(key, setAt(settings.values()[key], path, undefined));
  }
  settings.save();
  return EXIT_CODE.ok;
}

/** Sets the settings to what the last operation ran with. */
export async function configRefresh(flags: Flags): Promise<number> {
  const { settings, backend, project, stack } = await openStack(flags);
  const [last] = await readHistory(backend, project.name, stack, { limit: 1 });
  if (last === undefined) throw new CliError(`stack '${shownStack(flags, project, stack)}' has never been updated: there is no configuration to take`);
  for (const key of Object.keys(settings.values())) settings.set(key, undefined);
  for (const [key, value] of Object.entries((last.config ?? {}) as Record<string, ConfigValue>)) settings.set(key, value);
  settings.save();
  return EXIT_CODE.ok;
}

export function configEnv(): number {
  throw unsupported("`config env` (environments of Pulumi Cloud)");
}
