/** The map `homelab:images` in the text of a `Pulumi.<stack>.yaml`: read, and changed without touching anything else. Pure. */
import { isMap, isScalar, parseDocument } from "yaml";
import { HomelabError } from "../../common/errors";

const KEYS = ["config", "homelab:images"] as const;

const mapOf = (text: string) => parseDocument(text).getIn(KEYS, true);

/** By application. */
export function imagesIn(text: string): Record<string, string> {
  const images = mapOf(text);
  return isMap(images) ? Object.fromEntries(Object.entries(images.toJSON() as Record<string, unknown>).map(([app, image]) => [app, String(image)])) : {};
}

/** Line of the application's image, from 1; undefined where the map has none. */
export function lineOf(text: string, app: string): number | undefined {
  const node = parseDocument(text).getIn([...KEYS, app], true);
  const start = isScalar(node) ? node.range?.[0] : undefined;
  return start === undefined ? undefined : text.slice(0, start).split("\n").length;
}

/**
 * The text with another image for an application.
 * @throws HomelabError E_CONFIG_FILE where the file has no such map to write into
 */
export function withImage(file: string, text: string, app: string, image: string): string {
  const images = mapOf(text);
  const entry = isMap(images) ? images.items.find(({ key }) => isScalar(key) && key.value === app) : undefined;
  const range = isScalar(entry?.value) ? entry.value.range : undefined;
  if (range !== undefined && range !== null) return `${text.slice(0, range[0])}${image}${text.slice(range[1])}`;
  const last = isMap(images) && !images.flow ? images.items.at(-1) : undefined;
  const key = isScalar(last?.key) ? last.key.range?.[0] : undefined;
  const end = isScalar(last?.value) ? last.value.range?.[1] : undefined;
  if (key === undefined || end === undefined)
    throw new HomelabError("E_CONFIG_FILE", `${file}: there is no map homelab:images to write into`, {
      subject: file,
      hint: `add homelab:images with a line ${app}: ${image}`,
    });
  const indent = " ".repeat(key - (text.lastIndexOf("\n", key - 1) + 1));
  return `${text.slice(0, end)}\n${indent}${app}: ${image}${text.slice(end)}`;
}
