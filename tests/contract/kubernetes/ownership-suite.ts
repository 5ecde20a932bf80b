/** Fields that others wrote: taken over from kubectl, left alone where `ignoreChanges` names them, else a conflict that says what to do. */
import { provider } from "../../../providers/kubernetes/provider";
import type { Values } from "../../../providers/sdk/values";
import { TestProvider } from "../../support/test-provider";
import { APPLY, type Body, type KubernetesUnderTest, MERGE } from "./under-test";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const annotations = { "pulumi.com/skipAwait": "true", "pulumi.com/deletionPropagationPolicy": "background" };
const labels = { app: "web" };

const configMap = (name: string, data: Values): Values => ({ metadata: { name, annotations }, data });
const deployment = (name: string, image: string, replicas = 1): Values => ({
  metadata: { name, annotations },
  spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: "web", image }] } } },
});

export function ownershipSuite(start: () => Promise<KubernetesUnderTest>): void {
  let api: KubernetesUnderTest;
  let plugin: TestProvider;

  beforeAll(async () => {
    api = await start();
    plugin = await TestProvider.start(provider, { kubeconfig: api.kubeconfig, enableConfigMapMutable: true });
  });
  afterAll(async () => {
    await plugin.close();
    await api.stop();
    expect(api.unhandled()).toEqual([]);
  });

  const maps = "/api/v1/namespaces/default/configmaps";
  const deployments = "/apis/apps/v1/namespaces/default/deployments";
  const dataOf = async (name: string) => (await api.call("GET", `${maps}/${name}`))["data"];
  const managersOf = (object: Body) =>
    (object["metadata"] as { managedFields: { manager: string; operation: string }[] }).managedFields.map(
      ({ manager, operation }) => `${manager.replace(/[0-9a-f]{8}$/, "…")} ${operation}`,
    );
  const inputsOf = async (type: string, news: Values, olds?: Values) => (await plugin.check(type, news, olds)).inputs;

  test.each(["kubectl-patch", "kubectl-edit", "kubectl"])("a field that %s wrote last is changed", async (manager) => {
    const made = await plugin.make(CONFIG_MAP, configMap(manager, { level: "info", other: "1" }));
    await api.call("PATCH", `${maps}/${manager}`, { data: { level: "DRIFT" } }, { manager, type: MERGE });
    const updated = await plugin.update(CONFIG_MAP, made, await inputsOf(CONFIG_MAP, configMap(manager, { level: "debug", other: "1" }), made.inputs));
    expect(await dataOf(manager)).toEqual({ level: "debug", other: "1" });
    expect(managersOf(await api.call("GET", `${maps}/${manager}`))).toEqual(["pulumi-kubernetes-… Apply"]);
    await plugin.delete(CONFIG_MAP, updated);
  });

  test.each([
    ["kubectl-create", "kubectl create"],
    ["kubectl-client-side-apply", "kubectl apply"],
  ])("an object of %s is adopted, changed and loses what the program has not", async (manager) => {
    await api.call("POST", maps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: manager }, data: { a: "1", b: "1" } }, { manager });
    const made = await plugin.make(CONFIG_MAP, configMap(manager, { a: "1" }));
    await plugin.update(CONFIG_MAP, made, await inputsOf(CONFIG_MAP, configMap(manager, { a: "2" }), made.inputs));
    expect(await dataOf(manager)).toEqual({ a: "2" });
  });

  test("a map whose entries are no longer applied goes, and what it is in stays", async () => {
    const apply = (more: object, metadata: object = {}) =>
      api.call(
        "PATCH",
        `${maps}/emptied`,
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "emptied", ...metadata }, ...more },
        {
          manager: "pulumi",
          type: APPLY,
        },
      );
    await apply({ data: { a: "1", b: "2" }, binaryData: { c: "YQ==" } }, { labels: { app: "web" } });
    const less = await apply({ data: { a: "1" } });
    expect([less["data"], "binaryData" in less, Object.keys(less["metadata"] as object).includes("labels")]).toEqual([{ a: "1" }, false, false]);
    expect("data" in (await apply({}))).toBe(false);
  });

  test("an imported object of kubectl is read as a program would write it, and changed", async () => {
    await api.call("POST", maps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "imported" }, data: { a: "1" } }, { manager: "kubectl-create" });
    const found = await plugin.read(CONFIG_MAP, { id: "default/imported", inputs: {}, outputs: {} });
    if (found === undefined) throw new Error("not found");
    expect(found.inputs).toEqual({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "imported", namespace: "default" }, data: { a: "1" } });
    expect(found.id).toBe("default/imported");
    const news = await inputsOf(CONFIG_MAP, { metadata: { name: "imported" }, data: { a: "2" } }, found.inputs);
    expect((await plugin.diff(CONFIG_MAP, found, news)).diffs).toEqual(["data"]);
    await plugin.update(CONFIG_MAP, found, news);
    expect(await dataOf("imported")).toEqual({ a: "2" });
  });

  test("fields of another manager are a conflict that names the annotation, which then takes them over", async () => {
    const made = await plugin.make(CONFIG_MAP, configMap("contested", { level: "info" }));
    const theirs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "contested" }, data: { level: "theirs" } };
    await api.call("PATCH", `${maps}/contested?force=true`, theirs, { manager: "operator", type: APPLY });
    const news = configMap("contested", { level: "debug" });
    const failure = await plugin.update(CONFIG_MAP, made, await inputsOf(CONFIG_MAP, news, made.inputs)).catch((thrown: Error) => thrown.message);
    expect(failure).toMatch(/Apply failed with 1 conflict: conflict with "operator".*: \.data\.level[\s\S]*pulumi\.com\/patchForce[\s\S]*ignoreChanges/);
    const forced = { ...news, metadata: { name: "contested", annotations: { ...annotations, "pulumi.com/patchForce": "true" } } };
    await plugin.update(CONFIG_MAP, made, await inputsOf(CONFIG_MAP, forced, made.inputs));
    expect(await dataOf("contested")).toEqual({ level: "debug" });
  });

  test.each([
    ["kubectl", "scale"],
    ["kube-controller-manager", "scale"],
    ["kubectl-edit", "the object"],
  ])("ignored replicas that %s set by %s stay, while the image changes", async (manager, how) => {
    const name = `ignored-${manager}-${how === "scale" ? "scale" : "edit"}`;
    const made = await plugin.make(DEPLOYMENT, deployment(name, "nginx:1.25"));
    const path = `${deployments}/${name}${how === "scale" ? "/scale" : ""}`;
    await api.call("PATCH", path, { spec: { replicas: 3 } }, { manager, type: MERGE });
    const ignoreChanges = ["spec.replicas"];
    // The engine passes the previous values of ignored inputs.
    const inputs = await inputsOf(DEPLOYMENT, deployment(name, "nginx:1.26"), made.inputs);
    const updated = await plugin.update(DEPLOYMENT, made, inputs, { ignoreChanges });
    const spec = updated.outputs["spec"] as { replicas: number; template: { spec: { containers: { image: string }[] } } };
    expect([spec.replicas, spec.template.spec.containers[0]?.image]).toEqual([3, "nginx:1.26"]);
    expect((await plugin.diff(DEPLOYMENT, updated, inputs, ignoreChanges)).changes).toBe("none");
    const live = await api.call("GET", `${deployments}/${name}`);
    const owners = (live["metadata"] as { managedFields: { manager: string; fieldsV1: Record<string, Record<string, unknown>> }[] }).managedFields
      .filter(({ fieldsV1 }) => fieldsV1["f:spec"]?.["f:replicas"] !== undefined)
      .map((entry) => entry.manager);
    expect(owners).toContain(manager);
    await plugin.delete(DEPLOYMENT, updated);
  });

  test("an ignored field that nobody else owns stays as it is", async () => {
    const made = await plugin.make(CONFIG_MAP, configMap("kept", { level: "info", other: "1" }));
    const news = await inputsOf(CONFIG_MAP, configMap("kept", { level: "info", other: "2" }), made.inputs);
    const updated = await plugin.update(CONFIG_MAP, made, news, { ignoreChanges: ["data.level"] });
    expect(updated.outputs["data"]).toEqual({ level: "info", other: "2" });
  });

  test("another field manager takes over, and the former one gives up", async () => {
    const made = await plugin.make(CONFIG_MAP, configMap("renamed", { level: "info" }));
    const mine = { "pulumi.com/patchFieldManager": "mine", ...annotations };
    const news = await inputsOf(CONFIG_MAP, { metadata: { name: "renamed", annotations: mine }, data: { level: "info" } }, made.inputs);
    expect((await plugin.update(CONFIG_MAP, made, news)).outputs["__fieldManager"]).toBe("mine");
    expect(managersOf(await api.call("GET", `${maps}/renamed`))).toEqual(["mine Apply"]);
  });
}
