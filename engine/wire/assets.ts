/** Assets and archives: the hash of their content, which shows whether they have changed (engine-contract D). */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { DeploymentError } from "../errors";
import { isAssetOrArchive, isObject, mapValue, type PropertyMap, signatureOf, someValue, type Value } from "./values";

/** One file of an archive. */
interface Entry {
  name: string;
  content: Buffer;
}

const ARCHIVE_ENDINGS = [".tar", ".tgz", ".tar.gz", ".zip", ".jar"];
/** The CLI's own folder is in no archive. */
const BOOKKEEPING = ".pulumi";
const BLOCK = 512;

function localPath(value: PropertyMap, folder: string): string {
  const { path: file, uri } = value;
  if (typeof file === "string" && file !== "") return path.resolve(folder, file);
  if (typeof uri === "string" && uri.startsWith("file:")) return fileURLToPath(uri);
  throw new DeploymentError(
    `assets from ${String(uri)} are not supported by the embedded engine; the Pulumi CLI has them. Fetch the file first, and name its path`,
  );
}

function assetContent(asset: PropertyMap, folder: string): Buffer {
  const { text } = asset;
  const from = asset["path"] ?? asset["uri"];
  if (typeof text === "string" && (from === undefined || from === "")) return Buffer.from(text, "utf8");
  const file = localPath(asset, folder);
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) throw new DeploymentError(`failed to open asset file '${file}': no such file`);
  if (stat.isDirectory()) throw new DeploymentError(`asset path '${file}' is a directory; try using an archive`);
  return fs.readFileSync(file);
}

/** Files below a folder in the order of a walk that sorts each folder's names; links to folders are left out. */
function filesBelow(root: string, folder = root): Entry[] {
  return fs
    .readdirSync(folder)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .filter((name) => name !== BOOKKEEPING)
    .flatMap((name): Entry[] => {
      const file = path.join(folder, name);
      if (fs.lstatSync(file).isDirectory()) return filesBelow(root, file);
      if (fs.statSync(file).isDirectory()) return [];
      return [{ name: path.relative(root, file).split(path.sep).join("/"), content: fs.readFileSync(file) }];
    });
}

