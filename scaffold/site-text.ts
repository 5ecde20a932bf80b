/** The files of a site as texts: entries of the matrix, and the addresses that are taken. */
import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError } from "../common/errors";
import { nearest } from "../common/nearest";
import { hostAt, parseNetwork } from "./network";

export const MATRIX = "site/stacks.ts";
const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;

/** A stack's entry of the matrix: from its key to the brace that closes it, as the formatter writes it. */
const ENTRY = /^ {2}(?:"([^"]+)"|([a-z]\w*)): \{\n[\s\S]*?^ {2}\},\n/gm;

export interface Entry {
  name: string;
  text: string;
  end: number;
}

/** Those of the call that declares the stacks. What stands above it, such as options that several stacks share, has the same form. */
export function entriesOf(text: string): Entry[] {
  const declared = text.lastIndexOf("defineStacks(");
  return [...text.matchAll(ENTRY)]
    .filter(({ index }) => index > declared)
    .map((match) => ({ name: match[1] ?? match[2] ?? "", text: match[0], end: match.index + match[0].length }));
}

export const read = (root: string, name: string): string => {
  try {
    return fs.readFileSync(path.join(root, name), "utf8");
  } catch (cause) {
    throw new HomelabError("E_SITE", `${name} cannot be read`, { cause, subject: name, hint: "a new homelab is written by `homelab init`" });
  }
};

/** The first address of the network after the given one that appears nowhere in the site's files. */
function freeAddress(root: string, subnet: string, after: string): string {
  const vms = fs.readdirSync(path.join(root, "site", "vms")).map((file) => `site/vms/${file}`);
  const taken = new Set(["site/site.ts", "site/nodes.ts", "site/lab.ts", ...vms].flatMap((file) => read(root, file).match(ADDRESS) ?? []));
  const network = parseNetwork(subnet);
  for (let n = 1, passed = false; network.holds(hostAt(network, n)); n++) {
    const address = hostAt(network, n);
    if (passed && !taken.has(address)) return address;
    passed ||= address === after;
  }
  throw new HomelabError("E_SITE", `${subnet} has no free address after ${after}`, { subject: subnet, hint: "write the VM's file by hand" });
}

/** The stack's entry. @throws HomelabError E_USAGE with the nearest name */
export function entryOf(entries: readonly Entry[], name: string): Entry {
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = entries.map((entry) => entry.name);
  const meant = nearest(name, names);
  throw new HomelabError("E_USAGE", `${MATRIX} has no stack "${name}"`, {
    subject: name,
    hint: meant === undefined ? `it has: ${names.join(", ")}` : `did you mean "${meant}"?`,
  });
}

/** VMs that an entry names, as far as they have files. */
export const vmsOf = (root: string, { text }: Entry): string[] =>
  fs
    .readdirSync(path.join(root, "site", "vms"))
    .map((file) => path.parse(file).name)
    .filter((vm) => new RegExp(`["\\s{]${vm}"?: "`).test(text));

/** A copy of a VM's file with another name and a free address. @param behind search after this address; default: after the VM's own */
export function vmLike(root: string, vm: string, name: string, behind?: string): { text: string; address: string } {
  const text = read(root, `site/vms/${vm}.yaml`);
  const [, subnet = ""] = /subnet: "([^"]+)"/.exec(read(root, "site/site.ts")) ?? [];
  const [, own = ""] = /\bip=(\d{1,3}(?:\.\d{1,3}){3})\//.exec(text) ?? [];
  if (/^ +passthrough:$/m.test(text) || /^vm_id:/m.test(text))
    throw new HomelabError("E_USAGE", `the VM "${vm}" has a disk of its host or a fixed id, which no other can have`, {
      subject: vm,
      hint: "take another one with --like",
    });
  const address = freeAddress(root, subnet, behind ?? own);
  return { text: text.replace(/^name: .*$/m, `name: ${name}`).replace(`ip=${own}/`, `ip=${address}/`), address };
}

/**
 * A stack's entry with one item more in one of its maps, as the formatter writes them: `key: {}`, `key: { … }`, one item a line, or
 * (`platform`) the name of a shared map.
 * @returns undefined where the map is written otherwise
 */
export function withItem(entry: string, map: "vms" | "platform" | "apps", item: string): string | undefined {
  const [onOneLine, empty, shared] = [`^( {4}${map}: \\{ .*?),? \\},$`, `^( {4}${map}: \\{)\\},$`, `^( {4}${map}: )(\\w+),$`].map(
    (form) => new RegExp(form, "m"),
  );
  // To the brace that closes it, at the depth of its key.
  const lines = new RegExp(`^( {4}${map}: \\{\\n(?: {6}.*\\n)+)( {4}\\},)$`, "m");
  if (onOneLine?.test(entry)) return entry.replace(onOneLine, `$1, ${item} },`);
  if (empty?.test(entry)) return entry.replace(empty, `$1 ${item} },`);
  if (shared?.test(entry)) return entry.replace(shared, `$1{ ...$2, ${item} },`);
  return lines.test(entry) ? entry.replace(lines, `$1      ${item},\n$2`) : undefined;
}

/** The matrix with another text for one of its entries. */
export const withEntry = (matrix: string, { text, end }: Entry, changed: string): string =>
  `${matrix.slice(0, end - text.length)}${changed}${matrix.slice(end)}`;

/** Where {@link withItem} cannot write. @param what the stack's items are called. @param byHand what else to do */
export const notFormatted = (what: string, stack: string, byHand: string): HomelabError =>
  new HomelabError("E_SITE", `the ${what} of "${stack}" are not written as the formatter writes them in ${MATRIX}`, {
    subject: stack,
    hint: `${byHand} or run \`npm run lint:fix\` first`,
  });
