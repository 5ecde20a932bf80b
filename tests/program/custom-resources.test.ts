/**
 * Each custom resource waits for what installs its definition. It satisfies the schema of its definition, and has no field that its kind does
 * not have: what the programs register is checked, and everything that the base components can make. This needs the charts' data beside the
 * checkout.
 */
import type * as pulumi from "@pulumi/pulumi";
import { IstioGateway } from "../../components/base/istio-gateway";
import { IstioVirtualService } from "../../components/base/istio-virtual-service";
import { MONITORING_KINDS, Monitoring } from "../../components/base/monitoring";
import { PostgresDatabase } from "../../components/base/postgres-database";
import { MODULES } from "../../components/platform/catalogue";
import { rulesNotEvaluated } from "../../lab/kubernetes/custom-rules";
import { chartFolder } from "../support/chart-data";
import { chartDefinitions, kindSchema, objectComplaints } from "../support/crd-schema";
import { registeredOf } from "../support/module-build";
import { plain, type Registered } from "../support/pulumi-mocks";
import { describeWhere } from "../support/skips";
import { ownRuns } from "../support/stack-run";

const { names: STACK_NAMES, registeredBy } = ownRuns();

const describeWithCharts = describeWhere(chartFolder() !== undefined, "the charts' data is not beside the checkout");

const KIND = /^kubernetes:([^/]+\.[^/]+)\/([^:]+):(\w+)$/;
/** Groups with a dot in their names that belong to Kubernetes itself. */
const BUILT_IN = /\.k8s\.io$|^helm\.sh$/;

const isCustom = ({ type }: Registered): boolean => {
  const group = KIND.exec(type)?.[1];
  return group !== undefined && !BUILT_IN.test(group);
};

/** @returns what is wrong with custom resources, and how many were compared with a schema */
function complaintsOf(registered: readonly Registered[]): { checked: number; complaints: string[] } {
  let checked = 0;
  const complaints = registered.filter(isCustom).flatMap(({ type, name, inputs }) => {
    const [, group = "", version = "", kind = ""] = KIND.exec(type) ?? [];
    const found = kindSchema(`${group}/${version}`, kind);
    if (found === undefined) return [`${type} ${name}: no chart's data has its definition`];
    checked += 1;
    return objectComplaints(plain(inputs) as Record<string, unknown>, found.schema).map((complaint) => `${type} ${name}: ${complaint}`);
  });
  return { checked, complaints };
}

const labels = { app: "shop" };
const servers = {
  instances: 2,
  image: "ghcr.io/cloudnative-pg/postgresql:17.6-standard-bookworm",
  size: "10Gi",
  storageClass: "local-path",
  resources: { cpu: "250m", memory: "512Mi", memoryLimit: "1Gi" },
  parameters: { wal_level: "logical" },
  host: "db.example.org",
  backup: {
    destination: "s3://backups/shop",
    endpoint: "https://s3.example.org",
    secret: "s3",
    schedule: "0 0 3 * * *",
    retention: "30d",
    server: "shop",
    authority: "ca",
  },
  restore: { server: "shop-before", until: "2026-11-30T03:00:00Z" },
};

/** Each component with all its arguments. */
const MADE: Record<string, (opts: pulumi.ComponentResourceOptions) => unknown> = {
  "a gateway": (opts) =>
    new IstioGateway(
      "g",
      { name: "g", namespace: "n", hosts: ["*"], certificate: "tls", passthrough: [{ name: "db", port: 5432, hosts: ["db.example.org"] }] },
      opts,
    ),
  "a simple route": (opts) =>
    new IstioVirtualService("v", { name: "v", namespace: "n", hosts: ["a.example.org"], gateways: ["n/g"], routes: { service: "s", port: 80 } }, opts),
  "full routes": (opts) =>
    new IstioVirtualService(
      "v",
      {
        name: "v",
        namespace: "n",
        hosts: ["a.example.org"],
        gateways: ["n/g", "mesh"],
        routes: [
          {
            name: "api",
            match: [{ uri: { prefix: "/api" }, method: { exact: "GET" }, headers: { "x-user": { regex: ".+" } }, queryParams: { q: { exact: "1" } } }],
            to: [
              { service: "a", port: 80, weight: 90 },
              { service: "b", port: 80, weight: 10 },
            ],
            timeout: "30s",
            retries: { attempts: 3, perTryTimeout: "2s" },
            cors: {
              allowOrigins: [{ exact: "https://a.example.org" }],
              allowMethods: ["GET"],
              allowHeaders: ["x-user"],
              exposeHeaders: ["x-id"],
              maxAge: "24h",
              allowCredentials: true,
            },
            headers: { request: { set: { a: "1" }, add: { b: "2" }, remove: ["c"] }, response: { set: { d: "3" } } },
            rewrite: { uri: "/", authority: "b" },
            fault: { delay: { percent: 1, time: "5s" }, abort: { percent: 0.5, status: 503 } },
            mirror: { service: "c", port: 80, percent: 5 },
          },
          { redirect: { uri: "/new", authority: "b.example.org", code: 308 } },
        ],
      },
      opts,
    ),
  monitoring: (opts) =>
    new Monitoring(
      "m",
      {
        namespace: "n",
        selector: labels,
        services: [{ port: "metrics" }],
        pods: [{ port: "metrics", path: "/m", interval: "10s" }],
        rules: { shop: [{ alert: "ShopDown", expr: 'up{job="shop"} == 0', for: "5m", severity: "critical", summary: "the shop does not answer" }] },
        kinds: Object.values(MONITORING_KINDS),
      },
      opts,
    ),
  "a database with servers of its own": (opts) =>
    new PostgresDatabase("d", { namespace: "n", cluster: "pg", servers, database: "shop", owner: "shop", password: "x", extensions: ["vector"] }, opts),
  "a database in servers that are there": (opts) =>
    new PostgresDatabase("d", { namespace: "n", cluster: "pg", database: "shop", owner: "shop", password: "x", extensions: ["vector"] }, opts),
};

