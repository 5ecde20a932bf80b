/** What Check and Diff say of inputs before anything is done: names, replacements, settings. */
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { provider } from "../../../providers/kubernetes/provider";
import { Secret, UNKNOWN, type Values } from "../../../providers/sdk/values";
import { toStruct } from "../../../providers/sdk/wire";
import { TestProvider } from "../../support/test-provider";
import { type KubernetesUnderTest, startLabApi } from "./under-test";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const SECRET = "kubernetes:core/v1:Secret";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";

let api: KubernetesUnderTest;
let plugin: TestProvider;
const others: TestProvider[] = [];

beforeAll(async () => {
  api = await startLabApi();
  plugin = await TestProvider.start(provider, { kubeconfig: api.kubeconfig });
});
afterAll(async () => {
  await Promise.all([plugin, ...others].map((one) => one.close()));
  await api.stop();
  expect(api.unhandled()).toEqual([]);
});

const startWith = async (settings: Values): Promise<TestProvider> => {
  const started = await TestProvider.start(provider, { kubeconfig: api.kubeconfig, ...settings });
  others.push(started);
  return started;
};

describe("names", () => {
  test.each<Values>([{ generateName: "task-" }, { generateName: "task-", name: "" }])("%j is refused by name: server-side apply has none", async (metadata) => {
    const { failures } = await plugin.check(CONFIG_MAP, { metadata, data: {} });
    expect(failures).toEqual([expect.stringMatching(/^metadata\.generateName: it is not supported with server-side apply; leave it out/)]);
  });

  test("generateName beside a name changes nothing", async () => {
    const { inputs, failures } = await plugin.check(CONFIG_MAP, { metadata: { generateName: "task-", name: "given" } });
    expect([failures, (inputs["metadata"] as Values)["name"]]).toEqual([[], "given"]);
  });

  test("also of a Secret, which keeps its name and takes the changed generateName", async () => {
    const { inputs } = await plugin.check("kubernetes:core/v1:Secret", { metadata: { generateName: "s-", name: "given" }, stringData: { a: "b" } });
    const again = await plugin.check("kubernetes:core/v1:Secret", { metadata: { generateName: "t-", name: "given" }, stringData: { a: "b" } }, inputs);
    expect([again.failures, again.inputs["metadata"]]).toEqual([[], expect.objectContaining({ generateName: "t-", name: "given" })]);
  });

  test("an object without a name gets one, keeps it, and is noted as not named by the program", async () => {
    const { inputs } = await plugin.check(CONFIG_MAP, { data: {} });
    const metadata = inputs["metadata"] as Values;
    expect(metadata).toMatchObject({ name: expect.stringMatching(/^it-[0-9a-f]{8}$/), namespace: "default", annotations: { "pulumi.com/autonamed": "true" } });
    const again = await plugin.check(CONFIG_MAP, { metadata: { labels: { a: "b" } }, data: {} }, inputs);
    expect(again.inputs["metadata"]).toEqual({ ...metadata, labels: { a: "b" } });
  });

  test("unknown metadata and annotations stay unknown", async () => {
    expect((await plugin.check(CONFIG_MAP, { metadata: UNKNOWN })).inputs["metadata"]).toBe(UNKNOWN);
    const { inputs } = await plugin.check(CONFIG_MAP, { metadata: { annotations: UNKNOWN } });
    expect((inputs["metadata"] as Values)["annotations"]).toBe(UNKNOWN);
  });

  test("objects outside of namespaces get none, and null is no input", async () => {
    const { inputs } = await plugin.check("kubernetes:core/v1:Namespace", { metadata: { name: "apps", labels: null }, spec: null });
    expect(inputs).toEqual({ apiVersion: "v1", kind: "Namespace", metadata: { name: "apps" } });
  });

  test("a waitFor that is not understood is refused", async () => {
    const annotations = { "pulumi.com/waitFor": "ready" };
    expect((await plugin.check(CONFIG_MAP, { metadata: { annotations } })).failures).toEqual([
      'metadata.annotations["pulumi.com/waitFor"]: expected a "jsonpath=" or "condition=" prefix, got "ready"',
    ]);
  });
});

