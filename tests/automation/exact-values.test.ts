/** Numbers and layout that nobody changed stay what they are, to the byte: settings, state, exports, outputs, history. */
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite } from "./site";

jest.setTimeout(240_000);

const site = new AutomationSite({ oneProcess: true });
afterAll(() => site.remove());

const settingsFile = path.join(site.workDir, "Pulumi.dev.yaml");
const SETTINGS = `# mine
config:
  auto:guild: 1098765432109876543   # Discord
  auto:nested: { channel: 1098765432109876543, mode: 0755, wide: 12345678901234567890 }
  auto:phone: 012345678912
  auto:hex: 0xFF
`;
let salt = "";

beforeAll(async () => {
  site.write(
    "index.js",
    'const c = new (require("@pulumi/pulumi").Config)(); exports.got = ["guild", "nested", "phone", "hex"].map((k) => c.require(k)); new (require("@pulumi/pulumi").CustomResource)("world:index:Thing", "thing", { name: "thing" });',
  );
  await site.pulumi(["stack", "init", "dev"]);
  salt = fs.readFileSync(settingsFile, "utf8");
  fs.writeFileSync(settingsFile, SETTINGS + salt);
});

test("settings are read whole, and setting another one leaves them", async () => {
  for (const [key, value] of [
    ["guild", "1098765432109876543"],
    ["nested", '{"channel":1098765432109876543,"mode":493,"wide":12345678901234567890}'],
    ["hex", "255"],
  ] as const)
    expect((await site.pulumi(["config", "get", key])).stdout).toBe(`${value}\n`);
  expect((await site.pulumi(["config", "get", "--path", "nested.channel", "--json"])).stdout).toContain('"value": "1098765432109876543"');
  expect((await site.pulumi(["config", "--json"])).stdout).toContain('"channel": 1098765432109876543');
  await site.pulumi(["config", "set", "--path", "other.key", "1098765432109876544"]);
  await site.pulumi(["config", "set", "--secret", "word"], { input: "hidden-word" });
  const [, secret = ""] = /(secure: .*)\n/.exec(fs.readFileSync(settingsFile, "utf8")) ?? [];
  expect(fs.readFileSync(settingsFile, "utf8")).toBe(`${SETTINGS}  auto:other:\n    key: 1098765432109876544\n  auto:word:\n    ${secret}\n${salt}`);
  for (const key of ["other", "word"]) await site.pulumi(["config", "rm", key]);
  expect(fs.readFileSync(settingsFile, "utf8")).toBe(SETTINGS + salt);
});

test("a program gets them, and the history keeps them", async () => {
  expect((await site.pulumi(["up", "--yes"])).code).toBe(0);
  const got = JSON.parse((await site.pulumi(["stack", "output", "got", "--json"])).stdout);
  expect(got).toEqual(["1098765432109876543", '{"channel":1098765432109876543,"mode":493,"wide":12345678901234567890}', "12345678912", "255"]);
  expect((await site.pulumi(["stack", "history", "--json"])).stdout).toContain('\\"channel\\":1098765432109876543');
  fs.writeFileSync(settingsFile, salt);
  await site.pulumi(["config", "refresh", "--force"]);
  expect((await site.pulumi(["config", "get", "nested"])).stdout).toBe(`${got[1]}\n`);
});

test("an imported state is exported as it came, and what an update does not change stays so", async () => {
  const exported = JSON.parse((await site.pulumi(["stack", "export"])).stdout);
  exported.deployment.resources[0].outputs = { id: "BIG", list: [{ deep: "BIG" }] };
  exported.deployment.resources.at(-1).outputs.snowflake = "BIG";
  const text = JSON.stringify(exported).replaceAll('"BIG"', "1098765432109876543");
  expect(await site.pulumi(["stack", "import"], { input: text })).toMatchObject({ code: 0 });
  const count = async (args: string[]) => (await site.pulumi(args)).stdout.split("1098765432109876543").length - 1;
  expect(await count(["stack", "export"])).toBe(3);
  expect((await site.pulumi(["stack", "output", "--json"])).stdout).toBe(
    '{\n  "id": 1098765432109876543,\n  "list": [\n    {\n      "deep": 1098765432109876543\n    }\n  ]\n}\n',
  );
  expect((await site.pulumi(["state", "protect", "--all", "--yes"])).code).toBe(0);
  expect(await count(["stack", "export"])).toBe(3);
  await site.pulumi(["state", "unprotect", "--all", "--yes"]);
  expect((await site.pulumi(["up", "--yes"])).code).toBe(0);
  // Two in the outputs of the program, and the one of the Thing.
  expect(await count(["stack", "export"])).toBe(3);
});

