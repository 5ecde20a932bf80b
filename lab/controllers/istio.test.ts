import { inLabWorld, type LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import { findChart, renderChart } from "../artefacts/charts";
import type { KubeObject } from "../kubernetes";
import { at, listAt } from "../kubernetes/objects";

const REPOSITORY = "https://istio-release.storage.googleapis.com/charts";
const API = "networking.istio.io/v1";
let world: LabWorld;
let dev: WorldCluster;

/** What a release makes, as Helm would apply it. */
function install(name: string, release: string, values: object): void {
  const chart = findChart(REPOSITORY, name, "1.30.3");
  if (chart === undefined) throw new Error(`no stand-in for ${name}`);
  const { manifests } = renderChart(chart, { name: release, namespace: "istio-system", values: { ...values }, kubeVersion: "v1.36.2+k3s1" });
  for (const manifest of manifests) dev.create(manifest as never);
}

const application = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "shop", namespace: "shop" },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "shop" } },
    template: { metadata: { labels: { app: "shop" } }, spec: { containers: [{ name: "shop", image: "r/shop:1", ports: [{ containerPort: 8080 }] }] } },
  },
};

inLabWorld(async (made) => {
  ({ world, dev } = made);
  await dev.namespace("istio-system");
  dev.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", labels: { "istio-injection": "enabled" } } });
  install("base", "istio-base", { defaultRevision: "default" });
  await world.settled();
});

const podsOf = (namespace: string): KubeObject[] => dev.all("v1", "Pod", namespace);
const images = (namespace: string): unknown[] =>
  podsOf(namespace).flatMap((pod) => [...listAt(pod, "spec", "initContainers"), ...listAt(pod, "spec", "containers")].map(({ image }) => image));

test("a gateway before istiod cannot get its image; after istiod it has the proxy's", async () => {
  install("gateway", "istio-ingressgateway", { autoscaling: { enabled: false } });
  await world.settled();
  expect(images("istio-system")).toEqual(["auto"]);
  expect(at(podsOf("istio-system")[0], "status", "phase")).toBe("Pending");
  for (const pod of podsOf("istio-system")) dev.remove("v1", "Pod", "istio-system", pod.metadata.name);
  dev.remove("apps/v1", "Deployment", "istio-system", "istio-ingressgateway");
  await world.settled();

  install("istiod", "istiod", { autoscaleEnabled: false });
  await world.settled();
  dev.create({
    ...application,
    metadata: { name: "gateway", namespace: "istio-system" },
    spec: {
      ...application.spec,
      template: { metadata: { labels: { app: "shop", "sidecar.istio.io/inject": "true" } }, spec: { containers: [{ name: "istio-proxy", image: "auto" }] } },
    },
  });
  await world.settled();
  expect(images("istio-system").toSorted()).toEqual(["registry.istio.io/release/pilot:1.30.3", "registry.istio.io/release/proxyv2:1.30.3"]);
});

test("pods of a namespace of the mesh wait for the webhook, and get a proxy that starts before them", async () => {
  install("istiod", "istiod", { autoscaleEnabled: false, replicaCount: 0 });
  dev.create(application as never);
  await world.settled();
  expect(podsOf("shop")).toEqual([]);
  const set = dev.all("apps/v1", "ReplicaSet", "shop")[0];
  expect(listAt(set, "status", "conditions")[0]).toMatchObject({
    type: "ReplicaFailure",
    message: expect.stringContaining('failed calling webhook "namespace.sidecar-injector.istio.io"'),
  });
  dev.modify("apps/v1", "Deployment", "istio-system", "istiod", (live) => ({ ...live, spec: { ...(live["spec"] as object), replicas: 1 } }));
  await world.settled();
  expect(images("shop")).toEqual(["registry.istio.io/release/proxyv2:1.30.3", "r/shop:1"]);
  expect(listAt(podsOf("shop")[0], "spec", "initContainers")[0]).toMatchObject({ name: "istio-proxy", restartPolicy: "Always" });
});

test("a host of a VirtualService leads to its service, once the gateway runs and serves the host", async () => {
  install("istiod", "istiod", { autoscaleEnabled: false });
  dev.create(application as never);
  dev.create({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "shop", namespace: "shop" },
    spec: { selector: { app: "shop" }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  const routes = dev.controllers.routes[1];
  const spec = { hosts: ["shop.pw"], gateways: ["istio-system/g"], http: [{ route: [{ destination: { host: "shop", port: { number: 80 } } }] }] };
  dev.create({ apiVersion: API, kind: "VirtualService", metadata: { name: "shop", namespace: "shop" }, spec });
  const servers = [{ port: { number: 443, name: "https", protocol: "HTTPS" }, hosts: ["shop.pw"], tls: { mode: "SIMPLE", credentialName: "tls" } }];
  dev.create({
    apiVersion: API,
    kind: "Gateway",
    metadata: { name: "g", namespace: "istio-system" },
    spec: { selector: { istio: "ingressgateway" }, servers },
  });
  await world.settled();
  expect([routes?.has("shop.pw"), routes?.find("shop.pw", "/")]).toEqual([false, undefined]);
  install("gateway", "istio-ingressgateway", { autoscaling: { enabled: false } });
  await world.settled();
  expect(routes?.has("shop.pw")).toBe(true);
  expect(routes?.find("shop.pw", "/")).toEqual({ kind: "page", text: "shop in shop of dev: 1 pod(s) ready in the lab\n" });
  expect(routes?.find("other.pw", "/")).toBeUndefined();
  expect(routes?.certificate("shop.pw")).toBeUndefined();
  const data = { "tls.crt": Buffer.from("CERT").toString("base64"), "tls.key": Buffer.from("KEY").toString("base64") };
  dev.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "tls", namespace: "istio-system" }, data } as never);
  expect(routes?.certificate("shop.pw")).toEqual({ cert: "CERT", key: "KEY" });
});