/** @throws DeploymentError for an archive file inside an archive, which would have to be unpacked */
function archiveEntries(archive: PropertyMap, folder: string): Entry[] {
  const { assets } = archive;
  if (isObject(assets)) {
    const names = Object.keys(assets).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return names.flatMap((name): Entry[] => {
      const member = assets[name];
      if (!isObject(member)) return [];
      if (signatureOf(member) === SIGNATURE.asset) return [{ name, content: assetContent(member, folder) }];
      return archiveEntries(member, folder).map((entry) => ({ ...entry, name: path.posix.join(name, entry.name) }));
    });
  }
  const root = localPath(archive, folder);
  if (ARCHIVE_ENDINGS.some((ending) => root.endsWith(ending)))
    throw new DeploymentError(
      `the archive file ${root} inside another archive is not supported by the embedded engine; the Pulumi CLI has it. Name its folder instead`,
    );
  const stat = fs.statSync(root, { throwIfNoEntry: false });
  if (stat === undefined) throw new DeploymentError(`couldn't read archive path '${root}': no such file or folder`);
  if (!stat.isDirectory()) throw new DeploymentError(`'${root}' is neither a recognized archive type nor a directory`);
  return filesBelow(root);
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

/** A header block. @param type `0` for a file, `x` for a record with more about the next file */
function header(name: Buffer, prefix: Buffer, size: number, mode: number, type: "0" | "x"): Buffer {
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0, 0, 100);
  block.write(octal(mode, 8), 100, "latin1");
  block.write(octal(0, 8), 108, "latin1");
  block.write(octal(0, 8), 116, "latin1");
  block.write(octal(size, 12), 124, "latin1");
  block.write(octal(0, 12), 136, "latin1");
  block.write(" ".repeat(8), 148, "latin1");
  block.write(type, 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  if (type === "0") {
    // Device numbers, which Go's writer gives to files and not to its own records.
    block.write(octal(0, 8), 329, "latin1");
    block.write(octal(0, 8), 337, "latin1");
  }
  prefix.copy(block, 345, 0, 155);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

const isAscii = (text: string): boolean => [...text].every((char) => char > "\0" && char < "\x80");

/** Name and prefix as ustar holds long names; undefined where it cannot. */
function ustarName(name: string): [name: string, prefix: string] | undefined {
  if (!isAscii(name)) return undefined;
  if (name.length <= 100) return [name, ""];
  if (name.length > 256) return undefined;
  const longest = Math.min(name.length, 156);
  const at = name.slice(0, name.endsWith("/") ? longest - 1 : longest).lastIndexOf("/");
  if (at <= 0 || name.length - at - 1 > 100 || at > 155 || name.length - at - 1 === 0) return undefined;
  return [name.slice(at + 1), name.slice(0, at)];
}

/** `<length> path=<name>\n`, where the length counts itself. */
function paxRecord(name: string): Buffer {
  const rest = Buffer.byteLength(` path=${name}\n`);
  let size = rest + String(rest).length;
  if (rest + String(size).length !== size) size = rest + String(size).length;
  return Buffer.from(`${size} path=${name}\n`, "utf8");
}

const padded = (content: Buffer): Buffer[] => [content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];

/** The blocks of one file: times, owners and modes are left out of the hash by being the same for all. */
function tarEntry({ name, content }: Entry): Buffer[] {
  const split = ustarName(name);
  const none = Buffer.alloc(0);
  if (split !== undefined) return [header(Buffer.from(split[0]), Buffer.from(split[1]), content.length, 0o600, "0"), ...padded(content)];
  // Go's tar writer: a record before the file holds what the file's own header cannot.
  const record = paxRecord(name);
  const place = `${path.posix.join(path.posix.dirname(name), "PaxHeaders.0", path.posix.basename(name))}`;
  const ascii = (text: string): Buffer => Buffer.from([...text].filter(isAscii).join("").slice(0, 100), "latin1");
  return [header(ascii(place), none, record.length, 0, "x"), ...padded(record), header(ascii(name), none, content.length, 0o600, "0"), ...padded(content)];
}

function archiveHash(archive: PropertyMap, folder: string): string {
  const hash = createHash("sha256");
  if (!isObject(archive["assets"])) {
    const file = localPath(archive, folder);
    if (ARCHIVE_ENDINGS.some((ending) => file.endsWith(ending))) {
      if (!fs.existsSync(file)) throw new DeploymentError(`couldn't read archive path '${file}': no such file`);
      return hash.update(fs.readFileSync(file)).digest("hex");
    }
  }
  const seen = new Set<string>();
  for (const entry of archiveEntries(archive, folder)) {
    if (seen.has(entry.name)) continue;
    seen.add(entry.name);
    for (const block of tarEntry(entry)) hash.update(block);
  }
  return hash.update(Buffer.alloc(2 * BLOCK)).digest("hex");
}

/**
 * The map with the hash of each asset and archive that has none: SHA-256 of the content; of folders and of archives made of
 * assets, of a canonical tar of their files.
 * @param folder what relative paths begin at
 * @throws DeploymentError for content that does not exist or is not supported
 */
export function withAssetHashes(map: PropertyMap, folder: string): PropertyMap {
  if (!someValue(map, isAssetOrArchive)) return map;
  return mapValue(map, (value: Value) => {
    if (!isObject(value) || !isAssetOrArchive(value)) return value;
    if (typeof value["hash"] === "string" && value["hash"] !== "") return value;
    const { [SIGNATURE_KEY]: own = "", text, path: file, uri, assets } = value;
    const content = { text, path: file, uri, assets };
    const known: [string, Value][] = Object.entries(content).flatMap(([name, item]) => (item === undefined ? [] : [[name, item]]));
    const hash = signatureOf(value) === SIGNATURE.asset ? createHash("sha256").update(assetContent(value, folder)).digest("hex") : archiveHash(value, folder);
    // Fields that the SDK adds for its own use are left out.
    return { [SIGNATURE_KEY]: own, hash, ...Object.fromEntries(known) };
  }) as PropertyMap;
}
