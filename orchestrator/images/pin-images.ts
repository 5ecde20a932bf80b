/** `homelab images pin`: writes into the list which digest each base has, and which checksum each tool. Comments and order stay. */
import { createHash } from "node:crypto";
import { isScalar, parseDocument } from "yaml";
import { HomelabError } from "../../common/errors";
import { pinned } from "../apps/registry";
import { parseImage } from "../charts/image-reference";
import { overRedirects } from "../charts/over-redirects";
import { parseImageList } from "./image-list";

/** Where digests and checksums come from. Tests give sources of their own. */
export interface Sources {
  /** The image with the digest that its registry has for its tag. */
  digest(image: string): Promise<string>;
  /** SHA-256 of the file at an address. */
  checksum(url: string): Promise<string>;
}

const TIMEOUT_MS = 300_000;

async function hashOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of body) hash.update(part);
  return hash.digest("hex");
}

async function checksum(url: string): Promise<string> {
  const answer = await overRedirects({ method: "GET", url, timeoutMs: TIMEOUT_MS }, "E_IMAGES", hashOf);
  if (answer.status === 200) return answer.body;
  throw new HomelabError("E_IMAGES", `${answer.url} answered ${answer.status}`, { subject: url, hint: "correct its address in images/images.yaml" });
}

export const SOURCES: Sources = { digest: (image) => pinned({ ...parseImage(image), digest: undefined }), checksum };

/**
 * @param fresh whether what has a digest or checksum is asked again
 * @returns the list's text with them, and a line for each that was written
 * @throws HomelabError E_IMAGES, E_REGISTRY, E_IMAGE_UNKNOWN: nothing is written then
 */
export async function pinnedList(text: string, fresh: boolean, sources: Sources = SOURCES): Promise<{ text: string; written: string[] }> {
  const { bases, tools } = parseImageList(text);
  const document = parseDocument(text);
  const written: string[] = [];
  const edits: { at: readonly [number, number]; value: string }[] = [];
  for (const [name, image] of Object.entries(bases)) {
    if (image.includes("@") && !fresh) continue;
    const found = await sources.digest(image);
    const node = document.getIn(["bases", name], true);
    const range = isScalar(node) ? node.range : undefined;
    if (found === image || range === undefined || range === null) continue;
    edits.push({ at: [range[0], range[1]], value: found });
    written.push(`${name}: ${found}`);
  }
  for (const [name, { url, sha256 }] of Object.entries(tools)) {
    if (sha256 !== undefined && !fresh) continue;
    const found = await sources.checksum(url);
    if (found === sha256) continue;
    // A first checksum is written after the address; a new one replaces the old one.
    const node = document.getIn(["tools", name, sha256 === undefined ? "url" : "sha256"], true);
    const range = isScalar(node) ? node.range : undefined;
    if (range === undefined || range === null) throw new Error(`${name} has no address in the list`);
    edits.push(sha256 === undefined ? { at: [range[1], range[1]], value: `, sha256: "${found}"` } : { at: [range[0], range[1]], value: `"${found}"` });
    written.push(`${name}: ${found}`);
  }
  const changed = edits.toSorted((a, b) => b.at[0] - a.at[0]).reduce((all, { at: [from, to], value }) => `${all.slice(0, from)}${value}${all.slice(to)}`, text);
  parseImageList(changed);
  return { text: changed, written };
}
