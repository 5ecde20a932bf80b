/** Objects that the cluster does not take yet: in which words that is reported, within which time, and that the next run goes on. */
import { provider } from "../../../providers/kubernetes/provider";
import type { Values } from "../../../providers/sdk/values";
import { TestProvider } from "../../support/test-provider";
import { type Body, eventually, isServed, type KubernetesUnderTest } from "./under-test";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const WIDGET = "kubernetes:test.example.org/v1:Widget";
const WIDGETS = "/apis/test.example.org/v1/namespaces/default/widgets";
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

const definition = {
  ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: "widgets.test.example.org" } },
  spec: {
    ...{ group: "test.example.org", scope: "Namespaced" },
    names: { kind: "Widget", listKind: "WidgetList", plural: "widgets", singular: "widget" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: anything } }],
  },
};
/** Its service does not exist. */
const webhook = {
  ...{ apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration", metadata: { name: "check" } },
  webhooks: [
    {
      ...{ name: "check.example.org", sideEffects: "None", admissionReviewVersions: ["v1"], failurePolicy: "Fail", timeoutSeconds: 1 },
      clientConfig: { service: { namespace: "default", name: "nowhere", path: "/" }, caBundle: "" },
      rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
      objectSelector: { matchLabels: { checked: "yes" } },
    },
  ],
};

/** @param start an API without controllers: a namespace that is deleted stays until the test ends it */
export function admittedSuite(start: () => Promise<KubernetesUnderTest>): void {
  let api: KubernetesUnderTest;
  let plugin: TestProvider;
  beforeAll(async () => {
    api = await start();
    plugin = await TestProvider.start(provider, { kubeconfig: api.kubeconfig });
  });
  afterAll(async () => {
    await plugin.close();
    await api.stop();
    expect(api.unhandled()).toEqual([]);
  });

  const create = async (type: string, news: Values, options: { timeout?: number } = {}) =>
    plugin.create(type, (await plugin.check(type, news)).inputs, options);
  const refusal = (type: string, news: Values, options: { timeout?: number } = {}): Promise<string> =>
    create(type, news, options).then(
      () => "it was made",
      (thrown: unknown) => (thrown as Error).message,
    );

  test("a kind whose definition does not come is named, and made once the definition is there", async () => {
    const widget = { apiVersion: "test.example.org/v1", kind: "Widget", metadata: { name: "first" }, spec: { size: 1 } };
    expect(await refusal(WIDGET, widget)).toContain('no matches for kind "Widget" in version "test.example.org/v1"');
    await api.call("POST", DEFINITIONS, definition);
    await isServed(api, WIDGETS);
    expect((await create(WIDGET, widget)).id).toBe("default/first");
  });

  test("a namespace that is being deleted takes nothing, and says so at once; a new one of its name does", async () => {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "leaving", finalizers: ["test.example.org/held"] } };
    await api.call("POST", "/api/v1/namespaces", namespace);
    await api.call("DELETE", "/api/v1/namespaces/leaving");
    const news = { metadata: { name: "late", namespace: "leaving" }, data: { a: "1" } };
    expect(await refusal(CONFIG_MAP, news)).toContain(
      'configmaps "late" is forbidden: unable to create new content in namespace leaving because it is being terminated',
    );
    const left = (await api.call("GET", "/api/v1/namespaces/leaving")) as { metadata: Body };
    await api.call("PUT", "/api/v1/namespaces/leaving", { ...left, metadata: { ...left.metadata, finalizers: [] } });
    const rest = (await api.call("GET", "/api/v1/namespaces/leaving").catch(() => undefined)) as { spec: Body } | undefined;
    if (rest !== undefined) await api.call("PUT", "/api/v1/namespaces/leaving/finalize", { ...rest, spec: { finalizers: [] } });
    await eventually(async () => expect(await api.call("GET", "/api/v1/namespaces/leaving").catch(() => "gone")).toBe("gone"));
    await api.call("POST", "/api/v1/namespaces", { ...namespace, metadata: { name: "leaving" } });
    await eventually(async () => expect((await create(CONFIG_MAP, news)).id).toBe("leaving/late"));
  });

  test("a webhook that cannot be reached is reported in the words of the API; without it the object is made", async () => {
    await api.call("POST", WEBHOOKS, webhook);
    const news = { metadata: { name: "checked", labels: { checked: "yes" } }, data: { a: "1" } };
    let said = "";
    await eventually(async () => {
      said = await refusal(CONFIG_MAP, { ...news, metadata: { ...news.metadata, name: `checked-${Date.now()}` } });
      expect(said).not.toBe("it was made");
    });
    expect(said).toContain(
      'failed calling webhook "check.example.org": failed to call webhook: Post "https://nowhere.default.svc:443/?timeout=1s": service "nowhere" not found',
    );
    await api.call("DELETE", `${WEBHOOKS}/check`);
    await eventually(async () =>
      expect(await refusal(CONFIG_MAP, { ...news, metadata: { ...news.metadata, name: `made-${Date.now()}` } })).toBe("it was made"),
    );
  });
}
