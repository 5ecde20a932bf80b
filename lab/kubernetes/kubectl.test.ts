/** A stock kubectl against the lab's API: what a person types on the first day. Skipped by name where there is no kubectl. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { LabWorld, type WorldCluster } from "../../tests/support/lab-world";

const part = path.join(os.homedir(), ".cache", "homelab", "real-parts", "kubectl-v1.34.2", "kubectl");
const onPath = ["/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"].map((folder) => path.join(folder, "kubectl"));
const KUBECTLS = [part, ...onPath].filter((file) => fs.existsSync(file));
const list = KUBECTLS.length > 0 ? KUBECTLS : ["no kubectl on this machine"];

let world: LabWorld;
let dev: WorldCluster;
let folder: string;
beforeEach(async () => {
  world = await LabWorld.start();
  dev = await world.cluster("dev", "192.168.1.12");
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kubectl-"));
  const port = world.ctx.network.resolve("192.168.1.12", 6443)?.port;
  fs.writeFileSync(path.join(folder, "config"), dev.cluster.adminKubeconfig({ server: `https://127.0.0.1:${port}`, name: "dev" }), { mode: 0o600 });
});
afterEach(async () => {
  await world.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const runner =
  (executable: string) =>
  (...args: string[]): Promise<{ code: number | null; out: string; err: string }> =>
    new Promise((resolve, reject) => {
      const child = spawn(executable, args, { env: { PATH: "/usr/bin:/bin", HOME: folder, KUBECONFIG: path.join(folder, "config") } });
      let [out, err] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, out, err }));
    });

(KUBECTLS.length > 0 ? describe : describe.skip).each(list)("%s", (executable) => {
  const kubectl = runner(executable);

  test("creates what its short words make, in its own binary format; a Deployment runs, a Job completes, all is shown wide", async () => {
    for (const words of [
      ["create", "namespace", "app"],
      ["-n", "app", "create", "deployment", "web", "--image=registry/web:1", "--replicas=2", "--port=80"],
      ["-n", "app", "create", "job", "once", "--image=registry/once:1", "--", "true"],
      ["-n", "app", "create", "cronjob", "often", "--image=registry/once:1", "--schedule=*/5 * * * *"],
      ["-n", "app", "create", "service", "clusterip", "web", "--tcp=80:8080"],
      ["-n", "app", "create", "configmap", "settings", "--from-literal=a=b"],
      ["-n", "app", "create", "secret", "generic", "hidden", "--from-literal=a=b"],
      ["-n", "app", "create", "serviceaccount", "worker"],
      ["-n", "app", "create", "role", "reader", "--verb=get,list", "--resource=pods"],
      ["-n", "app", "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=app:worker"],
      ["-n", "app", "create", "ingress", "web", "--rule=web.example.org/=web:80"],
      ["-n", "app", "create", "quota", "q", "--hard=pods=9"],
      ["-n", "app", "run", "alone", "--image=registry/alone:1"],
      ["-n", "app", "expose", "deployment", "web", "--name=exposed", "--port=80"],
      ["-n", "app", "scale", "deployment", "web", "--replicas=3"],
      ["-n", "app", "set", "image", "deployment/web", "web=registry/web:2"],
      ["-n", "app", "label", "deployment", "web", "a=b"],
    ])
      expect([words.join(" "), await kubectl(...words)]).toEqual([words.join(" "), { code: 0, out: expect.any(String), err: "" }]);
    await world.settled();
    expect(await kubectl("-n", "app", "rollout", "status", "deployment/web")).toMatchObject({ code: 0, out: 'deployment "web" successfully rolled out\n' });
    expect((await kubectl("-n", "app", "get", "deployment", "web", "-o", "wide")).out).toMatch(/^web +3\/3 +3 +3 +\d+s +web +registry\/web:2 +app=web$/m);
    const wide = (await kubectl("-n", "app", "get", "pods", "-o", "wide")).out;
    expect(wide).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES$/m);
    expect(wide).toMatch(/^once-\w+ +0\/1 +Completed +0 .* k8s-dev/m);
    expect((await kubectl("get", "nodes", "-o", "wide")).out).toMatch(/^k8s-dev .* 192\.168\.1\.12 /m);
    expect((await kubectl("-n", "app", "get", "job", "once")).out).toMatch(/^once +Complete +1\/1 /m);
    expect((await kubectl("-n", "app", "get", "events")).out).toMatch(/Normal +Scheduled +pod\/alone +Successfully assigned app\/alone to k8s-dev/);
    expect((await kubectl("-n", "app", "describe", "deployment", "web")).out).toMatch(/Normal +ScalingReplicaSet .* Scaled up replica set web-\w+ from 0 to 2/);
    expect((await kubectl("-n", "app", "describe", "pod", "alone")).out).toMatch(/Normal +Started +.*kubelet +Started container alone/);
    expect(await kubectl("-n", "app", "delete", "deployment,job", "--all", "--wait=false")).toMatchObject({ code: 0, err: "" });
    expect(world.ctx.unhandled.all()).toEqual([]);
  }, 240_000);

  test("says who may do what, and gives a token that works", async () => {
    await kubectl("create", "namespace", "app");
    await kubectl("-n", "app", "create", "serviceaccount", "worker");
    expect(await kubectl("auth", "can-i", "create", "pods")).toEqual({ code: 0, out: "yes\n", err: "" });
    expect((await kubectl("auth", "can-i", "create", "pods", "--as", "nobody")).code).not.toBe(0);
    expect((await kubectl("auth", "can-i", "--list")).out).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
    expect((await kubectl("auth", "whoami")).out).toContain("system:admin");
    const { code, out } = await kubectl("-n", "app", "create", "token", "worker", "--duration=10m");
    expect([code, out.trim().split(".").length]).toEqual([0, 3]);
    const port = world.ctx.network.resolve("192.168.1.12", 6443)?.port;
    const asWorker = ["--kubeconfig=/dev/null", `--server=https://127.0.0.1:${port}`, "--insecure-skip-tls-verify", `--token=${out.trim()}`];
    expect((await kubectl(...asWorker, "auth", "can-i", "create", "pods")).out).toBe("no\n");
  }, 120_000);

  test("logs of a simulated pod say that it prints nothing; exec, cp and port-forward say that there is no way in, and top that nothing is measured", async () => {
    await kubectl("create", "namespace", "app");
    await kubectl("-n", "app", "run", "alone", "--image=registry/alone:1");
    await world.settled();
    expect(await kubectl("-n", "app", "logs", "alone")).toEqual({
      code: 0,
      out: "[lab] the container alone of pod alone is simulated: it prints nothing\n",
      err: "",
    });
    expect((await kubectl("-n", "app", "logs", "alone", "-c", "other")).err).toContain("container other is not valid for pod alone");
    for (const words of [
      ["exec", "alone", "--", "true"],
      ["cp", "/etc/hostname", "alone:/tmp/x"],
      ["port-forward", "pod/alone", ":80"],
    ]) {
      const { code, out, err } = await kubectl("-n", "app", ...words);
      expect([words[0], code, /is not modelled by the lab: pod "alone" is simulated/.test(out + err), /\.(ts|js):\d+/.test(out + err)]).toEqual([
        words[0],
        1,
        true,
        false,
      ]);
    }
    expect((await kubectl("top", "nodes")).err).toMatch(/Metrics API not available/);
    const noted = new Set(world.ctx.unhandled.all().map(({ what }) => what.split("/").at(-1)));
    expect(noted).toEqual(new Set(["exec", "portforward"]));
  }, 120_000);
});

test("a parameter, a sub-resource or an option that is not modelled is an error of the API and noted; no answer shows a stack", async () => {
  const port = world.ctx.network.resolve("192.168.1.12", 6443)?.port;
  const admin = (await import("yaml")).parse(fs.readFileSync(path.join(folder, "config"), "utf8")) as {
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

test("a namespace that ends is gone at once when what it waits for is taken away, as with a real server", async () => {
  await dev.namespace("app");
  const type = dev.cluster.store.type("v1", "Namespace");
  const { object } = dev.cluster.store.finalize(type, "app", ["kubernetes"], {});
  expect(object["spec"]).toEqual({ finalizers: ["kubernetes"] });
  expect(dev.cluster.store.finalize(type, "app", [], {}).object["spec"]).toEqual({ finalizers: [] });
  expect(dev.find("v1", "Namespace", undefined, "app")).toBeDefined();
});
