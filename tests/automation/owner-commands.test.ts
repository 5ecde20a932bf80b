/** Commands on stacks and states that need no program, in this process: what is taken in, shown, edited and copied. */
let answers: string[] = [];
jest.mock("../../engine/cli/terminal", () => ({
  ...jest.requireActual("../../engine/cli/terminal"),
  isInteractive: () => true,
  ask: async () => answers.shift(),
}));

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as zlib from "node:zlib";
import { runCommandLine } from "../../engine/cli/command-line";
import { CliError } from "../../engine/errors";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "owner-commands-"));
const file = (name: string): string => path.join(dir, name);
const write = (name: string, content: string | Buffer): string => {
  fs.writeFileSync(file(name), content);
  return file(name);
};

beforeAll(() => {
  fs.mkdirSync(file("state"));
  write("Pulumi.yaml", "name: demo\nruntime: nodejs\n");
  Object.assign(process.env, { PULUMI_HOME: file("home"), PULUMI_BACKEND_URL: `file://${file("state")}`, PULUMI_CONFIG_PASSPHRASE: "first" });
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

/** Runs a command line; resolves with what it printed. */
async function pulumi(...args: string[]): Promise<string> {
  let printed = "";
  const write = jest.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    printed += String(chunk);
    return true;
  });
  jest.spyOn(process.stderr, "write").mockImplementation(() => true);
  try {
    expect([args, await runCommandLine([...args, "--cwd", dir])]).toEqual([args, 0]);
  } finally {
    write.mockRestore();
  }
  return printed;
}
const failure = async (...args: string[]): Promise<string> => {
  const thrown = await pulumi(...args).catch((error: unknown) => error);
  if (!(thrown instanceof CliError)) throw new Error(`${args.join(" ")} did not fail: ${String(thrown)}`);
  return thrown.message;
};

const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
const ROOT = "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev";
const THING = "urn:pulumi:dev::demo::exp:index:Thing::thing";
const deployment = (secrets: object, secret: object) => ({
  manifest: { time: "2024-01-02T03:04:05Z", magic: "3ee1df7d88e73eabd00b78d7e9adea0e78f7a7ee1e2702f04b35b87d31dbc1bb", version: "v3.135.1" },
  ...secrets,
  resources: [
    {
      urn: ROOT,
      custom: false,
      type: "pulumi:pulumi:Stack",
      outputs: { password: { ...SECRET, ...secret }, plain: "it's $HOME", list: [1, { a: true }], word: "abc" },
    },
    { urn: "urn:pulumi:dev::demo::pulumi:providers:exp::default", custom: true, id: "0b8f", type: "pulumi:providers:exp" },
    {
      ...{ urn: THING, custom: true, id: "id-1", type: "exp:index:Thing", parent: ROOT, provider: "urn:pulumi:dev::demo::pulumi:providers:exp::default::0b8f" },
      inputs: { size: 1, key: { ...SECRET, ...secret }, __defaults: [] },
      outputs: { size: 1 },
    },
  ],
});
const SERVICE = { secrets_providers: { type: "service", state: { url: "https://api.pulumi.com", owner: "someone", project: "demo", stack: "dev" } } };
const exported = (secret: object, secrets: object = SERVICE) => JSON.stringify({ version: 3, deployment: deployment(secrets, secret) });

