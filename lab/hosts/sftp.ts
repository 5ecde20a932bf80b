import * as path from "node:path/posix";
import { type Attributes, type SFTPWrapper, utils } from "ssh2";
import type { Identity } from "./filesystem";
import type { Machine } from "./machine";
import { DiskView } from "./view";

const { STATUS_CODE, OPEN_MODE } = utils.sftp;

interface OpenFile {
  name: string;
  content: Buffer;
  written: boolean;
  created: boolean;
  mode: number | undefined;
}

/** SFTP, as far as copying files needs it: open, read, write, close, stat, mkdir, rename, remove, setstat, realpath, readdir. */
export function serveSftp(machine: Machine, who: Identity, sftp: SFTPWrapper): void {
  const view = new DiskView(machine.disk, { ...who });
  const files = new Map<string, OpenFile | { names: string[]; sent: boolean; folder: string }>();
  let next = 0;
  const handleFor = (entry: OpenFile | { names: string[]; sent: boolean; folder: string }): Buffer => {
    const handle = Buffer.from(String(next++));
    files.set(handle.toString(), entry);
    return handle;
  };
  const absolute = (name: string): string => path.resolve(who.home, name);
  const answer = (id: number, work: () => Promise<void>): void => {
    work().catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      const code = text.startsWith("ENOENT") ? STATUS_CODE.NO_SUCH_FILE : /^(EACCES|EPERM)/.test(text) ? STATUS_CODE.PERMISSION_DENIED : STATUS_CODE.FAILURE;
      sftp.status(id, code, text);
    });
  };
  const done = (id: number, work: () => Promise<void>): void =>
    answer(id, async () => {
      await work();
      sftp.status(id, STATUS_CODE.OK);
    });
  const attributes = async (name: string, follow: boolean): Promise<Attributes> => {
    const stat = await machine.disk.stat(name, follow);
    const seconds = Math.floor(stat.mtime.getTime() / 1000);
    const kind = stat.isDirectory ? 0o040000 : stat.isSymbolicLink ? 0o120000 : 0o100000;
    return { mode: kind | (stat.mode & 0o7777), uid: stat.uid, gid: stat.gid, size: stat.size, atime: seconds, mtime: seconds };
  };
  const record = (name: string) => {
    machine.ctx.records.add({ system: "ssh", target: machine.spec.hostname, kind: "write", action: "sftp-write", detail: { path: name } });
    machine.ctx.changed();
  };

  sftp.on("REALPATH", (id, name) => sftp.name(id, [{ filename: absolute(name), longname: absolute(name), attrs: {} as Attributes }]));
  sftp.on("STAT", (id, name) => answer(id, async () => sftp.attrs(id, await attributes(absolute(name), true))));
  sftp.on("LSTAT", (id, name) => answer(id, async () => sftp.attrs(id, await attributes(absolute(name), false))));
  sftp.on("OPEN", (id, name, flags, attrs) =>
    answer(id, async () => {
      const target = absolute(name);
      const writing = (flags & OPEN_MODE.WRITE) !== 0;
      const exists = await view.exists(target);
      if (!exists && (flags & OPEN_MODE.CREAT) === 0) throw new Error(`ENOENT: no such file, open '${target}'`);
      const original = exists ? Buffer.from(await view.readFileBuffer(target)) : Buffer.alloc(0);
      const content = (flags & OPEN_MODE.TRUNC) === 0 ? original : Buffer.alloc(0);
      // Only for the right to write: the new content comes with CLOSE.
      if (writing) await view.writeFile(target, original);
      sftp.handle(
        id,
        handleFor({ name: target, content, written: writing && !content.equals(original), created: writing && !exists, mode: exists ? undefined : attrs.mode }),
      );
    }),
  );
  sftp.on("READ", (id, handle, offset, length) => {
    const file = files.get(handle.toString());
    if (!file || !("content" in file)) return sftp.status(id, STATUS_CODE.FAILURE);
    if (offset >= file.content.length) return sftp.status(id, STATUS_CODE.EOF);
    return sftp.data(id, file.content.subarray(offset, offset + length));
  });
  sftp.on("WRITE", (id, handle, offset, data) => {
    const file = files.get(handle.toString());
    if (!file || !("content" in file)) return sftp.status(id, STATUS_CODE.FAILURE);
    const size = Math.max(file.content.length, offset + data.length);
    const grown = Buffer.alloc(size);
    file.content.copy(grown);
    data.copy(grown, offset);
    file.content = grown;
    file.written = true;
    return sftp.status(id, STATUS_CODE.OK);
  });
  sftp.on("FSTAT", (id, handle) => {
    const file = files.get(handle.toString());
    if (!file || !("content" in file)) return sftp.status(id, STATUS_CODE.FAILURE);
    return answer(id, async () => sftp.attrs(id, { ...(await attributes(file.name, true)), size: file.content.length }));
  });
  const setAttributes = async (name: string, attrs: Attributes): Promise<void> => {
    if (typeof attrs.mode === "number") await view.chmod(name, attrs.mode & 0o7777);
  };
  sftp.on("FSETSTAT", (id, handle, attrs) =>
    done(id, async () => {
      const file = files.get(handle.toString());
      if (file && "content" in file) await setAttributes(file.name, attrs);
    }),
  );
  sftp.on("SETSTAT", (id, name, attrs) => done(id, () => setAttributes(absolute(name), attrs)));
  sftp.on("CLOSE", (id, handle) =>
    done(id, async () => {
      const file = files.get(handle.toString());
      files.delete(handle.toString());
      if (!file || !("content" in file)) return;
      const before = machine.disk.changes;
      if (file.written) await view.writeFile(file.name, new Uint8Array(file.content));
      if (file.mode !== undefined) await view.chmod(file.name, file.mode & 0o7777);
      if (machine.disk.changes !== before || file.created) record(file.name);
    }),
  );
  sftp.on("MKDIR", (id, name) => done(id, () => view.mkdir(absolute(name))));
  sftp.on("REMOVE", (id, name) => done(id, () => view.rm(absolute(name))));
  sftp.on("RMDIR", (id, name) => done(id, () => view.rm(absolute(name))));
  sftp.on("RENAME", (id, from, to) => done(id, () => view.mv(absolute(from), absolute(to))));
  sftp.on("OPENDIR", (id, name) =>
    answer(id, async () => {
      const folder = absolute(name);
      sftp.handle(id, handleFor({ names: await view.readdir(folder), sent: false, folder }));
    }),
  );
  sftp.on("READDIR", (id, handle) => {
    const folder = files.get(handle.toString());
    if (!folder || !("names" in folder)) return sftp.status(id, STATUS_CODE.FAILURE);
    if (folder.sent) return sftp.status(id, STATUS_CODE.EOF);
    folder.sent = true;
    return answer(id, async () => {
      const names = await Promise.all(
        folder.names.map(async (n) => ({ filename: n, longname: n, attrs: await attributes(path.join(folder.folder, n), false) })),
      );
      sftp.name(id, names);
    });
  });
}
