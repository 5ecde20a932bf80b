import * as path from "node:path/posix";
import type { CpOptions, FileContent, FsStat, IFileSystem, MkdirOptions, RmOptions } from "just-bash";
import type { HostDisk, Identity } from "./filesystem";

const READ = 4;
const WRITE = 2;
const SEARCH = 1;

/** The disk as one user sees it: the kernel's checks of modes and owners, and new files that belong to that user. */
export class DiskView implements IFileSystem {
  constructor(
    private readonly disk: HostDisk,
    readonly who: Identity,
  ) {}

  private get fs() {
    return this.disk.inner;
  }

  private async allows(located: string, right: number): Promise<boolean> {
    if (this.who.uid === 0) return true;
    const stat = await this.fs.stat(located);
    const owner = this.disk.ownerOf(located);
    const inGroup = owner.gid === this.who.gid || this.who.groups.includes(owner.gid);
    const shift = owner.uid === this.who.uid ? 6 : inGroup ? 3 : 0;
    return ((stat.mode >> shift) & right) === right;
  }

  private async check(located: string, right: number, operation: string, shown: string): Promise<void> {
    if (this.who.uid === 0) return;
    for (let folder = path.dirname(located); ; folder = path.dirname(folder)) {
      if ((await this.fs.exists(folder)) && !(await this.allows(folder, SEARCH))) throw denied(operation, shown);
      if (folder === "/") break;
    }
    if ((await this.fs.exists(located)) && !(await this.allows(located, right))) throw denied(operation, shown);
  }

  /** May entries of the folder of this path be added or removed? /tmp is sticky: only one's own. */
  private async checkFolder(located: string, operation: string, shown: string): Promise<void> {
    if (this.who.uid === 0) return;
    const folder = path.dirname(located);
    await this.check(located, 0, operation, shown);
    if ((await this.fs.exists(folder)) && !(await this.allows(folder, WRITE))) throw denied(operation, shown);
  }

  private async read<T>(name: string, operation: string, get: (located: string) => Promise<T>): Promise<T> {
    const located = await this.disk.follow(name);
    await this.check(located, READ, operation, name);
    return get(located);
  }

  readFile: IFileSystem["readFile"] = (name, options) => this.read(name, "open", (p) => this.fs.readFile(p, options));
  readFileBytes: NonNullable<IFileSystem["readFileBytes"]> = (name) => this.read(name, "open", (p) => this.fs.readFileBytes(p));
  readFileBuffer: IFileSystem["readFileBuffer"] = (name) => this.read(name, "open", (p) => this.fs.readFileBuffer(p));
  readdir: IFileSystem["readdir"] = (name) => this.read(name, "scandir", (p) => this.fs.readdir(p));
  readdirWithFileTypes: NonNullable<IFileSystem["readdirWithFileTypes"]> = (name) => this.read(name, "scandir", (p) => this.fs.readdirWithFileTypes(p));

  private async put(name: string, write: (located: string) => Promise<void>, isWhole: FileContent | undefined): Promise<void> {
    const located = await this.disk.follow(name);
    if (/^\/dev\//.test(located)) {
      await write(located);
      return;
    }
    const existed = await this.fs.exists(located);
    if (existed) await this.check(located, WRITE, "open", name);
    else await this.checkFolder(located, "open", name);
    // A missing folder is an error here: the in-memory file system would make it.
    if (!existed && !(await this.fs.exists(path.dirname(located)))) throw missing("open", name);
    const before = existed && isWhole !== undefined ? await this.fs.readFileBuffer(located) : undefined;
    if (isWhole === undefined || isWhole.length > 0) this.disk.assertRoom(located, name);
    const mode = existed ? (await this.fs.stat(located)).mode & 0o7777 : 0o666 & ~this.who.umask;
    await write(located);
    // The in-memory filesystem gives a file that is written anew its default mode.
    await this.fs.chmod(located, mode);
    if (!existed) {
      this.disk.noteNew(located, { uid: this.who.uid, gid: this.who.gid });
    }
    const same = before !== undefined && Buffer.from(before).equals(Buffer.from(await this.fs.readFileBuffer(located)));
    if (!same) this.disk.noteContent(located);
  }

  writeFile: IFileSystem["writeFile"] = (name, content, options) => this.put(name, (p) => this.fs.writeFile(p, content, options), content);
  appendFile: IFileSystem["appendFile"] = (name, content, options) =>
    content.length === 0 ? this.put(name, async (p) => this.touchEmpty(p), content) : this.put(name, (p) => this.fs.appendFile(p, content, options), undefined);

