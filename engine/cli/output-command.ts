/** `stack output`: the stack's outputs, masked unless asked for. */
import { z } from "zod";
import { quote } from "../../common/quote";
import type { RawDeployment } from "../backend/checkpoint";
import { CliError, EXIT_CODE } from "../errors";
import { exactJson, parseExactJson } from "../wire/exact-json";
import { containsSecrets, isSecret, mapValue, type PropertyMap, type Value } from "../wire/values";
import type { Flags } from "./flags";
import { openStack, stateSecrets } from "./stack-context";
import { print, table } from "./terminal";

const STACK_TYPE = "pulumi:pulumi:Stack";
const rawResource = z.looseObject({ urn: z.string(), type: z.string(), id: z.string().optional(), outputs: z.record(z.string(), z.custom<Value>()).nullish() });

/** The resources as they stand in the file: no passphrase is needed. */
export const rawResources = (latest: RawDeployment | undefined): z.infer<typeof rawResource>[] => z.array(rawResource).parse(latest?.resources ?? []);

const MASK = "[secret]";

/** A secret inside another secret was encrypted together with it, and holds its value as text. */
const within = (item: Value): Value =>
  isSecret(item) ? (typeof item["ciphertext"] === "string" ? (parseExactJson(item["ciphertext"]) as Value) : (item["value"] ?? null)) : item;

/** Masked outputs need no passphrase: the file marks which values are secret. */
function outputsOf(latest: RawDeployment | undefined, show: boolean): PropertyMap {
  const raw = (rawResources(latest).find((r) => r.type === STACK_TYPE)?.outputs ?? {}) as PropertyMap;
  if (show) {
    const secrets = stateSecrets(latest);
    const open = (item: Value): Value => {
      if (!isSecret(item)) return item;
      if (typeof item["ciphertext"] !== "string") return item["value"] ?? null;
      if (secrets === undefined) throw new CliError("the state has no secrets provider, but holds an encrypted value");
      return mapValue(parseExactJson(secrets.decrypt(item["ciphertext"])) as Value, within);
    };
    return mapValue(raw, open) as PropertyMap;
  }
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, containsSecrets(value) ? MASK : value]));
}

const shown = (value: Value): string => (typeof value === "string" ? value : exactJson(value));

export function outputTable(latest: RawDeployment | undefined, show: boolean): string {
  const rows = Object.entries(outputsOf(latest, show)).map(([key, value]) => [key, shown(value)]);
  return `Current stack outputs (${rows.length}):\n${rows.length === 0 ? "    No output values currently in this stack" : table([["OUTPUT", "VALUE"], ...rows], "    ")}`;
}

/** A line that a shell takes: PowerShell's on Windows, as the CLI does it. */
const assignment = (name: string, value: Value): string =>
  process.platform === "win32" ? `$${name} = '${shown(value).replaceAll("'", "''")}'` : `${name}=${quote(shown(value))}`;

export async function stackOutput(flags: Flags): Promise<number> {
  if (flags.json && flags.has("shell")) throw new CliError("only one of --json and --shell may be set");
  const { project, backend, stack } = await openStack(flags);
  const latest = await backend.load(project.name, stack);
  const [name] = flags.words;
  if (name === undefined && !flags.json && !flags.has("shell")) {
    print(outputTable(latest, flags.has("show-secrets")));
    return EXIT_CODE.ok;
  }
  const outputs = outputsOf(latest, flags.has("show-secrets"));
  if (name === undefined && flags.has("shell")) for (const key of Object.keys(outputs).sort()) print(assignment(key, outputs[key] ?? null));
  else if (name === undefined) print(exactJson(outputs, 2));
  else {
    const value = outputs[name];
    if (value === undefined) throw new CliError(`current stack does not have output property '${name}'`);
    print(flags.has("shell") ? assignment(name, value) : flags.json ? exactJson(value) : shown(value));
  }
  return EXIT_CODE.ok;
}
