/** Tar archives (ustar; GNU's extra entry for a name of more than 100 bytes). */
export interface TarEntry {
  /** Without a first `/`; a folder's ends in one. */
  name: string;
  content: Buffer;
  /** Default: 0644, and 0755 for a folder. */
  mode?: number;
}

const BLOCK = 512;
const NAME_BYTES = 100;

function header(name: Buffer, size: number, mode: number, type: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, "0"), at, length - 1, "ascii");
  };
  name.copy(block, 0, 0, NAME_BYTES);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.fill(0x20, 148, 156);
  block.write(type, 156, "ascii");
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "ascii");
  return block;
}

const padded = (content: Buffer): Buffer[] => [content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];

function entry({ name, content, mode }: TarEntry): Buffer[] {
  const bytes = Buffer.from(name);
  const isFolder = name.endsWith("/");
  const own = [header(bytes, content.length, mode ?? (isFolder ? 0o755 : 0o644), isFolder ? "5" : "0"), ...padded(content)];
  if (bytes.length <= NAME_BYTES) return own;
  const whole = Buffer.concat([bytes, Buffer.alloc(1)]);
  return [header(Buffer.from("././@LongLink"), whole.length, 0, "L"), ...padded(whole), ...own];
}

export const tarOf = (entries: readonly TarEntry[]): Buffer => Buffer.concat([...entries.flatMap(entry), Buffer.alloc(2 * BLOCK)]);

/** Of text files, by their names. */
export const tar = (files: Readonly<Record<string, string>>): Buffer =>
  tarOf(Object.entries(files).map(([name, text]) => ({ name, content: Buffer.from(text) })));
