/**
 * The real external-dns with the program's flags, between a real Kubernetes API and the lab's Pi-hole. It adds and removes the names of
 * routes, and leaves the names of others.
 */

import { z } from "zod";
import { EXTERNAL_DNS_CHART, externalDnsValues } from "../../components/platform/external-dns/values";
import { startArtefacts } from "../../lab/artefacts";
import { createContext, type OwnedContext } from "../../lab/core/context";
import type { Stoppable } from "../../lab/core/world";
import { startPihole } from "../../lab/pihole";
import { type RealControllers, startRealControllers } from "../support/real-controllers";
import { addKinds } from "../support/real-kinds";
import { type RealKubernetes, startRealKubernetes } from "../support/real-kubernetes";
import { describeReal, realPartFile } from "../support/real-parts";

const LIMIT_MS = 10 * 60_000;
/** A generous limit: external-dns reacts to a change within five seconds. */
const WAIT_MS = 3 * 60_000;
const PASSWORD = "of Pi-hole's API";
const PIHOLE = "192.168.1.3";
const [APP, SERVICE, MESH, FOREIGN] = ["app.homelab.test", "service.homelab.test", "mesh.homelab.test", "foreign.homelab.test"] as const;
const BY_HAND = "192.168.1.99 by-hand.homelab.test";

const renderedSchema = z.object({
  manifests: z.array(
    z.looseObject({
      kind: z.string(),
      spec: z
        .looseObject({ template: z.looseObject({ spec: z.looseObject({ containers: z.array(z.looseObject({ args: z.array(z.string()) })) }) }).optional() })
        .optional(),
    }),
  ),
});
const hostsSchema = z.object({ config: z.object({ dns: z.object({ hosts: z.array(z.string()) }) }) });

/** The lab's Pi-hole on a port of 127.0.0.1. */
class Pihole {
  private constructor(
    private readonly server: Stoppable,
    readonly url: string,
  ) {}

  static async start(ctx: OwnedContext): Promise<Pihole> {
    const files = new Map<string, string>();
    const folder = {
      read: async (name: string) => files.get(name),
      write: async (name: string, text: string) => void files.set(name, text),
      list: async () => [],
    };
    const server = await startPihole({ hostname: "dns", address: PIHOLE, ctx, environment: { FTLCONF_webserver_api_password: PASSWORD }, folder });
    return new Pihole(server, `http://127.0.0.1:${ctx.network.resolve(PIHOLE, 80)?.port}`);
  }

