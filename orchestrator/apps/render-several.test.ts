/** `homelab render` of several stacks in one run, of this checkout, whichever stacks it has. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";
import { renderApps } from "../../stacks/plan/rendered-apps";
import { runHere } from "../../tests/support/command-line";

const plans = planEstate(loadEstate());
const stacks = [...plans.keys()].slice(-2);
const [first = "", second = ""] = stacks;

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-render-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const render = (...words: string[]) => runHere(["render", ...words, "--out", folder], { PATH: process.env["PATH"] });

test("each stack has a folder of its own, and --check names each that is not current", async () => {
  expect((await render(...stacks)).code).toBe(0);
  for (const stack of stacks) {
    const plan = plans.get(stack);
    if (plan === undefined) throw new Error(`there is no stack ${stack}`);
    for (const [file, text] of renderApps(plan, plans)) expect(fs.readFileSync(path.join(folder, stack, file), "utf8")).toBe(text);
  }
  expect((await render(...stacks, "--check")).code).toBe(0);
  for (const stack of stacks) fs.appendFileSync(path.join(folder, stack, "kustomization.yaml"), "# changed\n");
  const { code, out } = await render(...stacks, "--check");
  expect([code, out]).toEqual([3, expect.stringContaining(`${first} is not current`)]);
  expect(out).toContain(`${second} is not current`);
});

test("nothing of any stack is written where a file of somebody else is in the way of one, or one is no stack", async () => {
  fs.mkdirSync(path.join(folder, second));
  fs.writeFileSync(path.join(folder, second, "kustomization.yaml"), "resources: [mine]\n");
  const { code, err } = await render(...stacks);
  expect([code, err]).toEqual([1, expect.stringContaining("was not written by homelab render")]);
  expect((await render(first, "nowhere")).err).toContain('there is no stack "nowhere"');
  expect(fs.readdirSync(folder, { recursive: true }).toSorted()).toEqual([second, path.join(second, "kustomization.yaml")]);
});
