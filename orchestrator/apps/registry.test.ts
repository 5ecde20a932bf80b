import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { parseImage } from "../charts/image-reference";
import { missingImages } from "./missing-images";
import { pinned } from "./registry";

const A = `sha256:${"a".repeat(64)}`;
const B = `sha256:${"b".repeat(64)}`;

/** An answer that goes on for as long as somebody listens. */
function dripping(response: http.ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write(" "), 20);
  response.once("close", () => clearInterval(timer));
}

let server: http.Server;
let host: string;
/** What the token's address answers. */
let page: string;
let realm: string;
beforeAll(async () => {
  server = http.createServer((request, response) => {
    if (request.url?.startsWith("/slow")) dripping(response);
    else if (request.url?.startsWith("/token")) response.writeHead(200).end(page);
    else if (request.url?.startsWith("/v2/private/") && request.headers.authorization !== "Bearer open")
      response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="r"` }).end();
    else if (request.url?.startsWith("/v2/moved/")) response.writeHead(307, { location: `http://${host}/v2/app/manifests/1.0` }).end();
    else if (request.url?.startsWith("/v2/none/")) response.writeHead(404).end();
    else response.writeHead(200, { "docker-content-digest": A }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  realm = `http://${host}/token`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const ask = (repository: string, reference: string): Promise<string> => pinned(parseImage(`${host}/${repository}${reference}`));

test("with a token that everybody gets", async () => {
  page = JSON.stringify({ access_token: "open" });
  expect(await ask("private/app", ":1.0")).toBe(`${host}/private/app:1.0@${A}`);
});

test.each(["<html>sign in</html>", "[]", "null", '{"token":1}', ""])(
  "a token's address that answers %j is a refusal of the registry, and no bug of ours",
  async (said) => {
    page = said;
    await expect(ask("private/app", ":1.0")).rejects.toMatchObject({ code: "E_REGISTRY" });
  },
);

test.each(["/token", "file:///etc/passwd", "data:,x", "ftp://127.0.0.1/token"])("so is %s, which is no address on the web", async (address) => {
  realm = address;
  await expect(ask("private/app", ":1.0")).rejects.toMatchObject({ code: "E_REGISTRY" });
});

test("a registry that wants another token each time is asked twice, and one that sends us to another place is not followed", async () => {
  page = JSON.stringify({ token: "never enough" });
  await expect(ask("private/app", ":1.0")).rejects.toMatchObject({ code: "E_REGISTRY", message: expect.stringContaining("without a login (401)") });
  await expect(ask("moved/app", ":1.0")).rejects.toMatchObject({ code: "E_REGISTRY", message: expect.stringContaining("answered 307") });
});

test("an answer that comes byte by byte is given up after the time for a whole one", async () => {
  const { signal, abort } = ((controller) => ({ signal: controller.signal, abort: () => controller.abort(new Error("too late")) }))(new AbortController());
  const timeout = jest.spyOn(AbortSignal, "timeout").mockReturnValue(signal);
  realm = `http://${host}/slow`;
  setTimeout(abort, 300);
  try {
    await expect(ask("private/app", ":1.0")).rejects.toMatchObject({ code: "E_REGISTRY", message: expect.stringContaining("does not answer") });
  } finally {
    timeout.mockRestore();
  }
});

test("another digest than the one that was asked for is refused", async () => {
  expect(await ask("app", `:1.0@${A}`)).toBe(`${host}/app:1.0@${A}`);
  await expect(ask("app", `:1.0@${B}`)).rejects.toMatchObject({ code: "E_REGISTRY" });
});

test("images that the homelab's own registry does not have are named with who needs them; those of others are not asked for", async () => {
  page = "<html>sign in</html>";
  const app = (name: string, image: string) => ({ name, image, movable: true, delivery: "pulumi" as const, hosts: [] });
  const stack = (name: string, ...apps: ReturnType<typeof app>[]) => ({ name, needs: [], production: false, apps });
  const found = await missingImages(
    [
      stack("dev", app("web", `${host}/app:1.0`), app("writer", `${host}/none/writer:1.0`), app("whoami", "docker.io/traefik/whoami:v1")),
      stack("stg", app("writer", `${host}/none/writer:1.0`), app("closed", `${host}/private/app:1.0`)),
    ],
    new Set([host]),
  );
  expect(found.missing).toEqual([{ image: `${host}/none/writer:1.0`, apps: ["dev/writer", "stg/writer"] }]);
  expect(found.unknown).toEqual([{ image: `${host}/private/app:1.0`, why: expect.stringContaining("to nobody without a login") }]);
});
