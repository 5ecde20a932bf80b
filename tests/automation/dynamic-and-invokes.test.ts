/** What only a program with the SDK can do: dynamic providers, which it carries with it, and invokes. */
import { AutomationSite } from "./site";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

const site = new AutomationSite({ oneProcess: true });
afterAll(() => site.remove());

const DYNAMIC = `const pulumi = require("@pulumi/pulumi");
const config = new pulumi.Config();
const world = process.env.WORLD_DIR;
const provider = {
  check: async (_olds, news) => ({ inputs: news, failures: news.size === 13 ? [{ property: "size", reason: "is unlucky" }] : [] }),
  diff: async (_id, olds, news) => ({ changes: olds.size !== news.size || olds.name !== news.name, replaces: olds.name !== news.name ? ["name"] : [] }),
  create: async (inputs) => {
    require("fs").writeFileSync(require("path").join(world, inputs.name), JSON.stringify(inputs));
    return { id: inputs.name, outs: { ...inputs, twice: inputs.size * 2 } };
  },
  update: async (id, _olds, news) => {
    require("fs").writeFileSync(require("path").join(world, id), JSON.stringify(news));
    return { outs: { ...news, twice: news.size * 2 } };
  },
  read: async (id, props) => (require("fs").existsSync(require("path").join(world, id)) ? { id, props } : {}),
  delete: async (id) => require("fs").rmSync(require("path").join(world, id)),
};
class Dyn extends pulumi.dynamic.Resource {
  constructor(name, props) { super(provider, name, { twice: undefined, ...props }); }
}
exports.twice = new Dyn("dyn", { name: config.get("name") ?? "one", size: config.getNumber("size") ?? 1 }).twice;
`;

const set = (name: string, value: string) => site.pulumi(["config", "set", name, value]);

describe("a dynamic provider", () => {
  test("a preview creates nothing, and outputs that only the creation gives are unknown", async () => {
    site.write("index.js", DYNAMIC);
    await site.pulumi(["stack", "init", "dev"]);
    const { code, stdout } = await site.pulumi(["preview"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("+ twice: [unknown]")]);
    expect(site.things()).toEqual([]);
  });

  test("it creates, updates, replaces and finds what is gone", async () => {
    await site.pulumi(["up", "--yes"]);
    expect([site.things(), (await site.pulumi(["stack", "output", "twice"])).stdout]).toEqual([["one"], "2\n"]);
    await set("size", "4");
    expect((await site.pulumi(["preview"])).stdout).toContain("pulumi-nodejs:dynamic:Resource dyn update [diff: ~size]");
    await site.pulumi(["up", "--yes"]);
    expect((await site.pulumi(["stack", "output", "twice"])).stdout).toBe("8\n");
    await set("name", "two");
    expect((await site.pulumi(["up", "--yes"])).stdout).toContain("dyn created replacement");
    expect(site.things()).toEqual(["two"]);
    site.removeThing("two");
    expect((await site.pulumi(["refresh", "--yes"])).stdout).toContain(" -  pulumi-nodejs:dynamic:Resource dyn");
    await site.pulumi(["up", "--yes"]);
    expect(site.things()).toEqual(["two"]);
  });

  test("an input that its check refuses is reported for the resource, and changes nothing", async () => {
    await set("size", "13");
    const { code, stderr } = await site.pulumi(["up", "--yes"]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("pulumi-nodejs:dynamic:Resource resource 'dyn': property size value {13} has a problem: is unlucky"),
    ]);
    await set("size", "4");
    expect((await site.pulumi(["up", "--yes", "--expect-no-changes"])).code).toBe(0);
  });
});

// The result is an output, since Node 20 takes half a minute to show some errors that end a program (stacks/stack-traces.ts).
const invoking = (what: string): string => `const pulumi = require("@pulumi/pulumi");
exports.result = pulumi.runtime.invoke("world:index:${what}", { a: 1 }).catch((error) => error.message);
exports.output = pulumi.runtime.invokeOutput("world:index:echo", { a: pulumi.secret("s3cr3t") });
`;

describe("invokes", () => {
  test("give their result to previews and updates; what came from a secret is one", async () => {
    site.write("index.js", invoking("echo"));
    const { code, stdout } = await site.pulumi(["up", "--yes"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("+ output: [secret]")]);
    expect(stdout).not.toContain("s3cr3t");
  });

  test.each([
    ["errors", "invocation of world:index:errors returned an error: it broke"],
    ["fails", "Invoke of 'world:index:fails' failed: is bad (a); all is bad ()"],
  ])("one that %s tells the program what the provider said", async (what, message) => {
    site.write("index.js", invoking(what));
    const { code, stdout } = await site.pulumi(["up", "--yes"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`result: ${JSON.stringify({ a: 1 })} => ${JSON.stringify(message)}`)]);
    site.write("index.js", invoking("echo"));
    await site.pulumi(["up", "--yes"]);
  });

  test("one that the engine answers itself leaves its provider in the state, as the CLI does", async () => {
    site.write(
      "index.js",
      'exports.mine = require("@pulumi/pulumi").runtime.invoke("pulumi:pulumi:readStackOutputs", { name: "dev" }).then(({ outputs }) => Object.keys(outputs));',
    );
    expect((await site.pulumi(["up", "--yes"])).code).toBe(0);
    const exported = JSON.parse((await site.pulumi(["stack", "export"])).stdout) as { deployment: { resources: { type: string; inputs?: object }[] } };
    expect(exported.deployment.resources.slice(1)).toEqual([
      expect.objectContaining({ urn: "urn:pulumi:dev::auto::pulumi:providers:pulumi::default", type: "pulumi:providers:pulumi", custom: true }),
    ]);
    expect((await site.pulumi(["preview", "--expect-no-changes"])).stdout).toContain("1 unchanged");
  });
});
