import { LabWorld, type WorldCluster } from "../../tests/support/lab-world";

let world: LabWorld;
let dev: WorldCluster;
beforeEach(async () => {
  world = await LabWorld.start();
  dev = await world.cluster("dev", "192.168.1.12");
});
afterEach(() => world.stop());

test("a parameter, a sub-resource or an option that is not modelled is an error of the API and noted; no answer shows a stack", async () => {
  const port = world.ctx.network.resolve("192.168.1.12", 6443)?.port;
  const admin = (await import("yaml")).parse(dev.cluster.adminKubeconfig()) as {
    users: { user: Record<string, string> }[];
  };
  const pem = (key: string): string => Buffer.from(admin.users[0]?.user[key] ?? "", "base64").toString();
  const { Agent, request } = await import("undici");
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false, cert: pem("client-certificate-data"), key: pem("client-key-data") } });
  const ask = async (method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", route: string, body?: object): Promise<{ status: number; text: string }> => {
    const answer = await request(`https://127.0.0.1:${port}${route}`, {
      method,
      dispatcher,
      headers: { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  };
  try {
    await ask("POST", "/api/v1/namespaces", { metadata: { name: "app" } });
    const map = { metadata: { name: "m" } };
    const maps = "/api/v1/namespaces/app/configmaps";
    await ask("POST", maps, map);
    for (const [method, route, body] of [
      ["GET", "/version?no-such=1"],
      ["GET", "/apis?no-such=1"],
      ["GET", "/readyz?verbose"],
      ["GET", `${maps}?no-such=1`],
      ["GET", `${maps}?watch=1&no-such=1`],
      ["GET", `${maps}/m?no-such=1`],
      ["POST", `${maps}?no-such=1`, { metadata: { name: "n" } }],
      ["POST", `${maps}?dryRun=Some`, { metadata: { name: "n" } }],
      ["PUT", `${maps}/m?no-such=1`, map],
      ["PATCH", `${maps}/m?no-such=1`, {}],
      ["DELETE", `${maps}/m?no-such=1`],
      ["DELETE", `${maps}/m`, { kind: "DeleteOptions", apiVersion: "v1", preconditions: { resourceVersion: "1" } }],
      ["DELETE", `${maps}?no-such=1`],
      ["POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?no-such=1", {}],
      ["PATCH", "/api/v1/namespaces/app/finalize", {}],
    ] as const) {
      const before = world.ctx.unhandled.all().length;
      const { status, text } = await ask(method, route, body);
      expect([method, route, [400, 405].includes(status), world.ctx.unhandled.all().length]).toEqual([method, route, true, before + 1]);
      expect(text).not.toMatch(/\.(ts|js):\d+/);
    }
    expect((await ask("GET", maps)).text).toContain('"name":"m"');
  } finally {
    await dispatcher.close();
  }
});

test("setting a namespace's finalizers, or removing them, does not delete the namespace", async () => {
  await dev.namespace("app");
  const type = dev.cluster.store.type("v1", "Namespace");
  const { object } = dev.cluster.store.finalize(type, "app", ["kubernetes"], {});
  expect(object["spec"]).toEqual({ finalizers: ["kubernetes"] });
  expect(dev.cluster.store.finalize(type, "app", [], {}).object["spec"]).toEqual({ finalizers: [] });
  expect(dev.find("v1", "Namespace", undefined, "app")).toBeDefined();
});
