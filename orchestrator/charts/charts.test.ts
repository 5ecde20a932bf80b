/** Charts and images as they are fetched, against a repository and a registry on this machine that speak their protocols. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { stringify } from "yaml";
import { tar } from "../../lab/core/tar";
import { readChartArchive } from "./chart-archive";
import { ChartSources } from "./chart-source";
import { imageOf } from "./image-reference";
import { pinsOf, pinText, upgradesExitCode } from "./list-upgrades";
import { verifiedExitCode, verifiedText, verifyChart } from "./manage-charts";
import { type ChartUse, findingsOfManifests } from "./verify-chart";

const FILES = {
  "shop/Chart.yaml": stringify({ apiVersion: "v2", name: "shop", version: "1.2.3" }),
  "shop/values.yaml": stringify({ replicas: 1, image: { tag: "" }, env: {} }),
  "shop/templates/shop.yaml": "password: {{ .Values.auth.password }}\n",
};
const ARCHIVE = gzipSync(tar(FILES));
const digest = (data: Buffer | string): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  layers: [{ mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", digest: digest(ARCHIVE), size: ARCHIVE.length }],
});
const INDEX = stringify({
  apiVersion: "v1",
  entries: {
    shop: [
      { version: "1.10.0", urls: ["charts/shop-1.10.0.tgz"] },
      { version: "1.2.3", urls: ["charts/shop-1.2.3.tgz"], digest: digest(ARCHIVE).slice(7) },
    ],
    changed: [{ version: "1.0.0", urls: ["charts/shop-1.2.3.tgz"], digest: "0".repeat(64) }],
  },
});

let server: http.Server;
let host: string;
const asked: string[] = [];
beforeAll(async () => {
  const reply = (response: http.ServerResponse, status: number, body: string | Buffer = "", headers: http.OutgoingHttpHeaders = {}): void => {
    response.writeHead(status, headers);
    response.end(body);
  };
  server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "/", `http://${host}`);
    asked.push(`${request.method} ${url.pathname}${url.search}`);
    if (url.pathname === "/repo/index.yaml") return reply(response, 200, INDEX);
    if (url.pathname === "/repo/charts/shop-1.2.3.tgz") return reply(response, 302, "", { location: "/elsewhere.tgz" });
    if (url.pathname === "/elsewhere.tgz") return reply(response, 200, ARCHIVE);
    if (url.pathname === "/round") return reply(response, 302, "", { location: "/round" });
    if (url.pathname === "/token") return reply(response, 200, JSON.stringify({ token: `for ${url.searchParams.get("scope")}` }));
    if (url.pathname === "/page") return reply(response, 200, "<html>sign in</html>");
    if (url.pathname.startsWith("/v2/")) {
      const repository = /^\/v2\/(.+)\/(?:tags|manifests|blobs)\//.exec(url.pathname)?.[1] ?? "";
      const scope = `repository:${repository}:pull`;
      const realm = repository === "no-address" ? "/token" : `http://${host}/${repository === "no-token" ? "page" : "token"}`;
      if (request.headers.authorization !== `Bearer for ${scope}`)
        return reply(response, 401, "{}", { "www-authenticate": `Bearer realm="${realm}",service="registry",scope="${scope}"` });
      if (url.pathname.endsWith("/tags/list")) {
        const last = url.searchParams.get("last") !== null;
        const at = repository === "elsewhere" ? `http://localhost:${host.split(":")[1]}` : "";
        const next = last ? {} : { link: `<${at}/v2/${repository}/tags/list?n=1000&last=1.2.3>; rel="next"` };
        return reply(response, 200, JSON.stringify({ name: repository, tags: last ? ["1.10.0_build"] : ["1.2.3"] }), next);
      }
      if (url.pathname.endsWith("/manifests/1.2.3"))
        return reply(response, 200, request.method === "HEAD" ? "" : MANIFEST, { "docker-content-digest": digest(MANIFEST) });
      if (url.pathname.includes("/blobs/")) return reply(response, 200, ARCHIVE);
    }
    return reply(response, 404, "{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const sources = () => new ChartSources([host]);
const use = (more: Partial<ChartUse> = {}): ChartUse => ({
  ...{ stack: "tools", module: "shop", release: "shop", namespace: "shop", repository: `http://${host}/repo`, chart: "shop", version: "1.2.3" },
  kubeVersion: "v1.36.2",
  values: { replicas: 2 },
  credentials: [],
  ...more,
});

test("a repository: versions from its index, archives by addresses below it, over a redirect, with their digest", async () => {
  const repository = sources();
  expect(await repository.versions(`http://${host}/repo/`, "shop")).toEqual(["1.10.0", "1.2.3"]);
  expect(await repository.pull(`http://${host}/repo`, "shop", "v1.2.3")).toEqual(ARCHIVE);
  expect(asked.filter((line) => line === "GET /repo/index.yaml")).toHaveLength(2);
});

test("a registry: a token for what is asked, tags over pages with a plus where a chart's version has one, the chart's layer", async () => {
  const registry = sources();
  expect(await registry.versions(`oci://${host}/charts`, "shop")).toEqual(["1.2.3", "1.10.0+build"]);
  expect(await registry.pull(`oci://${host}/charts`, "shop", "1.2.3")).toEqual(ARCHIVE);
  expect(await registry.imageDigest(`${host}/team/shop:1.2.3`)).toBe(digest(MANIFEST));
  expect(await registry.imageDigest(`${host}/team/shop:1@sha256:abc`)).toBe("sha256:abc");
});

test("a chart that several stacks take is pulled once, and an image's digest asked once; what failed is asked again", async () => {
  const both = sources();
  const from = asked.length;
  for (const repository of [`http://${host}/repo`, `oci://${host}/charts`])
    for (let i = 0; i < 2; i++) expect(await both.pull(repository, "shop", "1.2.3")).toEqual(ARCHIVE);
  for (let i = 0; i < 2; i++) expect(await both.imageDigest(`${host}/team/shop:1.2.3`)).toBe(digest(MANIFEST));
  for (let i = 0; i < 2; i++) await expect(both.versions(`http://${host}/gone`, "shop")).rejects.toThrow("answers 404");
  const counts = (wanted: RegExp) => asked.slice(from).filter((line) => wanted.test(line)).length;
  expect([/elsewhere/, /\/blobs\//, /^HEAD .*1\.2\.3/, /gone/].map(counts)).toEqual([1, 1, 2, 2]);
});

test.each([
  ["a chart that is not there", () => sources().versions(`http://${host}/repo`, "gone"), /has no chart gone$/],
  ["a version that is not there", () => sources().pull(`http://${host}/repo`, "shop", "9.9.9"), /has no chart shop 9\.9\.9$/],
  ["a repository that is not there", () => sources().versions(`http://${host}/gone`, "shop"), /index\.yaml: .* answers 404$/],
  ["a tag that is not there", () => sources().pull(`oci://${host}/charts`, "shop", "9.9.9"), /shop:9\.9\.9: .* answers 404$/],
  ["a token's address that answers with a page", () => sources().imageDigest(`${host}/no-token:1.2.3`), /no-token:1\.2\.3: .* answers 401$/],
  ["a token's address that is none", () => sources().imageDigest(`${host}/no-address:1.2.3`), /no-address:1\.2\.3: .* answers 401$/],
  [
    "a list that goes on at another host",
    () => sources().imageTags(`${host}/elsewhere`),
    /elsewhere: the registry says that they go on at http:\/\/localhost:/,
  ],
  ["an archive that was changed", () => sources().pull(`http://${host}/repo`, "changed", "1.0.0"), /has the digest .*, and not 0{64}$/],
])("%s is an error that names it", async (_, work, message) => {
  await expect(work()).rejects.toThrow(message);
});

test("names of images as Docker reads them", () => {
  expect(imageOf("redis")).toMatchObject({ registry: "docker.io", repository: "library/redis", tag: undefined });
  expect(imageOf("valkey/valkey:9.1")).toMatchObject({ registry: "docker.io", repository: "valkey/valkey", tag: "9.1" });
  expect(imageOf("ghcr.io/a/b/c:1@sha256:ab")).toMatchObject({ registry: "ghcr.io", repository: "a/b/c", tag: "1", digest: "sha256:ab" });
  expect(imageOf("localhost:5000/a")).toMatchObject({ registry: "localhost:5000", repository: "a" });
});

test("an archive's files, with long names, and what is none", () => {
  const long = `shop/templates/${"a".repeat(120)}.yaml`;
  expect([...readChartArchive(gzipSync(tar({ ...FILES, [long]: "x" })), "shop").keys()]).toEqual([
    "Chart.yaml",
    "values.yaml",
    "templates/shop.yaml",
    long.slice(5),
  ]);
  expect(() => readChartArchive(Buffer.from("no archive"), "shop 1.2.3")).toThrow("shop 1.2.3 is no archive of a chart");
  expect(() => readChartArchive(gzipSync(tar({ "shop/values.yaml": "" })), "shop 1.2.3")).toThrow("has no Chart.yaml");
});

test.each(["-0000001000", "99999999999", "x"])("an archive whose header has the size %s is refused, and is no loop", (size) => {
  const changed = Buffer.from(tar(FILES));
  changed.write(size.padEnd(12, "\0"), 124, 12, "latin1");
  expect(() => readChartArchive(gzipSync(changed), "shop 1.2.3")).toThrow("shop 1.2.3: shop/Chart.yaml has no size that fits");
});

test("a text such as `constructor`, a property of every object, is no known credential", () => {
  expect(findingsOfManifests([{ kind: "ConfigMap", metadata: { name: "a" }, data: { x: "constructor", y: "toString" } }], {})).toEqual([]);
});

describe("verify", () => {
  let folder: string;
  let helm: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-charts-test-"));
    helm = path.join(folder, "helm");
    const rendered = [
      {
        kind: "Deployment",
        metadata: { name: "shop" },
        spec: { template: { spec: { containers: [{ image: `${host}/team/shop:1.2.3` }, { image: "busybox:latest" }] } } },
      },
      { kind: "Secret", metadata: { name: "shop" }, data: { password: Buffer.from("Harbor12345").toString("base64") } },
    ];
    const script = `#!/usr/bin/env node
let text = ""; process.stdin.on("data", (c) => { text += c; }).on("end", () => {
  require("node:fs").writeFileSync(${JSON.stringify(path.join(folder, "call"))}, JSON.stringify({ args: process.argv.slice(2).map((a) => a.endsWith(".tgz") ? "<archive>" : a), text }));
  if (text.includes("broken")) { process.stderr.write("Error: no such template"); process.exit(1); }
  process.stdout.write(${JSON.stringify(rendered.map((one) => `---\n${stringify(one)}`).join(""))});
});
`;
    fs.writeFileSync(helm, script, { mode: 0o755 });
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  test("strange values, known credentials in values and in what is rendered, floating tags, images with their digests", async () => {
    const given = use({
      values: { replicas: "2", imagee: {}, auth: { password: "x" }, env: { A: 1 } },
      credentials: [{ path: "auth.password", of: "harbor" }],
    });
    const found = await verifyChart(given, { Harbor12345: "harbor" }, { sources: sources(), helm });
    expect(found.findings.map(({ text }) => text)).toEqual([
      "replicas: is string, and the chart takes number",
      "imagee: the chart knows no such key",
      "auth.password: the credential that harbor has by default",
      "Secret shop: data.password: the credential that harbor has by default",
      "busybox:latest: its tag is not fixed",
    ]);
    expect(found.images[0]).toEqual({ image: `${host}/team/shop:1.2.3`, digest: digest(MANIFEST) });
    expect(JSON.parse(fs.readFileSync(path.join(folder, "call"), "utf8"))).toMatchObject({
      args: ["template", "shop", "<archive>", "--namespace", "shop", "--kube-version", "v1.36.2", "--include-crds", "--values", "-"],
      text: stringify(given.values),
    });
    expect(verifiedText(found)).toContain(`  image ${host}/team/shop:1.2.3 sha256:`);
  });

  test("without rendering values alone; a chart that fails says so, and is no finding", async () => {
    expect(await verifyChart(use(), {}, { sources: sources(), helm: undefined })).toMatchObject({ findings: [], images: [] });
    expect((await verifyChart(use({ values: { env: { a: "broken" } } }), {}, { sources: sources(), helm })).failure).toContain(
      "chart shop 1.2.3: Error: no such template",
    );
    expect((await verifyChart(use({ version: "9.9.9" }), {}, { sources: sources(), helm })).failure).toContain("has no chart shop 9.9.9");
  });
});

test("upgrades: each pin once with its modules, the next step, and what could not be asked", async () => {
  const base = { namespace: "n", kubeVersion: "v1.36.2", values: {}, credentials: [], release: "r" };
  const chart = { ...base, repository: `http://${host}/repo`, chart: "shop", version: "1.2.3" };
  const pins = pinsOf({
    charts: [
      { ...chart, stack: "dev", module: "b" },
      { ...chart, stack: "tools", module: "a", upgrades: { by: "minor", why: "one at a time" } },
      { ...chart, stack: "dev", module: "c", chart: "gone" },
    ],
    images: [{ stack: "dev", module: "a", image: `${host}/team/shop:1.2.3` }],
  });
  expect(pins.map(({ name, modules, stacks }) => [name, modules, stacks])).toEqual([
    ["shop", ["a", "b"], ["dev", "tools"]],
    ["gone", ["c"], ["dev"]],
    [`${host}/team/shop`, ["a"], ["dev"]],
  ]);
  const [first, second, third] = pins;
  const newer = await first?.look(sources());
  expect(newer).toEqual({ newest: "1.10.0" });
  expect(
    pinText({ kind: "chart", name: "shop", pinned: "1.2.3", modules: ["a"], stacks: ["dev"], newer: { newest: "1.10.0", next: "1.3.0", why: "slowly" } }),
  ).toBe("shop 1.2.3 → 1.10.0; first 1.3.0: slowly (a)\n");
  await expect(second?.look(sources())).rejects.toThrow("has no chart gone");
  expect(await third?.look(sources())).toBeUndefined();
});

test("upgrades of an image: newest and next are tags that the registry has", async () => {
  const image = { stack: "dev", module: "a", image: `${host}/team/shop:v1.9.0-slim`, upgrades: { by: "minor" as const, why: "one at a time" } };
  const tags = ["v1.9.0-slim", "v1.10.3-slim", "v1.12.1-slim", "v1.13.0"];
  const published = Object.assign(sources(), { imageTags: () => Promise.resolve(tags) });
  expect(await pinsOf({ charts: [], images: [image] })[0]?.look(published)).toEqual({ newest: "v1.12.1-slim", next: "v1.10.3-slim", why: "one at a time" });
});

test("exit codes: what could not be looked at is never reported as done", () => {
  const chart = { images: [], findings: [] };
  const found = { ...chart, findings: [{ kind: "latest" as const, text: "x" }] };
  expect([[], [chart], [chart, found]].map(verifiedExitCode)).toEqual([0, 0, 3]);
  expect(verifiedExitCode([found, { ...chart, failure: "no" }])).toBe(1);
  expect(
    verifiedExitCode([
      {
        ...chart,
        images: [
          { image: "a:1", digest: "sha256:a" },
          { image: "b:1", problem: "404" },
        ],
      },
    ]),
  ).toBe(1);
  const newer = { newer: { newest: "2" } };
  expect([[], [{}], [{}, newer], [newer, { failure: "no" }], [{}, { failure: "no" }]].map(upgradesExitCode)).toEqual([0, 0, 3, 3, 1]);
});
