import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { systemClock } from "../common/clock";
import { pendingFile } from "../common/planned-outputs";
import { mockEngine } from "../tests/support/pulumi-mocks";
import { fromPlanned, inspectOutput, readPlannedOutputs, unknownOutput, writePlannedOutputs } from "./planned-outputs";
import { loadUpstream } from "./upstream";

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

describe("upstream outputs", () => {
  const options = (used: string[] = []) => ({ needs: ["tools"] as const, plannedDir: folder, usedUnknown: (name: string) => used.push(name) });

  test("come from the plan, and only the unknown ones that are read are noted", async () => {
    const used: string[] = [];
    await writePlannedOutputs(folder, "tools", { vaultTokens: unknownOutput(true), vaultAddress: "https://vault", kubeconfig: unknownOutput(true) }, []);
    const { tools } = await loadUpstream(options(used));
    expect(await inspectOutput(tools.vaultAddress)).toEqual({ known: true, secret: false, value: "https://vault" });
    expect(used).toEqual([]);
    expect(await inspectOutput(tools.vaultTokens)).toEqual({ known: false, secret: true });
    expect(used).toEqual(["tools.vaultTokens"]);
  });

  test("come from the stack's state where there is no plan, with secrets still secret", async () => {
    await mockEngine({
      preview: true,
      references: { tools: { vaultTokens: { dev: "hvs.t" }, vaultAddress: "https://vault" } },
    });
    const { tools } = await loadUpstream(options());
    expect(await inspectOutput(tools.vaultTokens)).toEqual({ known: true, secret: true, value: { dev: "hvs.t" } });
    expect(await inspectOutput(tools.vaultAddress)).toEqual({ known: true, secret: false, value: "https://vault" });
  });

  test("that a plan has in another shape are refused without their value", async () => {
    await writePlannedOutputs(folder, "tools", { vaultAddress: { not: "text" } }, []);
    const { tools } = await loadUpstream(options());
    expect(() => tools.vaultAddress).toThrow('the output "vaultAddress" of the stack "tools" is not what this program expects');
  });

  test("that are missing name the stack and what to do", async () => {
    await writePlannedOutputs(folder, "tools", {}, []);
    const { tools } = await loadUpstream(options());
    expect(() => tools.vaultTokens).toThrow(expect.objectContaining({ code: "E_UPSTREAM_OUTPUT", hint: 'bring "tools" up first' }));
  });

  test("are those of the declared needs only", async () => {
    await writePlannedOutputs(folder, "tools", {}, []);
    expect(Object.keys(await loadUpstream(options()))).toEqual(["tools"]);
  });

  test("of a stack that was never built are one error, which names it", async () => {
    await expect(loadUpstream(options())).rejects.toMatchObject({
      code: "E_UPSTREAM",
      message: 'the outputs of the stack "tools" cannot be read',
      hint: 'bring "tools" up first',
    });
  });
});
