/** A real collector with the configurations of the hub and of a box: who may send, how the sender is labelled, how logs are read. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import { stringify } from "yaml";
import { agentConfig, otlpConfig } from "../../components/platform/box/config";
import { boxOptions } from "../../components/platform/box/options";
import { JAEGER_OTLP_URL } from "../../components/platform/jaeger/values";
import { REMOTE_WRITE_URL } from "../../components/platform/kube-prometheus-stack/values";
import { LOKI_URL } from "../../components/platform/loki/values";
import { hubConfig } from "../../components/platform/otel-collector/config";
import { describeReal } from "../support/real-parts";
import { onFreePorts, type RealProcess, startProcess, untilReady } from "../support/real-process";

const HUB = { host: "otel-collector.example.org", user: "dev", authority: undefined };
// Without metrics, since this collector has no receiver for them. monitoring.real.test.ts checks their configuration with promtool.
const OPTIONS = boxOptions.parse({ credential: { path: "p", key: "k" }, metrics: false });
const ENVIRONMENT = {
  MY_POD_IP: "127.0.0.1",
  PASSWORD_OF_DEV: "d-e_v",
  PASSWORD_OF_PROD: "pr0d",
  HUB_PASSWORD: "d-e_v",
  K8S_NODE_NAME: "n1",
  GOMEMLIMIT: "512MiB",
};

/** The requests to the stores. The bodies are protobuf, read as text in which strings can be found. */
const came: { path: string; body: string }[] = [];
const of = (store: string): string =>
  came
    .filter(({ path: at }) => at.startsWith(store))
    .map(({ body }) => body)
    .join("");

let folder: string;
let stores: http.Server;
let storesUrl: string;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "collector-"));
  stores = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const raw = Buffer.concat(parts);
      came.push({ path: request.url ?? "", body: (request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString("latin1") });
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => stores.listen(0, "127.0.0.1", resolve));
  storesUrl = `http://127.0.0.1:${(stores.address() as AddressInfo).port}`;
});
afterAll(async () => {
  stores.closeAllConnections();
  await new Promise((resolve) => stores.close(resolve));
  fs.rmSync(folder, { recursive: true });
});

/** Writes a configuration in which addresses of the cluster are replaced by addresses of this machine. @returns its file */
function written(name: string, config: object, replaced: readonly (readonly [string, string])[]): string {
  const file = path.join(folder, `${name}.yaml`);
  fs.writeFileSync(
    file,
    replaced.reduce((text, [from, to]) => text.replaceAll(from, to), stringify(config, { lineWidth: 0 })),
  );
  return file;
}
const ports = (otlp: number, health: number, metrics: number) =>
  [
    [":4318", `:${otlp}`],
    [":13133", `:${health}`],
    ["port: 8888", `port: ${metrics}`],
  ] as const;

