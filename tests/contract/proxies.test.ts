/** Which requests of our clients use the proxy of the environment. common/proxy.test.ts tests the rules themselves. */
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { createHttpClient } from "../../common/http";
import { PROXY_VARIABLES } from "../../common/proxy";
import { openBucket } from "../../engine/backend/open-bucket";
import { createAuthority } from "../../lab/core/tls";
import { KubernetesClient } from "../../providers/kubernetes/client";
import { readKubeconfig } from "../../providers/kubernetes/kubeconfig";
import { type RecordingProxy, startRecordingProxy } from "../support/recording-proxy";

const before = [...PROXY_VARIABLES, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((name) => [name, process.env[name]] as const);
let ca: string;
let plain: http.Server;
let tls: https.Server;
let proxy: RecordingProxy;

const portOf = (server: http.Server | https.Server): number => (server.address() as AddressInfo).port;
const answer: http.RequestListener = (request, response) => {
  const text = `${request.method} ${request.url} of ${request.headers.host}`;
  response.end(request.url === "/version" ? JSON.stringify({ text }) : text);
};

beforeAll(async () => {
  const authority = await createAuthority("proxies CA");
  ca = authority.caPem;
  plain = http.createServer(answer);
  tls = https.createServer(await authority.issue(["service.test", "states.service.test", "localhost", "127.0.0.1"]), answer);
  await Promise.all([plain, tls].map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))));
  proxy = await startRecordingProxy({ plain: portOf(plain), tls: portOf(tls) });
});
beforeEach(() => {
  for (const name of PROXY_VARIABLES) delete process.env[name];
  process.env["HTTP_PROXY"] = proxy.url;
  process.env["HTTPS_PROXY"] = proxy.url.replace("//", "//me:p%40ss@");
  proxy.seen.length = 0;
});
afterAll(() => {
  for (const server of [plain, tls]) {
    server.closeAllConnections();
    server.close();
  }
  proxy.close();
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

async function get(origin: string, path = "/x"): Promise<string> {
  const client = createHttpClient(origin, { ca });
  try {
    return (await client.request({ method: "GET", url: `${origin}${path}` })).body;
  } finally {
    await client.close();
  }
}

describe("requests of the providers, the orchestrator and Vault's client", () => {
  test("to this machine go straight, whatever the proxy", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      expect(await get(`http://${host}:${portOf(plain)}`)).toBe(`GET /x of ${host}:${portOf(plain)}`);
      expect(await get(`https://${host}:${portOf(tls)}`)).toBe(`GET /x of ${host}:${portOf(tls)}`);
    }
    expect(proxy.seen).toEqual([]);
  });

  test("to others go through it: TLS by a tunnel, plain ones by their whole URL", async () => {
    expect(await get("http://service.test:8080")).toBe("GET /x of service.test:8080");
    expect(await get("https://service.test")).toBe("GET /x of service.test");
    expect(proxy.seen).toEqual(["GET http://service.test:8080/x", "CONNECT service.test:443 me:p@ss"]);
  });

  test("a body is sent and read as it comes through a plain proxy", async () => {
    const client = createHttpClient("http://service.test");
    const { status, body } = await client.stream({ method: "POST", url: "http://service.test/y", body: "text" });
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    await client.close();
    expect([status, Buffer.concat(pieces).toString()]).toEqual([200, "POST /y of service.test"]);
  });

  test("to what NO_PROXY names go straight", async () => {
    process.env["NO_PROXY"] = "10.0.0.0/8, .test";
    await expect(get("https://service.test")).rejects.toThrow("GET https://service.test: no answer");
    expect(proxy.seen).toEqual([]);
  });

  test("the proxy that does not answer is named, without its password", async () => {
    process.env["HTTPS_PROXY"] = "http://me:hidden@127.0.0.1:1";
    const error = await get("https://service.test").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "E_HTTP", hint: expect.stringContaining("through the proxy 127.0.0.1:1") });
    expect(JSON.stringify(error)).not.toContain("hidden");
  });
});

test("a kubeconfig's proxy-url goes before the environment's", async () => {
  const config = JSON.stringify({
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
    clusters: [
      { name: "k", cluster: { server: "https://service.test:6443", "proxy-url": proxy.url, "certificate-authority-data": Buffer.from(ca).toString("base64") } },
    ],
    users: [{ name: "u", user: {} }],
  });
  process.env["HTTPS_PROXY"] = "http://127.0.0.1:1";
  const client = new KubernetesClient(readKubeconfig(config), "default");
  expect(await client.request("GET", "/version", AbortSignal.timeout(60_000))).toMatchObject({ body: { text: "GET /version of service.test:6443" } });
  await client.close();
  expect(proxy.seen).toEqual(["CONNECT service.test:6443"]);
});

describe("the engine's requests to S3", () => {
  beforeAll(() => Object.assign(process.env, { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" }));
  const read = async (options: string): Promise<string | undefined> => (await openBucket(`s3://states?region=main&${options}`, "/")).read("key");

  test("go through the proxy, a bucket's own host too", async () => {
    expect(await read("endpoint=http://service.test&use_path_style=true")).toContain("GET /states/key");
    expect(await read("endpoint=http://service.test:9000")).toContain("of states.service.test:9000");
    expect(proxy.seen).toEqual([
      expect.stringContaining("GET http://service.test/states/key"),
      expect.stringContaining("GET http://states.service.test:9000/key"),
    ]);
  });

  test("go straight to this machine, and to what NO_PROXY names", async () => {
    expect(await read(`endpoint=http://127.0.0.1:${portOf(plain)}&use_path_style=true`)).toContain("GET /states/key");
    process.env["NO_PROXY"] = "states.service.test";
    expect(await read("endpoint=http://service.test&use_path_style=true")).toContain("GET /states/key");
    expect(proxy.seen).toEqual([expect.stringContaining("http://service.test/")]);
  });

  test("a SOCKS proxy is refused by name", async () => {
    process.env["HTTP_PROXY"] = "socks5://127.0.0.1:1";
    await expect(read("endpoint=http://service.test&use_path_style=true")).rejects.toThrow(/reading key failed/);
  });
});
