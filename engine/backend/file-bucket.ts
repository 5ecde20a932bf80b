import { randomUUID } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { systemErrorCode } from "../../common/errors";
import type { Bucket } from "./bucket";

const missing = (thrown: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(systemErrorCode(thrown) ?? "");

/** No write takes this long: a part file of this age belongs to a writer that was killed. */
const ABANDONED_MS = 3_600_000;

async function sync(file: string): Promise<void> {
  const handle = await fs.open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A folder. Writes are atomic; what they wrote survives a power cut. */
export class FileBucket implements Bucket {
  readonly #swept = new Set<string>();

  constructor(private readonly root: string) {}

  file(key: string): string {
    return path.join(this.root, ...key.split("/"));
  }

  /** The CLI keeps attributes of a file beside it; they do not fit any more once we have written the file. */
  async #dropAttributes(file: string): Promise<void> {
    await fs.rm(`${file}.attrs`, { force: true });
  }

  async read(key: string): Promise<string | undefined> {
    try {
      return await fs.readFile(this.file(key), "utf8");
    } catch (thrown) {
      if (missing(thrown)) return undefined;
      throw thrown;
    }
  }

  /** Fills a file beside the target, syncs it, and renames it over the target. */
  async #replace(target: string, fill: (part: string) => Promise<void>): Promise<void> {
    const folder = path.dirname(target);
    const part = `${target}.${randomUUID()}.part`;
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
    await this.#sweep(folder);
    try {
      await fill(part);
      await fs.rename(part, target);
    } catch (thrown) {
      await fs.rm(part, { force: true });
      throw thrown;
    }
    await sync(folder);
    await this.#dropAttributes(target);
  }

  /** Removes part files that killed processes left, once for each folder. */
  async #sweep(folder: string): Promise<void> {
    if (this.#swept.has(folder)) return;
    this.#swept.add(folder);
    for (const name of await fs.readdir(folder)) {
      if (!name.endsWith(".part")) continue;
      const file = path.join(folder, name);
      const stat = await fs.stat(file).catch((thrown: unknown) => {
        if (missing(thrown)) return undefined;
        throw thrown;
      });
      if (stat !== undefined && Date.now() - stat.mtimeMs > ABANDONED_MS) await fs.rm(file, { force: true });
    }
  }

  async write(key: string, content: string): Promise<void> {
    await this.#replace(this.file(key), async (part) => {
      const handle = await fs.open(part, "wx", 0o600);
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
  }

  async remove(key: string): Promise<void> {
    await fs.rm(this.file(key), { force: true });
    await this.#dropAttributes(this.file(key));
  }

  async copy(from: string, to: string): Promise<void> {
    await this.#replace(this.file(to), async (part) => {
      await fs.copyFile(this.file(from), part);
      await sync(part);
    });
  }

  /** Without the CLI's attribute files, and without part files of interrupted writes. */
  async list(folder: string): Promise<string[]> {
    try {
      return (await fs.readdir(this.file(folder))).filter((name) => !name.endsWith(".attrs") && !name.endsWith(".part")).sort();
    } catch (thrown) {
      if (missing(thrown)) return [];
      throw thrown;
    }
  }

  url(key: string): string {
    return `file://${this.file(key)}?no_tmp_dir=true`;
  }
}
