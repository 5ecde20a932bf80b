import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { loadHomelab } from "../../tests/support/homelab";
import { mockEngine } from "../../tests/support/pulumi-mocks";
import { stackOf } from "../plan/plan";
import { inspectOutput, unknownOutput, writePlannedOutputs } from "./planned-outputs";
import { loadUpstream } from "./upstream";

const tools = stackOf(loadHomelab(), "tools");

let folder: string;
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-planned-"));
  await mockEngine({ preview: true });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

describe("upstream outputs", () => {
  const options = (used: string[] = []) => ({ needs: [tools], plannedDir: folder, usedUnknown: (name: string) => used.push(name) });

  test("come from the plan, and only the unknown ones that are read are noted", async () => {
    const used: string[] = [];
    await writePlannedOutputs(folder, "tools", { vaultTokens: unknownOutput(true), vaultAddress: "https://vault", kubeconfig: unknownOutput(true) }, []);
    const upstream = await loadUpstream(options(used));
    expect(await inspectOutput(upstream.vault("tools").address)).toEqual({ known: true, secret: false, value: "https://vault" });
    expect(used).toEqual([]);
    expect(await inspectOutput(upstream.vault("tools").tokens)).toEqual({ known: false, secret: true });
    expect(used).toEqual(["tools.vaultTokens"]);
  });

  test("come from the stack's state where there is no plan, with secrets still secret", async () => {
    await mockEngine({
      preview: true,
      references: { tools: { vaultTokens: { dev: "hvs.t" }, vaultAddress: "https://vault" } },
    });
    const upstream = await loadUpstream(options());
    expect(await inspectOutput(upstream.vault("tools").tokens)).toEqual({ known: true, secret: true, value: { dev: "hvs.t" } });
    expect(await inspectOutput(upstream.vault("tools").address)).toEqual({ known: true, secret: false, value: "https://vault" });
  });

  test("that a plan has in another shape are refused without their value", async () => {
    await writePlannedOutputs(folder, "tools", { vaultAddress: { not: "text" } }, []);
    const upstream = await loadUpstream(options());
    expect(() => upstream.vault("tools").address).toThrow('the output "vaultAddress" of the stack "tools" is not what this program expects');
  });

  test("that are missing name the stack and what to do", async () => {
    await writePlannedOutputs(folder, "tools", {}, []);
    const upstream = await loadUpstream(options());
    expect(() => upstream.vault("tools").tokens).toThrow(expect.objectContaining({ code: "E_UPSTREAM_OUTPUT", hint: 'bring "tools" up first' }));
  });

  test("are those of the declared needs only", async () => {
    await writePlannedOutputs(folder, "tools", {}, []);
    const upstream = await loadUpstream(options());
    expect(() => upstream.text({ from: "dev", image: "ascii-frontend" })).toThrow('the outputs of "dev" are asked for, which is not needed');
  });

  test("of a stack that was never built are one error, which names it", async () => {
    await expect(loadUpstream(options())).rejects.toMatchObject({
      code: "E_UPSTREAM",
      message: 'the outputs of the stack "tools" cannot be read',
      hint: 'bring "tools" up first',
    });
  });
});
