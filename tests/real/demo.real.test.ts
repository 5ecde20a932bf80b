/**
 * The demo (images/demo), built into images and run from them, with a real NATS with the module's accounts, a real Redis with the module's
 * users, and a Postgres with pgvector. It must do what site/apps/demo.ts says: ports, probes, hooks, metrics, traces, and only the
 * connections that its flows allow.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import { isSecretValue } from "../../components/apps/app-spec";
import type { BoxOptions } from "../../components/platform/box/options";
import { baseArgument, buildOf, loadImageList } from "../../orchestrator/images/image-list";
import { planEstate } from "../../stacks/plan/plan";
import { connectedPorts, PASSWORD, type Served, type ServedPostgres, startNats, startPostgres, startRedis } from "../support/demo-servers";
import { loadHomelab, useHomelabSecrets } from "../support/homelab";
import { type Span, spansOf } from "../support/otlp-spans";
import { RealImages } from "../support/real-images";
import { describeReal } from "../support/real-parts";
import { onFreePorts, type RealProcess, startProcess, stopAll, untilReady } from "../support/real-process";
import { runCommand } from "../support/run-command";

const ROOT = path.resolve(__dirname, "..", "..");
const LABELS = { source: "https://git.example.org/homelab", revision: "abc", version: "1.0.0" };
useHomelabSecrets();
const plan = planEstate(loadHomelab()).get("dev");
const appOf = (name: string) => {
  const found = plan?.apps.find((app) => app.name === name);
  if (found === undefined) throw new Error(`dev has no application ${name}`);
  return found;
};
const APPS = { "demo-web": appOf("demo-web"), "demo-worker": appOf("demo-worker") };
type Name = keyof typeof APPS;
const NAMES = Object.keys(APPS) as Name[];

describeReal(["buildah", "busybox", "nats-server", "redis-server", "ip"], "the demo", (pathOf) => {
  let folder: string;
  let images: RealImages;
  let programs: Record<Name, string>;
  let nats: Served;
  let redis: Served;
  let postgres: ServedPostgres;
  let collector: http.Server;
  const spans: Span[] = [];
  const running: RealProcess[] = [];

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "demo-"));
    images = new RealImages(pathOf("buildah"), pathOf("busybox"));
    const go = images.standIn("go");
    const list = loadImageList(ROOT);
    for (const name of NAMES) {
      const build = buildOf(list, name, LABELS);
      images.build(name, path.join(ROOT, build.dockerfile), path.join(ROOT, build.context), { ...build.arguments, [baseArgument("go")]: go });
    }
    programs = { "demo-web": images.file("demo-web", "app"), "demo-worker": images.file("demo-worker", "app") };
    collector = http.createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const raw = Buffer.concat(parts);
        if (request.url === "/v1/traces") spans.push(...spansOf(request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw));
        response.writeHead(request.url === "/v1/traces" ? 200 : 404, { "content-type": "application/x-protobuf" }).end();
      });
    });
    // The test counts connections, so an idle one must not be closed.
    collector.keepAliveTimeout = 600_000;
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
    nats = await startNats(pathOf("nats-server"), folder);
    redis = await onFreePorts(1, async ([port = 0]) => ({ port, server: await startRedis(pathOf("redis-server"), folder, port) }));
    postgres = await startPostgres();
  }, 900_000);

  // A worker that keeps running would take the words of the next test.
  afterEach(() => stopAll(running.splice(0)));
  afterAll(async () => {
    await stopAll([nats?.server, redis?.server].filter((one) => one !== undefined));
    await postgres?.stop();
    collector?.closeAllConnections();
    await new Promise((resolve) => (collector === undefined ? resolve(undefined) : collector.close(resolve)));
    images?.remove();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** The port on this machine for each port that flows name. */
  const here = (): ReadonlyMap<number, number> =>
    new Map([
      [4222, nats.port],
      [6379, redis.port],
      [5432, postgres.port],
      [4318, (collector.address() as AddressInfo).port],
    ]);

  /** The environment variables of the description, with addresses of this machine. */
  function environmentOf(name: Name): Record<string, string> {
    const { environment = {}, config = {} } = APPS[name].spec;
    const values = Object.entries({ ...config, ...environment }).map(([key, value]) => [key, isSecretValue(value) ? PASSWORD : value] as const);
    const moved = values.map(
      ([key, value]) => [key, value.replace(/[\w.-]+:(4222|6379|4318)$/, (_, port) => `127.0.0.1:${here().get(Number(port))}`)] as const,
    );
    const own = { DB_HOST: "127.0.0.1", DB_PORT: String(postgres.port), DB_SSLMODE: "disable", DB_CONNECTIONS: "1" };
    return {
      ...Object.fromEntries(moved),
      ...("DB_HOST" in config ? own : {}),
      HTTP_ADDRESS: "127.0.0.1:0",
      METRICS_ADDRESS: "127.0.0.1:0",
      OTEL_BSP_SCHEDULE_DELAY: "100",
    };
  }

  const linesOf = (process: RealProcess): Record<string, string>[] =>
    process
      .log()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));

  interface Service {
    readonly process: RealProcess;
    /** The base URL of each port, by the port's name. */
    readonly ports: Readonly<Record<string, string>>;
  }
  let starts = 0;
  async function start(name: Name, changes: Readonly<Record<string, string>> = {}): Promise<Service> {
    if (name === "demo-worker") await postgres.forget();
    // Each process has a name of its own, and so a log of its own.
    const process = await startProcess(`${name}-${++starts}`, programs[name], [], { folder, env: { ...environmentOf(name), ...changes } });
    running.push(process);
    const listening = () => linesOf(process).filter(({ msg }) => msg === "listening");
    await untilReady(process, "it listens", async () => listening().length === APPS[name].spec.ports.length);
    return { process, ports: Object.fromEntries(listening().map(({ port, address }) => [port, `http://${address}`])) };
  }
  const urlOf = ({ ports }: Service, port: string): string => ports[port] ?? `no port ${port}`;
  /** Calls a probe, as a kubelet does. */
  async function probe(name: Name, service: Service, of: "ready" | "live"): Promise<[number, unknown]> {
    const { probes, ports } = APPS[name].spec;
    const answer = await fetch(`${urlOf(service, ports[0].name)}${probes[of]}`);
    return [answer.status, await answer.json()];
  }
  async function post(service: Service, body: string): Promise<[number, unknown]> {
    const answer = await fetch(`${urlOf(service, "http")}/api/words`, { method: "POST", body });
    return [answer.status, await answer.json()];
  }
  async function runHook(name: Name, hook: string, args: (given: readonly string[]) => readonly string[] = (given) => given): Promise<string> {
    const [program, ...given] = APPS[name].spec.hooks?.[hook]?.command ?? [];
    expect(program).toBe("/app");
    if (name === "demo-worker") await postgres.forget();
    const { code, out, err } = await runCommand(spawn(programs[name], args(given), { env: environmentOf(name) }));
    return `${out}${err}\nexit code ${code}`;
  }

  test.each(NAMES)("the image of %s is one program and certificates, of the description's user and ports, and says what it is", (name) => {
    const { runAsUser, ports } = APPS[name].spec;
    expect(images.files(name)).toEqual(["/app", "/etc/ssl/certs/ca-certificates.crt"]);
    expect(images.config(name)).toMatchObject({
      User: `${runAsUser}:${runAsUser}`,
      ExposedPorts: Object.fromEntries(ports.map(({ port }) => [`${port}/tcp`, {}])),
      Healthcheck: { Test: ["CMD", "/app", "healthcheck"] },
      Labels: {
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.source": LABELS.source,
        "org.opencontainers.image.revision": "abc",
        "org.opencontainers.image.version": "1.0.0",
      },
    });
  });

  test("in its image it listens on the ports of the description without being told, is not ready without what it needs, and its health check asks it", () => {
    const { ports, probes } = APPS["demo-web"].spec;
    const env = {
      ENV: "dev",
      NATS_URL: "nats://127.0.0.1:4222",
      NATS_USER: "a",
      NATS_PASSWORD: "b",
      REDIS_ADDR: "127.0.0.1:6379",
      REDIS_USER: "a",
      REDIS_PASSWORD: "b",
    };
    const [page, metrics] = ports.map(({ port }) => `http://127.0.0.1:${port}`);
    const wget = `${pathOf("busybox")} wget -q -O -`;
    const wait = `tries=0; until ${wget} ${page}${probes.live} >/dev/null 2>&1; do tries=$((tries + 1)); [ $tries -lt 300 ] || exit 9; sleep 0.2; done`;
    const said = images.askInside(
      "demo-web",
      env,
      `${wait}; echo live; ${wget} ${page}${probes.ready} >/dev/null 2>&1 || echo not ready; ${wget} ${metrics}/metrics | grep -c '^go_goroutines '; $RUN /app healthcheck && echo healthy; $RUN /app nothing 2>/dev/null || echo refused`,
    );
    expect(
      said
        .trim()
        .split("\n")
        .map((line) => (/^\d+$/.test(line) ? Number(line) : line)),
    ).toEqual(["live", "not ready", 1, "healthy", "refused"]);
  }, 240_000);

  test("a Go service of the other repositories is built by their pattern, and its health check asks the path that was given", () => {
    const { arguments: args } = buildOf(loadImageList(ROOT), "demo-web", LABELS);
    const bases = { GO: "localhost/go:1", ALPINE: images.standIn("alpine") };
    images.build("go-service", path.join(ROOT, "images/go-service/Dockerfile"), path.join(ROOT, "images/demo"), { ...args, ...bases, HEALTH: "/readyz" });
    const { User, Env, Healthcheck } = images.config("go-service") as { User: string; Env: string[]; Healthcheck: { Test: string[] } };
    expect([User, Env.find((one) => one.startsWith("HEALTH_PATH="))]).toEqual(["1001:1001", "HEALTH_PATH=/readyz"]);
    expect(Healthcheck.Test.slice(0, 3)).toEqual(["CMD", "sh", "-c"]);
    expect(Healthcheck.Test.at(-1)).toMatch(/"http:\/\/127\.0\.0\.1:8080\$\{HEALTH_PATH\}"$/);
    expect(fs.readFileSync(images.file("go-service", "etc/passwd"), "utf8")).toContain("app:x:1001:1001:");
  }, 600_000);

  test("the migration of the description makes the table, and does nothing the second time", async () => {
    expect(await runHook("demo-worker", "migrate")).toMatch(/"msg":"migrated","service":"demo-worker","step":"0001-words\.sql"[\s\S]*\nexit code 0$/);
    expect(await runHook("demo-worker", "migrate")).toBe("\nexit code 0");
  });

  test("a word goes from the page by NATS to the worker, into Postgres and Redis, and back; all by connections that the flows allow", async () => {
    const web = await start("demo-web");
    expect(await probe("demo-web", web, "ready")).toEqual([200, { nats: "ok", redis: "ok" }]);
    expect(await post(web, '{"word": "early"}')).toEqual([503, { error: "no worker takes words" }]);
    const worker = await start("demo-worker");
    expect(await probe("demo-worker", worker, "ready")).toEqual([200, { nats: "ok", redis: "ok", postgres: "ok" }]);
    expect([Object.keys(web.ports), Object.keys(worker.ports)]).toEqual(NAMES.map((name) => APPS[name].spec.ports.map((port) => port.name)));

    const [code, first] = await post(web, '{"word": " Kubernetes "}');
    expect([code, first]).toEqual([201, { id: expect.any(String), word: "kubernetes", similar: [] }]);
    await post(web, '{"word": "postgres"}');
    const [, third] = await post(web, '{"word": "kubernete"}');
    expect((third as unknown as { similar: { word: string; distance: number }[] }).similar.map(({ word }) => word)).toEqual(["kubernetes", "postgres"]);
    const read = await fetch(`${urlOf(web, "http")}/api/words/${(third as unknown as { id: string }).id}`);
    expect([read.status, await read.json()]).toEqual([200, third]);
    expect((await fetch(`${urlOf(web, "http")}/api/words/none`)).status).toBe(404);
    for (const body of ["", "{}", '{"word": "1"}', '{"word": "a", "more": 1}', `{"word": "${"a".repeat(65)}"}`]) expect((await post(web, body))[0]).toBe(400);
    const page = await fetch(`${urlOf(web, "http")}/`);
    expect([page.status, page.headers.get("content-type"), (await page.text()).includes("/api/words")]).toEqual([200, "text/html; charset=utf-8", true]);

    // The description's smoke test, at the address of its Service on this machine.
    expect(await runHook("demo-web", "smoke", ([command = "", url]) => [command, url === "http://demo-web" ? urlOf(web, "http") : ""])).toMatch(
      /smoke test passed[\s\S]*\nexit code 0$/,
    );

    // Each has connections to the ports of its flows, and to no others.
    for (const [name, service] of [
      ["demo-web", web],
      ["demo-worker", worker],
    ] as const) {
      const flows = (APPS[name].flows ?? []).filter(({ direction, peer }) => direction === "out" && peer !== name).map(({ port }) => here().get(port));
      // Spans are sent a moment after the words.
      await untilReady(service.process, "it has a connection of each flow", async () => connectedPorts(service.process.pid).length >= flows.length);
      expect(connectedPorts(service.process.pid).toSorted()).toEqual(flows.toSorted());
    }

    // The metrics exist that the box of dev collects.
    const scraped = (plan?.platform.modules.find(({ name }) => name === "box")?.options as BoxOptions | undefined)?.scrape ?? {};
    for (const [name, service] of [
      ["demo-web", web],
      ["demo-worker", worker],
    ] as const) {
      const { namespace, port, path: at } = scraped[name] ?? {};
      const own = APPS[name].spec.ports.find((one) => one.port === port)?.name ?? "";
      expect([namespace, scraped[name]?.labels]).toEqual([name, { "app.kubernetes.io/name": name }]);
      const text = await (await fetch(`${urlOf(service, own)}${at}`)).text();
      expect(text).toContain(
        name === "demo-web" ? 'demo_http_request_duration_seconds_count{code="201",route="POST /api/words"} 4' : 'demo_words_total{result="kept"} 4',
      );
    }

    // A word gives one trace through both services; probes give none.
    await untilReady(worker.process, "its spans came", async () => spans.filter(({ name }) => name === "keep").length >= 4);
    await untilReady(web.process, "its spans came", async () => spans.filter(({ name }) => name === "POST /api/words").length >= 5);
    const trace = spans.find(({ name }) => name === "keep")?.trace;
    expect(
      spans
        .filter((span) => span.trace === trace)
        .map(({ service, name }) => `${service}: ${name}`)
        .toSorted(),
    ).toEqual([
      "demo-web: POST /api/words",
      "demo-web: send dev.demo.words",
      "demo-worker: keep",
      "demo-worker: take dev.demo.words",
      "demo-worker: write and compare",
    ]);
    expect(spans.filter(({ name }) => /livez|readyz/.test(name))).toEqual([]);

    // An outage of Redis makes a service not ready, and does not restart it.
    await redis.server.stop();
    expect(await probe("demo-web", web, "ready")).toEqual([503, { nats: "ok", redis: "down" }]);
    expect(await probe("demo-web", web, "live")).toEqual([200, { status: "ok" }]);
    expect((await post(web, '{"word": "lost"}'))[1]).toEqual({ error: "the word was not kept" });
    redis = { port: redis.port, server: await startRedis(pathOf("redis-server"), folder, redis.port) };
    await untilReady(web.process, "it is ready again", async () => (await probe("demo-web", web, "ready"))[0] === 200);
    expect((await post(web, '{"word": "found"}'))[0]).toBe(201);

    // Both end cleanly on SIGTERM, and their logs have no secret.
    for (const { process: service } of [web, worker]) {
      process.kill(service.pid, "SIGTERM");
      await service.ended;
      expect(() => service.check()).toThrow("exit code 0");
      expect(service.log()).not.toContain(PASSWORD);
      running.splice(running.indexOf(service), 1);
    }
  }, 120_000);

  test("a word that the worker has taken is answered, also where it is asked to end meanwhile", async () => {
    const web = await start("demo-web");
    const worker = await start("demo-worker");
    await untilReady(worker.process, "it is ready", async () => (await probe("demo-worker", worker, "ready"))[0] === 200);
    const written = () => spans.filter(({ name }) => name === "write and compare").length;
    const before = written();
    process.kill(redis.server.pid, "SIGSTOP");
    try {
      const answer = post(web, '{"word": "late"}');
      await untilReady(worker.process, "it wrote the word", async () => written() > before);
      process.kill(worker.process.pid, "SIGTERM");
      const answers = () =>
        probe("demo-worker", worker, "live").then(
          () => true,
          () => false,
        );
      await untilReady(web.process, "the worker begins to end", async () => !(await answers()));
      process.kill(redis.server.pid, "SIGCONT");
      expect(await answer).toEqual([201, expect.objectContaining({ word: "late" })]);
      await worker.process.ended;
      expect(() => worker.process.check()).toThrow("exit code 0");
      running.splice(running.indexOf(worker.process), 1);
    } finally {
      process.kill(redis.server.pid, "SIGCONT");
    }
  });

  test.each<[Name, Record<string, string>, string]>([
    ["demo-web", { NATS_PASSWORD: "" }, "the variable NATS_PASSWORD is not set"],
    ["demo-worker", { DB_HOST: "" }, "the variable DB_HOST is not set"],
    ["demo-web", { LOG_LEVEL: "LOUD" }, "LOG_LEVEL"],
  ])("%s does not start with %j, and says why", async (name, changes, says) => {
    const process = await startProcess(`${name}-refused`, programs[name], [], { folder, env: { ...environmentOf(name), ...changes } });
    await process.ended;
    expect(() => process.check()).toThrow(says);
  });
});
