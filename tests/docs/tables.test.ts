/** Tables of the pages list everything that the code accepts, and nothing else. Messages refer to them ("docs/site.md lists every key"). */
import * as fs from "node:fs";
import * as path from "node:path";
import type { HomelabError } from "../../common/errors";
import { FAULTS } from "../../lab/core/faults";
import { ARCHIVE } from "../../lab/hosts/archive";
import { PROGRAMS } from "../../lab/hosts/commands/programs";
import { COMMAND_NAMES } from "../../lab/hosts/shell";
import { provider as kubernetes } from "../../providers/kubernetes/provider";
import { provider as proxmoxve } from "../../providers/proxmoxve/provider";
import { vmFields } from "../../providers/proxmoxve/vm/schema";
import type { ProviderDefinition } from "../../providers/sdk/resource";
import { propertyAt } from "../../providers/sdk/schema";
import { provider as vault } from "../../providers/vault/provider";
import { appSchema } from "../../stacks/load/app-schema";
import { parseStackConfig } from "../../stacks/load/settings";
import { proxmoxSchema, siteSchema, stacksSchema } from "../../stacks/load/site-schema";
import { vmFileSchema } from "../../stacks/load/vms/vm-schema";
import { sdkInputs } from "../support/sdk-inputs";

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

test("docs/site.md says what each key of an application holds", () => {
  const { shape } = appSchema;
  const rows = new Map([...read("docs/site.md").matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, key = "", text = ""]) => [key, text]));
  const unsaid = (["ports", "probes", "autoscaling", "resources", "rollout", "serviceAccount", "hooks", "flows", "exceptions"] as const).flatMap((key) =>
    keysOf(shape[key])
      .filter((inner) => !new RegExp(`\\b${inner}\\b`).test(rows.get(key) ?? ""))
      .map((inner) => `${key}.${inner}`),
  );
  expect(unsaid).toEqual([]);
  expect(keysOf(shape.probes)).toContain("startSeconds");
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

/** Names of a section of docs/providers.md, where `authLogin…` stands for all that begin so. */
const isSaid = (text: string, name: string): boolean =>
  [...text.matchAll(/`([\w.[\]]+)(…?)[`:]/g)].some(([, said = "", more]) => said === name || (more === "…" && name.startsWith(said)));

test.each<[string, Pick<ProviderDefinition<never>, "checkConfig">, string]>([
  ["vault", vault, "@pulumi/vault"],
  ["proxmoxve", proxmoxve, "@muhlba91/pulumi-proxmoxve"],
  ["kubernetes", kubernetes, "@pulumi/kubernetes"],
])("docs/providers.md says of each setting of %s that it is read, or refused", async (name, provider, sdk) => {
  const text = section("providers", name);
  const settings = sdkInputs(sdk, "provider", "ProviderArgs", 1).map(({ path: key }) => key);
  expect(settings.length).toBeGreaterThan(5);
  expect(settings.filter((key) => !isSaid(text, key))).toEqual([]);
  const [, refused = ""] = /\bRefused: (.*)/.exec(text) ?? [];
  const failing: string[] = [];
  for (const key of settings)
    if ((await provider.checkConfig?.({ [key]: "x" }))?.some(({ reason }) => reason.includes("official plugin does"))) failing.push(key);
  expect(failing.filter((key) => !isSaid(refused, key))).toEqual([]);
});

test("docs/providers.md lists every input of a VM that is refused", () => {
  const [, refused = ""] = /Refused for a VM: (.*)/.exec(section("providers", "proxmoxve")) ?? [];
  const inputs = sdkInputs("@muhlba91/pulumi-proxmoxve", "vmLegacy", "VmLegacyArgs").map(({ path: key }) => key);
  const absent = inputs.filter((key) => propertyAt(vmFields, key.replaceAll("[]", "")) === undefined);
  const top = absent.filter((key) => !absent.some((other) => key.startsWith(`${other}.`) || key.startsWith(`${other}[]`)));
  expect(top.length).toBeGreaterThan(10);
  expect(top.filter((key) => !isSaid(refused, key))).toEqual([]);
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