  async #call(method: string, route: string, body?: object, sid?: string): Promise<unknown> {
    const headers = { "content-type": "application/json", ...(sid === undefined ? {} : { "x-ftl-sid": sid }) };
    const answer = await fetch(`${this.url}/api/${route}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    return text === "" ? {} : JSON.parse(text);
  }

  async call(method: string, route: string): Promise<unknown> {
    const { session } = z.object({ session: z.object({ sid: z.string() }) }).parse(await this.#call("POST", "auth", { password: PASSWORD }));
    try {
      return await this.#call(method, route, undefined, session.sid);
    } finally {
      await this.#call("DELETE", "auth", undefined, session.sid);
    }
  }

  /** `<address> <name>`, sorted. */
  async records(): Promise<string[]> {
    return hostsSchema.parse(await this.call("GET", "config/dns/hosts")).config.dns.hosts.toSorted();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}

/** The container's arguments, as the chart renders them from the program's values. */
async function flagsOf(ctx: OwnedContext, values: object): Promise<string[]> {
  const artefacts = await startArtefacts(ctx);
  try {
    const { repository, name: chart, version } = EXTERNAL_DNS_CHART;
    const body = JSON.stringify({ repository, chart, version, releaseName: "external-dns", namespace: "external-dns", values, kubeVersion: "v1.36.2" });
    const { manifests } = renderedSchema.parse(await (await fetch(`${artefacts.chartStandIn}/render`, { method: "POST", body })).json());
    return manifests.flatMap(({ kind, spec }) => (kind === "Deployment" ? (spec?.template?.spec.containers[0]?.args ?? []) : []));
  } finally {
    await artefacts.stop();
  }
}

function suite(
  sources: readonly string[],
  pathOf: (name: "kube-apiserver" | "etcd") => string,
  inside: (world: () => World) => void,
  kinds?: () => string,
): void {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd") }, sources, kinds?.());
  }, LIMIT_MS);
  afterAll(() => world?.stop(), LIMIT_MS);
  inside(() => world);
}

class World {
  private constructor(
    readonly cluster: RealKubernetes,
    readonly pihole: Pihole,
    readonly controllers: RealControllers,
    readonly ctx: OwnedContext,
  ) {}

  /** @param sources replaces the program's sources; empty: the program's own */
  static async start(programs: { apiserver: string; etcd: string }, sources: readonly string[], kinds: string | undefined): Promise<World> {
    const ctx = await createContext();
    const pihole = await Pihole.start(ctx);
    const cluster = await startRealKubernetes(programs);
    try {
      if (kinds !== undefined) await addKinds(cluster, kinds);
      const names = [APP, SERVICE, MESH];
      const values = externalDnsValues({ piholeUrl: pihole.url, names, istio: kinds !== undefined, password: { secret: "pihole", key: "password" } });
      const args = await flagsOf(ctx, { ...values, ...(sources.length === 0 ? {} : { sources }) });
      const controllers = await startRealControllers(cluster, { externalDns: { args, env: { EXTERNAL_DNS_PIHOLE_PASSWORD: PASSWORD } } });
      return new World(cluster, pihole, controllers, ctx);
    } catch (error) {
      await cluster.stop();
      await pihole.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    try {
      await this.controllers.stop();
    } finally {
      await this.cluster.stop();
      await this.pihole.stop();
    }
  }

  async expectRecords(...wanted: string[]): Promise<void> {
    let records = await this.pihole.records();
    for (const deadline = Date.now() + WAIT_MS; records.join() !== wanted.toSorted().join() && Date.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      records = await this.pihole.records();
    }
    expect(records).toEqual(wanted.toSorted());
  }

  /** Creates an object, and writes its status as a controller does that assigns addresses. */
  async make(route: string, object: { metadata: { name: string; [more: string]: unknown }; [more: string]: unknown }, status?: object): Promise<void> {
    await this.cluster.call("POST", route, object);
    if (status !== undefined) {
      const patch = { contentType: "application/merge-patch+json" };
      await this.cluster.call("PATCH", `${route}/${object.metadata.name}/status`, { status }, patch);
    }
  }
}

const ADDRESS = { loadBalancer: { ingress: [{ ip: "192.168.1.12" }] } };
const INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
const SERVICES = "/api/v1/namespaces/default/services";
const ingress = (name: string, host: string) => ({
  metadata: { name },
  spec: { rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "x", port: { number: 80 } } } }] } }] },
});

describeReal(["etcd", "kube-apiserver", "external-dns"], "external-dns as the program runs it", (pathOf) => {
  suite([], pathOf, (world) => {
    test(
      "a route's name comes and goes with it; names of others, by hand or by another cluster, stay",
      async () => {
        await world().pihole.call("PUT", `config/dns/hosts/${encodeURIComponent(BY_HAND)}`);
        await world().make(INGRESSES, ingress("app", APP), ADDRESS);
        await world().make(INGRESSES, ingress("foreign", FOREIGN), ADDRESS);
        await world().expectRecords(BY_HAND, `192.168.1.12 ${APP}`);
        const moved = { status: { loadBalancer: { ingress: [{ ip: "192.168.1.13" }] } } };
        await world().cluster.call("PATCH", `${INGRESSES}/app/status`, moved, { contentType: "application/merge-patch+json" });
        await world().expectRecords(BY_HAND, `192.168.1.13 ${APP}`);
        await world().cluster.call("DELETE", `${INGRESSES}/app`);
        await world().expectRecords(BY_HAND);
        expect(world().ctx.unhandled.all()).toEqual([]);
      },
      LIMIT_MS,
    );
  });
});

describeReal(["etcd", "kube-apiserver", "external-dns"], "external-dns with services as its source", (pathOf) => {
  suite(["service"], pathOf, (world) => {
    test(
      "the name that a service's annotation gives comes and goes with the service",
      async () => {
        await world().pihole.call("PUT", `config/dns/hosts/${encodeURIComponent(BY_HAND)}`);
        const annotations = { "external-dns.alpha.kubernetes.io/hostname": SERVICE };
        await world().make(SERVICES, { metadata: { name: "app", annotations }, spec: { type: "LoadBalancer", ports: [{ port: 80 }] } }, ADDRESS);
        await world().expectRecords(BY_HAND, `192.168.1.12 ${SERVICE}`);
        await world().cluster.call("DELETE", `${SERVICES}/app`);
        await world().expectRecords(BY_HAND);
      },
      LIMIT_MS,
    );
  });
});

describeReal(["etcd", "kube-apiserver", "external-dns", "istiod"], "external-dns with Istio's virtual services as its source", (pathOf) => {
  const kinds = () => realPartFile("istiod", "manifests/charts/base/files/crd-all.gen.yaml");
  suite(
    ["istio-virtualservice"],
    pathOf,
    (world) => {
      test(
        "the hosts of a virtual service come and go with it, at the address of its gateway's service",
        async () => {
          await world().pihole.call("PUT", `config/dns/hosts/${encodeURIComponent(BY_HAND)}`);
          const selector = { istio: "ingress" };
          const service = { metadata: { name: "ingress", labels: selector }, spec: { type: "LoadBalancer", selector, ports: [{ port: 80 }] } };
          await world().make(SERVICES, service, ADDRESS);
          const istio = "/apis/networking.istio.io/v1/namespaces/default";
          const servers = [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: [MESH] }];
          const of = (kind: string) => ({ apiVersion: "networking.istio.io/v1", kind });
          await world().make(`${istio}/gateways`, { ...of("Gateway"), metadata: { name: "web" }, spec: { selector, servers } });
          const http = [{ route: [{ destination: { host: "x" } }] }];
          await world().make(`${istio}/virtualservices`, {
            ...of("VirtualService"),
            metadata: { name: "mesh" },
            spec: { hosts: [MESH], gateways: ["web"], http },
          });
          await world().expectRecords(BY_HAND, `192.168.1.12 ${MESH}`);
          await world().cluster.call("DELETE", `${istio}/virtualservices/mesh`);
          await world().expectRecords(BY_HAND);
        },
        LIMIT_MS,
      );
    },
    kinds,
  );
});