describe("ConfigMaps and Secrets", () => {
  const changes: [string, Values, Values][] = [
    [CONFIG_MAP, { data: { page: "one" } }, { data: { page: "two" } }],
    [CONFIG_MAP, { binaryData: { page: "b25l" } }, { binaryData: { page: "dHdv" } }],
    [SECRET, { data: { page: "b25l" } }, { data: { page: "dHdv" } }],
    [SECRET, { stringData: { page: "one" } }, { stringData: { page: "two" } }],
  ];
  const diffOf = async (on: TestProvider, type: string, before: Values, after: Values) => {
    const olds = (await on.check(type, before)).inputs;
    const news = (await on.check(type, after, olds)).inputs;
    return on.diff(type, { id: "default/it", inputs: olds, outputs: {} }, news);
  };

  test.each(changes)("%s: %j is replaced by a successor under another name", async (type, before, after) => {
    const { replaces, deleteBeforeReplace } = await diffOf(plugin, type, before, after);
    expect(replaces).toEqual([expect.stringMatching(/^(data|binaryData)$/)]);
    expect(deleteBeforeReplace).toBe(false);
    const named = { metadata: { name: "given" } };
    expect(await diffOf(plugin, type, { ...before, ...named }, { ...after, ...named })).toMatchObject({ deleteBeforeReplace: true });
    const labelled = { metadata: { labels: { a: "b" } } };
    expect((await diffOf(plugin, type, before, { ...before, ...labelled })).replaces).toEqual([]);
  });

  test.each(changes)("%s: %j changes in place where the provider's setting says so, and is not immutable", async (type, before, after) => {
    const mutable = await startWith({ enableConfigMapMutable: type === CONFIG_MAP, enableSecretMutable: type === SECRET });
    expect(await diffOf(mutable, type, before, after)).toMatchObject({ changes: "some", replaces: [] });
    const immutable = await diffOf(mutable, type, { ...before, immutable: true }, { ...after, immutable: true });
    expect(immutable.replaces).toHaveLength(1);
    const other = await startWith({ enableConfigMapMutable: type === SECRET, enableSecretMutable: type === CONFIG_MAP });
    expect((await diffOf(other, type, before, after)).replaces).toHaveLength(1);
  });

  test("the official variables count where the setting is not given", async () => {
    process.env["PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"] = "true";
    try {
      const byVariable = await startWith({});
      expect((await diffOf(byVariable, CONFIG_MAP, { data: { a: "1" } }, { data: { a: "2" } })).replaces).toEqual([]);
      const bySetting = await startWith({ enableConfigMapMutable: false });
      expect((await diffOf(bySetting, CONFIG_MAP, { data: { a: "1" } }, { data: { a: "2" } })).replaces).toEqual(["data"]);
    } finally {
      delete process.env["PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"];
    }
  });
});

