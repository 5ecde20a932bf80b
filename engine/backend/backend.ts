/** The DIY backend's layout (engine-contract G1), shared with the CLI file by file, over any store. */
import { CliError, EXIT_CODE, unsupported } from "../errors";
import type { Bucket } from "./bucket";
import { type ParsedCheckpoint, parseCheckpoint, type RawDeployment, renderCheckpoint, versionOf } from "./checkpoint";
import { foldJournal, journalKey } from "./journal-file";
import { isLocked } from "./locks";
import { openBucket } from "./open-bucket";

const META = ".pulumi/meta.yaml";

export interface StackSummary {
  project: string;
  stack: string;
  lastUpdate: string | undefined;
  resourceCount: number | undefined;
  updateInProgress: boolean;
}

export class Backend {
  private constructor(
    readonly url: string,
    readonly bucket: Bucket,
  ) {}

  /** @param base folder that a relative URL starts from. @throws CliError for a backend that is not ours to use */
  static async open(url: string, base: string): Promise<Backend> {
    const bucket = await openBucket(url, base);
    const meta = await bucket.read(META);
    if (meta === undefined) {
      if ((await bucket.list(".pulumi/stacks")).some((name) => name.endsWith(".json"))) throw unsupported("the legacy layout of a backend without meta.yaml");
    } else if (!/^version: 1\s*$/m.test(meta)) throw unsupported(`a backend of layout ${meta.trim()}`);
    return new Backend(url, bucket);
  }

  stackKey(project: string, stack: string): string {
    return `.pulumi/stacks/${project}/${stack}.json`;
  }

