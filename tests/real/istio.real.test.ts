/** Istio's own programs accept what the program makes, and report a mesh configuration that is wrong. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { plain } from "../support/pulumi-mocks";
import { type RealControllers, startRealControllers } from "../support/real-controllers";
import { type RealKubernetes, startRealKubernetes } from "../support/real-kubernetes";
import { describeReal } from "../support/real-parts";
import { plannedModules, renderedObjects } from "../support/rendered-stacks";
import { ownRuns } from "../support/stack-run";

const { registeredBy } = ownRuns();

const LIMIT_MS = 10 * 60_000;
const WAIT_MS = 60_000;
const ISTIO = "/apis/networking.istio.io/v1/namespaces/default";
const HOST = "shop.homelab.test";

const of = (kind: string, name: string, spec: object) => ({ apiVersion: "networking.istio.io/v1", kind, metadata: { name, namespace: "default" }, spec });
const gateway = of("Gateway", "web", {
  selector: { istio: "ingress" },
  servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: [HOST] }],
});
const service = {
  ...{ apiVersion: "v1", kind: "Service", metadata: { name: "shop", namespace: "default" } },
  spec: { selector: { app: "shop" }, ports: [{ name: "http", port: 80 }] },
};
const virtualService = (hosts: string[], gateways: string[], http: object[] = [{ route: [{ destination: { host: "shop", port: { number: 80 } } }] }]) =>
  of("VirtualService", "shop", { hosts, gateways, http });

interface Placed {
  kind?: string;
  metadata?: { name?: string; namespace?: string };
  spec?: { template?: { metadata?: { labels?: Record<string, string> }; spec?: unknown } };
}

/** The objects of a stack: those of its program, with applications, and those of its charts. */
async function objectsOf(stack: string): Promise<Placed[]> {
  const made = (await registeredBy(stack))
    .filter(({ type }) => type.startsWith("kubernetes:") && !type.startsWith("kubernetes:helm.sh/"))
    .map(({ inputs }) => plain(inputs) as Placed);
  const rendered = plannedModules()
    .filter((planned) => planned.stack === stack)
    .flatMap(({ plan, module }) => {
      const [namespace = ""] = module.parts.namespaces;
      return renderedObjects(module, plan).map((object): Placed => {
        const { metadata, ...rest } = object as Placed;
        return { ...rest, metadata: { ...metadata, namespace: metadata?.namespace ?? namespace } };
      });
    });
  return [...made, ...rendered];
}

/** A pod for each workload, as its controller would create it. */
const podsOf = (objects: readonly Placed[]): object[] =>
  objects
    .filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet" || kind === "DaemonSet")
    .map(({ metadata, spec }) => ({
      ...{ apiVersion: "v1", kind: "Pod", spec: spec?.template?.spec },
      metadata: { name: `${metadata?.name}-0`, namespace: metadata?.namespace, labels: spec?.template?.metadata?.labels },
    }));

