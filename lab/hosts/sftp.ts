import * as path from "node:path/posix";
import { type Attributes, type SFTPWrapper, utils } from "ssh2";
import type { Identity } from "./filesystem";
import type { Machine } from "./machine";
import { DiskView } from "./view";

const { STATUS_CODE, OPEN_MODE } = utils.sftp;

interface OpenFolder {
  names: string[];
  sent: boolean;
  folder: string;
}

interface OpenFile {
  name: string;
  content: Buffer;
  written: boolean;
  created: boolean;
  mode: number | undefined;
}

/** What a client has open, by the handles that it was given. */
class Handles {
  readonly #open = new Map<string, OpenFile | OpenFolder>();
  #next = 0;

  add(entry: OpenFile | OpenFolder): Buffer {
    const handle = Buffer.from(String(this.#next++));
    this.#open.set(handle.toString(), entry);
    return handle;
  }

  file(handle: Buffer): OpenFile | undefined {
    const entry = this.#open.get(handle.toString());
    return entry !== undefined && "content" in entry ? entry : undefined;
  }

  folder(handle: Buffer): OpenFolder | undefined {
    const entry = this.#open.get(handle.toString());
    return entry !== undefined && "names" in entry ? entry : undefined;
  }

  close(handle: Buffer): void {
    this.#open.delete(handle.toString());
  }
}

/** One client's session. */
class SftpSession {
  readonly #view: DiskView;
  readonly #handles = new Handles();

  constructor(
    private readonly machine: Machine,
    private readonly who: Identity,
    private readonly sftp: SFTPWrapper,
  ) {
    this.#view = new DiskView(machine.disk, { ...who });
  }

  serve(): void {
    this.#serveNames();
    this.#serveFiles();
    this.#serveFolders();
  }

  #absolute(name: string): string {
    return path.resolve(this.who.home, name);
  }

  #answer(id: number, work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      const code = text.startsWith("ENOENT") ? STATUS_CODE.NO_SUCH_FILE : /^(EACCES|EPERM)/.test(text) ? STATUS_CODE.PERMISSION_DENIED : STATUS_CODE.FAILURE;
      this.sftp.status(id, code, text);
    });
  }

  #done(id: number, work: () => Promise<void>): void {
    this.#answer(id, async () => {
      await work();
      this.sftp.status(id, STATUS_CODE.OK);
    });
  }

  async #attributes(name: string, follow: boolean): Promise<Attributes> {
    const stat = await this.machine.disk.stat(name, follow);
    const seconds = Math.floor(stat.mtime.getTime() / 1000);
    const kind = stat.isDirectory ? 0o040000 : stat.isSymbolicLink ? 0o120000 : 0o100000;
    return { mode: kind | (stat.mode & 0o7777), uid: stat.uid, gid: stat.gid, size: stat.size, atime: seconds, mtime: seconds };
  }

  #record(name: string): void {
    this.machine.ctx.records.add({ system: "ssh", target: this.machine.spec.hostname, kind: "write", action: "sftp-write", detail: { path: name } });
    this.machine.ctx.changed();
  }

  async #setAttributes(name: string, attrs: Attributes): Promise<void> {
    if (typeof attrs.mode === "number") await this.#view.chmod(name, attrs.mode & 0o7777);
  }

  #serveNames(): void {
    const { sftp } = this;
    sftp.on("REALPATH", (id, name) => sftp.name(id, [{ filename: this.#absolute(name), longname: this.#absolute(name), attrs: {} as Attributes }]));
    sftp.on("STAT", (id, name) => this.#answer(id, async () => sftp.attrs(id, await this.#attributes(this.#absolute(name), true))));
    sftp.on("LSTAT", (id, name) => this.#answer(id, async () => sftp.attrs(id, await this.#attributes(this.#absolute(name), false))));
    sftp.on("SETSTAT", (id, name, attrs) => this.#done(id, () => this.#setAttributes(this.#absolute(name), attrs)));
    sftp.on("MKDIR", (id, name) => this.#done(id, () => this.#view.mkdir(this.#absolute(name))));
    sftp.on("REMOVE", (id, name) => this.#done(id, () => this.#view.rm(this.#absolute(name))));
    sftp.on("RMDIR", (id, name) => this.#done(id, () => this.#view.rm(this.#absolute(name))));
    sftp.on("RENAME", (id, from, to) => this.#done(id, () => this.#view.mv(this.#absolute(from), this.#absolute(to))));
  }

  async #open(name: string, flags: number, mode: number | undefined): Promise<OpenFile> {
    const writing = (flags & OPEN_MODE.WRITE) !== 0;
    const exists = await this.#view.exists(name);
    if (!exists && (flags & OPEN_MODE.CREAT) === 0) throw new Error(`ENOENT: no such file, open '${name}'`);
    const original = exists ? Buffer.from(await this.#view.readFileBuffer(name)) : Buffer.alloc(0);
    const content = (flags & OPEN_MODE.TRUNC) === 0 ? original : Buffer.alloc(0);
    // Only checks that the user may write: the new content is written at CLOSE.
    if (writing) await this.#view.writeFile(name, original);
    return { name, content, written: writing && !content.equals(original), created: writing && !exists, mode: exists ? undefined : mode };
  }

  async #close(handle: Buffer): Promise<void> {
    const file = this.#handles.file(handle);
    this.#handles.close(handle);
    if (file === undefined) return;
    const before = this.machine.disk.changes;
    if (file.written) await this.#view.writeFile(file.name, new Uint8Array(file.content));
    if (file.mode !== undefined) await this.#view.chmod(file.name, file.mode & 0o7777);
    if (this.machine.disk.changes !== before || file.created) this.#record(file.name);
  }

  #serveFiles(): void {
    const { sftp } = this;
    sftp.on("OPEN", (id, name, flags, attrs) =>
      this.#answer(id, async () => {
        sftp.handle(id, this.#handles.add(await this.#open(this.#absolute(name), flags, attrs.mode)));
      }),
    );
    sftp.on("READ", (id, handle, offset, length) => {
      const file = this.#handles.file(handle);
      if (file === undefined) return sftp.status(id, STATUS_CODE.FAILURE);
      if (offset >= file.content.length) return sftp.status(id, STATUS_CODE.EOF);
      return sftp.data(id, file.content.subarray(offset, offset + length));
    });
    sftp.on("WRITE", (id, handle, offset, data) => {
      const file = this.#handles.file(handle);
      if (file === undefined) return sftp.status(id, STATUS_CODE.FAILURE);
      const grown = Buffer.alloc(Math.max(file.content.length, offset + data.length));
      file.content.copy(grown);
      data.copy(grown, offset);
      file.content = grown;
      file.written = true;
      return sftp.status(id, STATUS_CODE.OK);
    });
    sftp.on("FSTAT", (id, handle) => {
      const file = this.#handles.file(handle);
      if (file === undefined) return sftp.status(id, STATUS_CODE.FAILURE);
      return this.#answer(id, async () => sftp.attrs(id, { ...(await this.#attributes(file.name, true)), size: file.content.length }));
    });
    sftp.on("FSETSTAT", (id, handle, attrs) =>
      this.#done(id, async () => {
        const file = this.#handles.file(handle);
        if (file !== undefined) await this.#setAttributes(file.name, attrs);
      }),
    );
    sftp.on("CLOSE", (id, handle) => this.#done(id, () => this.#close(handle)));
  }

  #serveFolders(): void {
    const { sftp } = this;
    sftp.on("OPENDIR", (id, name) =>
      this.#answer(id, async () => {
        const folder = this.#absolute(name);
        sftp.handle(id, this.#handles.add({ names: await this.#view.readdir(folder), sent: false, folder }));
      }),
    );
    sftp.on("READDIR", (id, handle) => {
      const open = this.#handles.folder(handle);
      if (open === undefined) return sftp.status(id, STATUS_CODE.FAILURE);
      if (open.sent) return sftp.status(id, STATUS_CODE.EOF);
      open.sent = true;
      return this.#answer(id, async () => {
        const names = await Promise.all(
          open.names.map(async (name) => ({ filename: name, longname: name, attrs: await this.#attributes(path.join(open.folder, name), false) })),
        );
        sftp.name(id, names);
      });
    });
  }
}

/** SFTP, as far as copying files needs it: open, read, write, close, stat, mkdir, rename, remove, setstat, realpath, readdir. */
export const serveSftp = (machine: Machine, who: Identity, sftp: SFTPWrapper): void => new SftpSession(machine, who, sftp).serve();
