import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { type Packet, streamDecode, streamEncode } from "dns-packet";
import { LAB_SITE } from "../../tests/support/lab-site";
import { createContext, type OwnedContext } from "../core/context";
import type { Stoppable } from "../core/world";
import { type PiholeFolder, startPihole } from ".";
import { ROUTES } from "./api";

const ADDRESS = "192.168.1.3";

interface Given {
  ctx: OwnedContext;
  files: Map<string, string>;
  server: Stoppable;
  call(method: string, path: string, options?: { sid?: string; body?: unknown }): Promise<{ status: number; body: Record<string, unknown> }>;
  login(): Promise<string>;
  resolve(name: string, type?: "A" | "AAAA" | "CNAME" | "TXT"): Promise<{ rcode: string; answers: string[] }>;
}

let running: Stoppable | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(environment: Record<string, string> = {}, files = new Map<string, string>(), context?: OwnedContext): Promise<Given> {
  const ctx = context ?? (await createContext({ own: LAB_SITE }));
  const folder: PiholeFolder = {
    read: async (name) => files.get(name),
    write: async (name, text) => void files.set(name, text),
    list: async (inside) => [...files.keys()].filter((name) => name.startsWith(`${inside}/`)).map((name) => name.slice(inside.length + 1)),
  };
  const server = await startPihole({ hostname: "dns", address: ADDRESS, ctx, environment: { FTLCONF_webserver_api_password: "pw", ...environment }, folder });
  running = server;
  const call: Given["call"] = (method, path, { sid, body } = {}) =>
    new Promise((resolve, reject) => {
      const port = ctx.network.resolve(ADDRESS, 80)?.port;
      const text = body === undefined ? "" : JSON.stringify(body);
      const headers = { "content-length": Buffer.byteLength(text), ...(sid === undefined ? {} : { "X-FTL-SID": sid }) };
      const request = httpRequest({ host: "127.0.0.1", port, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, body: text === "" ? {} : JSON.parse(text) });
        });
      });
      request.on("error", reject);
      request.end(text);
    });
  return {
    ctx,
    files,
    server,
    call,
    login: async () => {
      const { body } = await call("POST", "/api/auth", { body: { password: "pw" } });
      return (body["session"] as { sid: string }).sid;
    },
    resolve: (name, type = "A") =>
      new Promise((resolve, reject) => {
        const socket = connect(ctx.network.resolve(ADDRESS, 53)?.port ?? 0, "127.0.0.1");
        socket.on("error", reject);
        socket.on("data", (chunk) => {
          const packet = streamDecode(chunk) as Packet & { rcode: string };
          socket.destroy();
          resolve({ rcode: packet.rcode, answers: (packet.answers ?? []).map((answer) => `${answer.type} ${"data" in answer ? String(answer.data) : ""}`) });
        });
        socket.write(streamEncode({ type: "query", id: 7, flags: 0x100, questions: [{ type, name }] }));
      }),
  };
}

const hosts = async ({ call }: Given, sid: string): Promise<unknown> => (await call("GET", "/api/config/dns/hosts", { sid })).body["config"];

test("without a session nothing is read or written; a wrong password opens none", async () => {
  const given = await start();
  expect(await given.call("GET", "/api/config/dns/hosts")).toMatchObject({
    status: 401,
    body: { error: { key: "unauthorized", message: "Unauthorized", hint: null } },
  });
  expect(await given.call("POST", "/api/auth", { body: { password: "other" } })).toMatchObject({
    status: 401,
    body: { session: { valid: false, sid: null, validity: -1 } },
  });
  expect(await given.call("POST", "/api/auth", { body: {} })).toMatchObject({ status: 400, body: { error: { message: "No password found in JSON payload" } } });
  expect(await given.call("PUT", "/api/config/dns/hosts/192.168.1.9%20a.pw", { sid: "made up" })).toMatchObject({ status: 401 });
});

test("records come and go by the API, each once, and outlive a restart", async () => {
  const given = await start();
  const sid = await given.login();
  const item = "/api/config/dns/hosts/192.168.1.12%20dev.a.pw";
  expect((await given.call("PUT", item, { sid })).status).toBe(201);
  expect(await given.call("PUT", item, { sid })).toMatchObject({ status: 400, body: { error: { key: "bad_request", message: "Item already present" } } });
  expect((await given.call("PUT", "/api/config/dns/cnameRecords/www.a.pw,dev.a.pw", { sid })).status).toBe(201);
  expect(await hosts(given, sid)).toEqual({ dns: { hosts: ["192.168.1.12 dev.a.pw"] } });
  expect(await given.resolve("DEV.a.pw")).toEqual({ rcode: "NOERROR", answers: ["A 192.168.1.12"] });
  expect(await given.resolve("www.a.pw")).toEqual({ rcode: "NOERROR", answers: ["CNAME dev.a.pw", "A 192.168.1.12"] });
  expect(await given.resolve("dev.a.pw", "AAAA")).toEqual({ rcode: "NOERROR", answers: [] });

  await given.server.stop();
  const again = await start({}, given.files, given.ctx);
  const other = await again.login();
  expect(await hosts(again, other)).toEqual({ dns: { hosts: ["192.168.1.12 dev.a.pw"] } });
  expect((await again.call("DELETE", item, { sid: other })).status).toBe(204);
  expect((await again.call("DELETE", item, { sid: other })).status).toBe(404);
  expect(await again.resolve("none.fullstack.pw")).toEqual({ rcode: "NXDOMAIN", answers: [] });
  expect(given.ctx.unhandled.all()).toEqual([]);
});

