/** A secret of the settings that the program reads as if it were none: nothing that an operation prints, sends or records shows it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite } from "./site";

jest.setTimeout(240_000);

const SECRET = "long\"enough <and> 'quoted'";
const FORMS = [SECRET, SECRET.replaceAll('"', '\\"'), "long\\u0022enough", 'long\\"enough', Buffer.from(SECRET).toString("base64"), "long%22enough"];

const PROGRAM = `const pulumi = require("@pulumi/pulumi");
const config = new pulumi.Config();
const value = config.require("password");
const nested = config.requireObject("nested").inner;
pulumi.log.info("log " + value + nested);
console.log("stdout", value, JSON.stringify({ value }));
console.error("stderr", nested);
const thing = new pulumi.CustomResource("world:index:Thing", "thing", { name: "thing", note: value, deep: [{ nested, b64: Buffer.from(value).toString("base64") }], short: config.require("short") });
exports.used = value;
exports.list = [nested];
exports.json = JSON.stringify({ value });
exports.short = config.require("short");
if (config.get("fail")) throw new Error("failed with " + value + " and " + nested);
`;

const site = new AutomationSite();
afterAll(() => site.remove());
const log = path.join(site.dir, "events.json");

beforeAll(async () => {
  site.write("index.js", PROGRAM);
  await site.pulumi(["stack", "init", "dev"]);
  expect((await site.pulumi(["config", "set", "--secret", "password"], { input: SECRET })).code).toBe(0);
  await site.pulumi(["config", "set", "--secret", "--path", "nested.inner", "another-secret-value"]);
  // Below the CLI's limit of three characters: it would be replaced everywhere.
  await site.pulumi(["config", "set", "--secret", "short", "zq"]);
});

const noneOf = (text: string): void => {
  for (const form of [...FORMS, "another-secret-value"]) expect(text).not.toContain(form);
};

test.each([
  [["preview", "--diff"], 0, ["log [secret][secret]", "stdout [secret]", "+ note: ", "zq"]],
  [["preview", "--json"], 0, ['"note": "[secret]"', '"nested": "[secret]"', '"short": "zq"']],
  [["up", "--yes", "--event-log", log], 0, ["used: ", "[secret]"]],
  [["up", "--yes", "--diff", "--config", "fail=yes"], 1, ["failed with [secret] and [secret]"]],
  [["up", "--yes", "--json"], 0, ['"message":"log [secret][secret]']],
  [["up", "--yes", "--show-secrets", "--show-sames"], 0, ["used: "]],
  [["refresh", "--yes", "--event-log", log], 0, []],
  [["destroy", "--yes", "--diff", "--event-log", log], 0, ["- note: "]],
])("%j", async (args, code, wanted) => {
  if (args.includes("fail=yes")) {
    await site.pulumi(["config", "set", "fail", "yes"]);
    args = args.slice(0, -2);
  }
  const ran = await site.pulumi(args);
  if (code !== 0) await site.pulumi(["config", "rm", "fail"]);
  expect([ran.code, ran.stderr]).toEqual([code, expect.anything()]);
  noneOf(ran.stdout + ran.stderr);
  for (const text of wanted) expect(ran.stdout + ran.stderr).toContain(text);
});

test("the event log has the mask in their place, and the state the values", async () => {
  const events = fs.readFileSync(log, "utf8");
  noneOf(events);
  expect(events).toContain('"note":"[secret]"');
  await site.pulumi(["up", "--yes"]);
  const state = fs.readFileSync(path.join(site.dir, "state/.pulumi/stacks/auto/dev.json"), "utf8");
  expect(JSON.parse(state).checkpoint.latest.resources.find((r: { type: string }) => r.type === "world:index:Thing").inputs.note).toBe(SECRET);
});

test("through the Automation API too", async () => {
  const stack = await (await import("@pulumi/pulumi/automation")).LocalWorkspace.selectStack({ stackName: "dev", workDir: site.workDir }, await site.options());
  const events: unknown[] = [];
  const { stdout } = await stack.up({ onEvent: (event) => void events.push(event) });
  noneOf(stdout + JSON.stringify(events));
});

test("what the program prints in two pieces, cut inside of a secret and of a character, is hidden too", async () => {
  await site.pulumi(["config", "set", "--secret", "cut", "pässwörd-in-two"]);
  site.write(
    "index.js",
    `const fs = require("fs");
const pulumi = require("@pulumi/pulumi");
const value = Buffer.from("<" + new pulumi.Config().require("cut") + ">\\n");
const wait = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
for (const at of [3, 6])
  for (const fd of [1, 2]) {
    fs.writeSync(fd, value.subarray(0, at));
    wait();
    fs.writeSync(fd, value.subarray(at));
  }
`,
  );
  const cut = path.join(site.dir, "cut.json");
  const ran = await site.pulumi(["up", "--yes", "--skip-preview", "--event-log", cut]);
  const events = fs.readFileSync(cut, "utf8");
  expect([ran.code, ran.code === 0 ? "" : ran.stdout + ran.stderr]).toEqual([0, ""]);
  for (const text of [ran.stdout + ran.stderr, events]) {
    expect(text).not.toMatch(/wörd-in-two|\uFFFD|<p/);
    expect(text.split("<[secret]>")).toHaveLength(5);
  }
});
