/** Compares GetSchema with the SDK's declarations of each type. `pulumi import` generates code from the schema. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { projectRoot } from "../../../common/paths";
import { provider as command } from "../../../providers/command/provider";
import { provider as kubernetes } from "../../../providers/kubernetes/provider";
import { provider as proxmox } from "../../../providers/proxmoxve/provider";
import type { ProviderDefinition } from "../../../providers/sdk/resource";
import { serveProvider } from "../../../providers/sdk/serve";
import { provider as vault } from "../../../providers/vault/provider";
import { type SdkInput, sdkInputs } from "../../support/sdk-inputs";
import { TestProvider } from "../../support/test-provider";

interface TypeSpec {
  type?: string;
  items?: TypeSpec;
  $ref?: string;
  additionalProperties?: TypeSpec;
}
interface Package {
  name: string;
  version: string;
  resources: Record<string, { inputProperties: Record<string, TypeSpec>; properties: Record<string, TypeSpec>; requiredInputs: string[] }>;
  types: Record<string, { properties: Record<string, TypeSpec>; required: string[] }>;
}

async function schemaOf<P>(definition: ProviderDefinition<P>): Promise<Package> {
  // Before Configure, as `pulumi import` does.
  const running = await serveProvider(definition, undefined);
  const plugin = TestProvider.connect(running.port, () => running.close());
  try {
    const { getSchema } = plugin.client;
    const answer = await plugin.call<pb.GetSchemaRequest, pb.GetSchemaResponse>(getSchema, new pb.GetSchemaRequest());
    return JSON.parse(answer.getSchema()) as Package;
  } finally {
    await plugin.close();
  }
}

/** The schema's property for a path of the SDK's declarations. */
function propertyAt(schema: Package, token: string, path: string): TypeSpec | undefined {
  let level: Record<string, TypeSpec> | undefined = schema.resources[token]?.inputProperties;
  let found: TypeSpec | undefined;
  for (const step of path.split(".")) {
    found = level?.[step.replace("[]", "")];
    const inner: TypeSpec | undefined = step.endsWith("[]") ? found?.items : found;
    level = inner?.$ref === undefined ? undefined : schema.types[inner.$ref.replace("#/types/", "")]?.properties;
  }
  return found;
}

const kindOf = ({ type, $ref, additionalProperties }: TypeSpec): string =>
  $ref?.startsWith("#/types/") === true ? "block" : type === "array" ? "list" : additionalProperties === undefined ? (type ?? "any") : "map";

const PACKAGES: [string, string, ProviderDefinition<never>, Record<string, [string, string]>][] = [
  [
    "vault",
    "@pulumi/vault",
    vault as ProviderDefinition<never>,
    {
      "vault:index/mount:Mount": ["mount", "MountArgs"],
      "vault:kv/secretV2:SecretV2": ["kv/secretV2", "SecretV2Args"],
      "vault:index/policy:Policy": ["policy", "PolicyArgs"],
      "vault:index/token:Token": ["token", "TokenArgs"],
      "vault:index/audit:Audit": ["audit", "AuditArgs"],
      "vault:index/authBackend:AuthBackend": ["authBackend", "AuthBackendArgs"],
      "vault:kubernetes/authBackendConfig:AuthBackendConfig": ["kubernetes/authBackendConfig", "AuthBackendConfigArgs"],
      "vault:kubernetes/authBackendRole:AuthBackendRole": ["kubernetes/authBackendRole", "AuthBackendRoleArgs"],
    },
  ],
  [
    "proxmoxve",
    "@muhlba91/pulumi-proxmoxve",
    proxmox as ProviderDefinition<never>,
    {
      "proxmoxve:index/vmLegacy:VmLegacy": ["vmLegacy", "VmLegacyArgs"],
      "proxmoxve:download/fileLegacy:FileLegacy": ["download/fileLegacy", "FileLegacyArgs"],
      "proxmoxve:network/linux/bridge:Bridge": ["network/linux/bridge", "BridgeArgs"],
      "proxmoxve:storage/directory:Directory": ["storage/directory", "DirectoryArgs"],
      "proxmoxve:storage/lvm:Lvm": ["storage/lvm", "LvmArgs"],
      "proxmoxve:storage/lvmthin:Lvmthin": ["storage/lvmthin", "LvmthinArgs"],
      "proxmoxve:storage/zfspool:Zfspool": ["storage/zfspool", "ZfspoolArgs"],
    },
  ],
  [
    "command",
    "@pulumi/command",
    command as ProviderDefinition<never>,
    { "command:remote:Command": ["remote/command", "CommandArgs"], "command:local:Command": ["local/command", "CommandArgs"] },
  ],
];

