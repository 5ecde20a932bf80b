import { meshSpec } from "../../components/base/namespace";
import { MODULES } from "../../components/platform/catalogue";
import type { Flow } from "../../components/platform/module";
import { passes } from "../../tests/support/network-walk";
import { input as inputOf, K3S, VAULT } from "../../tests/support/platform-input";
import { flowInput } from "./namespaces";
import { networkPolicies } from "./network-policies";
import { planPlatform } from "./platform";
import type { PlannedApplication, PlatformInput } from "./platform-types";

const app = (name: string, flows: readonly Flow[], hosts: readonly string[] = []): PlannedApplication => ({
  name,
  namespace: name,
  hosts: hosts.map((host) => ({ name: host, serves: "pages", route: "ingress" })),
  flows,
  podSecurity: "restricted",
  secrets: [],
  requests: { replicas: 2, cpu: "100m", memory: "128Mi" },
});

const ROW = { "cert-manager": {}, "cluster-access": {}, "external-secrets": {}, "external-dns": {}, istio: {} };
const SHOP = app("shop", [{ direction: "in", peer: "routes", port: 8080, why: "its routes" }], ["shop.example.org"]);
const STORE = app("store", [{ direction: "in", peer: "shop", port: 9000, why: "orders" }]);

/** The cluster's own ingress controller is left out: ports 80 and 443 are those of the gateway. */
const CLUSTER = { ...K3S, title: "k3s without traefik", capabilities: ["load-balancer"], ingressClasses: [] } as const;
const input = (applications: readonly PlannedApplication[], more: Partial<PlatformInput> = {}): PlatformInput =>
  inputOf(ROW, { cluster: CLUSTER, applications, given: VAULT, addresses: new Map(), ...more });

test("where the mesh serves routes they are made by its gateway, applications wait for it, and external-dns looks at its kinds", () => {
  const plan = planPlatform(input([SHOP]));
  expect(plan.place).toMatchObject({ routes: { kind: "istio", gateway: "istio-system/default-gateway" }, routeNames: ["shop.example.org"] });
  expect(plan.beforeApplications).toEqual(["istio"]);
  const dns = plan.modules.find(({ name }) => name === "external-dns");
  expect(dns?.waitsFor).toContain("istio");
  expect(dns?.parts.values["external-dns"]).toMatchObject({ sources: ["ingress", "service", "istio-gateway", "istio-virtualservice"] });
});

test("without it they are Ingresses of the cluster's class, and nobody waits", () => {
  const { istio: _, ...row } = ROW;
  const plan = planPlatform(input([SHOP], { row, cluster: K3S }));
  expect([plan.place.routes, plan.beforeApplications]).toEqual([{ kind: "ingress", className: "traefik" }, []]);
  expect(plan.namespaces.get("shop")?.mesh).toBeUndefined();
});

test("each application's namespace is in the mesh, and answers those that its flows name, by their identity", () => {
  const { namespaces } = planPlatform(input([SHOP, STORE, app("alone", [])]));
  const meshed = [...namespaces].filter(([, { mesh }]) => mesh !== undefined).map(([name]) => name);
  expect(meshed).toEqual(["shop", "store", "alone"]);
  expect(namespaces.get("shop")?.mesh).toEqual({
    labels: { "istio-injection": "enabled" },
    allow: [{ from: { principal: "cluster.local/ns/istio-system/sa/istio-ingressgateway" }, ports: [8080] }],
  });
  expect(namespaces.get("store")?.mesh?.allow).toEqual([{ from: { namespace: "shop" }, ports: [9000] }]);
  expect(meshSpec(namespaces.get("alone")?.mesh?.allow ?? [])).toEqual({});
  expect(meshSpec(namespaces.get("store")?.mesh?.allow ?? [])).toEqual({
    action: "ALLOW",
    rules: [{ from: [{ source: { namespaces: ["shop"] } }], to: [{ operation: { ports: ["9000"] } }] }],
  });
});

test("policies let the gateway reach who is asked by routes, proxies their istiod, and clients the gateway, by the balancer's pods too", () => {
  const given = input([SHOP, STORE]);
  const chosen = MODULES.filter(({ name }) => name === "istio").map((module) => ({
    module,
    options: {},
    parts: module.parts(module.options.parse({}) as never, planPlatform(given).place),
  }));
  const policies = networkPolicies(flowInput(given, chosen as never));
  const gateway = { namespace: "istio-system", labels: { istio: "ingressgateway" } };
  const [shop, store, istiod] = [{ namespace: "shop" }, { namespace: "store" }, { namespace: "istio-system", labels: { app: "istiod" } }];
  const through = [
    { from: gateway, to: shop, port: 8080 },
    { from: shop, to: istiod, port: 15012 },
    { from: store, to: istiod, port: 15012 },
    { from: gateway, to: istiod, port: 15012 },
    { from: { address: "10.0.0.50" }, to: gateway, port: 443 },
    { from: { namespace: "kube-system" }, to: gateway, port: 443 },
    { from: { address: "10.0.0.12" }, to: istiod, port: 15017 },
  ];
  const refused = [
    { from: gateway, to: store, port: 9000 },
    { from: istiod, to: shop, port: 8080 },
    { from: shop, to: istiod, port: 15010 },
    { from: { address: "203.0.113.7" }, to: gateway, port: 443 },
  ];
  expect(through.filter((connection) => !passes(policies, connection))).toEqual([]);
  expect(refused.filter((connection) => passes(policies, connection))).toEqual([]);
});

test("what proxies request is added to their applications", () => {
  const asked = planPlatform(input([SHOP])).requests.by.find(({ name }) => name === "shop");
  expect(asked).toMatchObject({ cpu: 2 * 110, memoryMiB: 2 * (128 + 64) });
});

test("a module that sends to an application is in the mesh too: it waits for it, and is let through by its identity", () => {
  const shop = app("shop", [{ direction: "in", peer: "external-dns", port: 8080, why: "looks at it" }]);
  const plan = planPlatform(input([shop]));
  expect(plan.namespaces.get("external-dns")?.mesh).toEqual({ labels: { "istio-injection": "enabled" }, allow: [] });
  expect(plan.namespaces.get("shop")?.mesh?.allow).toEqual([{ from: { namespace: "external-dns" }, ports: [8080] }]);
  expect(plan.namespaces.get("cert-manager")?.mesh).toBeUndefined();
  expect(plan.requests.by.find(({ name }) => name === "external-dns")).toMatchObject({ cpu: 20, memoryMiB: 96 });
});

test.each([
  ["homelab", 'dev: shop: the flow "a device" comes from homelab, which is not in the mesh of istio'],
  ["10.0.0.7/32", 'dev: shop: the flow "a device" comes from 10.0.0.7/32, which is not in the mesh of istio'],
])("a flow from %s to an application is refused: it has no identity", (peer, message) => {
  const shop = app("shop", [{ direction: "in", peer, port: 8080, why: "a device" }]);
  expect(() => planPlatform(input([shop]))).toThrow(message);
});

test("routes have one server: the cluster's own must be left out", () => {
  const cluster = { ...input([]).cluster, title: "k3s", capabilities: ["ingress", "load-balancer"] as const };
  expect(() => planPlatform(input([], { cluster }))).toThrow(
    'dev: istio: serves routes at the ports 80 and 443, and k3s does so too; set homelab:k3sDisable to ["traefik"], or take istio out',
  );
});
