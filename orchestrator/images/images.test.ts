import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { buildCommands, checkPinned } from "./build-image";
import { buildOf, parseImageList } from "./image-list";
import { pinnedList, SOURCES } from "./pin-images";

const DIGEST = `sha256:${"a".repeat(64)}`;
const SUM = "b".repeat(64);
const LABELS = { source: "https://git.example.org/homelab", revision: "abc", version: "1.0.0" };

const listText = (registry: string, { base = "", tool = "" } = {}): string => `# Kept.
bases:
  go: ${registry}/golang:1.26${base} # of the builds
tools:
  kubectl: { url: "https://dl.example.org/kubectl"${tool} }
images:
  demo:
    summary: a service
    bases: [go]
    user: 1001
    serves: [web]
    builds:
      web: { COMMAND: ./cmd/web }
  runner: { summary: a runner, bases: [go], user: 1, serves: [], tools: true, builds: { runner: {} } }
`;

let server: http.Server;
let registry: string;
beforeAll(async () => {
  server = http.createServer((request, response) => {
    response.writeHead(request.url === "/v2/golang/manifests/1.26" ? 200 : 404, { "docker-content-digest": DIGEST }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const sources = { ...SOURCES, checksum: (url: string) => Promise.resolve(url === "https://dl.example.org/kubectl" ? SUM : "") };

test("pin writes the digest that the registry has and the checksum of what came, and nothing else; then there is nothing to write", async () => {
  const { text, written } = await pinnedList(listText(registry), false, sources);
  expect(text).toBe(listText(registry, { base: `@${DIGEST}`, tool: `, sha256: "${SUM}"` }));
  expect(written).toEqual([`go: ${registry}/golang:1.26@${DIGEST}`, `kubectl: ${SUM}`]);
  expect(await pinnedList(text, false, { digest: () => Promise.reject(new Error("asked")), checksum: () => Promise.reject(new Error("asked")) })).toEqual({
    text,
    written: [],
  });
});

test("with --fresh, what is pinned is asked again", async () => {
  const old = listText(registry, { base: `@sha256:${"0".repeat(64)}`, tool: `, sha256: "${"0".repeat(64)}"` });
  expect((await pinnedList(old, true, sources)).text).toBe(listText(registry, { base: `@${DIGEST}`, tool: `, sha256: "${SUM}"` }));
});

test("a base that the registry does not have is named, and nothing is written", async () => {
  await expect(pinnedList(listText(registry).replace("golang:1.26", "golang:1.99"), false, sources)).rejects.toMatchObject({ code: "E_IMAGE_UNKNOWN" });
});

test("a build has its bases, its own arguments and its labels; by Docker a push has a list of parts and a provenance", () => {
  const build = buildOf(parseImageList(listText("r.example.org", { base: `@${DIGEST}` })), "web", LABELS);
  expect([build.dockerfile, build.context, build.unpinned]).toEqual(["images/demo/Dockerfile", "images/demo", []]);
  const args = [`GO=r.example.org/golang:1.26@${DIGEST}`, "COMMAND=./cmd/web", "TITLE=web", `SOURCE=${LABELS.source}`, "REVISION=abc", "VERSION=1.0.0"];
  const given = args.flatMap((argument) => ["--build-arg", argument]);
  const files = ["--file", "images/demo/Dockerfile", "--tag", "r/web:1"];
  expect(buildCommands(build, { tag: "r/web:1", push: true, digestFile: "d" }, "docker")).toEqual([
    ["docker", "buildx", "build", ...files, ...given, "--push", "--sbom=true", "--provenance=mode=max", "--metadata-file", "d", "images/demo"],
  ]);
  expect(buildCommands(build, { tag: "r/web:1", push: true }, "buildah")).toEqual([
    ["buildah", "build", "--format", "docker", ...files, ...given, "images/demo"],
    ["buildah", "push", "r/web:1", "docker://r/web:1"],
  ]);
});

test.each<[string, { push: boolean; agreed: boolean }, boolean]>([
  ["to try it out", { push: false, agreed: true }, false],
  ["to try it out, without agreeing", { push: false, agreed: false }, true],
  ["to push it", { push: true, agreed: false }, true],
  ["to push it, whatever was agreed to", { push: true, agreed: true }, true],
])("a base or tool without a digest, %s", (_, how, refused) => {
  const build = buildOf(parseImageList(listText("r.example.org")), "runner", LABELS);
  expect(build.unpinned).toEqual(["r.example.org/golang:1.26", "https://dl.example.org/kubectl"]);
  const check = () => checkPinned(build, how);
  if (refused) expect(check).toThrow(expect.objectContaining({ code: "E_IMAGE_UNPINNED" }));
  else check();
  checkPinned(buildOf(parseImageList(listText("r.example.org", { base: `@${DIGEST}`, tool: `, sha256: "${SUM}"` })), "runner", LABELS), how);
});

test("tools come as lines: name, address, checksum, path in the archive", () => {
  const build = buildOf(parseImageList(listText("r.example.org", { tool: `, sha256: "${SUM}", inside: linux/kubectl` })), "runner", LABELS);
  expect(build.arguments["TOOLS"]).toBe(`kubectl https://dl.example.org/kubectl ${SUM} linux/kubectl`);
});

test.each<[string, (text: string) => string, string]>([
  ["latest", (text) => text.replace(":1.26", ":latest"), "images/images.yaml: bases.go: must be <registry>/<repository>:<tag>, not latest"],
  ["latest with a digest", (text) => text.replace(":1.26", `:latest@${DIGEST}`), "images/images.yaml: bases.go: must be"],
  [
    "an unknown base",
    (text) => text.replace("bases: [go]", "bases: [rust]"),
    "images/images.yaml: images.demo.bases: names rust, which is no base of the list",
  ],
  ["root", (text) => text.replace("user: 1001", "user: 0"), "images/images.yaml: images.demo.user: must not be root"],
  ["a tool without TLS", (text) => text.replace("https://dl", "http://dl"), "images/images.yaml: tools.kubectl.url: must be an address with https"],
  ["one name for two", (text) => text.replace("{ runner: {} }", "{ web: {} }"), "images/images.yaml: images.runner.builds.web: is built by demo too"],
  ["an unknown key", (text) => text.replace("    user: 1001", "    user: 1001\n    root: yes"), "images/images.yaml: images.demo: Unrecognized key"],
  ["no YAML", () => "a: [", "images/images.yaml is no YAML"],
])("a list with %s is refused", (_, change, says) => {
  expect(() => parseImageList(change(listText("r.example.org")))).toThrow(says);
});

test("what is built in another repository says where from", () => {
  const list = parseImageList(listText("r.example.org").replace("serves: [web]", "serves: [shop]"));
  expect(() => buildOf(list, "shop", LABELS)).toThrow("images/images.yaml builds no shop: its sources are in another repository, which builds by images/demo");
});