describe("settings from a command line", () => {
  const setAll = (json: string) => site.pulumi(["config", "set-all", "--json", json]);
  const get = async (key: string) => (await site.pulumi(["config", "get", key])).stdout.trimEnd();

  test("what `config --json` prints: of a map or list the text counts, which has all digits", async () => {
    const entry = { value: '{"a":9007199254740993,"b":[1.0,10]}', objectValue: { b: 2 }, secret: false };
    expect(await setAll(JSON.stringify({ "auto:map": entry, "auto:text": { value: "1e400" } }))).toMatchObject({ code: 0 });
    expect([await get("map"), await get("text")]).toEqual(['{"a":9007199254740993,"b":[1,10]}', "1e400"]);
  });

  test.each([
    ['{"auto:bad":{"value":12}}', "could not parse --json argument"],
    ['{"auto:bad":"x"}', "could not parse --json argument"],
    ['["auto:bad"]', "could not parse --json argument"],
    ["{", "could not parse --json argument: it is not valid JSON"],
    ["", "could not parse --json argument: it is not valid JSON"],
    ['{"auto:bad":{"secret":true}}', 'value for --json object key "auto:bad" is nil'],
    ['{"auto:bad":{"value":null,"objectValue":{"a":1}}}', 'value for --json object key "auto:bad" is nil'],
    ['{"auto:bad":{"value":"[0x10]","objectValue":[16]}}', 'could not parse value of --json object key "auto:bad"'],
    ['{"auto:bad":{"value":"[1e400]","objectValue":[1]}}', "a number that is out of range"],
    ['{"auto:bad":{"value":"{}","objectValue":{"a":-1e400}}}', "a number that is out of range"],
    ['{"a:bad:c":{"value":"x"}}', "could not parse a:bad:c as a configuration key"],
  ])("%s is refused as such, and changes nothing", async (json, why) => {
    const before = fs.readFileSync(settingsFile, "utf8");
    const { code, stderr } = await setAll(json);
    expect([code, stderr]).toEqual([1, expect.stringContaining(why)]);
    expect(stderr).not.toContain("internal error");
    expect(fs.readFileSync(settingsFile, "utf8")).toBe(before);
  });

  test("inside of a map, whole numbers are numbers, and what begins with a zero is text", async () => {
    const texts = ["-0", "+5", "-05", "007", "0", "1e3", "1_000", "0x10", "9223372036854775808"];
    const flags = texts.flatMap((text, at) => ["--plaintext", `typed.k${at}=${text}`]);
    expect(await site.pulumi(["config", "set-all", "--path", ...flags])).toMatchObject({ code: 0 });
    expect(Object.values(JSON.parse(await get("typed")))).toEqual([0, 5, -5, "007", 0, "1e3", "1_000", "0x10", "9223372036854775808"]);
  });

  test.each([
    [["set", "a:b:c", "x"], "could not parse a:b:c as a configuration key"],
    [["set", "--path", "a:b:c.d", "x"], "could not parse a:b:c as a configuration key"],
    [["set", "--type", "float", "f", "0x10"], "is no value of type float"],
    [["set", "--type", "float", "f", "NaN"], "is no value of type float"],
  ])("config %j is refused", async (args, why) => {
    expect(await site.pulumi(["config", ...args])).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
  });

  test("a state with a number that no double holds is refused, and not kept as null", async () => {
    const text = (await site.pulumi(["stack", "export"])).stdout.replace('"outputs": {', '"outputs": { "huge": 1e400,');
    expect(text).toContain("1e400");
    const { code, stderr } = await site.pulumi(["stack", "import"], { input: text });
    expect([code, stderr]).toEqual([1, expect.stringContaining("out of range")]);
    expect(stderr).not.toContain("internal error");
  });
});