  /** The stack file's text. */
  async #text(project: string, stack: string): Promise<string | undefined> {
    const key = this.stackKey(project, stack);
    const text = await this.bucket.read(key);
    if (text !== undefined) return text;
    const names = await this.bucket.list(`.pulumi/stacks/${project}`);
    const packed = [`${stack}.json.gz`, `${stack}.json.zst`].find((name) => names.includes(name));
    if (packed !== undefined) throw unsupported(`a compressed state (${this.bucket.url(`.pulumi/stacks/${project}/${packed}`)})`);
    return undefined;
  }

  async exists(project: string, stack: string): Promise<boolean> {
    return (await this.#text(project, stack)) !== undefined;
  }

  async create(project: string, stack: string): Promise<void> {
    if (await this.exists(project, stack)) throw new CliError(`stack 'organization/${project}/${stack}' already exists`);
    if ((await this.bucket.read(META)) === undefined) await this.bucket.write(META, "version: 1\n");
    await this.bucket.write(this.stackKey(project, stack), renderCheckpoint(project, stack, undefined));
  }

  /**
   * The stack file with its journal folded in; undefined where there is no such stack. Another process may replace the file between
   * our reads of the file and of the journal. Then both are read again.
   */
  async #read(project: string, stack: string): Promise<ParsedCheckpoint | undefined> {
    const [file, journalFile] = [this.stackKey(project, stack), journalKey(project, stack)].map((key) => this.bucket.url(key)) as [string, string];
    let seen: string | undefined;
    for (;;) {
      const text = await this.#text(project, stack);
      if (text === undefined) return undefined;
      const parsed = parseCheckpoint(text, file);
      if (!parsed.journalled) return parsed;
      const journal = await this.bucket.read(journalKey(project, stack));
      const latest = journal === undefined ? undefined : foldJournal(parsed.latest, journal, text, journalFile);
      if (latest !== undefined) return { ...parsed, latest };
      if (text === seen)
        throw new CliError(
          `the state file ${file} is out of date, and its journal ${journalFile} ${journal === undefined ? "is missing" : "belongs to another version of it"}: going on would forget resources that a killed update has made. Nothing was changed; bring the journal back, or \`pulumi stack import\` a state that you trust`,
        );
      seen = text;
    }
  }

  /** The latest deployment, with what a killed run left in its journal. */
  async load(project: string, stack: string): Promise<RawDeployment | undefined> {
    const found = await this.#read(project, stack);
    if (found === undefined) throw new CliError(`no stack named '${stack}' found`, EXIT_CODE.stackNotFound);
    return found.latest;
  }

  /** Version and features of an export: those of the file. Without any, or with a journal beside the file, those that the resources need. */
  async exportVersion(project: string, stack: string): Promise<{ version: number; features?: string[] }> {
    const found = await this.#read(project, stack);
    if (found === undefined || found.journalled || found.version < 4) return versionOf(found?.latest);
    return { version: found.version, ...(found.features.length > 0 ? { features: found.features } : {}) };
  }

  /**
   * Copies the stack file to its .bak, unless it has a journal: then the file is out of date, and the .bak already holds the state
   * that the journalled update began from.
   * @returns whether the file has a journal
   */
  async backUp(project: string, stack: string): Promise<boolean> {
    const key = this.stackKey(project, stack);
    const text = await this.bucket.read(key);
    const journalled = text !== undefined && parseCheckpoint(text, this.bucket.url(key)).journalled;
    if (text !== undefined && !journalled) await this.bucket.copy(key, `${key}.bak`);
    return journalled;
  }

  /** Replaces the stack file, and keeps its former content as the .bak. */
  async save(project: string, stack: string, latest: RawDeployment): Promise<void> {
    await this.backUp(project, stack);
    await this.bucket.write(this.stackKey(project, stack), renderCheckpoint(project, stack, latest));
    await this.bucket.remove(journalKey(project, stack));
  }

  async list(project: string | undefined): Promise<StackSummary[]> {
    const found: StackSummary[] = [];
    for (const name of await this.bucket.list(".pulumi/stacks")) {
      if (project !== undefined && name !== project) continue;
      const files = await this.bucket.list(`.pulumi/stacks/${name}`);
      for (const file of files) {
        const packed = /^(.+)\.json\.(gz|zst)$/.exec(file)?.[1];
        if (packed !== undefined && !files.includes(`${packed}.json`)) {
          // Listed although this engine cannot read it; a command that opens it is refused.
          found.push({
            project: name,
            stack: packed,
            lastUpdate: undefined,
            resourceCount: undefined,
            updateInProgress: await isLocked(this.bucket, name, packed),
          });
        }
        if (!file.endsWith(".json")) continue;
        const stack = file.slice(0, -".json".length);
        const read = await this.#read(name, stack);
        // Removed since the folder was listed.
        if (read === undefined) continue;
        const { latest } = read;
        found.push({
          project: name,
          stack,
          lastUpdate: latest?.manifest.time,
          resourceCount: latest?.resources?.length ?? (latest === undefined ? undefined : 0),
          updateInProgress: await isLocked(this.bucket, name, stack),
        });
      }
    }
    return found;
  }

  /** Drops what {@link remove} leaves: the .bak, and the copies that each operation kept. */
  async removeBackups(project: string, stack: string): Promise<void> {
    await this.bucket.remove(`${this.stackKey(project, stack)}.bak`);
    const folder = `.pulumi/backups/${project}/${stack}`;
    for (const name of await this.bucket.list(folder)) await this.bucket.remove(`${folder}/${name}`);
  }

  /** Moves the stack's file to its .bak and drops its history; backups stay. */
  async remove(project: string, stack: string): Promise<void> {
    const key = this.stackKey(project, stack);
    await this.backUp(project, stack);
    await this.bucket.remove(key);
    await this.bucket.remove(journalKey(project, stack));
    await this.bucket.remove(`.pulumi/stacks/${project}/${stack}.pulumi-tags`);
    for (const name of await this.bucket.list(`.pulumi/history/${project}/${stack}`)) await this.bucket.remove(`.pulumi/history/${project}/${stack}/${name}`);
  }
}
