import * as fs from "node:fs";
import * as path from "node:path";
import { systemErrorCode } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";

/** What the backend needs of a store of files. Keys use `/`. */
export interface Bucket {
  read(key: string): string | undefined;
  write(key: string, content: string): void;
  remove(key: string): void;
  copy(from: string, to: string): void;
  /** Names directly below a prefix (a folder), sorted. */
  list(folder: string): string[];
  /** How a key is named in messages. */
  url(key: string): string;
}

/** A folder. Writes are atomic; what they wrote survives a power cut. */
export class FileBucket implements Bucket {
  constructor(private readonly root: string) {}

  #file(key: string): string {
    return path.join(this.root, ...key.split("/"));
  }

  /** The CLI keeps attributes of a file beside it; they do not fit any more once we have written the file. */
  #dropAttributes(file: string): void {
    fs.rmSync(`${file}.attrs`, { force: true });
  }

  read(key: string): string | undefined {
    try {
      return fs.readFileSync(this.#file(key), "utf8");
    } catch (thrown) {
      if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(thrown) ?? "")) return undefined;
      throw thrown;
    }
  }

  write(key: string, content: string): void {
    const file = this.#file(key);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileAtomic(file, content);
    this.#dropAttributes(file);
  }

  remove(key: string): void {
    fs.rmSync(this.#file(key), { force: true });
    this.#dropAttributes(this.#file(key));
  }

  copy(from: string, to: string): void {
    const target = this.#file(to);
    fs.mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
    const part = `${target}.${process.pid}.part`;
    fs.copyFileSync(this.#file(from), part);
    fs.renameSync(part, target);
    this.#dropAttributes(target);
  }

  list(folder: string): string[] {
    try {
      return fs
        .readdirSync(this.#file(folder))
        .filter((name) => !name.endsWith(".attrs") && !name.endsWith(".part"))
        .sort();
    } catch (thrown) {
      if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(thrown) ?? "")) return [];
      throw thrown;
    }
  }

  url(key: string): string {
    return `file://${this.#file(key)}?no_tmp_dir=true`;
  }

  /** The real file of a key, for what must be appended to. */
  path(key: string): string {
    return this.#file(key);
  }
}