describeReal(["istioctl"], "istioctl analyze", (pathOf) => {
  const messagesSchema = z.array(z.looseObject({ code: z.string(), origin: z.string().optional(), message: z.string() })).nullable();
  /** @returns the messages of `istioctl analyze`, one a line, each starting with `<code> <object>` */
  function analyze(objects: readonly object[]): string[] {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-istioctl-"));
    try {
      const file = path.join(folder, "mesh.yaml");
      fs.writeFileSync(file, objects.map((object) => `${JSON.stringify(object)}\n`).join("---\n"));
      const args = ["analyze", "--all-namespaces", "--use-kube=false", "--output=json", "--color=false", file];
      const { stdout, stderr } = spawnSync(pathOf("istioctl"), args, {
        encoding: "utf8",
        maxBuffer: 1 << 26,
        env: { PATH: process.env["PATH"], HOME: folder },
      });
      if (!stdout.trim().startsWith("[") && stdout.trim() !== "null") throw new Error(`${stdout}${stderr}`);
      return (messagesSchema.parse(JSON.parse(stdout)) ?? []).map(({ code, origin, message }) => `${code} ${origin ?? ""} ${message}`).toSorted();
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }
  const codes = (objects: readonly object[]): string[] => analyze(objects).map((line) => line.split(" ").slice(0, 3).join(" "));

  test("a gateway that is not there, and a host that it does not have, are found", () => {
    expect(codes([gateway, service, virtualService([HOST], ["web"])])).toEqual([]);
    expect(codes([gateway, service, virtualService([HOST], ["other"])])).toEqual([
      "IST0101 VirtualService default/shop",
      "IST0132 VirtualService default/shop",
    ]);
    expect(codes([gateway, service, virtualService(["other.homelab.test"], ["web"])])).toEqual(["IST0132 VirtualService default/shop"]);
  });

  const meshes = plannedModules().flatMap(({ stack, module }) => (module.name === "istio" ? [stack] : []));

  test.each(meshes)(
    "finds nothing wrong with the objects of the stack %s, and reports it where its gateway is removed",
    async (stack) => {
      const objects = await objectsOf(stack);
      const routes = objects.filter(({ kind }) => kind === "VirtualService");
      expect(routes.length).toBeGreaterThan(0);
      const all = [...objects, ...podsOf(objects)];
      expect(analyze(all)).toEqual([]);
      const without = all.filter((object) => (object as Placed).kind !== "Gateway");
      const expected = routes.flatMap(({ metadata }) =>
        ["IST0101", "IST0132"].map((code) => `${code} VirtualService ${metadata?.namespace}/${metadata?.name}`),
      );
      expect(codes(without)).toEqual(expected.toSorted());
    },
    LIMIT_MS,
  );
});

describeReal(["etcd", "kube-apiserver", "istiod"], "istiod", (pathOf) => {
  let cluster: RealKubernetes;
  let controllers: RealControllers;
  beforeAll(async () => {
    cluster = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd") });
    controllers = await startRealControllers(cluster, { istiod: {} });
  }, LIMIT_MS);
  afterAll(async () => {
    try {
      await controllers?.stop();
    } finally {
      await cluster?.stop();
    }
  }, LIMIT_MS);

  const configured = async (): Promise<string[]> => {
    const answer = await fetch(`${controllers.istiod?.url}/debug/configz`);
    const objects = z.array(z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) })).parse(await answer.json());
    return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted();
  };

  test(
    "its webhook lets a gateway and a virtual service in, and istiod takes both",
    async () => {
      // The API uses the webhook a moment after it was created.
      const refused = virtualService([HOST], ["web"], [{ route: [{ destination: { host: "" } }] }]);
      const post = async (object: object, plural: string) =>
        z.looseObject({ kind: z.string(), message: z.string().optional() }).parse(await cluster.call("POST", `${ISTIO}/${plural}`, object, { allowed: [400] }));
      let answer = await post(refused, "virtualservices");
      for (const deadline = Date.now() + WAIT_MS; answer.kind !== "Status" && Date.now() < deadline; ) {
        await cluster.call("DELETE", `${ISTIO}/virtualservices/shop`);
        await new Promise((resolve) => setTimeout(resolve, 200));
        answer = await post(refused, "virtualservices");
      }
      expect(answer.message).toMatch(/^admission webhook "rev\.validation\.istio\.io" denied the request: configuration is invalid: /);
      expect((await post(gateway, "gateways")).kind).toBe("Gateway");
      expect((await post(virtualService([HOST], ["web"]), "virtualservices")).kind).toBe("VirtualService");
      let taken = await configured();
      for (const deadline = Date.now() + WAIT_MS; taken.length < 2 && Date.now() < deadline; taken = await configured()) {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(taken).toEqual(["Gateway web", "VirtualService shop"]);
    },
    LIMIT_MS,
  );
});