describe("stack import", () => {
  beforeAll(() => pulumi("stack", "init", "dev"));

  test("an export of Pulumi Cloud: the stack's own secrets take over", async () => {
    expect(await pulumi("stack", "import", "--file", write("cloud.json", exported({ plaintext: '"changeme"' })))).toBe("Import complete.\n");
    const state = fs.readFileSync(file("state/.pulumi/stacks/demo/dev.json"), "utf8");
    expect(state).not.toContain("changeme");
    const [, salt] = /encryptionsalt: (.*)/.exec(fs.readFileSync(file("Pulumi.dev.yaml"), "utf8")) ?? [];
    expect(JSON.parse(state).checkpoint.latest.secrets_providers).toEqual({ type: "passphrase", state: { salt } });
    expect(await pulumi("stack", "output", "password", "--show-secrets")).toBe("changeme\n");
    // And what we export ourselves comes in again, with secrets shown or not.
    for (const how of [[], ["--show-secrets"]]) {
      await pulumi("stack", "export", "--file", file("own.json"), ...how);
      await pulumi("stack", "import", "--file", file("own.json"));
      expect(await pulumi("stack", "output", "password", "--show-secrets")).toBe("changeme\n");
    }
  });

  test.each<[string, string | Buffer, string]>([
    ["one whose secrets only Pulumi Cloud can read", exported({ ciphertext: "AAAB" }), "export it again with `pulumi stack export --show-secrets`"],
    ["one under a key service", exported({ plaintext: '"x"' }, { secrets_providers: { type: "cloud", state: {} } }), "secrets provider cloud is not supported"],
    ["a checkpoint", JSON.stringify({ version: 3, checkpoint: { latest: deployment({}, {}) } }), "it is a stack's file or a backup of one (a checkpoint)"],
    ["a deployment alone", JSON.stringify(deployment({}, {})), 'wrap it as { "version": 3, "deployment": … }'],
    ["an entry of the history", JSON.stringify({ kind: "update", startTime: 1, resourceChanges: {} }), "it is an entry of the history"],
    ["a compressed one", zlib.gzipSync(exported({})), "is compressed: unpack it first"],
    ["a very old one", JSON.stringify({ version: 1, deployment: deployment({}, {}) }), "a deployment of version 1 is not supported"],
    ["something else", "[1]", "could not read the deployment"],
  ])("%s is refused, and the message says what to do", async (_what, content, message) => {
    const before = fs.readFileSync(file("state/.pulumi/stacks/demo/dev.json"), "utf8");
    expect(await failure("stack", "import", "--file", write("other.json", content))).toContain(message);
    expect(fs.readFileSync(file("state/.pulumi/stacks/demo/dev.json"), "utf8")).toBe(before);
  });

  test("a checkpoint, turned into an export as the message says, comes in", async () => {
    const { version, checkpoint } = JSON.parse(fs.readFileSync(file("state/.pulumi/stacks/demo/dev.json"), "utf8"));
    await pulumi("stack", "import", "--file", write("made.json", JSON.stringify({ version, features: [], deployment: checkpoint.latest })));
    expect(await pulumi("stack", "output", "password", "--show-secrets")).toBe("changeme\n");
  });
});

test("stack output --shell is what a shell reads", async () => {
  const script = await pulumi("stack", "output", "--shell");
  expect(script).toBe(`list='[1,{"a":true}]'\npassword='[secret]'\nplain='it'\\''s $HOME'\nword=abc\n`);
  expect(execFileSync("sh", ["-c", `${script}printf '%s|%s' "$plain" "$list"`], { encoding: "utf8" })).toBe('it\'s $HOME|[1,{"a":true}]');
  expect(await pulumi("stack", "output", "word", "--shell")).toBe("word=abc\n");
  expect(await failure("stack", "output", "--shell", "--json")).toBe("only one of --json and --shell may be set");
});

describe("state get", () => {
  test("by URN and by name, for people and as JSON, secrets only when asked for", async () => {
    const text = `Type: exp:index:Thing\nURN:  ${THING}\nID:   id-1\nInputs:\n    key: "[secret]"\n    size: 1\nOutputs:\n    size: 1\n`;
    expect(await pulumi("state", "get", THING)).toBe(text);
    expect(await pulumi("state", "get", "thing")).toBe(text);
    expect(JSON.parse(await pulumi("state", "get", "thing", "--output", "json", "--show-secrets"))).toEqual({
      ...{ urn: THING, id: "id-1", type: "exp:index:Thing", inputs: { key: "changeme", size: 1 }, outputs: { size: 1 } },
    });
    expect(await failure("state", "get", "nobody")).toContain('no resource named "nobody"');
    expect(await failure("state", "get", "thing", "--output", "xml")).toContain("must be one of: default, json");
  });
});

const taints = async (): Promise<unknown> =>
  JSON.parse(await pulumi("stack", "export")).deployment.resources.map(({ taint }: { taint?: boolean }) => taint ?? false);

