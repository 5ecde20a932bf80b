/** In every stack, the registered policies allow the connections that modules and applications declare, and no others. */
import type { NamespacePolicy } from "../../components/base/network-policy";
import { loadEstate } from "../../stacks/load/estate";
import { planEstate, type StackPlan } from "../../stacks/plan/plan";
import { type Connection, type End, passes } from "../support/network-walk";
import { plain, type Registered } from "../support/pulumi-mocks";
import { ownRuns } from "../support/stack-run";

const { names: STACK_NAMES, registeredBy } = ownRuns();

const estate = loadEstate();
const plans = planEstate(estate);
/** The common beginning of the network's addresses. */
const OWN_NETWORK = estate.site.subnet.replace(/\.\d+\/\d+$/, ".");
/** The VM of the cluster to which the homelab's names resolve. */
const SERVICES_VM = [...plans.values()].find(({ platform }) => platform.modules.some(({ name }) => name === "vault"))?.clusterVm ?? "";
const planOf = (stack: string): StackPlan => {
  const plan = plans.get(stack);
  if (plan === undefined) throw new Error(stack);
  return plan;
};

const TRAEFIK: End = { namespace: "kube-system", labels: { "app.kubernetes.io/name": "traefik" } };
const ISTIO: End = { namespace: "istio-system", labels: { istio: "ingressgateway" } };
const INTERNET: End = { address: "203.0.113.7" };
const nodeOf = ({ clusterVm }: StackPlan): End => ({ address: estate.vms.get(clusterVm)?.cloudInit.ipv4.address ?? "" });

/** The other end of a flow. Computed here from the meaning of the words, without the code that makes policies. */
function endOf(peer: string, plan: StackPlan): End {
  const { domain, piholeUrl } = estate.site;
  if (peer === "cluster") return nodeOf(plan);
  if (peer === "routes") return plan.platform.modules.some(({ name }) => name === "istio") ? ISTIO : TRAEFIK;
  if (peer === "homelab" || peer.endsWith(`.${domain}`)) return { address: estate.vms.get(SERVICES_VM)?.cloudInit.ipv4.address ?? "" };
  if (peer === piholeUrl) return { address: new URL(piholeUrl).hostname };
  if (peer.startsWith("https://")) return INTERNET;
  // A network is represented by its first address.
  const [, network] = /^([\d.]+)\/\d+$/.exec(peer) ?? [];
  return network === undefined ? { namespace: peer } : { address: network };
}

interface Declared extends Connection {
  why: string;
  /** The last port of a range; the port itself without a range. */
  endPort: number;
}

function declared(plan: StackPlan): Declared[] {
  const flows = [
    ...plan.platform.modules.flatMap(({ parts }) => parts.flows.map((flow) => ({ ...flow, of: flow.of ?? parts.namespaces[0] ?? "" }))),
    ...plan.apps.flatMap(({ name, flows: own = [], spec: { ports }, references }) => [
      ...own.map((flow) => ({ ...flow, of: name })),
      ...ports.flatMap(({ host, port }) => (host === undefined ? [] : [{ direction: "in" as const, of: name, peer: "routes", port, why: "route" }])),
      ...[...references.values()].flatMap((value) =>
        "image" in value ? [] : [{ direction: "out" as const, of: name, peer: "homelab", port: 443, why: `of ${value.from}` }],
      ),
    ]),
  ];
  return flows
    .filter(({ of }) => of !== "node")
    .map((flow) => {
      const { direction, of, peer, port, why } = flow;
      const protocol = "protocol" in flow ? (flow.protocol ?? "TCP") : "TCP";
      const [own, other] = [{ namespace: of }, endOf(peer, plan)];
      const endPort = "endPort" in flow ? (flow.endPort ?? port) : port;
      return { ...(direction === "in" ? { from: other, to: own } : { from: own, to: other }), port, endPort, protocol, why };
    });
}

interface Registration {
  metadata: { namespace: string; labels?: Record<string, string>; name: string };
  spec: NamespacePolicy & { podSelector: object; policyTypes: string[] };
}

const objectsOf = (registered: readonly Registered[], type: string): Registration[] =>
  registered.filter((resource) => resource.type === type).map(({ inputs }) => plain(inputs) as Registration);

describe.each(STACK_NAMES)("in %s", (stack) => {
  let namespaces: Registration[];
  let policies: Map<string, NamespacePolicy>;
  beforeAll(async () => {
    const registered = await registeredBy(stack);
    namespaces = objectsOf(registered, "kubernetes:core/v1:Namespace");
    const objects = objectsOf(registered, "kubernetes:networking.k8s.io/v1:NetworkPolicy");
    expect(objects.map(({ spec }) => [spec.podSelector, spec.policyTypes])).toEqual(objects.map(() => [{}, ["Ingress", "Egress"]]));
    policies = new Map(objects.map(({ metadata, spec }) => [metadata.namespace, spec]));
  });

  test("each namespace has a policy of all its pods, and a level of security", () => {
    expect([...policies.keys()].toSorted()).toEqual(namespaces.map(({ metadata }) => metadata.name).toSorted());
    for (const { metadata } of namespaces) expect(metadata.labels?.["pod-security.kubernetes.io/enforce"]).toMatch(/^(privileged|baseline|restricted)$/);
  });

  test("each declared flow passes", () => {
    const all = declared(planOf(stack));
    expect(all.length).toBeGreaterThan(5);
    expect(all.filter((connection) => !passes(policies, connection))).toEqual([]);
  });

  test("nothing else passes: no namespace reaches another one, the internet, the homelab or the API by an undeclared port", () => {
    const all = declared(planOf(stack));
    const names = [...policies.keys()];
    const ends: End[] = [...names.map((namespace) => ({ namespace })), { namespace: "default" }, TRAEFIK, nodeOf(planOf(stack)), INTERNET];
    const ports = [22, 80, 443, 5432, 6379, 6443, 8200, 9000, 10250];
    const same = (a: End, b: End): boolean => JSON.stringify(a) === JSON.stringify(b);
    const sample = names.flatMap((namespace) =>
      ends.flatMap((other) =>
        ports.flatMap((port): Connection[] => [
          { from: { namespace }, to: other, port },
          { from: other, to: { namespace }, port },
        ]),
      ),
    );
    // A name of the homelab may resolve to a machine or to the cluster's own balancer. One declared flow allows both.
    const isDeclared = (one: Connection): boolean =>
      all.some(
        (flow) =>
          flow.port <= one.port &&
          one.port <= flow.endPort &&
          ((same(flow.from, one.from) && same(flow.to, one.to)) ||
            (same(flow.to, one.to) && "address" in flow.from && flow.from.address.startsWith(OWN_NETWORK) && same(one.from, TRAEFIK)) ||
            (same(flow.to, one.to) && "address" in flow.from && same(one.from, nodeOf(planOf(stack)))) ||
            (same(flow.from, one.from) &&
              "address" in flow.to &&
              flow.to.address.startsWith(OWN_NETWORK) &&
              (same(one.to, TRAEFIK) || same(one.to, nodeOf(planOf(stack)))))),
      );
    const undeclared = sample.filter((one) => !isDeclared(one));
    expect(undeclared.length).toBeGreaterThan(100);
    expect(undeclared.filter((one) => passes(policies, one))).toEqual([]);
  });
});
