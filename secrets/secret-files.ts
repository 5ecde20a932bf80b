/** The folder of SOPS files: lists, reads and changes them, one writer at a time. */

import * as fs from "node:fs";
import * as path from "node:path";
import type { Clock } from "../common/clock";
import { HomelabError, systemErrorCode } from "../common/errors";
import { writeFileAtomic } from "../common/files";
import { isEntryPlace, KV_MOUNT } from "../common/vault-layout";
import type { AgeIdentity } from "./age";
import { checkValues } from "./allowed-values";
import { recipientsFor } from "./sops-config";
import { type Changes, changeSopsFile, rewrapDataKey, rotateDataKey } from "./sops-edit";
import { encryptSopsFile, type OpenFile, openSopsFile, treeOf } from "./sops-file";
import { PLACES_HINT, readSopsText, secretsDir, yamlFiles } from "./sops-folder";
import { parseMetadata } from "./sops-metadata";
import { leavesOf, parseSopsYaml } from "./sops-yaml";
import { entriesOf, type SecretEntry, treeAt } from "./vault-paths";
import { whileLocked } from "./write-lock";

/** One file: `common` or an environment, and the entry's path below the mount. */
export interface FileName {
  folder: string;
  entry: string;
}

export interface ListedFile extends FileName {
  keys: string[];
  recipients: string[];
}

const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const KEY = /^[A-Za-z0-9_.-]+$/;
/** Folders below secrets/ that hold no entries of the program. */
const NO_ENVIRONMENT = new Set(["vault"]);

/** @throws HomelabError E_USAGE for a name that could not be a file of secrets/ */
export function fileName(folder: string, entry: string): FileName {
  const parts = entry.replace(/\.yaml$/, "").split("/");
  if (!PART.test(folder) || NO_ENVIRONMENT.has(folder) || !parts.every((part) => PART.test(part)))
    throw new HomelabError("E_USAGE", `"${entry}" is no name of an entry`, { subject: entry, hint: "for example: cluster-secret-store/secrets/MINIO" });
  const name = parts.join("/");
  if (!isEntryPlace(name)) throw new HomelabError("E_USAGE", `Vault has no place for an entry "${name}"`, { subject: name, hint: PLACES_HINT });
  return { folder, entry: name };
}

/** @throws HomelabError E_USAGE */
export function keyName(key: string): string {
  if (!KEY.test(key)) throw new HomelabError("E_USAGE", `"${key}" is no name of a key`, { hint: "letters, digits, _, . and -" });
  if (key.endsWith("_unencrypted"))
    throw new HomelabError("E_USAGE", `sops would leave the value of "${key}" unencrypted`, { hint: "take a name that does not end with _unencrypted" });
  return key;
}

export class SecretFiles {
  /**
   * @param identities private keys; asked for when something is opened
   * @param root folder of the files; `.sops.yaml` is beside it
   * @throws HomelabError E_SECRET_FILE where there is no such folder
   */
  constructor(
    private readonly identities: () => readonly AgeIdentity[],
    private readonly clock: Clock,
    readonly root = secretsDir(),
  ) {
    if (!fs.existsSync(root))
      throw new HomelabError("E_SECRET_FILE", `there is no folder ${root}`, {
        subject: root,
        hint: "correct HOMELAB_SECRETS_DIR, or restore the folder from Git",
      });
  }

  label({ folder, entry }: FileName): string {
    return path.posix.join("secrets", folder, `${entry}.yaml`);
  }

  private path({ folder, entry }: FileName): string {
    return path.join(this.root, folder, `${entry}.yaml`);
  }

  /** The recipients that `.sops.yaml` names for a file. */
  wanted(name: FileName): string[] {
    const beside = path.join(path.dirname(this.root), ".sops.yaml");
    return recipientsFor(this.label(name), fs.existsSync(beside) ? beside : undefined);
  }

  /** `common` and the environments that have files of their own. */
  folders(): string[] {
    const found = fs
      .readdirSync(this.root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && PART.test(entry.name) && !NO_ENVIRONMENT.has(entry.name))
      .map(({ name }) => name)
      .filter((name) => name !== "common");
    return ["common", ...found.toSorted()];
  }

  names(folders = this.folders()): FileName[] {
    return folders.flatMap((folder) => yamlFiles(path.join(this.root, folder)).map((file) => ({ folder, entry: file.slice(0, -".yaml".length) })));
  }