test("state taint and untaint", async () => {
  expect(await pulumi("state", "taint", THING, "--yes")).toBe("1 resources tainted\n");
  expect(await taints()).toEqual([false, false, true]);
  expect(JSON.parse(await pulumi("stack", "export"))).toMatchObject({ version: 4, features: ["taint"] });
  expect(await failure("state", "taint", "urn:pulumi:dev::demo::a:b:C::d", "--yes")).toContain("No such resource");
  expect(await pulumi("state", "untaint", "--all", "--yes")).toBe("1 resources untainted\n");
  expect(await taints()).toEqual([false, false, false]);
});

describe("state edit", () => {
  const editor = (script: string): void => {
    process.env["EDITOR"] =
      `${process.execPath} ${write("editor.cjs", `const fs = require("fs"); const f = process.argv[2]; const t = fs.readFileSync(f, "utf8"); ${script}`)}`;
  };

  test("what the editor left is taken, after a look at it; secrets stay encrypted", async () => {
    editor('if (t.includes("changeme")) process.exit(3); fs.writeFileSync(f, t.replace(/"size": 1/g, \'"size": 2\'));');
    answers = ["accept"];
    expect(await pulumi("state", "edit")).toContain('"size": 2');
    expect(await pulumi("state", "get", "thing")).toContain('Inputs:\n    key: "[secret]"\n    size: 2\nOutputs:\n    size: 2\n');
    expect(await pulumi("stack", "output", "password", "--show-secrets")).toBe("changeme\n");
  });

  test.each([
    ["no JSON", 'fs.writeFileSync(f, "{");'],
    ["a parent that is not there", 'fs.writeFileSync(f, t.replace(/"parent": "[^"]*"/, \'"parent": "urn:pulumi:dev::demo::a:b:C::d"\'));'],
  ])("%s cannot be accepted, only thrown away", async (_what, script) => {
    editor(script);
    answers = ["accept", "cancel"];
    const before = await pulumi("stack", "export");
    expect(await failure("state", "edit")).toContain("not proceeding with the state edit");
    expect(await pulumi("stack", "export")).toBe(before);
    expect(fs.readdirSync(file("state/.pulumi/locks/organization/demo/dev"))).toEqual([]);
  });

  test("an editor that fails changes nothing", async () => {
    editor("process.exit(2);");
    expect(await failure("state", "edit")).toContain("ended with exit code 2; nothing was written");
  });
});

describe("config copy", () => {
  test("one setting, a part of one, and all of them, encrypted for the other stack", async () => {
    await pulumi("config", "set", "plain", "p");
    await pulumi("config", "set", "--secret", "token", "hush-hush");
    await pulumi("config", "set", "--path", "map.a", "1");
    await pulumi("config", "set", "--path", "--secret", "map.b", "inner");
    await pulumi("stack", "init", "two", "--no-select");
    const get = async (key: string) => JSON.parse(await pulumi("config", "get", key, "--json", "--path", "--stack", "two"));
    await pulumi("config", "cp", "token", "--dest", "two");
    expect(await get("token")).toEqual({ value: "hush-hush", secret: true });
    expect(await failure("config", "get", "plain", "--stack", "two")).toContain("not found");
    await pulumi("config", "copy", "map.b", "--path", "--dest", "two");
    expect(await get("map")).toMatchObject({ value: '{"b":"inner"}', secret: true });
    await pulumi("config", "copy", "-d", "two");
    expect(await get("map")).toMatchObject({ value: '{"a":1,"b":"inner"}', secret: true });
    expect(await get("plain")).toEqual({ value: "p", secret: false });
    expect(await failure("config", "copy", "--dest", "dev")).toContain("are the same");
    await pulumi("stack", "init", "three", "--yes", "--copy-config-from", "dev");
    expect(JSON.parse(await pulumi("config", "get", "token", "--json", "--stack", "three"))).toEqual({ value: "hush-hush", secret: true });
    await pulumi("stack", "select", "dev");
  });
});

