/** Commands that read and edit states, in this process: no program and no provider takes part. */
jest.mock("../../engine/cli/terminal", () => ({
  ...jest.requireActual("../../engine/cli/terminal"),
  // A person at a terminal, whose new passphrase is always this one.
  isInteractive: () => true,
  ask: async () => "second",
}));

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Backend } from "../../engine/backend/backend";
import { parseCheckpoint, renderCheckpoint } from "../../engine/backend/checkpoint";
import { runCommandLine } from "../../engine/cli/command-line";
import { StackSettings } from "../../engine/config/stack-settings";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "state-commands-"));
const file = (name: string): string => path.join(dir, name);
const stateFile = (stack: string): string => file(`state/.pulumi/stacks/auto/${stack}.json`);
const urn = (stack: string, type: string, name: string): string => `urn:pulumi:${stack}::auto::${type}::${name}`;

beforeAll(() => {
  fs.mkdirSync(file("state"));
  fs.writeFileSync(file("Pulumi.yaml"), "name: auto\nruntime: nodejs\n");
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
  try {
    expect([args, await runCommandLine([...args, "--cwd", dir])]).toEqual([args, 0]);
  } finally {
    write.mockRestore();
  }
  return printed;
}

const latest = (stack: string) => parseCheckpoint(fs.readFileSync(stateFile(stack), "utf8"), "the state").latest;
const shortened = (stack: string): string[] =>
  ((latest(stack)?.resources ?? []) as { urn: string }[]).map((r) => r.urn.replace(`urn:pulumi:${stack}::auto::`, ""));

/** A root, a provider, a group with a child, and two that stand beside it: `user` needs the child, the child needs `base`. */
async function build(stack: string): Promise<void> {
  await pulumi("stack", "init", stack);
  const root = urn(stack, "pulumi:pulumi:Stack", `auto-${stack}`);
  const provider = { urn: urn(stack, "pulumi:providers:exp", "default"), type: "pulumi:providers:exp", custom: true, id: "0b8f" };
  const thing = (name: string, more: object) => ({
    ...{ urn: urn(stack, "exp:index:Res", name), type: "exp:index:Res", custom: true, id: `id-${name}`, parent: root, provider: `${provider.urn}::0b8f` },
    ...more,
  });
  const group = { urn: urn(stack, "my:index:Group", "group"), type: "my:index:Group", custom: false, parent: root };
  const child = urn(stack, "my:index:Group$exp:index:Res", "child");
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: '"hush"' };
  const resources = [
    { urn: root, type: "pulumi:pulumi:Stack", custom: false },
    provider,
    group,
    thing("base", {}),
    thing("child", {
      urn: child,
      parent: group.urn,
      inputs: { pw: secret },
      dependencies: [urn(stack, "exp:index:Res", "base")],
      propertyDependencies: { pw: [urn(stack, "exp:index:Res", "base")] },
    }),
    thing("user", { dependencies: [child], propertyDependencies: { v: [child], w: [] } }),
  ];
  const { deployment } = JSON.parse(await pulumi("stack", "export", "--stack", stack));
  fs.writeFileSync(file("import.json"), JSON.stringify({ version: 3, deployment: { ...deployment, resources } }));
  await pulumi("stack", "import", "--file", file("import.json"), "--stack", stack);
}

test("stack graph: a node for each resource, its needs with the properties that made them, its parent", async () => {
  await build("dev");
  await pulumi("stack", "graph", file("graph.dot"), "--stack", "dev", "--short-node-name", "--dot-fragment", "rankdir=LR");
  expect(fs.readFileSync(file("graph.dot"), "utf8")).toBe(`strict digraph {
rankdir=LR
    Resource0 [label="auto-dev"];
    Resource1 [label="default"];
    Resource2 [label="group"];
    Resource3 [label="base"];
    Resource4 [label="child"];
    Resource5 [label="user"];
    Resource2 -> Resource0 [color="#AA6639"];
    Resource3 -> Resource0 [color="#AA6639"];
    Resource3 -> Resource4 [color="#246C60", label="pw"];
    Resource4 -> Resource2 [color="#AA6639"];
    Resource4 -> Resource5 [color="#246C60", label="v"];
    Resource5 -> Resource0 [color="#AA6639"];
}
`);
  await pulumi("stack", "graph", file("graph.dot"), "--stack", "dev", "--ignore-parent-edges", "--ignore-dependency-edges");
  expect(fs.readFileSync(file("graph.dot"), "utf8")).not.toContain("->");
});

test("state move: what stands below goes along, the provider is copied, ties across are cut and named, secrets go under the other stack's key", async () => {
  await pulumi("stack", "init", "next");
  const said = await pulumi("state", "move", urn("dev", "my:index:Group", "group"), "--source", "dev", "--dest", "next", "--yes");
  expect(said).toContain(
    `remaining in dev have dependencies on resources moved to next:\n\n  - ${urn("dev", "exp:index:Res", "user")} has a property dependency (v) on`,
  );
  expect(said).toContain(`has a property dependency (pw) on ${urn("dev", "exp:index:Res", "base")}`);
  expect([shortened("dev"), shortened("next")]).toEqual([
    ["pulumi:pulumi:Stack::auto-dev", "pulumi:providers:exp::default", "exp:index:Res::base", "exp:index:Res::user"],
    ["pulumi:pulumi:Stack::auto-next", "pulumi:providers:exp::default", "my:index:Group::group", "my:index:Group$exp:index:Res::child"],
  ]);
  const { deployment } = JSON.parse(await pulumi("stack", "export", "--stack", "next", "--show-secrets"));
  expect(deployment.resources[3]).toMatchObject({
    id: "id-child",
    parent: urn("next", "my:index:Group", "group"),
    provider: `${urn("next", "pulumi:providers:exp", "default")}::0b8f`,
    inputs: { pw: { plaintext: '"hush"' } },
    propertyDependencies: { pw: [] },
  });
  expect(deployment.secrets_providers).not.toEqual(latest("dev")?.secrets_providers);
  await pulumi("state", "move", deployment.resources[3].urn, "--source", "next", "--dest", "dev", "--include-parents", "--yes");
  expect(shortened("dev")).toHaveLength(6);
});

