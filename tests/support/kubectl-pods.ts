import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { startConnectProxy } from "../../lab/gateway/connect-proxy";
import { KubectlWorld, refusing } from "./kubectl";

/** kubectl's access to pods: logs, commands, files, ports. @param executable is called when a test begins */
export function kubectlPods(executable: () => string): void {
  let k: KubectlWorld;
  beforeEach(async () => {
    k = await KubectlWorld.start(executable());
  });
  afterEach(() => k.stop());

  test("logs of a simulated pod say that it prints nothing; attach, a terminal and an unknown program say that they are not modelled", async () => {
    await k.alone();
    expect(await k.run("-n", "app", "logs", "alone")).toEqual({
      code: 0,
      out: "[lab] the container alone of pod alone is simulated: it prints nothing\n",
      err: "",
    });
    expect((await k.run("-n", "app", "logs", "alone", "-c", "other")).err).toContain("container other is not valid for pod alone");
    for (const [words, what] of [
      [["attach", "alone"], "/pods/alone/attach"],
      [["exec", "alone", "--", "psql"], "the program psql of the image registry/alone:1"],
      [["exec", "alone", "--", "sh", "-c", "echo before; no-such-program"], "the program no-such-program of the image registry/alone:1"],
    ] as const) {
      const before = k.world.ctx.unhandled.all().length;
      const { code, out, err } = await k.run("-n", "app", ...words);
      const noted = k.world.ctx.unhandled.all().slice(before);
      expect([words, code === 0, out.includes("before")]).toEqual([words, false, words[2] === "--" && words[3] === "sh"]);
      expect(out + err).toMatch(/is not modelled by the lab|command not found/);
      expect(out + err).not.toMatch(/\.(ts|js):\d+/);
      expect(noted.map((entry) => entry.what).join()).toMatch(what);
    }
    expect((await k.run("top", "nodes")).err).toMatch(/Metrics API not available/);
  }, 120_000);

  const exits = [
    ["over a WebSocket", {}],
    ["over SPDY", { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" }],
  ] as const;

  test.each(exits)(
    "runs commands in a container: its files, environment, input and exit code, %s",
    async (_how, environment) => {
      await k.dev.namespace("app");
      k.dev.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "app" }, data: { "app.yaml": "a: b\n" } });
      k.dev.create({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "hidden", namespace: "app" },
        data: { word: Buffer.from("s3cr3t").toString("base64") },
      });
      k.dev.create({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "full", namespace: "app" },
        spec: {
          containers: [
            {
              name: "main",
              image: "registry/full:1",
              env: [
                { name: "WORD", valueFrom: { secretKeyRef: { name: "hidden", key: "word" } } },
                { name: "ME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
                { name: "BOTH", value: "$(ME)-$(NOT_SET)" },
              ],
              volumeMounts: [
                { name: "settings", mountPath: "/etc/app" },
                { name: "shared", mountPath: "/shared" },
              ],
            },
            { name: "beside", image: "registry/full:1", volumeMounts: [{ name: "shared", mountPath: "/shared" }] },
            { name: "bare", image: "quay.io/jetstack/cert-manager-controller:v1" },
          ],
          volumes: [
            { name: "settings", configMap: { name: "settings" } },
            { name: "shared", emptyDir: {} },
          ],
        },
      });
      await k.world.settled();
      const run = (container: string, ...words: string[]) => k.runWith({ environment }, "-n", "app", "exec", "full", "-c", container, ...words);
      expect(await run("main", "--", "cat", "/etc/app/app.yaml")).toEqual({ code: 0, out: "a: b\n", err: "" });
      expect(await run("main", "--", "sh", "-c", 'echo "$WORD $BOTH $HOSTNAME"; echo no >&2; exit 7')).toEqual({
        code: 7,
        out: "s3cr3t full-$(NOT_SET) full\n",
        err: "no\ncommand terminated with exit code 7\n",
      });
      const shown = (await run("main", "--", "env")).out.split("\n");
      expect(shown).toEqual(expect.arrayContaining(["WORD=s3cr3t", "ME=full", "HOSTNAME=full", "KUBERNETES_SERVICE_PORT=443"]));
      expect(shown.filter((line) => !/^([A-Za-z_]\w*=.*)?$/.test(line))).toEqual([]);
      expect((await run("main", "--", "sh", "-c", "echo x > /etc/app/app.yaml")).err).toMatch(/read-only file system/i);
      expect(await k.runWith({ environment, input: "written\n" }, "-n", "app", "exec", "-i", "full", "-c", "main", "--", "tee", "/shared/note")).toEqual({
        code: 0,
        out: "written\n",
        err: "",
      });
      expect((await run("beside", "--", "cat", "/shared/note")).out).toBe("written\n");
      expect((await run("beside", "--", "ls", "/etc/app")).code).not.toBe(0);
      expect((await run("main", "--", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/namespace")).out).toBe("app");
      expect((await run("bare", "--", "ls")).err).toMatch(/exec: "ls": executable file not found in \$PATH/);
      expect(k.world.ctx.unhandled.all()).toEqual([]);
    },
    240_000,
  );

  test.each(exits)(
    "copies files and folders into a container and out of it, byte for byte, %s",
    async (_how, environment) => {
      await k.alone();
      const own = (...words: string[]) => k.runWith({ environment }, ...words);
      const [tree, back] = [k.file("tree"), k.file("back")];
      const content = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7 + (at >> 8)) % 256));
      fs.mkdirSync(path.join(tree, "deep"), { recursive: true });
      fs.writeFileSync(path.join(tree, "deep", "all.bin"), content);
      fs.writeFileSync(path.join(tree, "ü.txt"), "grün\n");
      expect(await own("-n", "app", "cp", tree, "alone:/tmp/tree")).toEqual({ code: 0, out: "", err: "" });
      expect((await own("-n", "app", "exec", "alone", "--", "sha256sum", "/tmp/tree/deep/all.bin")).out).toMatch(
        createHash("sha256").update(content).digest("hex"),
      );
      expect((await own("-n", "app", "cp", "alone:/tmp/tree", back)).code).toBe(0);
      expect(fs.readFileSync(path.join(back, "deep", "all.bin")).equals(content)).toBe(true);
      expect(fs.readFileSync(path.join(back, "ü.txt"), "utf8")).toBe("grün\n");
      // Copies into an existing folder, without owners and modes.
      expect(await own("-n", "app", "cp", "--no-preserve", path.join(tree, "ü.txt"), "alone:/tmp")).toEqual({ code: 0, out: "", err: "" });
      expect((await own("-n", "app", "exec", "alone", "--", "cat", "/tmp/ü.txt")).out).toBe("grün\n");
      // kubectl ends with the end of the archive, sometimes before it gets tar's exit code.
      await own("-n", "app", "cp", "alone:/tmp/none", k.file("none"));
      expect(fs.existsSync(k.file("none"))).toBe(false);
      expect(k.world.ctx.unhandled.all()).toEqual([]);
    },
    240_000,
  );

  test.each([
    ...exits,
    ["over SPDY when the WebSocket is refused", { refuse: "websocket" }],
    ["over a WebSocket alone", { refuse: "spdy/3.1" }],
    ["through the lab's proxy", { through: "proxy" }],
  ] as const)(
    "forwards ports to a program in a pod, %s",
    async (_how, how) => {
      const { refuse, through, ...environment } = how as Record<string, string>;
      await k.dev.namespace("vault");
      const port = { containerPort: 8200 };
      const container = { name: "vault", image: "hashicorp/vault:1.21.0", ports: [port, { containerPort: 8201 }] };
      k.dev.create({ apiVersion: "v1", kind: "Pod", metadata: { name: "v", namespace: "vault", labels: { app: "v" } }, spec: { containers: [container] } });
      k.dev.create({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "v", namespace: "vault" },
        spec: { selector: { app: "v" }, ports: [{ port: 80, targetPort: 8200 }] },
      });
      await k.world.settled();
      const relay = refuse === undefined ? undefined : await refusing(refuse as "websocket" | "spdy/3.1", k);
      const proxy = through === undefined ? undefined : await startConnectProxy(k.world.ctx, 0);
      if (relay !== undefined) k.configure({ server: `https://127.0.0.1:${relay.port}` }, relay.caPem);
      if (proxy !== undefined) k.configure({ server: "https://192.168.1.12:6443", proxyUrl: `http://127.0.0.1:${proxy.port}` });
      const forward = await k.forward(environment, "-n", "vault", "port-forward", "pod/v", ":8200", ":8201", ":9");
      try {
        const health = async (): Promise<unknown> =>
          ((await (await fetch(`http://127.0.0.1:${forward.ports[0]}/v1/sys/health?sealedcode=200&uninitcode=200`)).json()) as { initialized: unknown })
            .initialized;
        expect(await Promise.all([health(), health(), health()])).toEqual([false, false, false]);
        await expect(fetch(`http://127.0.0.1:${forward.ports[1]}/`)).rejects.toThrow();
        await forward.says(/what listens on port 8201 of the pod vault\/v is not modelled by the lab/);
      } finally {
        await forward.end();
      }
      const service = await k.forward(environment, "-n", "vault", "port-forward", "service/v", ":80", ":80");
      try {
        expect((await fetch(`http://127.0.0.1:${service.ports[0]}/v1/sys/seal-status`)).status).toBe(200);
      } finally {
        await service.end();
        await relay?.stop();
        await proxy?.stop();
      }
      if (refuse !== undefined) expect((relay?.refused() ?? 0) > 0).toBe(refuse === "websocket");
      expect(k.world.ctx.unhandled.all().map(({ what }) => what)).toEqual([
        "pods/portforward: what listens on port 8201 of the pod vault/v is not modelled by the lab",
      ]);
    },
    240_000,
  );

  test("a port on which nothing listens is refused as a kernel refuses it, and a pod that does not run has none", async () => {
    await k.alone();
    const forward = await k.forward({}, "-n", "app", "port-forward", "pod/alone", ":81");
    try {
      await expect(fetch(`http://127.0.0.1:${forward.ports[0]}/`)).rejects.toThrow();
      await forward.says(/dial tcp4 127\.0\.0\.1:81: connect: connection refused/);
    } finally {
      await forward.end();
    }
    k.dev.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "waits", namespace: "app" },
      spec: { containers: [{ name: "a", image: "a", envFrom: [{ secretRef: { name: "none" } }] }] },
    });
    await k.world.settled();
    expect((await k.run("-n", "app", "port-forward", "pod/waits", ":80")).err).toMatch(/pod is not running. Current status=Pending/);
    expect((await k.run("-n", "app", "exec", "waits", "--", "ls")).code).not.toBe(0);
    expect(k.world.ctx.unhandled.all()).toEqual([]);
  }, 120_000);

  test("a command in a container is a right of its own", async () => {
    await k.alone();
    await k.run("-n", "app", "create", "serviceaccount", "worker");
    await k.run("-n", "app", "create", "role", "reader", "--verb=get,list", "--resource=pods");
    await k.run("-n", "app", "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=app:worker");
    const as = ["-n", "app", "--as=system:serviceaccount:app:worker"];
    expect((await k.run(...as, "get", "pod", "alone")).code).toBe(0);
    for (const words of [
      ["exec", "alone", "--", "ls"],
      ["port-forward", "alone", ":80"],
      ["cp", "alone:/etc/hostname", k.file("x")],
    ])
      expect((await k.run(...as, ...words)).err).toMatch(/cannot (get|create) resource "pods\/(exec|portforward)"/);
  }, 120_000);
}