test("config set --type", async () => {
  await pulumi("config", "set", "--path", "typed.int", "9223372036854775807", "--type", "int");
  await pulumi("config", "set", "--path", "typed.text", "5", "--type", "string");
  expect(await pulumi("config", "get", "typed")).toBe('{"int":9223372036854775807,"text":"5"}\n');
  expect(await failure("config", "set", "t", "9223372036854775808", "--type", "int")).toContain("is no value of type int");
  expect(await failure("config", "set", "t", "x", "--type", "nope")).toBe('invalid type "nope"; must be one of string, int, bool, or float');
  expect(await failure("config", "set", "t", "5", "--type", "int", "--secret")).toContain("[secret type] were all set");
});

test("logs: no resource of ours has any; one of whose the CLI has them is named", async () => {
  expect(await pulumi("logs", "--since", "2024-01-02T03:04:05Z")).toBe("Collecting logs for stack dev since 2024-01-02T03:04:05.000Z.\n\n");
  expect(await pulumi("logs", "--json")).toBe("[]\n");
  expect(await failure("logs", "--since", "yesterday")).toContain("failed to parse argument to '--since'");
});

describe("gen-completion", () => {
  test("bash completes commands, commands of a group, and flags", async () => {
    const script = write("completion.bash", await pulumi("gen-completion", "bash"));
    const complete = (...words: string[]): string[] =>
      execFileSync(
        "bash",
        [
          "-c",
          `source ${script}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _pulumi; echo "\${COMPREPLY[@]}"`,
        ],
        {
          encoding: "utf8",
        },
      )
        .trim()
        .split(" ");
    expect(complete("pulumi", "pre")).toEqual(["preview"]);
    expect(complete("pulumi", "stack", "ex")).toEqual(["export"]);
    expect(complete("pulumi", "--non-interactive", "stack", "output", "--sh")).toEqual(
      ["--show-secrets", "--shell"].sort((a, b) => (a < b ? 1 : -1)).reverse(),
    );
    expect(complete("pulumi", "stack", "tag", "")).toEqual(["list", "get", "set", "remove"]);
  });

  test("other shells", async () => {
    expect(await pulumi("completion", "fish")).toContain('complete -c pulumi -f -n "__pulumi_at 1 stack" -a "new select');
    expect(await pulumi("gen-completion", "zsh")).toContain("#compdef pulumi");
    expect(await failure("gen-completion", "tcsh")).toContain('unsupported shell "tcsh"');
  });
});

test("help and --version, wherever they stand", async () => {
  expect(await pulumi("help")).toContain("pulumi (embedded engine of homelab)");
  expect(await pulumi("help", "state", "taint")).toContain("usage: pulumi state taint <urn>…");
  expect(await pulumi("-C", dir, "--version")).toBe("v3.260.0\n");
});

test("stack remove --remove-backups leaves nothing of it", async () => {
  await pulumi("stack", "remove", "two", "--yes", "--remove-backups");
  const left = fs.readdirSync(file("state/.pulumi/stacks/demo")).filter((name) => name.startsWith("two"));
  expect(left).toEqual([]);
});

test("a compressed state is listed; what must read it refuses it by name", async () => {
  write("state/.pulumi/stacks/demo/packed.json.gz", zlib.gzipSync("{}"));
  const listed = JSON.parse(await pulumi("stack", "list", "--output", "json")) as { name: string }[];
  expect(listed.find(({ name }) => name === "packed")).toEqual({ name: "packed", current: false });
  expect(await failure("stack", "export", "--stack", "packed")).toContain("a compressed state (");
});

test("plugin list: what is installed, the newest first, and nothing that is only half there", async () => {
  for (const name of ["resource-exp-v1.2.0", "resource-exp-v1.10.0", "resource-exp-v2.0.0.partial", "notes"])
    fs.mkdirSync(file(`home/plugins/${name}`), { recursive: true });
  write("home/plugins/resource-exp-v1.2.0/pulumi-resource-exp", "x".repeat(1500));
  expect(await pulumi("plugin", "list")).toMatch(
    /^NAME +KIND .*\nexp +resource +1\.10\.0 +0 B .*\nexp +resource +1\.2\.0 +1\.5 kB .*\n\nTOTAL plugin cache size: 1\.5 kB\n$/,
  );
  expect(JSON.parse(await pulumi("plugin", "ls", "--json"))).toMatchObject([
    { name: "exp", kind: "resource", version: "1.10.0", size: 0 },
    { name: "exp", kind: "resource", version: "1.2.0", size: 1500 },
  ]);
  expect(await failure("plugin", "list", "--project")).toContain("--project of `pulumi plugin list` ");
});

