/** The DIY backend's layout (engine-contract G1), shared with the CLI file by file, over any store. */
import { CliError, unsupported } from "../cli/cli-error";
import type { Bucket } from "./bucket";
import { parseCheckpoint, type RawDeployment, renderCheckpoint, versionOf } from "./checkpoint";
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

  /** The latest deployment, with what a killed run left in its journal. */
  async load(project: string, stack: string): Promise<RawDeployment | undefined> {
    const key = this.stackKey(project, stack);
    const text = await this.#text(project, stack);
    if (text === undefined) throw new CliError(`no stack named '${stack}' found`, 6);
    const { latest, journalled } = parseCheckpoint(text, this.bucket.url(key));
    if (!journalled) return latest;
    const journal = await this.bucket.read(journalKey(project, stack));
    return journal === undefined ? latest : foldJournal(latest, journal, text, this.bucket.url(journalKey(project, stack)));
  }

  /** Version and features of an export: the file's own; those that its resources need where the file has none, or a journal goes with it. */
  async exportVersion(project: string, stack: string): Promise<{ version: number; features?: string[] }> {
    const key = this.stackKey(project, stack);
    const { latest, journalled, version, features } = parseCheckpoint((await this.#text(project, stack)) ?? "", this.bucket.url(key));
    if (journalled) return versionOf(await this.load(project, stack));
    if (version < 4) return versionOf(latest);
    return { version, ...(features.length > 0 ? { features } : {}) };
  }

  /** Keeps the stack file as its .bak, unless a journal goes with it: that one is behind, and what it began from is the .bak already. */
  async backUp(project: string, stack: string): Promise<void> {
    const key = this.stackKey(project, stack);
    const text = await this.bucket.read(key);
    if (text !== undefined && !parseCheckpoint(text, this.bucket.url(key)).journalled) await this.bucket.copy(key, `${key}.bak`);
  }

  /** Replaces the stack file; what it was is its .bak. */
  async save(project: string, stack: string, latest: RawDeployment): Promise<void> {
    await this.backUp(project, stack);
    await this.bucket.write(this.stackKey(project, stack), renderCheckpoint(project, stack, latest));
    await this.bucket.remove(journalKey(project, stack));
  }

  async list(project: string | undefined): Promise<StackSummary[]> {
    const found: StackSummary[] = [];
    for (const name of await this.bucket.list(".pulumi/stacks")) {
      if (project !== undefined && name !== project) continue;
      for (const file of await this.bucket.list(`.pulumi/stacks/${name}`)) {
        if (!file.endsWith(".json")) continue;
        const stack = file.slice(0, -".json".length);
        const latest = await this.load(name, stack);
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
