import { createContext } from "../core/context";
import type { KubeObject } from "../kubernetes";
import { startPihole } from "../pihole";
import { type ExternalDns, startExternalDns } from ".";

const ARGS = ["--provider=pihole", "--pihole-server=http://192.168.1.3", "--pihole-api-version=6", "--source=ingress", "--registry=noop", "--policy=sync"];

const route = (name: string, ip: string, annotations: Record<string, string> = {}): KubeObject =>
  ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace: "a", annotations },
    spec: { rules: [{ host: name }], tls: [{ hosts: [name] }] },
    status: { loadBalancer: { ingress: [{ ip }] } },
  }) as unknown as KubeObject;

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function world() {
  const ctx = await createContext();
  const files = new Map<string, string>();
  const pihole = await startPihole({
    hostname: "dns",
    address: "192.168.1.3",
    ctx,
    environment: { FTLCONF_webserver_api_password: "pw" },
    folder: { read: async (name) => files.get(name), write: async (name, text) => void files.set(name, text), list: async () => [] },
  });
  stops.push(() => pihole.stop());
  const log: string[] = [];
  const start = (
    ingresses: KubeObject[],
    args: readonly string[] = ARGS,
    given: { version?: string; password?: string; services?: KubeObject[]; istio?: { gateways: KubeObject[]; virtualServices: KubeObject[] } } = {},
  ): Promise<ExternalDns> =>
    startExternalDns({
      ctx,
      label: "dev/external-dns",
      version: given.version ?? "0.21.0",
      args,
      environment: { EXTERNAL_DNS_PIHOLE_PASSWORD: given.password ?? "pw" },
      ingresses: () => ingresses,
      services: () => given.services ?? [],
      istio: () => given.istio,
      log: (line) => log.push(line),
    });
  return { ctx, log, start };
}

const balancer = (name: string, ip: string, annotations: Record<string, string> = { "external-dns.alpha.kubernetes.io/hostname": name }): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s", namespace: "n", annotations },
    spec: { type: "LoadBalancer" },
    status: { loadBalancer: { ingress: [{ ip }] } },
  }) as never;

test("a Service with the annotation has its names at the address of its balancer, where services are a source; one without has none", async () => {
  const { ctx, start } = await world();
  const services = [balancer("q.pw, r.pw", "192.168.1.15"), balancer("stray.pw", "192.168.1.15", {})];
  await (await start([], ARGS, { services })).runOnce();
  expect(ctx.network.addressOf("q.pw")).toBeUndefined();
  const both = await start([route("a.pw", "192.168.1.12")], [...ARGS, "--source=service"], { services });
  await both.runOnce();
  expect(["a.pw", "q.pw", "r.pw", "stray.pw"].map((name) => ctx.network.addressOf(name))).toEqual(["192.168.1.12", "192.168.1.15", "192.168.1.15", undefined]);
  services.splice(0);
  await both.runOnce();
  expect(ctx.network.addressOf("q.pw")).toBeUndefined();
});

test("Istio's routes have their names at the address of the balancer that is their gateway's; without its kinds the program ends", async () => {
  const { ctx, start } = await world();
  const made = (kind: string, spec: object, namespace = "istio-system"): KubeObject =>
    ({ apiVersion: "networking.istio.io/v1", kind, metadata: { name: "g", namespace }, spec }) as never;
  const gateway = made("Gateway", { selector: { istio: "ingressgateway" }, servers: [{ hosts: ["*", "x/h.pw"] }] });
  const routes = [
    made("VirtualService", { hosts: ["v.pw"], gateways: ["istio-system/g"] }, "shop"),
    made("VirtualService", { hosts: ["m.pw"], gateways: ["mesh"] }),
  ];
  const own = { ...balancer("s", "192.168.1.12", {}), spec: { type: "LoadBalancer", selector: { app: "g", istio: "ingressgateway" } } };
  const given = { services: [own as never, balancer("other", "192.168.1.99", {})], istio: { gateways: [gateway], virtualServices: routes } };
  const args = [...ARGS, "--source=istio-virtualservice"];
  await (await start([], args, given)).runOnce();
  expect(["v.pw", "m.pw", "h.pw"].map((name) => ctx.network.addressOf(name))).toEqual(["192.168.1.12", undefined, undefined]);
  await (await start([], [...args, "--source=istio-gateway"], given)).runOnce();
  expect(["v.pw", "h.pw"].map((name) => ctx.network.addressOf(name))).toEqual(["192.168.1.12", "192.168.1.12"]);
  await expect((await start([], args, { services: given.services })).runOnce()).rejects.toThrow("failed to sync *v1.Gateway");
});

