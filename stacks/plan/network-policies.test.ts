import { type Connection, passes } from "../../tests/support/network-walk";
import { type FlowInput, flowProblems, networkPolicies, type OwnedFlow } from "./network-policies";

const TRAEFIK = { namespace: "kube-system", labels: { app: "traefik" }, ports: [8443] };
const flow = (more: Partial<OwnedFlow>): OwnedFlow => ({ of: "shop", owner: "shop", direction: "out", peer: "db", port: 5432, why: "orders", ...more });

const input = (flows: readonly OwnedFlow[], more: Partial<FlowInput> = {}): FlowInput => ({
  environment: "dev",
  domain: "example.org",
  network: { subnet: "10.20.0.0/24", nodes: ["10.20.0.12"] },
  routes: TRAEFIK,
  balancers: ["kube-system"],
  namespaces: ["shop", "db"],
  flows,
  ...more,
});

const walk = (flows: readonly OwnedFlow[], connection: Connection) => passes(networkPolicies(input(flows)), connection);

const shop = { namespace: "shop" };
const db = { namespace: "db" };
const traefik = { namespace: "kube-system", labels: { app: "traefik" } };
const node = { address: "10.20.0.12" };
const neighbour = { address: "10.20.0.99" };
const internet = { address: "203.0.113.7" };

test("a namespace without flows is asked by nobody and asks nobody but the cluster's DNS", () => {
  expect(networkPolicies(input([])).get("shop")).toEqual({
    ingress: [],
    egress: [
      {
        to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } }, podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ],
  });
  const dns = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };
  expect(walk([], { from: shop, to: dns, port: 53, protocol: "UDP" })).toBe(true);
  expect(walk([], { from: shop, to: { namespace: "kube-system", labels: { app: "other" } }, port: 53, protocol: "UDP" })).toBe(false);
});

interface Case {
  declared: Partial<OwnedFlow>;
  passes: Connection[];
  refused: Connection[];
}

const CASES: Record<string, Case> = {
  "out to a namespace: let in there by the same word": {
    declared: {},
    passes: [{ from: shop, to: db, port: 5432 }],
    refused: [
      { from: db, to: shop, port: 5432 },
      { from: shop, to: db, port: 5433 },
      { from: shop, to: db, port: 5432, protocol: "UDP" },
      { from: { namespace: "other" }, to: db, port: 5432 },
    ],
  },
  "in from a namespace: let out there by the same word": {
    declared: { of: "db", direction: "in", peer: "shop" },
    passes: [{ from: shop, to: db, port: 5432 }],
    refused: [{ from: traefik, to: db, port: 5432 }],
  },
  "between pods of one namespace": {
    declared: { direction: "in", peer: "shop", port: 9000 },
    passes: [{ from: shop, to: shop, port: 9000 }],
    refused: [{ from: shop, to: shop, port: 9001 }],
  },
  "in from routes": {
    declared: { direction: "in", peer: "routes", port: 80 },
    passes: [{ from: traefik, to: shop, port: 80 }],
    refused: [
      { from: { namespace: "kube-system", labels: { app: "other" } }, to: shop, port: 80 },
      { from: node, to: shop, port: 80 },
    ],
  },
  "in from the Kubernetes API": {
    declared: { direction: "in", peer: "cluster", port: 10250 },
    passes: [{ from: node, to: shop, port: 10250 }],
    refused: [{ from: neighbour, to: shop, port: 10250 }],
  },
  "out to the Kubernetes API": {
    declared: { peer: "cluster", port: 6443 },
    passes: [{ from: shop, to: node, port: 6443 }],
    refused: [{ from: shop, to: neighbour, port: 6443 }],
  },
  "out to a name of the internet: nothing of the homelab": {
    declared: { peer: "https://api.example.com", port: 443 },
    passes: [{ from: shop, to: internet, port: 443 }],
    refused: [
      { from: shop, to: internet, port: 80 },
      { from: shop, to: node, port: 443 },
      { from: shop, to: { address: "192.168.7.7" }, port: 443 },
      { from: shop, to: { address: "169.254.169.254" }, port: 443 },
    ],
  },
  "out to a name of the homelab: its machines, and this cluster's own balancer behind them": {
    declared: { peer: "https://vault.example.org", port: 443 },
    passes: [
      { from: shop, to: neighbour, port: 443 },
      { from: shop, to: traefik, port: 8443 },
      { from: shop, to: { namespace: "kube-system" }, port: 443 },
    ],
    refused: [
      { from: shop, to: internet, port: 443 },
      { from: shop, to: neighbour, port: 8200 },
    ],
  },
  "in from the homelab": {
    declared: { direction: "in", peer: "homelab", port: 4222 },
    passes: [{ from: neighbour, to: shop, port: 4222 }],
    refused: [{ from: internet, to: shop, port: 4222 }],
  },
  "out to an address of the homelab": {
    declared: { peer: "http://10.20.0.3", port: 80 },
    passes: [{ from: shop, to: { address: "10.20.0.3" }, port: 80 }],
    refused: [{ from: shop, to: internet, port: 80 }],
  },
  "out to another address": {
    declared: { peer: "1.1.1.1/32", port: 53, protocol: "UDP" },
    passes: [{ from: shop, to: { address: "1.1.1.1" }, port: 53, protocol: "UDP" }],
    refused: [{ from: shop, to: { address: "1.1.1.2" }, port: 53, protocol: "UDP" }],
  },
  "of a node: no pod's": { declared: { of: "node", direction: "in", peer: "shop", port: 6443 }, passes: [], refused: [{ from: shop, to: node, port: 6443 }] },
};

