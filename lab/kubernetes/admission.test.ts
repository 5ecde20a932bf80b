/** Webhooks of charts, as a client sees them: which are called, which errors come before they answer, and that they then admit. */
import { Agent, request } from "undici";
import { parse } from "yaml";
import { LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import type { KubeObject } from ".";
import { at } from "./objects";

const ADDRESS = "192.168.1.12";
const JETSTACK = ["https://charts.jetstack.io", "cert-manager", "v1.21.1"] as const;

let world: LabWorld;
let dev: WorldCluster;
let dispatcher: Agent;
beforeEach(async () => {
  world = await LabWorld.start();
  dev = await world.cluster("dev", ADDRESS);
  const config = parse(dev.cluster.adminKubeconfig()) as { users: { user: Record<string, string> }[] };
  const pem = (key: string): string => Buffer.from(config.users[0]?.user[key] ?? "", "base64").toString();
  dispatcher = new Agent({ connect: { rejectUnauthorized: false, cert: pem("client-certificate-data"), key: pem("client-key-data") } });
  await dev.namespace("app");
});
afterEach(async () => {
  await dispatcher.close();
  await world.stop();
});

async function ask(method: "POST" | "PUT" | "PATCH" | "DELETE", route: string, body?: object): Promise<[status: number, message: string]> {
  const answer = await request(`https://127.0.0.1:${world.ctx.network.resolve(ADDRESS, 6443)?.port}${route}`, {
    method,
    dispatcher,
    headers: { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const said = (await answer.body.json()) as { message?: string; kind: string };
  return [answer.statusCode, said.message ?? said.kind];
}

const issuer = (name: string) => ({ apiVersion: "cert-manager.io/v1", kind: "Issuer", metadata: { name }, spec: { selfSigned: {} } });
const ISSUERS = "/apis/cert-manager.io/v1/namespaces/app/issuers";
const CALL =
  'failed calling webhook "webhook.cert-manager.io": failed to call webhook: Post "https://cert-manager-webhook.cert-manager.svc:443/validate?timeout=30s"';
const failed = (why: string): [number, string] => [500, `Internal error occurred: ${CALL}: ${why}`];

/** The chart's objects, without some of them. */
async function install(values: object, left: (object: KubeObject) => boolean): Promise<void> {
  const [repository, chart, version] = JETSTACK;
  const { manifests, crds } = await world.render({ repository, chart, version, namespace: "cert-manager", values });
  await dev.namespace("cert-manager");
  for (const object of [...crds, ...manifests]) if (!left(object)) dev.create(object);
  await world.settled();
}
const isWebhook = ({ metadata }: KubeObject): boolean => metadata.name === "cert-manager-webhook";
const isInjector = ({ metadata }: KubeObject): boolean => metadata.name === "cert-manager-cainjector";

test("cert-manager's webhook is not there, then has no endpoints, then is not trusted, and then admits", async () => {
  const objects: KubeObject[] = [];
  await install({ crds: { enabled: true } }, (object) => {
    const later = ["Service", "Deployment"].includes(object.kind) && (isWebhook(object) || isInjector(object));
    if (later) objects.push(object);
    return later;
  });
  const add = async (wanted: (object: KubeObject) => boolean): Promise<void> => {
    for (const object of objects.filter(wanted)) dev.create(object);
    await world.settled();
  };
  expect(await ask("POST", ISSUERS, issuer("a"))).toEqual(failed('service "cert-manager-webhook" not found'));
  await add((object) => isWebhook(object) && object.kind === "Service");
  expect(await ask("POST", ISSUERS, issuer("a"))).toEqual(failed('no endpoints available for service "cert-manager-webhook"'));
  await add((object) => isWebhook(object) && object.kind === "Deployment");
  expect(await ask("POST", ISSUERS, issuer("a"))).toEqual(failed("tls: failed to verify certificate: x509: certificate signed by unknown authority"));
  expect(await ask("POST", `${ISSUERS}?dryRun=All`, issuer("a"))).toEqual(
    failed("tls: failed to verify certificate: x509: certificate signed by unknown authority"),
  );
  expect(dev.find("cert-manager.io/v1", "Issuer", "app", "a")).toBeUndefined();
  await add(isInjector);
  expect(await ask("POST", `${ISSUERS}?dryRun=All`, issuer("a"))).toEqual([201, "Issuer"]);
  expect(await ask("POST", ISSUERS, issuer("a"))).toEqual([201, "Issuer"]);
  expect(world.ctx.unhandled.all()).toEqual([]);
});

test("a moment passes between a webhook's pod and its authority", async () => {
  await world.stop();
  let release = (): void => undefined;
  const waiting = new Promise<void>((resolve) => {
    release = resolve;
  });
  const latency = { of: (name: string) => (name === "kubernetes.webhook-trusted" ? 1 : 0) };
  world = await LabWorld.start({ clock: { now: () => Date.now(), sleep: (ms) => (ms > 0 ? waiting : Promise.resolve()) }, latency });
  dev = await world.cluster("dev", ADDRESS);
  await install({ crds: { enabled: true } }, () => false);
  const bundle = (): unknown =>
    at(
      dev.find("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", undefined, "cert-manager-webhook"),
      "webhooks",
      0,
      "clientConfig",
      "caBundle",
    );
  expect(bundle()).toBeUndefined();
  release();
  await waiting;
  await world.settled();
  expect(Buffer.from(String(bundle()), "base64").toString()).toMatch(/^-----BEGIN CERTIFICATE-----/);
});

test("External Secrets' webhooks are made trusted by its cert controller; a deletion asks them too", async () => {
  await dev.install("https://charts.external-secrets.io", "external-secrets", "2.9.0");
  const stores = "/apis/external-secrets.io/v1/namespaces/app/secretstores";
  const store = {
    ...{ apiVersion: "external-secrets.io/v1", kind: "SecretStore", metadata: { name: "s" } },
    spec: { provider: { vault: { server: "https://vault.example.org", path: "kv", version: "v2", auth: { tokenSecretRef: { name: "t", key: "t" } } } } },
  };
  expect(await ask("POST", stores, store)).toEqual([201, "SecretStore"]);
  dev.modify("apps/v1", "Deployment", "external-secrets", "external-secrets-webhook", (o) => ({ ...o, spec: { ...(o["spec"] as object), replicas: 0 } }));
  await world.settled();
  const gone =
    'failed calling webhook "validate.secretstore.external-secrets.io": failed to call webhook: Post "https://external-secrets-webhook.external-secrets.svc:443/validate-external-secrets-io-v1-secretstore?timeout=5s": no endpoints available for service "external-secrets-webhook"';
  for (const call of [ask("DELETE", `${stores}/s`), ask("PATCH", `${stores}/s`, { metadata: { labels: { a: "b" } } }), ask("DELETE", stores)])
    expect(await call).toEqual([500, `Internal error occurred: ${gone}`]);
  expect(await ask("DELETE", `${stores}/s?dryRun=All`)).toEqual([500, `Internal error occurred: ${gone}`]);
  expect(dev.find("external-secrets.io/v1", "SecretStore", "app", "s")).toBeDefined();
});

describe("which requests are asked about", () => {
  const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["*"], resources: ["configmaps"] };
  const configure = (webhook: object): void => {
    dev.create({
      ...{ apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration", metadata: { name: "w" } },
      webhooks: [
        {
          ...{ name: "w.example.org", rules: [rule], sideEffects: "None", admissionReviewVersions: ["v1"], failurePolicy: "Fail", timeoutSeconds: 7 },
          ...{ clientConfig: { service: { name: "w", namespace: "app", port: 8443 } }, ...webhook },
        },
      ],
    });
  };
  const MAPS = "/api/v1/namespaces/app/configmaps";
  const map = { metadata: { name: "m", labels: { tier: "one" } } };
  const asked = async (method: "POST" | "DELETE" | "PATCH" = "POST", route = MAPS, body: object | undefined = map): Promise<boolean> => {
    const [status, message] = await ask(method, route, body);
    if (status === 500)
      expect(message).toBe(
        'Internal error occurred: failed calling webhook "w.example.org": failed to call webhook: Post "https://w.app.svc:8443/?timeout=7s": service "w" not found',
      );
    return status === 500;
  };

  test.each<[what: string, webhook: object, expected: boolean]>([
    ["all", {}, true],
    ["failures ignored", { failurePolicy: "Ignore" }, false],
    ["another group", { rules: [{ ...rule, apiGroups: ["apps"] }] }, false],
    ["any group, any version", { rules: [{ ...rule, apiGroups: ["*"], apiVersions: ["*"] }] }, true],
    ["another version", { rules: [{ ...rule, apiVersions: ["v2"] }] }, false],
    ["another operation", { rules: [{ ...rule, operations: ["UPDATE", "DELETE"] }] }, false],
    ["another resource", { rules: [{ ...rule, resources: ["secrets"] }] }, false],
    ["any resource", { rules: [{ ...rule, resources: ["*"] }] }, true],
    ["any sub-resource of it", { rules: [{ ...rule, resources: ["configmaps/*"] }] }, true],
    ["one sub-resource alone", { rules: [{ ...rule, resources: ["*/status"] }] }, false],
    ["what lies in no namespace", { rules: [{ ...rule, scope: "Cluster" }] }, false],
    ["what lies in a namespace", { rules: [{ ...rule, scope: "Namespaced" }] }, true],
    ["labels of the object", { objectSelector: { matchLabels: { tier: "one" } } }, true],
    ["other labels of the object", { objectSelector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["one"] }] } }, false],
    ["labels of the namespace", { namespaceSelector: { matchExpressions: [{ key: "checked", operator: "DoesNotExist" }] } }, true],
    ["other labels of the namespace", { namespaceSelector: { matchLabels: { checked: "yes" } } }, false],
  ])("%s", async (_what, webhook, expected) => {
    configure(webhook);
    expect(await asked()).toBe(expected);
  });

  test("a namespace is chosen by its own labels, a sub-resource by its name", async () => {
    await dev.namespace("plain");
    await dev.namespace("checked", { checked: "yes" });
    configure({ namespaceSelector: { matchLabels: { checked: "yes" } }, rules: [{ ...rule, resources: ["namespaces"] }] });
    const label = { metadata: { labels: { x: "y" } } };
    expect([await asked("PATCH", "/api/v1/namespaces/plain", label), await asked("PATCH", "/api/v1/namespaces/checked", label)]).toEqual([false, true]);
    expect(await asked("PATCH", "/api/v1/namespaces/checked/status", label)).toBe(false);
  });

  test("no webhook is called for webhook configurations, so that one that does not answer can be removed", async () => {
    configure({ rules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }] });
    expect(await ask("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/w")).toEqual([200, "Status"]);
    expect(await asked()).toBe(false);
  });

  test("what the lab does not model of a webhook is a failure of its call, and noted", async () => {
    configure({ matchConditions: [{ name: "c", expression: "true" }] });
    expect(await ask("POST", MAPS, map)).toEqual([
      500,
      'Internal error occurred: failed calling webhook "w.example.org": matchConditions is not modelled by the lab',
    ]);
    expect(world.ctx.unhandled.all()).toMatchObject([{ what: "webhook w.example.org with matchConditions" }]);
  });

  test("a dry run is refused by a webhook that may have effects", async () => {
    configure({ sideEffects: "Some" });
    expect(await ask("POST", `${MAPS}?dryRun=All`, map)).toEqual([400, 'admission webhook "w.example.org" does not support dry run']);
  });
});

test("faults: a webhook that refuses, and one that does not answer", async () => {
  await dev.install(...JETSTACK, { crds: { enabled: true } });
  world.ctx.faults.queue({ name: "kubernetes.webhook-denies", target: "webhook.cert-manager.io", parameters: { message: "no" } });
  expect(await ask("POST", ISSUERS, issuer("a"))).toEqual([403, 'admission webhook "webhook.cert-manager.io" denied the request: no']);
  world.ctx.faults.queue({ name: "kubernetes.webhook-silent" });
  expect(await ask("POST", ISSUERS, issuer("a"))).toEqual(failed("context deadline exceeded"));
  expect(await ask("POST", ISSUERS, issuer("a"))).toEqual([201, "Issuer"]);
});