test("what the environment set is read-only, and an invalid record is refused", async () => {
  const given = await start({ FTLCONF_dns_hosts: "192.168.1.15 vault.pw", FTLCONF_dns_upstreams: "1.1.1.1;9.9.9.9" });
  const sid = await given.login();
  for (const [method, item] of [
    ["PUT", "hosts/192.168.1.12%20a.pw"],
    ["DELETE", "hosts/192.168.1.15%20vault.pw"],
    ["PUT", "upstreams/8.8.8.8"],
  ] as const)
    expect(await given.call(method, `/api/config/dns/${item}`, { sid })).toMatchObject({
      status: 400,
      body: { error: { message: "Config items set via environment variables cannot be changed via the API" } },
    });
  expect(await given.call("PUT", "/api/config/dns/cnameRecords/alone", { sid })).toMatchObject({ status: 400, body: { error: { message: "Invalid value" } } });
  expect(await given.resolve("vault.pw")).toEqual({ rcode: "NOERROR", answers: ["A 192.168.1.15"] });
});

test("names of its hosts files resolve beside those of the API, which neither shows nor removes them", async () => {
  const given = await start({}, new Map([["hosts/homelab.list", "192.168.1.15 vault.pw\n"]]));
  const sid = await given.login();
  expect(await hosts(given, sid)).toEqual({ dns: { hosts: [] } });
  expect((await given.call("DELETE", "/api/config/dns/hosts/192.168.1.15%20vault.pw", { sid })).status).toBe(404);
  expect(await given.resolve("vault.pw")).toEqual({ rcode: "NOERROR", answers: ["A 192.168.1.15"] });
});

test("a session ends with its time, and its seat is free again; sixteen are all there are", async () => {
  let now = Date.UTC(2026, 0, 1);
  const ctx = await createContext({ own: LAB_SITE, clock: { now: () => now, sleep: async () => undefined } });
  const given = await start({}, new Map(), ctx);
  const open = async (): Promise<{ status: number; body: Record<string, unknown> }> => given.call("POST", "/api/auth", { body: { password: "pw" } });
  const { body } = await open();
  const { sid } = body["session"] as { sid: string };
  for (let more = 1; more < 16; more++) expect((await open()).status).toBe(200);
  expect(await open()).toMatchObject({ status: 429, body: { error: { key: "api_seats_exceeded" } } });
  expect((await given.call("DELETE", "/api/auth", { sid })).status).toBe(204);
  expect((await open()).status).toBe(200);
  now += 1801_000;
  expect((await given.call("GET", "/api/auth", { sid })).status).toBe(401);
  expect((await open()).status).toBe(200);
});

test("a path that is no encoding is refused, and neither ends the lab nor is noted as a gap of it", async () => {
  const given = await start();
  const before = given.ctx.unhandled.all().length;
  expect(await given.call("GET", "/api/config/dns/hosts/%ZZ")).toMatchObject({ status: 400, body: { error: { key: "bad_request" } } });
  expect(given.ctx.unhandled.all().length).toBe(before);
});

test("every call refuses a parameter that the lab does not model, and a call that is not there; both are noted", async () => {
  const given = await start();
  const sid = await given.login();
  const paths: Record<string, string> = { "POST open": "/api/auth", "GET open": "/api/auth", "DELETE open": "/api/auth", "GET ": "/api/config/dns/hosts" };
  for (const route of ROUTES) {
    const path = paths[`${route.method} ${route.open === true ? "open" : ""}`] ?? "/api/config/dns/hosts/192.168.1.9%20a.pw";
    const before = given.ctx.unhandled.all().length;
    expect(await given.call(route.method, `${path}?detailed=true`, { sid })).toMatchObject({ status: 400, body: { error: { key: "bad_request" } } });
    expect(await given.call(route.method, path, { sid, body: { password: "pw", strange: 1 } })).toMatchObject({
      status: 400,
      body: { error: { key: "bad_request" } },
    });
    expect(given.ctx.unhandled.all().length).toBe(before + 2);
  }
  for (const [method, path] of [
    ["GET", "/api/info/version"],
    ["PATCH", "/api/config"],
    ["GET", "/api/config/dns/port"],
    ["GET", "/admin/scripts/pi-hole/php/customdns.php"],
  ] as const) {
    const before = given.ctx.unhandled.all().length;
    expect(await given.call(method, path, { sid })).toMatchObject({ status: 404, body: { error: { key: "not_found" } } });
    expect(given.ctx.unhandled.all().length).toBe(before + 1);
  }
  expect((await given.resolve("a.fullstack.pw", "TXT")).rcode).toBe("NOTIMP");
});
