/** The code of an import is run against a recorder: what it registers is what was imported. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";
import { projectRoot } from "../../common/paths";
import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { provider as command } from "../../providers/command/provider";
import { provider as kubernetes } from "../../providers/kubernetes/provider";
import { provider as proxmox } from "../../providers/proxmoxve/provider";
import { packageSchema } from "../../providers/sdk/package-schema";
import { provider as vault } from "../../providers/vault/provider";
import { emptyState, type ResourceState } from "../snapshot/types";
import { makeSecret, type PropertyMap } from "../wire/values";
import { importedCode } from "./import-code";

const PROJECT = "p";
const urn = (type: string, name: string): string => `urn:pulumi:dev::${PROJECT}::${type}::${name}`;
const STACK = urn("pulumi:pulumi:Stack", "p-dev");

function state(type: string, name: string, inputs: PropertyMap = {}, more: Partial<ResourceState> = {}): ResourceState {
  return { ...emptyState(urn(type, name), type, more.custom ?? true), id: "1", inputs, parent: STACK, ...more };
}

interface Made {
  /** `sdk package/Class`, as the code names it. */
  of: string;
  args: unknown[];
}

/** Runs the code. Classes of every package are there, and record how they are made. */
function run(code: string): Made[] {
  const made: Made[] = [];
  const recorder = (of: string): object =>
    new Proxy(class {}, {
      get: (_target, key) => (typeof key === "string" ? recorder(`${of}/${key}`) : undefined),
      construct: (_target, args) => {
        const self = { of, args };
        made.push(self);
        return { name: `<${String(args.find((arg) => typeof arg === "string" && !arg.includes(":")) ?? args[0])}>` };
      },
    });
  const pulumi = {
    Config: class {
      requireSecret = (key: string) => `secret text ${key}`;
      requireSecretObject = (key: string) => `secret object ${key}`;
    },
    ComponentResource: recorder("pulumi/ComponentResource"),
    asset: recorder("pulumi/asset"),
  };
  const { outputText, diagnostics } = ts.transpileModule(code, {
    reportDiagnostics: true,
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  expect(diagnostics?.map(({ messageText }) => messageText)).toEqual([]);
  new Function("require", "exports", "module", outputText)((name: string) => (name === "@pulumi/pulumi" ? pulumi : recorder(name)), {}, {});
  return made;
}

const codeOf = (...resources: ResourceState[]): string => importedCode(resources, projectRoot());

describe("classes", () => {
  const definitions = [command, kubernetes, proxmox, vault] as readonly Parameters<typeof packageSchema>[0][];
  const types = definitions.flatMap((definition) => Object.keys((JSON.parse(packageSchema(definition) ?? "{}") as { resources: object }).resources));

  test("each type of our providers is a class that its SDK has", () => {
    expect(types.length).toBeGreaterThan(60);
    const made = run(codeOf(...types.map((type, at) => state(type, `it-${at}`))));
    const missing = made.filter(({ of }) => {
      const [, sdk = "", rest = ""] = /^(@[^/]+\/[^/]+)\/(.+)$/.exec(of) ?? [];
      const parts = rest.split("/");
      const file = parts.map((part, at) => (at === parts.length - 1 ? `${part.charAt(0).toLowerCase()}${part.slice(1)}.js` : part)).join("/");
      return !fs.existsSync(path.join(projectRoot(), "node_modules", sdk, file));
    });
    expect(missing.map(({ of }) => of)).toEqual([]);
    expect(made).toHaveLength(types.length);
  });

  test.each([
    ["kubernetes:external-secrets.io/v1:ExternalSecret", "@pulumi/kubernetes/apiextensions/CustomResource"],
    ["kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshot", "@pulumi/kubernetes/apiextensions/CustomResource"],
    ["kubernetes:helm.sh/v3:Release", "@pulumi/kubernetes/helm/v3/Release"],
    ["kubernetes:flowcontrol.apiserver.k8s.io/v1:FlowSchema", "@pulumi/kubernetes/flowcontrol/v1/FlowSchema"],
    ["random:index/randomString:RandomString", "@pulumi/random/RandomString"],
    ["my-own:a-b/c:Thing", "@pulumi/my-own/aB/c/Thing"],
  ])("%s", (type, of) => {
    expect(run(codeOf(state(type, "it"))).map((one) => one.of)).toEqual([of]);
  });
});

test("names that are no variables, collide, or belong to somebody else", () => {
  const names = ["class", "pulumi", "config", "command", "exports", "require", "Promise", "a-b", "a_b", "aB", "1st", "日本", "", 'it\'s "it" `$x`\n'];
  const all = names.map((name) => state("command:local:Command", name, { create: name }));
  expect(run(codeOf(...all)).map(({ args }) => args)).toEqual(names.map((name) => [name, { create: name }]));
});

test("values: odd keys and numbers, files, notes of the bridge", () => {
  const asset = (fields: PropertyMap): PropertyMap => ({ [SIGNATURE_KEY]: SIGNATURE.asset, hash: "h", ...fields });
  const inputs = JSON.parse('{"data":{"__init__.py":"x","__proto__":"y","a\\u2028b":"`$z`","0x":1},"__defaults":["a"],"deep":[{"__defaults":[],"x":[]}]}');
  const code = codeOf(
    state("kubernetes:core/v1:ConfigMap", "it", {
      ...inputs,
      odd: [Number.NaN, Number.NEGATIVE_INFINITY, 1e21, null],
      files: [asset({ text: "t'\"" }), asset({ path: "./f" }), { ...asset({ uri: "https://x" }), [SIGNATURE_KEY]: SIGNATURE.archive }, asset({})],
    }),
  );
  const [text, file, remote, made] = run(code);
  expect([text, file, remote].map((one) => [one?.of, ...(one?.args ?? [])])).toEqual([
    ["pulumi/asset/StringAsset", "t'\""],
    ["pulumi/asset/FileAsset", "./f"],
    ["pulumi/asset/RemoteArchive", "https://x"],
  ]);
  const { files, ...rest } = (made?.args[1] ?? {}) as { files?: unknown[] };
  expect(files?.slice(3)).toEqual([undefined]);
  expect(code).toContain("put a pulumi.asset.FileAsset here");
  const { __defaults, ...known } = inputs;
  expect(rest).toEqual({ ...known, deep: [{ x: [] }], odd: [Number.NaN, Number.NEGATIVE_INFINITY, 1e21, null] });
});

test("each secret has a setting of its own, of its own kind", () => {
  const connection = { host: "h", keys: [makeSecret("one"), makeSecret("two")], port: makeSecret(22) };
  const made = run(
    codeOf(state("command:local:Command", "a-b", { c: makeSecret({ x: 1 }), connection }), state("command:local:Command", "a", { "b-c": makeSecret("s") })),
  );
  expect(made.map(({ args }) => args[1])).toEqual([
    {
      c: "secret object aBC",
      connection: { host: "h", keys: ["secret text aBConnectionKeys0", "secret text aBConnectionKeys1"], port: "secret object aBConnectionPort" },
    },
    { "b-c": "secret text aBC2" },
  ]);
});

test("parents and providers are kept, also those that the program has already: without them the next update would replace the resource", () => {
  const group = state("my:index:Group", "group", {}, { custom: false });
  const provider = state("pulumi:providers:kubernetes", "dev", { kubeconfig: makeSecret("k"), version: "4.0.0" });
  const [above, other] = [urn("my:index:Top", "class"), urn("pulumi:providers:vault", "other")];
  const code = codeOf(
    provider,
    group,
    state("kubernetes:core/v1:Namespace", "in", {}, { parent: group.urn, provider: `${provider.urn}::id` }),
    state("vault:index/policy:Policy", "out", {}, { parent: above, provider: `${other}::id`, protect: true }),
    state("vault:index/policy:Policy", "usual", {}, { provider: `${urn("pulumi:providers:vault", "default_7_8_0")}::id` }),
  );
  expect(code).toContain(`// class2: the program's own variable of ${above}\n// other: the program's own variable of ${other}\n`);
  const made = run(code.replace("const config", "const [class2, other] = ['C', 'O'];\nconst config"));
  expect(made.map(({ of, args }) => [of.split("/").at(-1), ...args])).toEqual([
    ["Provider", "dev", { kubeconfig: "secret text devKubeconfig" }],
    ["ComponentResource", "my:index:Group", "group", {}],
    ["Namespace", "in", {}, { parent: { name: "<group>" }, provider: { name: "<dev>" } }],
    ["Policy", "out", {}, { parent: "C", provider: "O", protect: true }],
    ["Policy", "usual", {}],
  ]);
});