  /** Names of all entries and keys; needs no private key. */
  list(folders?: readonly string[]): ListedFile[] {
    return this.names(folders === undefined ? undefined : [...folders]).map((name) => {
      const label = this.label(name);
      const text = this.text(name);
      const document = parseSopsYaml(label, text);
      const { age } = parseMetadata(label, (document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>)["sops"], text);
      const keys = leavesOf(label, document).map(({ place }) => place.at(-1) ?? "");
      return { ...name, keys, recipients: age.map(({ recipient }) => recipient) };
    });
  }

  private text(name: FileName): string {
    try {
      return readSopsText(path.join(this.root, name.folder), `${name.entry}.yaml`, this.label(name));
    } catch (cause) {
      if (systemErrorCode(cause) !== "ENOENT") throw cause;
      throw new HomelabError("E_SECRET_UNKNOWN", `there is no ${this.label(name)}`, {
        subject: this.label(name),
        hint: "`homelab secrets list` shows what there is; `homelab secrets new` adds one",
      });
    }
  }

  private open(name: FileName, text = this.text(name)): OpenFile {
    return openSopsFile(this.label(name), text, this.identities());
  }

  /** Keys and values of one file. */
  read(name: FileName): SecretEntry {
    return this.valuesOf(name, this.open(name));
  }

  private valuesOf(name: FileName, open: OpenFile): SecretEntry {
    return entriesOf(this.label(name), treeOf(open.leaves), name.entry).get(name.entry) ?? {};
  }

  /** Replaces a file, unless it has changed since it was read. */
  private write(name: FileName, before: string | undefined, after: string): void {
    whileUnchanged(this.root, this.path(name), this.label(name), before, after);
  }

  /** @throws HomelabError E_SECRET_EXISTS, E_SECRET_VALUE */
  create(name: FileName, values: SecretEntry): void {
    if (fs.existsSync(this.path(name)))
      throw new HomelabError("E_SECRET_EXISTS", `${this.label(name)} already exists`, {
        subject: this.label(name),
        hint: "change it: `homelab secrets set`",
      });
    assertValues(name.entry, this.label(name), values);
    this.write(name, undefined, encryptSopsFile(treeAt(name.entry, values), this.wanted(name), new Date(this.clock.now())));
  }

  /**
   * Gives a file other values. What is undefined is removed; what is not named stays.
   * @returns the keys that changed
   */
  change(name: FileName, edit: (values: SecretEntry) => Readonly<Record<string, string | undefined>>): string[] {
    const before = this.text(name);
    const open = this.open(name, before);
    const old = this.valuesOf(name, open);
    const given = edit(old);
    const changed = Object.keys(given).filter((key) => given[key] !== old[key]);
    const all = Object.fromEntries(Object.entries({ ...old, ...given }).filter((pair): pair is [string, string] => pair[1] !== undefined));
    assertValues(name.entry, this.label(name), all);
    if (changed.length === 0) return [];
    const changes: Changes = changed.map((key) => ({ place: ["vault", KV_MOUNT, ...name.entry.split("/"), key], value: given[key] }));
    this.write(name, before, changeSopsFile(this.label(name), open, changes, new Date(this.clock.now())));
    return changed;
  }

  /** A new data key for the recipients that the file has. */
  rotate(name: FileName): void {
    const before = this.text(name);
    this.write(name, before, rotateDataKey(this.label(name), this.open(name, before), new Date(this.clock.now())));
  }

  /** Makes the file's recipients those of `.sops.yaml`. @returns the recipients that were added and removed */
  updateRecipients(name: FileName): { added: string[]; removed: string[] } {
    const before = this.text(name);
    const open = this.open(name, before);
    const wanted = this.wanted(name);
    const added = wanted.filter((recipient) => !open.recipients.includes(recipient));
    const removed = open.recipients.filter((recipient) => !wanted.includes(recipient));
    if (added.length + removed.length > 0) this.write(name, before, rewrapDataKey(this.label(name), open, wanted));
    return { added, removed };
  }
}

function assertValues(entry: string, label: string, values: SecretEntry): void {
  if (Object.keys(values).length === 0)
    throw new HomelabError("E_SECRET_SHAPE", `${label} would hold nothing`, { subject: label, hint: "remove the file from Git to remove the entry" });
  for (const key of Object.keys(values)) keyName(key);
  checkValues(entry, values, label);
}

function whileUnchanged(root: string, file: string, label: string, before: string | undefined, after: string): void {
  whileLocked(path.join(root, ".lock"), () => {
    const now = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
    if (now !== before)
      throw new HomelabError("E_SECRET_CHANGED", `${label} was changed by somebody else meanwhile; nothing was written`, {
        subject: label,
        hint: "run it again",
      });
    fs.mkdirSync(path.dirname(file), { recursive: true });
    writeFileAtomic(file, after, 0o644);
  });
}