describe("words of the CLI that have an older one", () => {
  test("stack new, with its secrets provider; stack remove", async () => {
    for (const name of ["default", "passphrase"]) {
      await pulumi("stack", "new", "made", "--secrets-provider", name, "--no-select");
      expect(JSON.parse(fs.readFileSync(file("state/.pulumi/stacks/demo/made.json"), "utf8")).checkpoint.latest.secrets_providers.type).toBe("passphrase");
      await pulumi("stack", "remove", "made", "--yes");
      expect(fs.existsSync(file("state/.pulumi/stacks/demo/made.json"))).toBe(false);
    }
    expect(await failure("stack", "init", "made", "--secrets-provider", "awskms://key")).toContain("secrets provider awskms://key");
    expect(await failure("stack", "select", "made", "--create", "--secrets-provider", "gcpkms://key")).toContain("secrets provider gcpkms://key");
    expect(fs.existsSync(file("state/.pulumi/stacks/demo/made.json"))).toBe(false);
  });

  test("config remove and remove-all", async () => {
    for (const key of ["one", "two", "three"]) await pulumi("config", "set", key, "1");
    await pulumi("config", "remove", "one");
    const keys = async (): Promise<string[]> => Object.keys(JSON.parse(await pulumi("config", "--json")));
    expect(await keys()).toEqual(expect.not.arrayContaining(["demo:one"]));
    await pulumi("config", "remove-all", "two", "three");
    expect((await keys()).filter((key) => /two|three/.test(key))).toEqual([]);
  });

  test("state remove", async () => {
    write("plain.json", exported({ plaintext: '"changeme"' }));
    await pulumi("stack", "import", "--file", file("plain.json"));
    await pulumi("state", "remove", THING, "--yes");
    expect(JSON.parse(await pulumi("stack", "export")).deployment.resources.map(({ urn }: { urn: string }) => urn)).not.toContain(THING);
  });
});

test("-Q names stacks with organisation and project, wherever the CLI does", async () => {
  const full = "organization/demo/dev";
  const names = async (...flags: string[]): Promise<string[]> =>
    (JSON.parse(await pulumi("stack", "list", "--json", ...flags)) as { name: string }[]).map(({ name }) => name);
  expect(await names()).toContain("dev");
  expect((await names("-Q")).every((name) => name.startsWith("organization/demo/"))).toBe(true);
  expect(await pulumi("stack", "list", "--fully-qualify-stack-names")).toContain(`\n${full}*`);
  expect(await pulumi("stack", "--show-name", "-Q")).toBe(`${full}\n`);
  expect(await pulumi("-Q", "stack")).toContain(`Current stack is ${full}:`);
  expect(await pulumi("logs", "-Q")).toContain(`for stack ${full} since`);
  expect(await failure("config", "get", "nope", "-Q")).toContain(`for stack '${full}'`);
  await pulumi("stack", "init", "short", "--no-select");
  expect(await failure("config", "copy", "nope", "--dest", "short", "-Q")).toContain(`for stack '${full}'`);
  expect(await failure("stack", "tag", "get", "nope", "-Q")).toContain(`for stack '${full}'`);
  expect(await pulumi("stack", "rename", "long", "--stack", "short", "-Q")).toBe("Renamed organization/demo/short to organization/demo/long\n");
  expect(await pulumi("destroy", "--stack", "long", "--yes", "--skip-preview", "-Q")).toMatch(/^Destroying \(organization\/demo\/long\):\n/);
  expect(await pulumi("stack", "remove", "long", "--yes", "-Q")).toContain("Stack 'organization/demo/long' has been removed!\n");
});
