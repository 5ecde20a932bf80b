/** `Pulumi.<stack>.yaml`: read strictly, edited in place so that comments stay (engine-contract G5). */
import * as fs from "node:fs";
import * as path from "node:path";
import { type Document, parseDocument } from "yaml";
import { z } from "zod";
import { systemErrorCode } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { CliError, unsupported } from "../cli/cli-error";
import { PassphraseSecrets } from "../secrets/passphrase";
import type { Project } from "../workspace/project";
import { asText, type ConfigValue, hasSecret, mapLeaves } from "./value-path";

const settingsSchema = z.looseObject({
  secretsprovider: z.string().optional(),
  encryptedkey: z.string().optional(),
  encryptionsalt: z.string().optional(),
  environment: z.unknown().optional(),
  config: z.record(z.string(), z.json()).nullish(),
});

export class StackSettings {
  readonly #document: Document;
  readonly #data: z.infer<typeof settingsSchema>;
  #secrets: PassphraseSecrets | undefined;

  constructor(
    readonly file: string,
    private readonly project: string,
  ) {
    let text = "";
    try {
      text = fs.readFileSync(file, "utf8");
    } catch (cause) {
      if (systemErrorCode(cause) !== "ENOENT") throw new CliError(`${file} cannot be read`, 1, { cause });
    }
    this.#document = parseDocument(text);
    const [problem] = this.#document.errors;
    if (problem !== undefined) throw new CliError(`${file} is not valid YAML: ${problem.message}`);
    const parsed = settingsSchema.safeParse(this.#document.toJS() ?? {});
    if (!parsed.success) throw new CliError(`${file}: ${z.prettifyError(parsed.error)}`);
    this.#data = parsed.data;
    const provider = this.#data.secretsprovider;
    if (provider !== undefined && !["", "default", "passphrase"].includes(provider)) throw unsupported(`secrets provider ${provider}`);
    if (this.#data.environment !== undefined && this.#data.environment !== null) throw unsupported("`environment:` (ESC) in stack settings");
  }

  get salt(): string | undefined {
    return this.#data.encryptionsalt;
  }

  set salt(salt: string) {
    this.#data.encryptionsalt = salt;
    this.#secrets = undefined;
    this.#document.set("encryptionsalt", salt);
  }

  /** The stack's secrets; where the settings have no salt, a new one is made and written. */
  secrets(): PassphraseSecrets {
    if (this.#secrets !== undefined) return this.#secrets;
    if (this.#data.encryptionsalt === undefined) {
      this.#secrets = PassphraseSecrets.create();
      this.#data.encryptionsalt = this.#secrets.salt;
      this.#document.set("encryptionsalt", this.#secrets.salt);
      this.save();
    } else this.#secrets = new PassphraseSecrets(this.#data.encryptionsalt);
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
    return Object.fromEntries(Object.entries(this.#data.config ?? {}).map(([key, value]) => [this.fullKey(key), value as ConfigValue]));
  }

  set(key: string, value: ConfigValue | undefined): void {
    const full = this.fullKey(key);
    const config = { ...this.#data.config };
    if (value === undefined) {
      delete config[full];
      this.#document.deleteIn(["config", full]);
      if (Object.keys(config).length === 0) this.#document.delete("config");
    } else {
      config[full] = value;
      if (!this.#document.has("config") || this.#document.get("config") === null) this.#document.set("config", this.#document.createNode({}));
      this.#document.setIn(["config", full], this.#document.createNode(value));
    }
    this.#data.config = config;
  }

  save(): void {
    this.#write(this.file);
  }

  #write(file: string): void {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    writeFileAtomic(file, String(this.#document), 0o644);
  }

  /** First half of a change that goes with one of the state: what will be the settings stands beside them. */
  prepare(): void {
    this.#write(preparedFile(this.file));
  }

  /** Second half: they are the settings now. */
  commit(): void {
    fs.renameSync(preparedFile(this.file), this.file);
  }

  /** What the program gets: text values, secrets decrypted, and which keys are secret; and each secret text by itself. */
  resolve(defaults: Record<string, unknown>): { values: Record<string, string>; secretKeys: string[]; secrets: string[] } {
    const values: Record<string, string> = {};
    const secretKeys: string[] = [];
    const secrets: string[] = [];
    const decrypt = (ciphertext: string): string => {
      const text = this.secrets().decrypt(ciphertext);
      secrets.push(text);
      return text;
    };
    for (const [key, value] of Object.entries({ ...(defaults as Record<string, ConfigValue>), ...this.values() })) {
      if (hasSecret(value)) secretKeys.push(key);
      values[key] = asText(mapLeaves(value, decrypt));
    }
    return { values, secretKeys, secrets };
  }
}

const preparedFile = (file: string): string => `${file}.next`;

/**
 * Ends a change of settings and state that a kill cut off between the two: what was prepared becomes the settings if the state
 * has its salt already.
 * @param stateSalt asked for only where something was prepared
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
