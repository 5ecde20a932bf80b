import { KubectlWorld } from "./kubectl";

/** What a person types on the first day: objects, and who may do what. @param executable asked when a test begins */
export function kubectlObjects(executable: () => string): void {
  let k: KubectlWorld;
  beforeEach(async () => {
    k = await KubectlWorld.start(executable());
  });
  afterEach(() => k.stop());

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
      expect([words.join(" "), await k.run(...words)]).toEqual([words.join(" "), { code: 0, out: expect.any(String), err: "" }]);
    await k.world.settled();
    expect(await k.run("-n", "app", "rollout", "status", "deployment/web")).toMatchObject({ code: 0, out: 'deployment "web" successfully rolled out\n' });
    expect((await k.run("-n", "app", "get", "deployment", "web", "-o", "wide")).out).toMatch(/^web +3\/3 +3 +3 +\d+s +web +registry\/web:2 +app=web$/m);
    const wide = (await k.run("-n", "app", "get", "pods", "-o", "wide")).out;
    expect(wide).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES$/m);
    expect(wide).toMatch(/^once-\w+ +0\/1 +Completed +0 .* k8s-dev/m);
    expect((await k.run("get", "nodes", "-o", "wide")).out).toMatch(/^k8s-dev .* 192\.168\.1\.12 /m);
    expect((await k.run("-n", "app", "get", "job", "once")).out).toMatch(/^once +Complete +1\/1 /m);
    expect((await k.run("-n", "app", "get", "events")).out).toMatch(/Normal +Scheduled +pod\/alone +Successfully assigned app\/alone to k8s-dev/);
    expect((await k.run("-n", "app", "describe", "deployment", "web")).out).toMatch(/Normal +ScalingReplicaSet .* Scaled up replica set web-\w+ from 0 to 2/);
    expect((await k.run("-n", "app", "describe", "pod", "alone")).out).toMatch(/Normal +Started +.*kubelet +Started container alone/);
    expect(await k.run("-n", "app", "delete", "deployment,job", "--all", "--wait=false")).toMatchObject({ code: 0, err: "" });
    expect(k.world.ctx.unhandled.all()).toEqual([]);
  }, 240_000);

  test("says who may do what, and gives a token that works", async () => {
    await k.run("create", "namespace", "app");
    await k.run("-n", "app", "create", "serviceaccount", "worker");
    expect(await k.run("auth", "can-i", "create", "pods")).toEqual({ code: 0, out: "yes\n", err: "" });
    expect((await k.run("auth", "can-i", "create", "pods", "--as", "nobody")).code).not.toBe(0);
    expect((await k.run("auth", "can-i", "--list")).out).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
    expect((await k.run("auth", "whoami")).out).toContain("system:admin");
    const { code, out } = await k.run("-n", "app", "create", "token", "worker", "--duration=10m");
    expect([code, out.trim().split(".").length]).toEqual([0, 3]);
    const port = k.port;
    const asWorker = ["--kubeconfig=/dev/null", `--server=https://127.0.0.1:${port}`, "--insecure-skip-tls-verify", `--token=${out.trim()}`];
    expect((await k.run(...asWorker, "auth", "can-i", "create", "pods")).out).toBe("no\n");
  }, 120_000);
}