test("two clusters keep their own names in one Pi-hole: new, moved and gone, and never the other's", async () => {
  const { ctx, log, start } = await world();
  const routes = [route("a.pw", "192.168.1.12")];
  const first = await start(routes, [...ARGS, "--regex-domain-filter=^(a\\.pw|c\\.pw)$"]);
  const second = await start([route("b.pw", "192.168.1.13"), route("stray.pw", "192.168.1.13")], [...ARGS, "--regex-domain-filter=^(b\\.pw)$"]);
  await first.runOnce();
  await second.runOnce();
  const names = () => ["a.pw", "b.pw", "c.pw", "stray.pw"].map((name) => ctx.network.addressOf(name));
  expect(names()).toEqual(["192.168.1.12", "192.168.1.13", undefined, undefined]);

  routes.splice(0, 1, route("a.pw", "192.168.1.20"), route("c.pw", "192.168.1.20"));
  await first.runOnce();
  expect(names()).toEqual(["192.168.1.20", "192.168.1.13", "192.168.1.20", undefined]);
  routes.splice(0);
  await first.runOnce();
  await second.runOnce();
  expect(names()).toEqual([undefined, "192.168.1.13", undefined, undefined]);
  expect(log.at(-1)).toBe('level=info msg="All records are already up to date"');
  expect(ctx.unhandled.all()).toEqual([]);
});

test("upsert-only never deletes", async () => {
  const { ctx, start } = await world();
  const routes = [route("a.pw", "192.168.1.12")];
  const program = await start(routes, [...ARGS.filter((arg) => !arg.startsWith("--policy")), "--policy=upsert-only"]);
  await program.runOnce();
  routes.splice(0);
  await program.runOnce();
  expect(ctx.network.addressOf("a.pw")).toBe("192.168.1.12");
});

test("it ends at a password that Pi-hole refuses, and at a version that has no API of Pi-hole 6", async () => {
  const { start } = await world();
  await expect(start([], ARGS, { password: "other" })).rejects.toThrow("received 401 status code");
  await expect(start([], ARGS, { version: "0.14.1" })).rejects.toThrow("unknown long flag '--pihole-api-version'");
});

test.each([
  ["--no-such-flag=1", "unknown long flag"],
  ["--txt-owner-id=dev", "unknown long flag"],
  ["--source=traefik-proxy", "enum value must be one of"],
  ["--registry=txt", "enum value must be one of"],
  ["--interval=soon", "invalid duration"],
])("the argument %s ends the program, and is noted unless only its value is wrong", async (arg, message) => {
  const { ctx, start } = await world();
  const [name = ""] = arg.split("=");
  await expect(start([], [...ARGS.filter((each) => !each.startsWith(`${name}=`)), arg])).rejects.toThrow(message);
  expect(ctx.unhandled.all()).toHaveLength(name === "--interval" ? 0 : 1);
});

test("an annotation that the lab does not model is noted", async () => {
  const { ctx, start } = await world();
  await (await start([route("a.pw", "192.168.1.12", { "external-dns.alpha.kubernetes.io/ttl": "60" })])).runOnce();
  expect(ctx.unhandled.all().map(({ what }) => what)).toEqual(["the annotation external-dns.alpha.kubernetes.io/ttl is not modelled"]);
});
