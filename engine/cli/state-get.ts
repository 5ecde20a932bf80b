/** `state get`: one resource as the state has it. */

import { CliError, EXIT_CODE } from "../errors";
import { exactJson, parseExactJson } from "../wire/exact-json";
import { urnName } from "../wire/urn";
import { isSecret, mapValue, type PropertyMap, type Value } from "../wire/values";
import type { Flags } from "./flags";
import { rawResources } from "./output-command";
import { openStack, stateSecrets } from "./stack-context";
import { print } from "./terminal";

type RawResource = ReturnType<typeof rawResources>[number];

/** Finds a resource by its URN, or by a name that only one resource has. @throws CliError that lists the URNs of an ambiguous name */
function find(resources: readonly RawResource[], text: string): RawResource {
  const isUrn = text.startsWith("urn:");
  const found = resources.filter(({ urn }) => (isUrn ? urn === text : urnName(urn) === text));
  const urns = [...new Set(found.map(({ urn }) => urn))];
  if (urns.length > 1) throw new CliError(`${urns.length} resources in the stack are named "${text}":\n    ${urns.join("\n    ")}\nspecify one by URN`);
  const live = found.find((one) => one["delete"] !== true) ?? found[0];
  if (live === undefined)
    throw new CliError(`no resource ${isUrn ? `with the URN ${text}` : `named "${text}"`} found in the stack; \`pulumi stack --show-urns\` lists them`);
  return live;
}

/** Without the engine's own properties. Secrets are masked unless they are asked for. */
function visible(map: PropertyMap | null | undefined, decrypt: ((ciphertext: string) => string) | undefined): PropertyMap {
  const open = (item: Value): Value => {
    if (!isSecret(item)) return item;
    if (decrypt === undefined) return "[secret]";
    const { ciphertext } = item;
    return typeof ciphertext === "string" ? mapValue(parseExactJson(decrypt(ciphertext)) as Value, within) : null;
  };
  return Object.fromEntries(Object.entries(mapValue(map ?? {}, open) as PropertyMap).filter(([key]) => !key.startsWith("__")));
}

/** A secret inside another secret holds its value as text. */
const within = (item: Value): Value => (isSecret(item) && typeof item["ciphertext"] === "string" ? (parseExactJson(item["ciphertext"]) as Value) : item);

const section = (title: string, map: PropertyMap): string => {
  const lines = Object.entries(map)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `    ${key}: ${exactJson(value)}`);
  return lines.length === 0 ? "" : `${title}:\n${lines.join("\n")}\n`;
};

export async function stateGet(flags: Flags): Promise<number> {
  const [name] = flags.words;
  if (name === undefined) throw new CliError("missing resource: pulumi state get <urn or name>", EXIT_CODE.usage);
  const { project, backend, stack } = await openStack(flags);
  const latest = await backend.load(project.name, stack);
  const resource = find(rawResources(latest), name);
  const secrets = flags.has("show-secrets") ? stateSecrets(latest) : undefined;
  const decrypt = secrets && ((ciphertext: string) => secrets.decrypt(ciphertext));
  const inputs = visible(resource["inputs"] as PropertyMap | undefined, decrypt);
  const outputs = visible(resource.outputs, decrypt);
  const { urn, id, type } = resource;
  const pending = resource["delete"] === true;
  if (flags.json) print(exactJson({ urn, id: id ?? "", type, inputs, outputs, ...(pending ? { pendingDeletion: true } : {}) }, 2));
  else
    print(
      `Type: ${type}\nURN:  ${urn}\n${id === undefined ? "" : `ID:   ${id}\n`}${pending ? "Pending deletion: yes\n" : ""}${section("Inputs", inputs)}${section("Outputs", outputs)}`.trimEnd(),
    );
  return EXIT_CODE.ok;
}
