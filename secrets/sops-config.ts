/**
 * `.sops.yaml`: which keys a new file is encrypted to. Rules are matched as sops 3.10 matches them (config/config.go): the first whose
 * `path_regex`, a Go expression, is found in the path from the configuration's folder; keys that sops does not know are ignored.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { asError, HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { secretsDir } from "./sops-folder";

/** Keys of a rule or a key group that name other kinds of keys: sops would encrypt to them too. */
const OTHER_KEYS = ["pgp", "kms", "aws_profile", "gcp_kms", "hckms", "azure_keyvault", "azure_kv", "hc_vault_transit_uri", "hc_vault"] as const;
/** Settings of a rule that change what is encrypted, and how a file is read back. */
const OTHER_FORMATS = [
  "unencrypted_suffix",
  "encrypted_suffix",
  "unencrypted_regex",
  "encrypted_regex",
  "unencrypted_comment_regex",
  "encrypted_comment_regex",
  "mac_only_encrypted",
] as const;

type Settings = Record<string, unknown>;
interface Rule extends Settings {
  path_regex?: string | null | undefined;
}

const ruleSchema = z.looseObject({ path_regex: z.string().nullish() });
const schema = z.looseObject({ creation_rules: z.array(ruleSchema).min(1) });

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0);

/** Why a rule cannot be used. The message is a sentence whose subject is the rule. */
class RuleFault extends Error {}

function parseConfig(configFile: string): readonly Rule[] {
  const { parse } = require("yaml") as typeof import("yaml");
  let read: unknown;
  try {
    read = parse(fs.readFileSync(configFile, "utf8"));
  } catch (cause) {
    throw new HomelabError("E_SOPS_CONFIG", `${configFile} cannot be read: ${asError(cause).message.split("\n")[0]}`, {
      subject: configFile,
      hint: "correct it, or restore it from Git",
      cause,
    });
  }
  const config = schema.safeParse(read);
  if (config.success) return config.data.creation_rules;
  const { path: place = [], message = "" } = config.error.issues[0] ?? {};
  throw new HomelabError("E_SOPS_CONFIG", `${configFile}: ${place.join(".") || "it"} is not what sops reads there (${message})`, {
    subject: configFile,
    hint: "it holds creation_rules, a list of rules with path_regex and age",
  });
}

function fits({ path_regex: expression }: Rule, file: string): boolean {
  if (!isSet(expression)) return true;
  const { RE2JS } = require("re2js") as typeof import("re2js");
  try {
    return RE2JS.compile(String(expression)).matcher(file).find();
  } catch (cause) {
    throw new RuleFault(`its path_regex ${expression} is no regular expression: ${asError(cause).message}`, { cause });
  }
}

/** Of `age`: one text with commas, or a list of such. */
function ageKeys(value: unknown): string[] {
  if (!isSet(value)) return [];
  const texts = Array.isArray(value) ? value : [value];
  if (!texts.every((text) => typeof text === "string")) throw new RuleFault("its age is neither text nor a list of texts");
  return texts.flatMap((text: string) => text.split(",").map((recipient) => recipient.trim())).filter((recipient) => recipient !== "");
}

function refuse(settings: Settings, names: readonly string[], why: (name: string) => string): void {
  const name = names.find((each) => isSet(settings[each]));
  if (name !== undefined) throw new RuleFault(why(name));
}

/** Where a rule has key groups, sops reads its keys from them alone. */
function keysOf(rule: Rule): string[] {
  const groups = rule["key_groups"];
  if (isSet(groups)) {
    if (!Array.isArray(groups) || !groups.every((group) => typeof group === "object" && group !== null))
      throw new RuleFault("its key_groups is no list of groups");
    if (groups.length > 1)
      throw new RuleFault(`it has ${groups.length} key groups, of which several are needed to open a file: only one group of age keys is supported here`);
    return keysOfOne(groups[0], "its key group");
  }
  return keysOfOne(rule, "it");
}

function keysOfOne(settings: Settings, what: string): string[] {
  refuse(settings, [...OTHER_KEYS, "merge"], (name) => `${what} asks for ${name}, and only age recipients are supported here`);
  const recipients = ageKeys(settings["age"]);
  if (recipients.length === 0) throw new RuleFault(`${what} has no recipient`);
  const other = recipients.find((recipient) => !/^age1[a-z0-9]+$/.test(recipient));
  if (other !== undefined) throw new RuleFault(`${what} has the recipient "${other}", and only age's own (age1…) are supported here`);
  return recipients;
}

function sopsConfigFile(): string {
  const beside = path.join(path.dirname(secretsDir()), ".sops.yaml");
  return fs.existsSync(beside) ? beside : path.join(projectRoot(), ".sops.yaml");
}

/**
 * The age recipients that `.sops.yaml` names for a file: those of the first rule that fits, as sops picks it. Other rules may be for
 * anything that sops knows; only what the rule that fits needs and is not supported here is an error.
 * @param file path from the checkout's folder, with `/`
 * @param configFile default: the one beside the folder of secrets, else the checkout's
 * @throws HomelabError E_SOPS_CONFIG, which names the rule by its number, from 1
 */
export function recipientsFor(file: string, configFile = sopsConfigFile()): string[] {
  const rules = parseConfig(configFile);
  for (const [index, rule] of rules.entries()) {
    try {
      if (!fits(rule, file)) continue;
      refuse(rule, OTHER_FORMATS, (name) => `it sets ${name}, and files of secrets/ are encrypted whole`);
      if (isSet(rule["shamir_threshold"]) && Number(rule["shamir_threshold"]) > 1)
        throw new RuleFault("it sets shamir_threshold, which needs several key groups");
      return keysOf(rule);
    } catch (cause) {
      if (!(cause instanceof RuleFault)) throw cause;
      throw new HomelabError("E_SOPS_CONFIG", `${configFile}: creation rule ${index + 1} is the one for ${file}, and ${cause.message}`, {
        subject: configFile,
        hint: "give the files of secrets/ a rule of their own above it, with an age recipient",
        cause,
      });
    }
  }
  throw new HomelabError("E_SOPS_CONFIG", `${configFile}: no creation rule is for ${file}`, {
    subject: configFile,
    hint: "add one with path_regex: secrets/.*\\.yaml$ and an age recipient",
  });
}
