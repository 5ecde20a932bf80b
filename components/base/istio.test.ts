import type * as pulumi from "@pulumi/pulumi";
import { registeredOf } from "../../tests/support/module-build";
import { only, plain, type Registered } from "../../tests/support/pulumi-mocks";
import { IstioGateway, type IstioGatewayArgs } from "./istio-gateway";
import type { IstioRoute } from "./istio-routes";
import { IstioVirtualService, type IstioVirtualServiceArgs } from "./istio-virtual-service";

type Opts = pulumi.ComponentResourceOptions;
const made = (make: (opts: Opts) => unknown): Promise<Registered[]> => registeredOf(({ kubernetes }) => void make({ providers: { kubernetes } }));
const refused = (make: (opts: Opts) => unknown): Promise<unknown> => made(make).catch((thrown: unknown) => thrown);

describe("IstioGateway", () => {
  const build =
    (more: Partial<IstioGatewayArgs> = {}) =>
    (opts: Opts) =>
      new IstioGateway("g", { name: "default-gateway", namespace: "istio-system", hosts: ["*"], certificate: "tls", ...more }, opts);
  const gateway = async (more: Partial<IstioGatewayArgs> = {}) => plain(only(await made(build(more)), "kubernetes:networking.istio.io/v1:Gateway").inputs);

  test("port 80 leads to HTTPS, and port 443 ends TLS with the certificate", async () => {
    expect(await gateway()).toEqual({
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata: { name: "default-gateway", namespace: "istio-system" },
      spec: {
        selector: { istio: "ingressgateway" },
        servers: [
          { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"], tls: { httpsRedirect: true } },
          {
            port: { number: 443, name: "https", protocol: "HTTPS" },
            hosts: ["*"],
            tls: { mode: "SIMPLE", credentialName: "tls", minProtocolVersion: "TLSV1_2" },
          },
        ],
      },
    });
  });

  test("without the redirect, with other pods and a port whose TLS it does not end", async () => {
    expect(await gateway({ redirect: false, selector: { app: "edge" }, passthrough: [{ name: "db", port: 5432, hosts: ["db.example.org"] }] })).toMatchObject({
      spec: {
        selector: { app: "edge" },
        servers: [{ port: { number: 443 } }, { port: { number: 5432, name: "db", protocol: "TLS" }, hosts: ["db.example.org"], tls: { mode: "PASSTHROUGH" } }],
      },
    });
  });

  test("a gateway without hosts, and a port that is taken twice, are refused", async () => {
    expect(await refused(build({ hosts: [] }))).toMatchObject({ reason: "a gateway needs at least one host" });
    expect(await refused(build({ passthrough: [{ name: "a", port: 443, hosts: ["a"] }] }))).toMatchObject({ reason: "the port 443 is taken twice" });
  });
});

describe("IstioVirtualService", () => {
  const build =
    (routes: IstioVirtualServiceArgs["routes"], more: Partial<IstioVirtualServiceArgs> = {}) =>
    (opts: Opts) =>
      new IstioVirtualService(
        "v",
        { name: "shop", namespace: "shop", hosts: ["shop.example.org"], gateways: ["istio-system/default-gateway"], routes, ...more },
        opts,
      );
  const http = async (routes: IstioVirtualServiceArgs["routes"]) =>
    (plain(only(await made(build(routes)), "kubernetes:networking.istio.io/v1:VirtualService").inputs) as { spec: { http: unknown } }).spec.http;
  const to = [{ service: "shop", port: 80 }];
  const destination = { host: "shop", port: { number: 80 } };

  test("one service for all requests", async () => {
    expect(plain(only(await made(build({ service: "shop", port: 80 })), "kubernetes:networking.istio.io/v1:VirtualService").inputs)).toEqual({
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "shop", namespace: "shop" },
      spec: { hosts: ["shop.example.org"], gateways: ["istio-system/default-gateway"], http: [{ route: [{ destination }] }] },
    });
  });

  const CASES: Record<string, { route: IstioRoute; http: object }> = {
    "a match": {
      route: { match: [{ uri: { prefix: "/api" } }, { headers: { a: { exact: "1" } } }], to },
      http: { match: [{ uri: { prefix: "/api" } }, { headers: { a: { exact: "1" } } }] },
    },
    weights: {
      route: {
        to: [
          { service: "shop", port: 80, weight: 90 },
          { service: "new", port: 81, weight: 10 },
        ],
      },
      http: {
        route: [
          { destination, weight: 90 },
          { destination: { host: "new", port: { number: 81 } }, weight: 10 },
        ],
      },
    },
    "a time limit and retries": {
      route: { to, timeout: "30s", retries: { attempts: 3, perTryTimeout: "2s" } },
      http: {
        timeout: "30s",
        retries: { attempts: 3, perTryTimeout: "2s", retryOn: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes,5xx,reset" },
      },
    },
    CORS: {
      route: { to, cors: { allowOrigins: [{ exact: "https://a" }], maxAge: "24h" } },
      http: { corsPolicy: { allowOrigins: [{ exact: "https://a" }], maxAge: "24h" } },
    },
    headers: { route: { to, headers: { request: { set: { a: "1" }, remove: ["b"] } } }, http: { headers: { request: { set: { a: "1" }, remove: ["b"] } } } },
    "a rewrite": { route: { to, rewrite: { uri: "/v2" } }, http: { rewrite: { uri: "/v2" } } },
    "a fault": {
      route: { to, fault: { delay: { percent: 10, time: "5s" }, abort: { percent: 1, status: 503 } } },
      http: { fault: { delay: { percentage: { value: 10 }, fixedDelay: "5s" }, abort: { percentage: { value: 1 }, httpStatus: 503 } } },
    },
    "a mirror": {
      route: { to, mirror: { service: "new", port: 81 } },
      http: { mirror: { host: "new", port: { number: 81 } }, mirrorPercentage: { value: 100 } },
    },
  };
  test.each(Object.entries(CASES))("%s", async (_, { route, http: expected }) => {
    expect(await http([route])).toEqual([{ route: [{ destination }], ...expected }]);
  });

  test("a redirect goes nowhere else", async () => {
    expect(await http([{ redirect: { uri: "/new", code: 308 } }])).toEqual([{ redirect: { uri: "/new", redirectCode: 308 } }]);
  });

  test.each<[string, IstioRoute[], string]>([
    ["no route", [], "there is no route"],
    ["a route to nowhere", [{}], "route 1: it needs either `to` or `redirect`"],
    ["a route to two places", [{ to, redirect: { uri: "/" } }], "route 1: it needs either `to` or `redirect`"],
    ["a redirect with a mirror", [{ redirect: { uri: "/" }, mirror: { service: "a", port: 1 } }], "route 1: with `redirect` it can have no mirror"],
    [
      "weights that are not 100",
      [{ to: [{ ...to[0], weight: 50 } as never, { service: "b", port: 1, weight: 40 }] }],
      "route 1: the weights of `to` must be given, and be 100 together",
    ],
    ["a weight that is missing", [{ to: [...to, ...to] }], "route 1: the weights of `to` must be given, and be 100 together"],
    ["a route that is never reached", [{ to }, { match: [{ uri: { exact: "/a" } }], to }], "route 1 takes every request: those after it are never reached"],
  ])("%s is refused", async (_, routes, reason) => {
    expect(await refused(build(routes))).toMatchObject({ propertyPath: "routes", reason });
  });

  test("one without a host or a gateway is refused", async () => {
    expect(await refused(build({ service: "shop", port: 80 }, { hosts: [] }))).toMatchObject({ reason: "it has no host" });
    expect(await refused(build({ service: "shop", port: 80 }, { gateways: [] }))).toMatchObject({ reason: "it has no gateway" });
  });
});
