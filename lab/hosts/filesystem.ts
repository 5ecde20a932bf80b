import * as path from "node:path/posix";
import { type FileContent, type FsStat, InMemoryFs } from "just-bash";
import { z } from "zod";

export interface Owner {
  uid: number;
  gid: number;
}
const ROOT: Owner = { uid: 0, gid: 0 };

const entrySchema = z.object({
  path: z.string(),
  type: z.enum(["file", "directory", "symlink"]),
  mode: z.number(),
  mtime: z.number(),
  uid: z.number(),
  gid: z.number(),
  /** Base64 of a file's bytes, target of a symbolic link. */
  data: z.string().optional(),
  /** SHA-256 that the stand-in's original has (see lab/artefacts). */
  published: z.string().optional(),
});
export const filesystemStateSchema = z.object({ entries: z.array(entrySchema), removed: z.array(z.string()) });
export type FilesystemState = z.infer<typeof filesystemStateSchema>;

/** Not kept on a disk, and no change of the host worth a record. */
const VOLATILE = /^\/(tmp|proc|dev|run)(\/|$)/;

/**
 * A host's disk: an in-memory filesystem with owners, the published digests of stand-in downloads, and a count of the changes.
 * What differs from the image that it started from is saved as plain data.
 */
export class HostDisk {
  readonly inner = new InMemoryFs();

  /** @param isFull asked whenever a program writes content. Default: there is always room */
  constructor(private readonly isFull: () => boolean = () => false) {}

  /** Grows with every change outside /tmp, /run, /proc and /dev. */
  changes = 0;
  /** Called at each of them. */
  onChange: (() => void) | undefined;
  private readonly owners = new Map<string, Owner>();
  private readonly published = new Map<string, string>();
  private readonly touched = new Set<string>();
  private readonly removed = new Set<string>();

  /** Whether the disk has no room for a file at this path. Folders in memory are never full. */
  isFullAt(located: string): boolean {
    return !VOLATILE.test(located) && this.isFull();
  }

  /** @throws ENOSPC */
  assertRoom(located: string, shown: string): void {
    if (this.isFullAt(located)) throw new Error(`ENOSPC: No space left on device, write '${shown}'`);
  }