/** Inputs that are optional in the SDK and required by these providers. */
const REQUIRED_HERE: Record<string, string[]> = {
  // The write-only alternative, dataJsonWo, is not supported.
  "vault:kv/secretV2:SecretV2": ["dataJson"],
  // These providers generate no name for an interface of a node.
  "proxmoxve:network/linux/bridge:Bridge": ["name"],
};

test.each(PACKAGES)("%s: every type, with the SDK's required inputs and kinds", async (name, sdk, definition, types) => {
  const schema = await schemaOf(definition);
  expect([schema.name, schema.version, Object.keys(schema.resources).sort()]).toEqual([name, definition.version, Object.keys(types).sort()]);
  for (const [token, [module, args]] of Object.entries(types)) {
    const inputs: SdkInput[] = sdkInputs(sdk, module, args);
    const required = inputs.filter((input) => input.required && !input.path.includes(".")).map(({ path }) => path);
    const wanted = [...required, ...(REQUIRED_HERE[token] ?? [])].sort();
    expect([token, [...(schema.resources[token]?.requiredInputs ?? [])].sort()]).toEqual([token, wanted]);
    for (const input of inputs) {
      const property = propertyAt(schema, token, input.path);
      // Inputs that the schema does not have are refused by name (inputs.test.ts). The schema of commands gives structures as any value.
      if (property === undefined || kindOf(property) === "any" || property.$ref === "pulumi.json#/Any") continue;
      expect([token, input.path, kindOf(property)]).toEqual([token, input.path, input.kind]);
    }
  }
});

describe("kubernetes", () => {
  /** The types of the SDK that are kinds of the API in a stable version, with their inputs; `!` after those that must be given. */
  function kindsOfSdk(): Map<string, { inputs: string[]; folder: string }> {
    const root = path.join(projectRoot(), "node_modules/@pulumi/kubernetes");
    const found = new Map<string, { inputs: string[]; folder: string }>();
    for (const file of fs.readdirSync(root, { recursive: true, encoding: "utf8" })) {
      if (!/^(?!types|yaml|kustomize).*\/v\d+\/\w+\.js$/.test(file)) continue;
      const [, token = "", kind = ""] = /__pulumiType = '(kubernetes:[^:']+\/v\d+:(\w+))'/.exec(fs.readFileSync(path.join(root, file), "utf8")) ?? [];
      if (token === "" || /List$|Patch$/.test(kind) || kind === "Chart") continue;
      const declared = fs.readFileSync(path.join(root, file.replace(/\.js$/, ".d.ts")), "utf8");
      const [, members = ""] = new RegExp(`export interface ${kind}Args \\{([\\s\\S]*?)\\n\\}`).exec(declared) ?? [];
      const inputs = [...members.matchAll(/^ {4}(\w+)(\??):/gm)].map(([, name = "", optional]) => (optional === "?" ? name : `${name}!`));
      found.set(token, { inputs: inputs.sort(), folder: path.dirname(file) });
    }
    return found;
  }

  test("every kind of the SDK in a stable version, with its inputs and where the SDK keeps it", async () => {
    const schema = await schemaOf(kubernetes);
    const { nodejs } = (schema as unknown as { language: { nodejs: { moduleToPackage: Record<string, string> } } }).language;
    const told = Object.entries(schema.resources).map(([token, { inputProperties, requiredInputs }]) => {
      const group = token.split(":")[1] ?? "";
      const inputs = Object.keys(inputProperties).map((name) => (requiredInputs.includes(name) ? `${name}!` : name));
      return [token, { inputs: inputs.sort(), folder: nodejs.moduleToPackage[group] ?? group }] as const;
    });
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(kindsOfSdk()));
  });
});