describeReal(["otelcol"], "the collector", (pathOf) => {
  const hubFile = (given: ReturnType<typeof ports>) =>
    written("hub", hubConfig(["dev", "prod"]), [
      [JAEGER_OTLP_URL, `${storesUrl}/jaeger`],
      [LOKI_URL, `${storesUrl}/loki`],
      [REMOTE_WRITE_URL, `${storesUrl}/prometheus`],
      ...given,
    ]);

  test.each([
    ["the hub", hubConfig(["dev", "prod"])],
    ["what applications send to", otlpConfig(HUB)],
    ["the agent of a machine", agentConfig(HUB, OPTIONS)],
  ])("it takes the configuration of %s", (name, config) => {
    const file = written(name.replaceAll(" ", "-"), config, [["/var/lib/otelcol", folder]]);
    execFileSync(pathOf("otelcol"), ["validate", `--config=file:${file}`], { env: { PATH: process.env["PATH"], ...ENVIRONMENT }, stdio: "pipe" });
  });

  test("it refuses a configuration that is invalid", () => {
    const file = written("none", { ...hubConfig(["dev"]), exporters: { otlp_http: { endpoint: 1, nobody: true } } }, []);
    expect(() =>
      execFileSync(pathOf("otelcol"), ["validate", `--config=file:${file}`], { env: { PATH: process.env["PATH"], ...ENVIRONMENT }, stdio: "pipe" }),
    ).toThrow();
  });

  describe("the hub", () => {
    let hub: RealProcess;
    let url: string;
    beforeAll(async () => {
      await onFreePorts(3, async ([otlp = 0, health = 0, metrics = 0]) => {
        url = `http://127.0.0.1:${otlp}`;
        hub = await startProcess("hub", pathOf("otelcol"), [`--config=file:${hubFile(ports(otlp, health, metrics))}`], { folder, env: ENVIRONMENT });
        await untilReady(hub, "it is healthy", async () => (await fetch(`http://127.0.0.1:${health}/`)).ok);
      });
    });
    afterAll(() => hub.stop());

    const resource = { attributes: [{ key: "k8s.cluster.name", value: { stringValue: "forged" } }] };
    const log = { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ body: { stringValue: "a line of logs" } }] }] }] };
    const metric = {
      resourceMetrics: [
        {
          resource,
          scopeMetrics: [
            {
              metrics: [
                {
                  name: "up",
                  gauge: {
                    dataPoints: [{ asInt: "1", timeUnixNano: String(Date.now() * 1e6), attributes: [{ key: "cluster", value: { stringValue: "forged" } }] }],
                  },
                },
              ],
            },
          ],
        },
      ],
    };
    const span = {
      traceId: "5b8efff798038103d269b633813fc60c",
      spanId: "eee19b7ec3c1b174",
      name: "a span",
      kind: 1,
      startTimeUnixNano: "1",
      endTimeUnixNano: "2",
    };
    const trace = { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] };
    const post = async (at: string, body: object, login?: string): Promise<number> => {
      const headers = {
        "content-type": "application/json",
        ...(login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` }),
      };
      return (await fetch(`${url}/v1/${at}`, { method: "POST", headers, body: JSON.stringify(body) })).status;
    };
    const arrived = (store: string, text: string) => untilReady(hub, `${text} is in ${store}`, async () => of(store).includes(text));

    test.each([
      ["nobody", undefined],
      ["an unknown user", "stranger:d-e_v"],
      ["a wrong password", "dev:wrong"],
      ["another one's password", "dev:pr0d"],
      ["an empty password", "dev:"],
    ])("%s is not let in, and nothing of it goes on", async (_, login) => {
      for (const [at, body] of [
        ["logs", log],
        ["metrics", metric],
        ["traces", trace],
      ] as const)
        expect(await post(at, body, login)).toBe(401);
      expect(came).toEqual([]);
    });

    test("logs, metrics and traces go to their stores, in the name of who has logged in, whatever they say of themselves", async () => {
      for (const [at, body] of [
        ["logs", log],
        ["metrics", metric],
        ["traces", trace],
      ] as const)
        expect(await post(at, body, "dev:d-e_v")).toBe(200);
      await arrived("/loki/otlp/v1/logs", "a line of logs");
      await arrived("/jaeger/v1/traces", "a span");
      await arrived("/prometheus", "cluster");
      for (const store of ["/loki", "/jaeger", "/prometheus"]) {
        expect(of(store)).toContain("dev");
        expect(of(store)).not.toContain("forged");
      }
    });

    test("a box reads containerd's lines, puts parts together and sends them with its password", async () => {
      const pods = path.join(folder, "pods");
      const logFile = path.join(pods, "shop_web-0_0a1b2c3d-0000-4000-8000-000000000000", "web", "0.log");
      fs.mkdirSync(path.dirname(logFile), { recursive: true });
      const at = new Date().toISOString();
      fs.writeFileSync(logFile, `${at} stdout F a whole line\n${at} stderr P the first half, \n${at} stderr F and the second\n`);
      await onFreePorts(2, async ([health = 0, metrics = 0]) => {
        const file = written("agent", agentConfig(HUB, OPTIONS), [
          [`https://${HUB.host}`, url],
          ["/var/log/pods", pods],
          ["/var/lib/otelcol", path.join(folder, "state")],
          ...ports(0, health, metrics),
        ]);
        const agent = await startProcess("agent", pathOf("otelcol"), [`--config=file:${file}`], { folder, env: ENVIRONMENT });
        await arrived("/loki/otlp/v1/logs", "a whole line").finally(() => agent.stop());
      });
      const text = of("/loki/otlp/v1/logs");
      expect(text).toContain("the first half, and the second");
      expect(text).not.toContain("stdout F");
      for (const said of ["k8s.namespace.name", "shop", "k8s.pod.name", "web-0", "k8s.container.name", "k8s.node.name", "n1"]) expect(text).toContain(said);
    });
  });
});
