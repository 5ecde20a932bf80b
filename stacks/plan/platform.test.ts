import fc from "fast-check";
import { ALL, app, input, KUBEADM, made, names, problemsOf, VAULT } from "../../tests/support/platform-input";
import { planPlatform } from "./platform";

test("an environment with Vault elsewhere: each module after what it needs, the catalogue's order where there is a choice", () => {
  expect(names(input(ALL, { given: VAULT }))).toEqual(["cert-manager", "cluster-access", "external-secrets", "external-dns"]);
});

test("the environment that has Vault: its entries are there before anything logs in for them", () => {
  expect(names(input({ ...ALL, vault: {}, minio: {}, "vault-entries": {} }))).toEqual([
    "cert-manager",
    "minio",
    "vault",
    "vault-entries",
    "cluster-access",
    "external-secrets",
    "external-dns",
  ]);
});

test("the order of the row's keys says nothing", () => {
  const backwards = Object.fromEntries(Object.entries(ALL).toReversed());
  expect(planPlatform(input(backwards, { given: VAULT }))).toEqual(planPlatform(input(ALL, { given: VAULT })));
});

test("a module knows the host names of all modules and applications, and what its options leave out", () => {
  const plan = planPlatform(input({ ...ALL, minio: {} }, { given: VAULT, applications: [app("shop", ["dev.shop.example.org"])] }));
  expect(plan.hosts.map(({ name, owner }) => [name, owner])).toEqual([
    ["dev.shop.example.org", "shop"],
    ["minio.example.org", "minio"],
    ["s3.example.org", "minio"],
  ]);
  const dns = plan.modules.find(({ name }) => name === "external-dns");
  expect(JSON.stringify(dns?.parts.values)).toContain(
    "^(dev\\\\\\\\.shop\\\\\\\\.example\\\\\\\\.org|minio\\\\\\\\.example\\\\\\\\.org|s3\\\\\\\\.example\\\\\\\\.org)$".replaceAll("\\\\\\\\", "\\\\"),
  );
  expect(plan.modules.find(({ name }) => name === "minio")?.options).toMatchObject({ size: "10Gi" });
});

test("a chart that the options of a module choose is the plan's", () => {
  const charts = { web: { repository: "https://charts.example.org", name: "web", version: "1.0.0", why: "somebody asked for it" } };
  expect(planPlatform(input({ one: {} }), [made("one", { charts })]).modules.map(({ charts: planned }) => planned)).toEqual([charts]);
});

test("what a module brings fills the needs of others, which come after it", () => {
  const modules = [
    made("app", { cluster: ["load-balancer"], storageClasses: ["fast"], ingressClasses: ["nginx"] }),
    made("disks", { offers: { storageClasses: ["fast"], ingressClasses: [] } }),
    made("balancer", { addresses: ["10.0.0.200-10.0.0.220"] }, { brings: ["load-balancer"] }),
    made("routes", { cluster: ["load-balancer"], offers: { storageClasses: [], ingressClasses: ["nginx"] } }, { brings: ["ingress"] }),
  ];
  expect(names(input({ app: {}, disks: {}, balancer: {}, routes: {} }, { cluster: KUBEADM }), modules)).toEqual(["disks", "balancer", "routes", "app"]);
});

test("what a module needs is there as a whole before it; what it uses is only built before", () => {
  const plan = planPlatform(input({ a: {}, b: {}, c: {} }), [made("a", { needs: ["b"], uses: ["c"] }), made("b"), made("c")]);
  expect(plan.modules.map(({ name, after, waitsFor }) => [name, after, waitsFor])).toEqual([
    ["b", [], []],
    ["c", [], []],
    ["a", ["b", "c"], ["b"]],
  ]);
  expect(problemsOf(() => planPlatform(input({ a: {} }), [made("a", { uses: ["c"] }), made("c")]))).toEqual([
    "dev: a: needs c, which nothing here provides; add c",
  ]);
});

test("what a module only comes after may be missing", () => {
  expect(names(input({ a: {} }), [made("a", { after: ["b"] }), made("b")])).toEqual(["a"]);
  expect(names(input({ a: {}, b: {} }), [made("a", { after: ["b"] }), made("b")])).toEqual(["b", "a"]);
});

/** Modules m0, m1, …, each with needs among those before it in a hidden order. */
const graphs = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.tuple(fc.shuffledSubarray([...Array(size).keys()], { minLength: size }), fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 30 })),
  );

test("property: each module comes after all that it needs, once, whatever the order of the catalogue", () => {
  fc.assert(
    fc.property(graphs, ([hidden, pairs]) => {
      const position = new Map(hidden.map((id, index) => [id, index]));
      const needsOf = (id: number) => pairs.filter(([a, b]) => a === id && (position.get(b) ?? 0) < (position.get(a) ?? 0)).map(([, b]) => `m${b}`);
      const catalogue = [...hidden.keys()].map((id) => made(`m${id}`, { needs: needsOf(id) }));
      const order = names(input(Object.fromEntries(catalogue.map(({ name }) => [name, {}]))), catalogue);
      expect(order.toSorted()).toEqual(catalogue.map(({ name }) => name).toSorted());
      for (const id of hidden) for (const need of needsOf(id)) expect(order.indexOf(need)).toBeLessThan(order.indexOf(`m${id}`));
    }),
  );
});

test("property: with a need back to one that waits for it, there is a circle, and its path is one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 10 }), (size) => {
      const catalogue = [...Array(size).keys()].map((id) => made(`m${id}`, { needs: [`m${(id + 1) % size}`] }));
      const [problem = ""] = problemsOf(() => names(input(Object.fromEntries(catalogue.map(({ name }) => [name, {}]))), catalogue));
      const path = problem.split("circle: ")[1]?.split(" → ") ?? [];
      expect(path).toHaveLength(size + 1);
      expect(path[0]).toBe(path.at(-1));
    }),
  );
});
