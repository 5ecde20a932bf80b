/** The kubernetes provider against the lab's API: the form of inputs in the state, which the official plugin reads too. */
import { type Cluster, startCluster } from "../../../lab/kubernetes";
import { provider } from "../../../providers/kubernetes/provider";
import { Secret, type Values } from "../../../providers/sdk/values";
import { testContext } from "../../support/lab-context";
import { TestProvider } from "../../support/test-provider";

const SECRET = "kubernetes:core/v1:Secret";
const RELEASE = "kubernetes:helm.sh/v3:Release";

let cluster: Cluster;
let plugin: TestProvider;

beforeAll(async () => {
  const ctx = await testContext();
  cluster = await startCluster({ name: "dev", address: "192.168.1.12", node: "k8s-dev", ctx });
  const server = `https://127.0.0.1:${ctx.network.resolve("192.168.1.12", 6443)?.port}`;
  plugin = await TestProvider.start(provider, { kubeconfig: cluster.adminKubeconfig({ server }) });
});
afterAll(async () => {
  await plugin.close();
  await cluster.stop();
});

test("a Secret's stringData is kept as data, and a state that holds it as stringData is no change", async () => {
  const news = { metadata: { name: "login" }, stringData: { user: "me", password: new Secret("p") } };
  const state = await plugin.make(SECRET, news);
  const data = new Secret({ user: "bWU=", password: "cA==" });
  expect(state.inputs).toEqual({ apiVersion: "v1", kind: "Secret", metadata: { name: "login", namespace: "default" }, data });
  expect(state.outputs["data"]).toEqual(data);
  const { inputs } = await plugin.check(SECRET, news, state.inputs);
  expect((await plugin.diff(SECRET, state, inputs)).changes).toBe("none");
  const { data: _data, ...others } = state.inputs;
  expect((await plugin.diff(SECRET, { ...state, inputs: { ...others, stringData: news.stringData } }, inputs)).changes).toBe("none");
  const changed = await plugin.check(SECRET, { ...news, stringData: { user: "other" } }, state.inputs);
  expect((await plugin.diff(SECRET, state, changed.inputs)).diffs).toEqual(["data"]);
});

test("a release keeps every input that was not given with its default, and a state without them is no change", async () => {
  const news: Values = { chart: "greeter", name: "web", repositoryOpts: { repo: "https://charts.example" }, atomic: true, compat: "true" };
  const { inputs, failures } = await plugin.check(RELEASE, news);
  expect(failures).toEqual([]);
  expect(inputs).toMatchObject({
    ...{ chart: "greeter", name: "web", namespace: "default", atomic: true, createNamespace: false, skipAwait: false, verify: false },
    ...{ description: "", keyring: "", postrender: "", timeout: 300, values: {} },
    repositoryOpts: { repo: "https://charts.example", caFile: "", certFile: "", keyFile: "", password: "", username: "" },
  });
  expect(inputs).not.toHaveProperty("compat");
  const olds = { ...news, namespace: "default" };
  expect((await plugin.diff(RELEASE, { id: "default/web", inputs: olds, outputs: olds }, inputs)).changes).toBe("none");
  const changed = await plugin.check(RELEASE, { ...news, values: { replicas: 2 } }, inputs);
  expect((await plugin.diff(RELEASE, { id: "default/web", inputs: olds, outputs: olds }, changed.inputs)).diffs).toEqual(["values"]);
});

test.each([
  ["kubernetes:apps/v1:Deployment", "none"],
  ["kubernetes:example.com/v1:Thing", "some"],
])("%s: an empty list that came is %s of a change", async (type, changes) => {
  const olds: Values = { metadata: { name: "web" }, spec: { template: { spec: { containers: [{ name: "web" }] } } } };
  const news: Values = { metadata: { name: "web" }, spec: { template: { spec: { containers: [{ name: "web", env: [] }], volumes: [] } } } };
  const [before, after] = [(await plugin.check(type, olds)).inputs, (await plugin.check(type, news)).inputs];
  expect((await plugin.diff(type, { id: "default/web", inputs: before, outputs: before }, after)).changes).toBe(changes);
  expect((await plugin.diff(type, { id: "default/web", inputs: after, outputs: after }, before)).changes).toBe(changes);
});

describe("yaml:decode, which the SDK's ConfigFile and ConfigGroup ask", () => {
  const decode = async (text: string, defaultNamespace?: string): Promise<unknown> =>
    (await plugin.invoke("kubernetes:yaml:decode", { text, ...(defaultNamespace === undefined ? {} : { defaultNamespace }) })).result["result"];
  const object = (kind: string, name: string, apiVersion = "v1") => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name} }\n`;

  test("the objects come in their order; comments, nothing, and what is no object do not", async () => {
    const text = `${object("ConfigMap", "a")}---\n# nothing\n---\n---\nkind: Half\n---\n${object("List", "b")}items: [{ kind: ConfigMap }]\n`;
    expect(await decode(text)).toEqual([
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
      { apiVersion: "v1", kind: "List", metadata: { name: "b" }, items: [{ kind: "ConfigMap" }] },
    ]);
    expect(await decode("")).toEqual([]);
    expect(await decode('{ "apiVersion": "v1", "kind": "ConfigMap" }')).toEqual([{ apiVersion: "v1", kind: "ConfigMap" }]);
  });

  test("values are those of YAML 1.1 without its times and numbers to the base of sixty, as Kubernetes reads them", async () => {
    const data = "{ a: yes, b: [0755, 0o17, -0o1_7], c: 190:20:30, d: 2001-01-01, e: &x { f: ~, i: [~] }, g: { <<: *x, h: 1_000 } }";
    expect(await decode(`apiVersion: v1\nkind: ConfigMap\ndata: ${data}\n`)).toEqual([
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        data: { a: true, b: [0o755, 15, -15], c: "190:20:30", d: "2001-01-01", e: { i: [null] }, g: { i: [null], h: 1000 } },
      },
    ]);
  });

  test("a namespace is given to what lies in one, names none, and to what nobody knows", async () => {
    const text = `${object("ConfigMap", "a")}---\n${object("Namespace", "b")}---\n${object("Thing", "c", "example.com/v1")}`;
    const named = `${text}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: d, namespace: other }\n`;
    expect(await decode("apiVersion: v1\nkind: ConfigMap\nmetadata:\n", "shop")).toEqual([{ apiVersion: "v1", kind: "ConfigMap" }]);
    const namespaces = ((await decode(named, "shop")) as { metadata: Values }[]).map(({ metadata }) => metadata["namespace"]);
    expect(namespaces).toEqual(["shop", undefined, "shop", "other"]);
  });

  test.each([
    ["what is no YAML", "a: [1\n", /^the YAML cannot be read: .*line 2/s],
    ["a tag that JSON has no value for", "a: !!binary aGk=\n", /^the YAML cannot be read: Unresolved tag: .*line 1/s],
    ["a document that is no object", "kind: A\n---\n- 1\n", /^document 2 of the YAML is no object but \[1\]/],
  ])("%s is refused with its place", async (_, text, message) => {
    await expect(decode(text)).rejects.toMatchObject({ details: expect.stringMatching(message) });
  });
});