  /** The path without symbolic links in its folders; the last part is left as it is. */
  async locate(name: string): Promise<string> {
    const folder = path.dirname(name);
    try {
      return path.join(await this.inner.realpath(folder), path.basename(name));
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("ENOENT")) return name;
      throw error;
    }
  }

  /** As `locate`, following a link at the end too. */
  async follow(name: string): Promise<string> {
    return (await this.inner.exists(name)) ? await this.inner.realpath(name) : await this.locate(name);
  }

  ownerOf(located: string): Owner {
    return this.owners.get(located) ?? ROOT;
  }

  publishedDigest(located: string): string | undefined {
    return this.published.get(located);
  }

  async publish(name: string, sha256: string): Promise<void> {
    this.published.set(await this.follow(name), sha256);
  }

  async chown(name: string, owner: Partial<Owner>): Promise<void> {
    const located = await this.follow(name);
    const old = this.ownerOf(located);
    const next = { uid: owner.uid ?? old.uid, gid: owner.gid ?? old.gid };
    if (next.uid === old.uid && next.gid === old.gid) return;
    this.owners.set(located, next);
    this.note(located);
  }

  /** Says that a path has a new content, mode or owner. */
  note(located: string): void {
    this.removed.delete(located);
    this.touched.add(located);
    this.count(located);
  }

  private count(located: string): void {
    if (VOLATILE.test(located)) return;
    this.changes += 1;
    this.onChange?.();
  }

  noteNew(located: string, owner: Owner): void {
    this.owners.set(located, owner);
    this.note(located);
  }

  noteContent(located: string): void {
    this.published.delete(located);
    this.note(located);
  }

  noteGone(located: string): void {
    for (const table of [this.owners, this.published]) for (const key of [...table.keys()]) if (isWithin(key, located)) table.delete(key);
    for (const key of [...this.touched]) if (isWithin(key, located)) this.touched.delete(key);
    this.removed.add(located);
    this.count(located);
  }

  /** Gives a copied or moved tree the properties of its source. */
  async noteCopy(from: string, to: string, owner: Owner | undefined): Promise<void> {
    for (const key of this.inner.getAllPaths().filter((p) => isWithin(p, to))) {
      const source = from + key.slice(to.length);
      this.owners.set(key, owner ?? this.ownerOf(source));
      const digest = this.published.get(source);
      if (digest === undefined) this.published.delete(key);
      else this.published.set(key, digest);
      this.note(key);
    }
  }

  /** Everything until now is the image: it is not saved. */
  seal(): void {
    this.touched.clear();
    this.removed.clear();
    this.changes = 0;
  }

  async save(): Promise<FilesystemState> {
    const entries: FilesystemState["entries"] = [];
    for (const name of [...this.touched].sort()) {
      if (VOLATILE.test(name)) continue;
      const stat = await this.inner.lstat(name);
      const common = { path: name, mode: stat.mode & 0o7777, mtime: stat.mtime.getTime(), ...this.ownerOf(name) };
      const published = this.published.get(name);
      if (stat.isSymbolicLink) entries.push({ ...common, type: "symlink", data: await this.inner.readlink(name) });
      else if (stat.isDirectory) entries.push({ ...common, type: "directory" });
      else {
        const data = Buffer.from(await this.inner.readFileBuffer(name)).toString("base64");
        entries.push({ ...common, type: "file", data, ...(published === undefined ? {} : { published }) });
      }
    }
    return { entries, removed: [...this.removed].filter((name) => !VOLATILE.test(name)).sort() };
  }

  async restore(state: FilesystemState): Promise<void> {
    for (const name of state.removed) {
      await this.inner.rm(name, { recursive: true, force: true });
      this.removed.add(name);
    }
    for (const entry of state.entries) {
      if (entry.type === "directory") await this.inner.mkdir(entry.path, { recursive: true });
      else if (entry.type === "symlink") {
        await this.inner.rm(entry.path, { force: true });
        await this.inner.symlink(entry.data ?? "", entry.path);
      } else await this.inner.writeFile(entry.path, Buffer.from(entry.data ?? "", "base64"));
      if (entry.type !== "symlink") {
        await this.inner.chmod(entry.path, entry.mode);
        await this.inner.utimes(entry.path, new Date(entry.mtime), new Date(entry.mtime));
      }
      this.owners.set(entry.path, { uid: entry.uid, gid: entry.gid });
      if (entry.published !== undefined) this.published.set(entry.path, entry.published);
      this.touched.add(entry.path);
    }
  }

  /** Writes as root, with parents: for what daemons and cloud-init do. */
  async install(name: string, content: FileContent, mode = 0o644, owner: Owner = ROOT): Promise<void> {
    await this.makeFolder(path.dirname(name));
    const located = await this.follow(name);
    await this.inner.writeFile(located, content);
    await this.inner.chmod(located, mode);
    this.owners.set(located, owner);
    this.noteContent(located);
  }

  async makeFolder(name: string, mode = 0o755, owner: Owner = ROOT): Promise<void> {
    if (await this.inner.exists(name)) return;
    await this.makeFolder(path.dirname(name));
    const located = await this.locate(name);
    await this.inner.mkdir(located);
    await this.inner.chmod(located, mode);
    this.noteNew(located, owner);
  }

  async remove(name: string): Promise<void> {
    if (!(await this.existsAtAll(name))) return;
    const located = await this.locate(name);
    await this.inner.rm(located, { recursive: true, force: true });
    this.noteGone(located);
  }

  /** Also true for a symbolic link to nothing. */
  async existsAtAll(name: string): Promise<boolean> {
    try {
      await this.inner.lstat(name);
      return true;
    } catch (error) {
      if (error instanceof Error && /^(ENOENT|ENOTDIR)/.test(error.message)) return false;
      throw error;
    }
  }

  /** The text of a file, or undefined when there is none. */
  async read(name: string): Promise<string | undefined> {
    return (await this.inner.exists(name)) ? await this.inner.readFile(name) : undefined;
  }

  async stat(name: string, follow = true): Promise<FsStat & Owner> {
    const stat = follow ? await this.inner.stat(name) : await this.inner.lstat(name);
    return { ...stat, ...this.ownerOf(follow ? await this.follow(name) : await this.locate(name)) };
  }
}

function isWithin(name: string, folder: string): boolean {
  return name === folder || name.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** Who uses a disk, and with which umask new files are made. */
export interface Identity extends Owner {
  name: string;
  home: string;
  groups: readonly number[];
  umask: number;
}
