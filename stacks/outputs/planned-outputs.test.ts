import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { systemClock } from "../../common/clock";
import { pendingFile } from "../../common/planned-outputs";
import { mockEngine } from "../../tests/support/pulumi-mocks";
import { fromPlanned, inspectOutput, readPlannedOutputs, unknownOutput, writePlannedOutputs } from "./planned-outputs";

let folder: string;
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-planned-"));
  await mockEngine({ preview: true });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

test.each([
  ["a value", () => pulumi.output("x"), { known: true, secret: false, value: "x" }],
  ["a plain value", () => ({ a: 1 }), { known: true, secret: false, value: { a: 1 } }],
  ["a secret", () => pulumi.secret("x"), { known: true, secret: true, value: "x" }],
  ["an unknown", () => unknownOutput(false), { known: false, secret: false }],
  ["an unknown secret", () => unknownOutput(true), { known: false, secret: true }],
  ["what is made of an unknown", () => unknownOutput(false).apply((x) => `${x}!`), { known: false, secret: false }],
  ["a map with an unknown part", () => pulumi.output({ a: "x", b: unknownOutput(false) }), { known: false, secret: false }],
  ["a map with a secret part", () => pulumi.output({ a: pulumi.secret("x") }), { known: true, secret: true, value: { a: "x" } }],
])("%s is inspected, and is the same after a round trip", async (_, make, expected) => {
  const planned = await inspectOutput(make());
  expect(planned).toEqual(expected);
  expect(await inspectOutput(fromPlanned(planned))).toEqual(expected);
});

test("planned outputs are written for their owner only, and read back", async () => {
  await writePlannedOutputs(folder, "tools", { vaultTokens: unknownOutput(true), vaultAddress: "https://vault" }, ["a.b"]);
  expect(fs.statSync(path.join(folder, "tools.json")).mode & 0o777).toBe(0o600);
  expect(await readPlannedOutputs(folder, "tools")).toEqual({
    version: 1,
    stack: "tools",
    outputs: { vaultTokens: { known: false, secret: true }, vaultAddress: { known: true, secret: false, value: "https://vault" } },
    usedUnknowns: ["a.b"],
  });
  expect(await readPlannedOutputs(folder, "dev")).toBeUndefined();
});

test("one whose preview is under way is waited for; one that ended without is none", async () => {
  const pending = pendingFile(folder, "tools");
  fs.writeFileSync(pending, "");
  const order: string[] = [];
  const [planned] = await Promise.all([
    readPlannedOutputs(folder, "tools").then((read) => {
      order.push("read");
      return read;
    }),
    systemClock.sleep(50).then(async () => {
      order.push("written");
      await writePlannedOutputs(folder, "tools", { vaultAddress: "https://vault" }, []);
    }),
  ]);
  expect([order, planned?.outputs["vaultAddress"]?.value]).toEqual([["written", "read"], "https://vault"]);
  fs.rmSync(path.join(folder, "tools.json"));
  const [none] = await Promise.all([readPlannedOutputs(folder, "tools"), systemClock.sleep(50).then(() => fs.rmSync(pending))]);
  expect(none).toBeUndefined();
});

test("a half-written file is an error that does not quote it", async () => {
  fs.writeFileSync(path.join(folder, "tools.json"), '{"version":1,"outputs":{"vaultTokens":{"value":"hvs.s3cret');
  let message = "";
  try {
    await readPlannedOutputs(folder, "tools");
  } catch (thrown) {
    message = JSON.stringify(thrown, Object.getOwnPropertyNames(thrown));
  }
  expect(message).toContain("E_PLANNED_OUTPUTS");
  expect(message).not.toContain("s3cret");
});