/** `clusterissuers`, `gateways`, `authorizationpolicies`, `snapshotclasses`. */
const pluralOf = (kind: string): string =>
  `${kind
    .toLowerCase()
    .replace(/([^aeiou])y$/, "$1ie")
    .replace(/s$/, "se")}s`;

/** What installs something in a cluster, and so definitions too. */
const INSTALLS = /^(kubernetes:helm\.sh\/v3:Release|command:local:Command)$/;

/** All that a resource waits for, and what that waits for. */
function waitedFor(registered: readonly Registered[]): (one: Registered) => Set<Registered> {
  const byUrn = new Map(registered.map((one) => [`${one.type}::${one.name}`, one]));
  const known = new Map<Registered, Set<Registered>>();
  const all = (one: Registered): Set<Registered> => {
    const done = known.get(one);
    if (done !== undefined) return done;
    const found = new Set<Registered>();
    known.set(one, found);
    for (const urn of one.dependencies) {
      const before = byUrn.get(urn.split("::").slice(-2).join("::").replace(/^.*\$/, ""));
      if (before !== undefined) for (const each of [before, ...all(before)]) found.add(each);
    }
    return found;
  };
  return all;
}

test.each(STACK_NAMES)("in %s each custom resource waits for what installs its definition", async (stack) => {
  const registered = await registeredBy(stack);
  const before = waitedFor(registered);
  const early = registered.filter(isCustom).flatMap((one) => {
    const [, group = "", , kind = ""] = KIND.exec(one.type) ?? [];
    const owner = MODULES.find(({ crds }) => crds.includes(`${pluralOf(kind)}.${group}`));
    if (owner === undefined) return [`${kind} ${one.name}: no module says that it owns ${pluralOf(kind)}.${group}`];
    const waits = [...before(one)].some(({ type, name }) => INSTALLS.test(type) && name.startsWith(`${owner.name}-`));
    return waits ? [] : [`${kind} ${one.name} does not wait for ${owner.name}`];
  });
  expect(early).toEqual([]);
  expect(registered.filter(isCustom).length).toBeGreaterThan(2);
});

describeWithCharts("each custom resource has the fields of its kind, of their types", () => {
  test.each(STACK_NAMES)("of the stack %s", async (stack) => {
    const { checked, complaints } = complaintsOf(await registeredBy(stack));
    expect(complaints).toEqual([]);
    expect(checked).toBeGreaterThan(2);
  });

  test.each(Object.entries(MADE))("of %s", async (_, make) => {
    const { checked, complaints } = complaintsOf(await registeredOf(({ kubernetes }) => void make({ providers: { kubernetes } })));
    expect(complaints).toEqual([]);
    expect(checked).toBeGreaterThan(0);
  });

  test("what the kind does not have, what it needs, and another type are found", () => {
    const gateway = kindSchema("networking.istio.io/v1", "Gateway");
    const object = {
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata: {},
      spec: { selectors: {}, servers: [{ hosts: "a", port: { number: 80, name: "http", protocol: "HTTP" } }] },
    };
    expect(objectComplaints(object, gateway?.schema ?? {})).toEqual([
      "spec.selectors: the kind has no such field",
      'spec.servers[0].hosts: Invalid value: "string": spec.servers[0].hosts in body must be of type array: "string"',
      expect.stringContaining("some validation rules were not checked"),
    ]);
  });
});

describeWithCharts("rules in the definitions of the charts", () => {
  test("each is one that the lab evaluates", () => {
    const definitions = chartDefinitions();
    expect(definitions.length).toBeGreaterThan(100);
    expect(definitions.flatMap((definition) => rulesNotEvaluated(definition as never))).toEqual([]);
  });

  test("one that an object breaks is a complaint, with the default values that it sees", () => {
    const found = kindSchema("postgresql.cnpg.io/v1", "Cluster");
    const cluster = { apiVersion: "postgresql.cnpg.io/v1", kind: "Cluster", metadata: { name: "pg" } };
    const spec = { instances: 1, storage: { size: "1Gi" } };
    expect(objectComplaints({ ...cluster, spec }, found?.schema ?? {})).toEqual([]);
    const catalog = { apiGroup: "postgresql.cnpg.io", kind: "ImageCatalog", name: "images", major: 17 };
    expect(objectComplaints({ ...cluster, spec: { ...spec, imageName: "postgres:17", imageCatalogRef: catalog } }, found?.schema ?? {})).toHaveLength(1);
  });
});