  private async touchEmpty(located: string): Promise<void> {
    if (!(await this.fs.exists(located))) await this.fs.writeFile(located, "");
  }

  exists: IFileSystem["exists"] = (name) => this.fs.exists(name);

  async stat(name: string): Promise<FsStat> {
    await this.check(await this.disk.follow(name), 0, "stat", name);
    return this.fs.stat(name);
  }

  async lstat(name: string): Promise<FsStat> {
    await this.check(await this.disk.locate(name), 0, "lstat", name);
    return this.fs.lstat(name);
  }

  async mkdir(name: string, options?: MkdirOptions): Promise<void> {
    if (options?.recursive && (await this.fs.exists(name))) {
      if ((await this.fs.stat(name)).isDirectory) return;
      throw new Error(`EEXIST: file already exists, mkdir '${name}'`);
    }
    const folder = path.dirname(name);
    if (options?.recursive && !(await this.fs.exists(folder))) await this.mkdir(folder, options);
    const located = await this.disk.locate(name);
    await this.checkFolder(located, "mkdir", name);
    await this.fs.mkdir(located);
    await this.fs.chmod(located, 0o777 & ~this.who.umask);
    this.disk.noteNew(located, { uid: this.who.uid, gid: this.who.gid });
  }

  async rm(name: string, options?: RmOptions): Promise<void> {
    const located = await this.disk.locate(name);
    if (!(await this.disk.existsAtAll(located))) {
      if (options?.force) return;
      throw missing("rm", name);
    }
    await this.checkFolder(located, "rm", name);
    await this.fs.rm(located, options);
    this.disk.noteGone(located);
  }

  async cp(source: string, target: string, options?: CpOptions): Promise<void> {
    const from = await this.disk.follow(source);
    const to = await this.disk.follow(target);
    await this.check(from, READ, "cp", source);
    const existed = await this.fs.exists(to);
    if (existed) await this.check(to, WRITE, "cp", target);
    else await this.checkFolder(to, "cp", target);
    if (!(await this.fs.stat(from)).isDirectory) this.disk.assertRoom(to, target);
    const old = existed ? this.disk.ownerOf(to) : { uid: this.who.uid, gid: this.who.gid };
    await this.fs.cp(from, to, options);
    await this.disk.noteCopy(from, to, old);
  }

  async mv(source: string, target: string): Promise<void> {
    const from = await this.disk.locate(source);
    const to = await this.disk.locate(target);
    if (!(await this.disk.existsAtAll(from))) throw missing("mv", source);
    await this.checkFolder(from, "mv", source);
    await this.checkFolder(to, "mv", target);
    await this.fs.mv(from, to);
    await this.disk.noteCopy(from, to, undefined);
    this.disk.noteGone(from);
  }

  async chmod(name: string, mode: number): Promise<void> {
    const located = await this.disk.follow(name);
    if (this.who.uid !== 0 && this.disk.ownerOf(located).uid !== this.who.uid) throw new Error(`EPERM: operation not permitted, chmod '${name}'`);
    const before = (await this.fs.stat(located)).mode;
    await this.fs.chmod(located, mode);
    if ((before & 0o7777) !== (mode & 0o7777)) this.disk.note(located);
  }

  async symlink(target: string, link: string): Promise<void> {
    const located = await this.disk.locate(link);
    await this.checkFolder(located, "symlink", link);
    await this.fs.symlink(target, located);
    this.disk.noteNew(located, { uid: this.who.uid, gid: this.who.gid });
  }

  async link(existing: string, link: string): Promise<void> {
    const located = await this.disk.locate(link);
    await this.checkFolder(located, "link", link);
    const from = await this.disk.follow(existing);
    await this.fs.link(from, located);
    await this.disk.noteCopy(from, located, undefined);
  }

  async utimes(name: string, atime: Date, mtime: Date): Promise<void> {
    const located = await this.disk.follow(name);
    await this.check(located, WRITE, "utime", name);
    await this.fs.utimes(located, atime, mtime);
    this.disk.note(located);
  }

  readlink: IFileSystem["readlink"] = (name) => this.fs.readlink(name);
  realpath: IFileSystem["realpath"] = (name) => this.fs.realpath(name);
  resolvePath: IFileSystem["resolvePath"] = (base, name) => this.fs.resolvePath(base, name);
  getAllPaths: IFileSystem["getAllPaths"] = () => this.fs.getAllPaths();
}

const denied = (operation: string, name: string): Error => new Error(`EACCES: permission denied, ${operation} '${name}'`);
const missing = (operation: string, name: string): Error => new Error(`ENOENT: no such file or directory, ${operation} '${name}'`);