describe("immutable fields", () => {
  const diffOf = async (type: string, before: Values, after: Values) => {
    const metadata = { name: "it" };
    const olds = (await plugin.check(type, { metadata, ...before })).inputs;
    return plugin.diff(type, { id: "default/it", inputs: olds, outputs: {} }, (await plugin.check(type, { metadata, ...after }, olds)).inputs);
  };

  test.each<[string, Values, Values]>([
    ["kubernetes:apps/v1:Deployment", { spec: { selector: { matchLabels: { a: "b" } } } }, { spec: { selector: { matchLabels: { a: "c" } } } }],
    ["kubernetes:apps/v1:StatefulSet", { spec: { volumeClaimTemplates: [] } }, { spec: { volumeClaimTemplates: [{ metadata: { name: "data" } }] } }],
    ["kubernetes:batch/v1:Job", { spec: { template: { spec: { restartPolicy: "Never" } } } }, { spec: { template: { spec: { restartPolicy: "OnFailure" } } } }],
    ["kubernetes:batch/v1:Job", { spec: { completionMode: "Indexed" } }, { spec: { completionMode: "NonIndexed" } }],
    ["kubernetes:core/v1:Service", { spec: { clusterIP: "10.43.0.9" } }, { spec: { clusterIP: "None" } }],
    ["kubernetes:networking.k8s.io/v1:IngressClass", { spec: { controller: "a/b" } }, { spec: { controller: "a/c" } }],
    ["kubernetes:scheduling.k8s.io/v1:PriorityClass", { value: 1 }, { value: 2 }],
    ["kubernetes:storage.k8s.io/v1:StorageClass", { provisioner: "a" }, { provisioner: "b" }],
    ["kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", { roleRef: { name: "a" } }, { roleRef: { name: "b" } }],
    [CONFIG_MAP, { data: { a: "1" }, immutable: true }, { data: { a: "2" } }],
    [SECRET, { data: { a: "MQ==" }, immutable: true }, { data: { a: "MQ==" } }],
  ])("a preview says that %s is replaced, the one that is there first: %j → %j", async (type, before, after) => {
    const { replaces, deleteBeforeReplace } = await diffOf(type, before, after);
    expect([replaces.length > 0, deleteBeforeReplace]).toEqual([true, true]);
  });

  const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";
  const claim = (name: string, storage: string, storageClassName = "local-path"): Values => ({
    metadata: { name, annotations: { "pulumi.com/skipAwait": "true" } },
    spec: { accessModes: ["ReadWriteOnce"], storageClassName, resources: { requests: { storage } } },
  });
  const claimDiff = async (name: string, before: Values, after: Values) => {
    const olds = (await plugin.check(CLAIM, before)).inputs;
    return plugin.diff(CLAIM, { id: `default/${name}`, inputs: olds, outputs: {} }, (await plugin.check(CLAIM, after, olds)).inputs);
  };

  test("a claim that would be another one is refused by the preview with the step that replaces it, and its data stay", async () => {
    await plugin.make(CLAIM, claim("kept", "2Gi"));
    const before = claim("kept", "2Gi");
    await expect(claimDiff("kept", before, claim("kept", "2Gi", "longhorn"))).rejects.toThrow(
      "PersistentVolumeClaim default/kept: Kubernetes refuses to change immutable fields: spec.storageClassName",
    );
    await expect(claimDiff("kept", before, claim("kept", "1Gi"))).rejects.toThrow("size: 2Gi → 1Gi (a volume does not become smaller)");
    await expect(claimDiff("kept", before, claim("kept", "1Gi"))).rejects.toThrow("kubectl -n default delete persistentvolumeclaim kept");
    expect(await claimDiff("kept", before, claim("kept", "3Gi"))).toMatchObject({ changes: "some", replaces: [] });
    expect(await claimDiff("kept", before, claim("kept", "2048Mi"))).toMatchObject({ changes: "none" });
    // Another name is another claim, which replaces without an error. An unknown value is not refused before it is known.
    expect((await claimDiff("kept", before, claim("other", "2Gi", "longhorn"))).replaces).toContain("metadata");
    const unknown = claim("kept", "2Gi");
    expect((await claimDiff("kept", before, { ...unknown, spec: { ...(unknown["spec"] as Values), volumeName: UNKNOWN } })).replaces).toEqual(["spec"]);
  });

  test("a claim that somebody deleted for that is made anew", async () => {
    expect(await claimDiff("gone", claim("gone", "2Gi"), claim("gone", "1Gi", "longhorn"))).toMatchObject({ replaces: ["spec"], deleteBeforeReplace: true });
  });

  test("so is a volume, whose files lie elsewhere than in it", async () => {
    const type = "kubernetes:core/v1:PersistentVolume";
    const volume = (path: string): Values => ({
      metadata: { name: "library" },
      spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], persistentVolumeReclaimPolicy: "Retain", hostPath: { path } },
    });
    await plugin.make(type, volume("/mnt/a"));
    const olds = (await plugin.check(type, volume("/mnt/a"))).inputs;
    const news = (await plugin.check(type, volume("/mnt/b"), olds)).inputs;
    await expect(plugin.diff(type, { id: "library", inputs: olds, outputs: {} }, news)).rejects.toThrow(
      "delete its claim and then `kubectl delete persistentvolume library`",
    );
  });
});

test("what is secret in the inputs is secret in the copy that outputs hold of them", async () => {
  const labels = { app: "web" };
  const env = [{ name: "TOKEN", value: new Secret("s3cr3t-token") }];
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx:1.27", env }] } };
  const metadata = { name: "web", annotations: { "pulumi.com/skipAwait": "true" } };
  const made = await plugin.make(DEPLOYMENT, { metadata, spec: { selector: { matchLabels: labels }, template } });
  const open = JSON.stringify(made.outputs, (_key, value: unknown) => (value instanceof Secret ? "[secret]" : value));
  expect(open).not.toContain("s3cr3t-token");
});

