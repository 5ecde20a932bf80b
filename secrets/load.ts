import * as path from "node:path";
import { HomelabError } from "../common/errors";
import type { AgeIdentity } from "./age";
import { loadAgeKeys } from "./age-keys";
import { checkValues } from "./allowed-values";
import { PLACEHOLDER } from "./placeholder";
import { decryptSopsFile } from "./sops-file";
import { readSopsText, secretsDir, yamlFiles } from "./sops-folder";
import { leavesOf, parseSopsYaml, withoutMetadata } from "./sops-yaml";
import { entriesOf, type SecretEntry } from "./vault-paths";

async function loadFolder(
  root: string,
  folder: string,
  { only, opened = new Map() }: Pick<LoadOptions, "only" | "opened">,
  identities: readonly AgeIdentity[],
): Promise<Map<string, SecretEntry>> {
  const base = path.join(root, folder);
  const files = yamlFiles(base).filter((name) => only === undefined || only.includes(name.slice(0, -".yaml".length)));
  const open = async (name: string): Promise<Map<string, SecretEntry>> => {
    const label = path.posix.join("secrets", folder, name);
    return entriesOf(label, await decryptSopsFile(label, readSopsText(base, name, label), identities), name.slice(0, -".yaml".length));
  };
  const trees = await Promise.all(
    files.map((name) => {
      const file = path.join(base, name);
      const entries = opened.get(file) ?? open(name);
      opened.set(file, entries);
      return entries;
    }),
  );
  return new Map(trees.flatMap((entries) => [...entries]));
}

/** Decrypted entries, by file. */
export type OpenedSecrets = Map<string, Promise<Map<string, SecretEntry>>>;

export interface LoadOptions extends Place {
  /** Stack whose own values, in `secrets/<environment>`, win over the common ones. */
  environment?: string | undefined;
  /** Paths below the mount to decrypt; each must be there. Default: all. */
  only?: readonly string[] | undefined;
  /** Files that were decrypted before, with the same identities. New ones are added: callers that load several environments pass one map. */
  opened?: OpenedSecrets;
}

interface Place {
  /** Called with each value and each private key, for the redactor. */
  register?: (value: string) => void;
  /** Default {@link secretsDir}. */
  root?: string;
  /** File with the age identities, instead of the environment's. */
  ageKeyFile?: string;
}

/**
 * The secrets of an environment, by path below Vault's mount, decrypted in memory: those of `secrets/common`, and over them,
 * key by key, those of `secrets/<environment>`. Everything or an error: a file that does not open stops the run, since a value
 * that is only missing here must never be taken for deleted.
 */
export async function loadSecrets(options: LoadOptions = {}): Promise<Map<string, SecretEntry>> {
  const { environment, root = secretsDir(), register = () => undefined } = options;
  const identities = loadAgeKeys(options.ageKeyFile);
  for (const identity of identities) register(identity.secret);
  const merged = await loadFolder(root, "common", options, identities);
  if (merged.size === 0)
    throw new HomelabError("E_SECRET_FILE", `there are no secrets in ${path.join(root, "common")}`, { subject: root, hint: "the checkout is incomplete" });
  if (environment !== undefined) {
    for (const [name, entry] of await loadFolder(root, environment, options, identities)) merged.set(name, { ...merged.get(name), ...entry });
  }
  const missing = options.only?.find((name) => !merged.has(name));
  if (missing !== undefined) {
    throw new HomelabError("E_SECRET_FILE", `there is no secret file for "${missing}"`, {
      subject: `secrets/common/${missing}.yaml`,
      hint: "restore it from Git, or add it with `homelab secrets new`",
    });
  }
  refusePlaceholders(merged);
  for (const [name, entry] of merged) checkValues(name, entry);
  for (const entry of merged.values()) for (const value of Object.values(entry)) register(value);
  return merged;
}

/** @throws HomelabError E_SECRET_EMPTY for a value that its owner has not put in yet */
function refusePlaceholders(entries: ReadonlyMap<string, SecretEntry>): void {
  const empty = [...entries].flatMap(([name, entry]) => Object.entries(entry).flatMap(([key, value]) => (value === PLACEHOLDER ? [{ name, key }] : [])));
  const [first] = empty;
  if (first === undefined) return;
  throw new HomelabError("E_SECRET_EMPTY", `not filled in yet: ${empty.map(({ name, key }) => `${key} of secrets/common/${name}.yaml`).join(", ")}`, {
    subject: `secrets/common/${first.name}.yaml`,
    hint: `homelab secrets set ${first.name} ${first.key}`,
  });
}

/** Paths below the mount for which an environment has values of its own; decrypts nothing. */
export function ownPaths(environment: string, root = secretsDir()): string[] {
  return yamlFiles(path.join(root, environment)).map((name) => name.slice(0, -".yaml".length));
}

/** Keys of the common entries below a path, or of all; decrypts nothing. */
export function entryKeys(below?: string, root = secretsDir()): Map<string, readonly string[]> {
  const files = yamlFiles(path.join(root, "common")).filter((name) => below === undefined || name.startsWith(`${below}/`));
  return new Map(
    files.map((name) => {
      const label = path.posix.join("secrets", "common", name);
      const leaves = leavesOf(label, parseSopsYaml(label, withoutMetadata(readSopsText(path.join(root, "common"), name, label))));
      return [name.slice(0, -".yaml".length), leaves.map(({ place }) => place.at(-1) ?? "")];
    }),
  );
}

/** Decrypts everything, of all environments, for the redactor alone. @throws HomelabError as {@link loadSecrets} does */
export async function registerAllSecrets(options: Place & Required<Pick<Place, "register">>, environments: readonly string[]): Promise<void> {
  await loadSecrets(options);
  const { root = secretsDir() } = options;
  const identities = loadAgeKeys(options.ageKeyFile);
  for (const environment of environments)
    for (const entry of (await loadFolder(root, environment, {}, identities)).values()) for (const value of Object.values(entry)) options.register(value);
}
