/** Tables of the pages list everything that the code accepts, and nothing else. Messages refer to them ("docs/site.md lists every key"). */
import * as fs from "node:fs";
import * as path from "node:path";
import type { HomelabError } from "../../common/errors";
import { FAULTS } from "../../lab/core/faults";
import { ARCHIVE } from "../../lab/hosts/archive";
import { PROGRAMS } from "../../lab/hosts/commands/programs";
import { COMMAND_NAMES } from "../../lab/hosts/shell";
import { parseStackConfig } from "../../stacks/load/settings";
import { proxmoxSchema, siteSchema, stacksSchema } from "../../stacks/load/site-schema";
import { vmFileSchema } from "../../stacks/load/vms/vm-schema";

const ROOT = path.join(__dirname, "../..");
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), "utf8");

/** The text of a section of a page. */
function section(page: string, title: string): string {
  const text = read(`docs/${page}.md`);
  const at = text.indexOf(`\n## ${title}\n`);
  if (at < 0) throw new Error(`${page}.md has no "${title}"`);
  return text.slice(at + 1).split(/\n## /)[0] ?? "";
}

const missing = (names: readonly string[], text: string): string[] => names.filter((name) => !new RegExp(`\`${name}[\`:.[]`).test(text));

/** The keys of a zod schema, also where it is optional or in a list or a record. */
function keysOf(schema: unknown): string[] {
  const { shape, element, valueType, def } = schema as { shape?: object; element?: unknown; valueType?: unknown; def?: { innerType?: unknown } };
  if (shape !== undefined) return Object.keys(shape);
  const inner = element ?? valueType ?? def?.innerType;
  return inner === undefined ? [] : keysOf(inner);
}

test("docs/site.md lists every key of the site, a node, a stack and an application", () => {
  const { shape: stack } = stacksSchema.valueType;
  const keys = [keysOf(siteSchema), keysOf(proxmoxSchema.shape.nodes), keysOf(stacksSchema), keysOf(stack.apps)];
  expect(keys.map((each) => each.length > 5)).toEqual([true, true, true, true]);
  expect(missing(keys.flat(), read("docs/site.md"))).toEqual([]);
});

test("docs/vms.md lists every key of a VM's file", () => {
  const text = read("docs/vms.md");
  const nested = ["nested_disks", "disks", "network"];
  const keys = [...keysOf(vmFileSchema).filter((key) => !nested.includes(key)), ...keysOf(vmFileSchema.shape.network).map((key) => `network.${key}`)];
  expect(missing(keys, text)).toEqual([]);
});

test("docs/components.md lists every setting, and no other", () => {
  let known: string[] = [];
  try {
    parseStackConfig("Pulumi.dev.yaml", { "homelab:zzzzzzzzzz": 1 });
  } catch (thrown) {
    known = ((thrown as HomelabError).hint ?? "").replace("the known keys are: ", "").replaceAll("homelab:", "").split(", ");
  }
  expect(known).toContain("acmeEmail");
  const rows = [...section("components", "Settings (`Pulumi.<stack>.yaml`)").matchAll(/^\| (.+?) \|/gm)];
  const listed = rows.flatMap(([, cell = ""]) => [...cell.matchAll(/`(?:homelab:)?(\w+)`/g)].map(([, name = ""]) => name));
  expect(listed.toSorted()).toEqual(known.toSorted());
});

test("docs/lab.md lists every fault with its parameters, and no other", () => {
  const rows = section("lab", "Faults")
    .split("\n")
    .flatMap((row): [string, string][] => {
      const [, name] = /^\| `([^`]+)` \|/.exec(row) ?? [];
      return name === undefined ? [] : [[name, row]];
    });
  expect(rows.map(([name]) => name).toSorted()).toEqual(Object.keys(FAULTS).toSorted());
  const parameters = Object.entries<readonly string[]>(FAULTS).flatMap(([name, keys]) => keys.map((key): [string, string] => [name, key]));
  expect(parameters.filter(([name, key]) => new Map(rows).get(name)?.includes(`parameters.${key}`) !== true)).toEqual([]);
});

test("docs/lab.md lists every command of a host that is the lab's own", () => {
  const [, list = ""] = /Modelled beside the shell's own commands: (.*?)SFTP/.exec(section("lab", "Hosts (`lab/hosts`)")) ?? [];
  const listed = new Set([...list.matchAll(/`([^` ]+)[^`]*`/g)].map(([, name = ""]) => name));
  // These only do something else than the shell's own; `sudo` is said above the list, and stand-ins of downloads are said below it.
  const beside = ["cat", "chmod", "env", "grep", "lab-binary", "ls", "mkdir", "rm", "sudo", "tar"];
  expect(COMMAND_NAMES.filter((name) => !listed.has(name)).toSorted()).toEqual(beside);
  expect(Object.keys(PROGRAMS).filter((name) => !listed.has(name))).toEqual([]);
  const brought = new Set([...Object.keys(PROGRAMS), ...Object.values(ARCHIVE).flatMap(({ programs = [] }) => programs.map((file) => path.basename(file)))]);
  expect([...listed].filter((name) => !name.includes("/") && !COMMAND_NAMES.includes(name) && !brought.has(name))).toEqual(["cilium", "clusterctl"]);
});

test("docs/lab.md lists every latency with its default", () => {
  const inCode = [...read("lab/core/latency.ts").matchAll(/^ {2}"([a-z0-9.-]+)": ([\d_]+),$/gm)].map(
    ([, name, ms = ""]) => `${name} ${ms.replaceAll("_", "")}`,
  );
  const listed = [...section("lab", "Latencies").matchAll(/`([a-z0-9.-]+)` \| (\d+)/g)].map(([, name, ms]) => `${name} ${ms}`);
  expect(inCode.length).toBeGreaterThan(10);
  expect(listed.toSorted()).toEqual(inCode.toSorted());
});