test.each([
  [["urn:pulumi:dev::auto::exp:index:Res::none", "--source", "dev", "--dest", "next"], 'No such resource "urn:pulumi:dev::auto::exp:index:Res::none"'],
  [[urn("dev", "pulumi:providers:exp", "default"), "--source", "dev", "--dest", "next"], "cannot move providers"],
  [[urn("dev", "exp:index:Res", "base")], "at least one of --source or --dest must be provided"],
  [[urn("dev", "exp:index:Res", "base"), "--source", "dev", "--dest", "dev"], "the same stack"],
])("state move %j is refused, and writes nothing", async (args, why) => {
  const before = fs.readFileSync(stateFile("dev"), "utf8");
  await expect(runCommandLine(["state", "move", ...args, "--yes", "--cwd", dir])).rejects.toThrow(why);
  expect(fs.readFileSync(stateFile("dev"), "utf8")).toBe(before);
});

test("stack export names the version of the file that it came from", async () => {
  const version = async () => {
    const { version, features } = JSON.parse(await pulumi("stack", "export", "--stack", "dev"));
    return { version, features };
  };
  expect(await version()).toEqual({ version: 3, features: undefined });
  const text = renderCheckpoint("auto", "dev", latest("dev"));
  fs.writeFileSync(stateFile("dev"), text.replace('"version":3', '"version":4,"features":["taint"]'));
  expect(await version()).toEqual({ version: 4, features: ["taint"] });
  fs.writeFileSync(stateFile("dev"), text.replace('"version":3', '"version":4'));
  expect(await version()).toEqual({ version: 4, features: undefined });
  fs.writeFileSync(stateFile("dev"), text);
});

test("state repair: a state in the wrong order that refers to what is not there becomes whole, says how, and keeps its secrets", async () => {
  const text = fs.readFileSync(stateFile("dev"), "utf8");
  const raw = JSON.parse(text);
  const resources: Record<string, unknown>[] = raw.checkpoint.latest.resources;
  const secrets = resources.map((r) => JSON.stringify(r["inputs"])).sort();
  resources.reverse();
  resources[0] = { ...resources[0], dependencies: [urn("dev", "exp:index:Res", "gone")] };
  fs.writeFileSync(stateFile("dev"), JSON.stringify(raw));
  await expect(runCommandLine(["destroy", "--yes", "--stack", "dev", "--cwd", dir])).rejects.toMatchObject({
    code: "E_STATE_INTEGRITY",
    hint: expect.stringContaining("pulumi state repair"),
  });
  const said = await pulumi("state", "repair", "--stack", "dev", "--yes");
  expect(said).toContain(`dropped its dependency ${urn("dev", "exp:index:Res", "gone")}`);
  expect(said).toContain(`${urn("dev", "pulumi:pulumi:Stack", "auto-dev")}: moved before what needs it`);
  const after: Record<string, unknown>[] = JSON.parse(fs.readFileSync(stateFile("dev"), "utf8")).checkpoint.latest.resources;
  expect(after.map((r) => JSON.stringify(r["inputs"])).sort()).toEqual(secrets);
  expect(await pulumi("state", "repair", "--stack", "dev", "--yes")).toContain("already valid");
  await pulumi("stack", "export", "--stack", "dev");
  fs.writeFileSync(stateFile("dev"), text);
});

describe("change-secrets-provider that is cut off", () => {
  const settings = file("Pulumi.dev.yaml");
  const change = (): Promise<string> => pulumi("stack", "change-secrets-provider", "passphrase", "--stack", "dev");
  const token = async (): Promise<string> => (await pulumi("config", "get", "token", "--stack", "dev")).trim();
  const opensState = async (): Promise<boolean> => (await pulumi("stack", "export", "--show-secrets", "--stack", "dev")).includes("hush");

  beforeAll(() => pulumi("config", "set", "token", "sesame", "--secret", "--stack", "dev"));

  test("before the state is written: all is as it was", async () => {
    const before = [settings, stateFile("dev")].map((name) => fs.readFileSync(name, "utf8"));
    jest.spyOn(Backend.prototype, "save").mockRejectedValueOnce(new Error("killed"));
    await expect(change()).rejects.toThrow("killed");
    expect([settings, stateFile("dev")].map((name) => fs.readFileSync(name, "utf8"))).toEqual(before);
    expect([await token(), await opensState()]).toEqual(["sesame", true]);
  });

  test("after the state is written: the next command ends it, and the new passphrase opens both", async () => {
    jest.spyOn(StackSettings.prototype, "commit").mockImplementationOnce(() => {
      throw new Error("killed");
    });
    await expect(change()).rejects.toThrow("killed");
    process.env["PULUMI_CONFIG_PASSPHRASE"] = "second";
    expect([await token(), await opensState(), fs.existsSync(`${settings}.next`)]).toEqual(["sesame", true, false]);
  });
});