test.each(Object.entries(CASES))("%s", (_, { declared, passes: through, refused }) => {
  const flows = [flow(declared)];
  expect(flowProblems(input(flows))).toEqual([]);
  expect(through.filter((connection) => !walk(flows, connection))).toEqual([]);
  expect(refused.filter((connection) => walk(flows, connection))).toEqual([]);
  // Without the declared flows no connection is allowed.
  expect(through.filter((connection) => walk([], connection))).toEqual([]);
});

test("rules with the same other end are one, whatever the order of the flows", () => {
  const flows = [flow({ port: 2 }), flow({ port: 1 }), flow({ port: 2, why: "again" }), flow({ peer: "cluster", port: 6443 })];
  const policies = networkPolicies(input(flows));
  expect(policies).toEqual(networkPolicies(input(flows.toReversed())));
  expect(
    policies
      .get("shop")
      ?.egress.slice(1)
      .map(({ ports }) => ports.map(({ port }) => port)),
  ).toEqual([[6443], [1, 2]]);
});

test("where no routes are served, nobody is let in by them", () => {
  const policies = networkPolicies(input([flow({ direction: "in", peer: "routes", port: 80 })], { routes: undefined }));
  expect(policies.get("shop")?.ingress).toEqual([]);
});

test("a flow with nobody, and one about a namespace of others, is refused by its words", () => {
  const flows = [flow({ peer: "cache" }), flow({ of: "cache", peer: "shop" })];
  const known = "a namespace (shop, db), cluster, routes, homelab, a CIDR or a URL";
  expect(flowProblems(input(flows))).toEqual([
    `dev: shop: the flow "orders" is with "cache", which dev does not have; the other end is ${known}`,
    'dev: shop: the flow "orders" is about the namespace cache, which shop does not make',
  ]);
});

test("a range of ports is let through from its first to its last, and nothing beside it", () => {
  const flows = [flow({ port: 10_000, endPort: 30_000 }), flow({ port: 10_000 })];
  expect(flowProblems(input(flows))).toEqual([]);
  const at = (port: number) => walk(flows.slice(0, 1), { from: shop, to: db, port });
  expect([9_999, 10_000, 20_000, 30_000, 30_001].map(at)).toEqual([false, true, true, true, false]);
  expect(networkPolicies(input(flows)).get("db")?.ingress[0]?.ports).toEqual([
    { protocol: "TCP", port: 10_000 },
    { protocol: "TCP", port: 10_000, endPort: 30_000 },
  ]);
});

test.each([
  [20, 10],
  [10, 65_536],
])("ports %d to %d are no range, and refused by name", (port, endPort) => {
  expect(flowProblems(input([flow({ port, endPort })]))).toEqual([
    `dev: shop: the flow "orders" has the ports ${port} to ${endPort}, which are no range; its end is between its beginning and 65535`,
  ]);
});
