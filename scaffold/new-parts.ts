/** `homelab new stack` and `homelab new vm`: a copy of an existing one in the site's files, under a new name. */
import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError } from "../common/errors";
import { STACK_NAME } from "./answers";
import { stackTest, vmTest } from "./part-tests";
import { keyText } from "./site-files";
import { entriesOf, entryOf, MATRIX, notFormatted, read, vmLike, vmsOf, withEntry, withItem } from "./site-text";
import { writeChanges } from "./write";

/** Replaces the name where it is a whole word, also within `cluster-dev` and `dev.app`. */
const renamed = (text: string, from: string, to: string): string => text.replace(new RegExp(`(?<![a-z0-9])${from}(?![a-z0-9])`, "g"), to);

const refuse = (message: string, subject: string, hint: string): HomelabError => new HomelabError("E_USAGE", message, { subject, hint });

const write = (root: string, files: readonly [string, string][], matrix: string): string[] => writeChanges(root, new Map(files), new Map([[MATRIX, matrix]]));

/**
 * @param like the stack that the new one is like
 * @returns files that were written, from the checkout's folder
 * @throws HomelabError E_USAGE, E_SITE, E_EXISTS
 */
export function newStack(root: string, name: string, like: string): string[] {
  if (!STACK_NAME.test(name)) throw refuse(`"${name}" is no name for a stack`, name, "lower-case letters, digits and dashes, such as stg");
  const matrix = read(root, MATRIX);
  const entries = entriesOf(matrix);
  const model = entryOf(entries, like);
  const end = entries.at(-1)?.end ?? 0;
  if (entries.some((entry) => entry.name === name))
    throw new HomelabError("E_EXISTS", `${MATRIX} has a stack "${name}" already`, { subject: name, hint: "take another name" });
  if (/^ {4}proxmox: true,$/m.test(model.text))
    throw refuse(`"${like}" prepares the Proxmox nodes, which only one stack may do`, like, "name another with --like");
  const vms = vmsOf(root, model);
  const same = vms.find((vm) => renamed(vm, like, name) === vm);
  if (same !== undefined) throw refuse(`the VM "${same}" of "${like}" does not have the stack's name in its own`, same, "write the new stack by hand");
  const files: [string, string][] = [[`Pulumi.${name}.yaml`, renamed(read(root, `Pulumi.${like}.yaml`), like, name).replace(/^encryptionsalt: .*\n/m, "")]];
  let behind: string | undefined;
  for (const vm of vms) {
    const { text, address } = vmLike(root, vm, renamed(vm, like, name), behind);
    behind = address;
    files.push([`site/vms/${renamed(vm, like, name)}.yaml`, text]);
  }
  files.push([
    `site/tests/stack-${name}.test.ts`,
    stackTest(
      name,
      vms.map((vm) => renamed(vm, like, name)),
    ),
  ]);
  const entry = renamed(model.text, like, name).replace(/^ {2}[^:]+:/, `  ${keyText(name)}:`);
  return write(root, files, `${matrix.slice(0, end)}${entry}${matrix.slice(end)}`);
}

/**
 * A VM that the stack owns, with the duty `host`: nothing runs on it yet.
 * @param like a VM, such as one of the stack
 * @returns files that were written, from the checkout's folder
 * @throws HomelabError E_USAGE, E_SITE, E_EXISTS
 */
export function newVm(root: string, name: string, stack: string, like: string): string[] {
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name))
    throw refuse(`"${name}" is no name for a VM`, name, "lower-case letters, digits and dashes, such as build-01");
  const matrix = read(root, MATRIX);
  const entry = entryOf(entriesOf(matrix), stack);
  if (!fs.existsSync(path.join(root, "site", "vms", `${like}.yaml`)))
    throw refuse(`there is no VM "${like}"`, like, "--like takes the name of a file in site/vms/");
  const changed = withItem(entry.text, "vms", `${keyText(name)}: "host"`);
  if (changed === undefined) throw notFormatted("VMs", stack, `add ${keyText(name)}: "host" to them by hand, and the file in site/vms/;`);
  const { text, address } = vmLike(root, like, name);
  const files: [string, string][] = [
    [`site/vms/${name}.yaml`, text],
    [`site/tests/vm-${name}.test.ts`, vmTest(name, stack, address)],
  ];
  return write(root, files, withEntry(matrix, entry, changed));
}