test("quantities that the API writes otherwise, and an empty list, are no change; an empty structure is", async () => {
  const container = (resources: Values, more: Values = {}): Values => ({
    metadata: { name: "web" },
    spec: { template: { spec: { containers: [{ name: "web", resources, ...more }] } } },
  });
  const changes = async (before: Values, after: Values) => {
    const [olds, news] = [(await plugin.check(DEPLOYMENT, before)).inputs, (await plugin.check(DEPLOYMENT, after)).inputs];
    return (await plugin.diff(DEPLOYMENT, { id: "default/web", inputs: olds, outputs: {} }, news)).changes;
  };
  expect(await changes(container({ requests: { cpu: "1", memory: "1Gi" } }), container({ requests: { cpu: "1000m", memory: "1024Mi" } }))).toBe("none");
  expect(await changes(container({ requests: { cpu: "1" } }), container({ requests: { cpu: "1001m" } }))).toBe("some");
  expect(await changes(container({}), container({}, { env: [] }))).toBe("none");
  expect(await changes(container({}), container({}, { securityContext: {} }))).toBe("some");
});

describe("settings", () => {
  const failuresOf = async (config: Values): Promise<string[]> => {
    const request = new pb.CheckRequest();
    request.setNews(toStruct(config));
    const response = await plugin.call<pb.CheckRequest, pb.CheckResponse>(plugin.client.checkConfig, request);
    return response.getFailuresList().map((failure) => `${failure.getProperty()}: ${failure.getReason()}`);
  };

  test("every setting of the SDK's provider is implemented, or refused by name", async () => {
    const { Provider } = require("@pulumi/kubernetes") as typeof import("@pulumi/kubernetes");
    const names = [...String(Provider).matchAll(/resourceInputs\["(\w+)"\]/g)].map(([, name]) => name ?? "");
    expect(names.length).toBeGreaterThan(10);
    const values: Record<string, string> = { kubeconfig: "k", context: "c", cluster: "c", namespace: "n", clusterIdentifier: "i" };
    const refused: string[] = [];
    for (const name of new Set(names)) {
      const [failure] = await failuresOf({ [name]: values[name] ?? "true" });
      if (failure === undefined) continue;
      expect(failure).toMatch(new RegExp(`^${name}: the embedded provider does not support it: .*; the official plugin does$`));
      refused.push(name);
    }
    expect(refused.sort()).toEqual(["alwaysRender", "helmReleaseSettings", "kubeClientSettings", "renderYamlToDirectory"]);
  });

  test("client-side apply, and what is misspelt, are refused", async () => {
    expect(await failuresOf({ enableServerSideApply: "false" })).toEqual([expect.stringMatching(/^enableServerSideApply: .*server-side apply only/)]);
    expect(await failuresOf({ enableSecretsMutable: "true" })).toEqual([
      expect.stringMatching(/^enableSecretsMutable: there is no such setting.*enableSecretMutable/),
    ]);
  });

  const diffConfig = async (olds: Values, news: Values): Promise<string[]> => {
    const request = new pb.DiffRequest();
    request.setOldInputs(toStruct(olds));
    request.setNews(toStruct(news));
    return (await plugin.call<pb.DiffRequest, pb.DiffResponse>(plugin.client.diffConfig, request)).getReplacesList();
  };
  const kubeconfig = (server: string, token: string) =>
    JSON.stringify({
      clusters: [{ name: "c", cluster: { server } }],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    });

  test("another cluster replaces the provider; other credentials, and the same clusterIdentifier, do not", async () => {
    const [a, b] = [kubeconfig("https://a", "1"), kubeconfig("https://b", "1")];
    expect(await diffConfig({ kubeconfig: a }, { kubeconfig: b })).toEqual(["kubeconfig"]);
    expect(await diffConfig({ kubeconfig: a }, { kubeconfig: kubeconfig("https://a", "2") })).toEqual([]);
    expect(await diffConfig({ kubeconfig: a }, { kubeconfig: UNKNOWN })).toEqual(["kubeconfig"]);
    expect(await diffConfig({ kubeconfig: a, clusterIdentifier: "1" }, { kubeconfig: b, clusterIdentifier: "1" })).toEqual([]);
    expect(await diffConfig({ kubeconfig: a, clusterIdentifier: "1" }, { kubeconfig: a, clusterIdentifier: "2" })).toEqual(["clusterIdentifier"]);
  });

  test.each(["exec", "auth-provider", "username"])("a kubeconfig whose user has %s is refused by name", async (key) => {
    const given = JSON.parse(kubeconfig("https://a", "1")) as { users: [{ user: Record<string, unknown> }] };
    given.users[0].user[key] = {};
    await expect(TestProvider.start(provider, { kubeconfig: JSON.stringify(given) })).rejects.toThrow(new RegExp(`the user of context x has ${key}`));
  });
});
