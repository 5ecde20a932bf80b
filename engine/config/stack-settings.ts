/** `Pulumi.<stack>.yaml`: read strictly, edited in place so that comments stay (engine-contract G5). */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { systemErrorCode } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { CliError, unsupported } from "../errors";
import { PassphraseSecrets } from "../secrets/passphrase";
import type { Project } from "../workspace/project";
import { requireDeclared, withProjectValues } from "./project-config";
import { SettingsText } from "./settings-text";
import { asText, type ConfigValue, hasSecret, mapLeaves } from "./value-path";

const settingsSchema = z.looseObject({
  secretsprovider: z.string().optional(),
  encryptedkey: z.string().optional(),
  encryptionsalt: z.string().optional(),
  environment: z.unknown().optional(),
  config: z.record(z.string(), z.custom<ConfigValue>()).nullish(),
});

function readText(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return "";
    throw new CliError(`${file} cannot be read`, 1, { cause });
  }
}

export class StackSettings {
  readonly #text: SettingsText;
  #secrets: PassphraseSecrets | undefined;

  constructor(
    readonly file: string,
    private readonly project: string,
  ) {
    this.#text = new SettingsText(readText(file), file);
    const provider = this.#data.secretsprovider;
    if (provider !== undefined && !["", "default", "passphrase"].includes(provider)) throw unsupported(`secrets provider ${provider}`);
    if (this.#data.environment !== undefined && this.#data.environment !== null) throw unsupported("`environment:` (ESC) in stack settings");
  }

  get #data(): z.infer<typeof settingsSchema> {
    const parsed = settingsSchema.safeParse(this.#text.value ?? {});
    if (!parsed.success) throw new CliError(`${this.file}: ${z.prettifyError(parsed.error)}`);
    return parsed.data;
  }

  get salt(): string | undefined {
    return this.#data.encryptionsalt;
  }

  set salt(salt: string) {
    this.#secrets = undefined;
    this.#text.set(["encryptionsalt"], salt);
  }

  /** The stack's secrets; where the settings have no salt, a new one is made and written. */
  secrets(): PassphraseSecrets {
    if (this.#secrets !== undefined) return this.#secrets;
    const { salt } = this;
    this.#secrets = salt === undefined ? PassphraseSecrets.create() : new PassphraseSecrets(salt);
    if (salt === undefined) {
      this.#text.set(["encryptionsalt"], this.#secrets.salt);
      this.save();
    }
    return this.#secrets;
  }

  /** `namespace:key`; a key without namespace is the project's. */
  fullKey(key: string): string {
    const [namespace, ...rest] = key.split(":");
    if (rest.length === 0) return `${this.project}:${key}`;
    // The long form of old files: `namespace:config:key`.
    return rest.length === 2 && rest[0] === "config" ? `${namespace}:${rest[1]}` : key;
  }

  /** As stored: secret leaves are `{ secure }`. */
  values(): Record<string, ConfigValue> {
    return Object.fromEntries(Object.entries(this.#data.config ?? {}).map(([key, value]) => [this.fullKey(key), value]));
  }

  /** Changes one value, and nothing else of the file. */
  set(key: string, value: ConfigValue | undefined): void {
    const full = this.fullKey(key);
    const config = this.#data.config ?? {};
    // The key as the file spells it.
    const name = Object.keys(config).find((one) => this.fullKey(one) === full) ?? full;
    if (value === undefined && Object.keys(config).every((one) => one === name)) this.#text.set(["config"], undefined);
    else this.#text.set(["config", name], value);
  }

  save(): void {
    this.#write(this.file);
  }

  #write(file: string): void {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    writeFileAtomic(file, this.#text.text, 0o644);
  }

  /** First half of a change of both settings and state: writes the new settings to a file beside the old ones. */
  prepare(): void {
    this.#write(preparedFile(this.file));
  }

  /** Second half: that file replaces the settings. */
  commit(): void {
    fs.renameSync(preparedFile(this.file), this.file);
  }

  /**
   * What the program gets: each value as text, with secrets decrypted; which keys are secret; and all decrypted texts.
   * @param project its declarations give values to stacks that set none
   * @param check if given, the values of this stack must satisfy the declarations
   * @throws CliError where they do not
   */
  resolve(
    project: Pick<Project, "name" | "declarations">,
    check?: { stack: string },
  ): { values: Record<string, string>; secretKeys: string[]; secrets: string[] } {
    const values: Record<string, string> = {};
    const secretKeys: string[] = [];
    const secrets: string[] = [];
    const decrypt = (ciphertext: string): string => {
      const text = this.secrets().decrypt(ciphertext);
      secrets.push(text);
      return text;
    };
    const all = withProjectValues(project.name, project.declarations, this.values());
    if (check !== undefined) requireDeclared({ project: project.name, stack: check.stack, declarations: project.declarations }, all, decrypt);
    for (const [key, value] of Object.entries(all)) {
      if (hasSecret(value)) secretKeys.push(key);
      values[key] = asText(mapLeaves(value, decrypt));
    }
    return { values, secretKeys, secrets };
  }
}

const preparedFile = (file: string): string => `${file}.next`;

/**
 * Completes a change of settings and state that was killed in between: the prepared settings replace the settings if the state already
 * has their salt.
 * @param stateSalt called only where there are prepared settings
 */
export async function finishPrepared(file: string, project: string, stateSalt: () => Promise<string | undefined>): Promise<void> {
  const next = preparedFile(file);
  if (!fs.existsSync(next)) return;
  if (new StackSettings(next, project).salt === (await stateSalt())) fs.renameSync(next, file);
}

/** @param override `--config-file` */
export function settingsFile(project: Project, stack: string, override: string | undefined): string {
  if (override !== undefined) return path.resolve(override);
  for (const extension of [".yaml", ".yml", ".json"]) {
    const file = path.join(project.configDir, `Pulumi.${stack}${extension}`);
    if (fs.existsSync(file)) return file;
  }
  return path.join(project.configDir, `Pulumi.${stack}.yaml`);
}
