/** Paths that no client of the homelab's sends: each server of the lab answers them, as the real one does, and goes on. */
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import * as tls from "node:tls";
import { LAB_SITE } from "../tests/support/lab-site";
import { startCommentHosts } from "./comments";
import { type RunningCluster, startIngress } from "./controllers/ingress";
import type { Routes } from "./controllers/ingress-routes";
import { startHarbor } from "./harbor";
import { startCluster } from "./kubernetes";
import { type Lab, startLab } from "./lab";
import { startPihole } from "./pihole";
import { startS3 } from "./s3";
import { startVault } from "./vault";

interface Server {
  port: number;
  /** Ends its TLS itself. */
  tls?: true;
  /** Default: one that no server is named after. */
  host?: string;
  /** Further header lines. */
  headers?: readonly string[];
}

const TOKEN = Object.values((JSON.parse(fs.readFileSync(path.join(__dirname, "lab-only.json"), "utf8")) as { proxmox: { token: object } }).proxmox.token).join(
  "=",
);
const FILE = "/cilium/cilium-cli/releases/download/v0.18.3/cilium-linux-amd64.tar.gz";
const INGRESS = "192.168.1.55";
const ROUTES: Routes = { isAt: (address) => address === INGRESS, has: () => false, certificate: () => undefined, find: () => ({ kind: "page", text: "here" }) };
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-hostile-"));
const stops: (() => Promise<unknown>)[] = [];
let lab: Lab;
let servers: Record<string, Server>;

beforeAll(async () => {
  lab = await startLab({ dir, ports: { proxy: 0, bastion: 0, control: 0 }, latency: "zero", site: LAB_SITE });
  const { ctx } = lab;
  const kept = <T extends { stop(): Promise<unknown> }>(part: T): T => {
    stops.unshift(() => part.stop());
    return part;
  };
  const portOf = (host: string, port: number): number => ctx.network.resolve(host, port)?.port ?? 0;
  const s3 = kept(await startS3("s3", ctx, { credentials: { accessKey: "a", secretKey: "b" } }));
  const vault = kept(await startVault("vault", ctx));
  const harbor = kept(await startHarbor("harbor", ctx, { password: () => "pw" }));
  kept(
    await startPihole({
      hostname: "dns",
      address: "192.168.1.3",
      ctx,
      environment: {},
      folder: { read: async () => undefined, write: async () => undefined, list: async () => [] },
    }),
  );
  const comments = kept(await startCommentHosts("owner/name", "7"));
  kept(await startCluster({ name: "dev", address: "192.168.1.12", node: "k8s-dev", ctx }));
  kept(await startIngress(ctx, () => [{ controllers: { routes: [ROUTES] } } as unknown as RunningCluster]));
  servers = {
    "proxmox/api.ts": { port: portOf(LAB_SITE.proxmox.address, LAB_SITE.proxmox.port), tls: true, headers: [`authorization: PVEAPIToken=${TOKEN}`] },
    "s3/index.ts": { port: s3.port },
    "vault/index.ts": { port: vault.port },
    "harbor/index.ts": { port: harbor.port },
    "pihole/index.ts": { port: portOf("192.168.1.3", 80) },
    "comments/index.ts": { port: Number(new URL(comments.url).port) },
    "kubernetes/api-server.ts": { port: portOf("192.168.1.12", 6443), tls: true },
    "artefacts/index.ts": { port: portOf("github.com", 443), tls: true, host: "github.com" },
    "controllers/ingress.ts": { port: portOf(INGRESS, 443), tls: true, host: INGRESS },
    "core/control.ts": { port: Number(new URL(lab.file.control).port) },
    "gateway/connect-proxy.ts": { port: Number(new URL(lab.file.proxy).port) },
  };
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await lab.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** Sends a first line as it is. @returns the status of the answer; 0 without one */
function ask({ port, tls: secure, host = "lab", headers = [] }: Server, target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = secure ? tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false }) : net.connect({ port, host: "127.0.0.1" });
    let answer = "";
    socket.on("error", reject);
    socket.on("data", (data) => {
      answer += data.toString("latin1");
    });
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)));
    socket.write(`GET ${target} HTTP/1.1\r\n${[`host: ${host}`, ...headers, "connection: close"].join("\r\n")}\r\n\r\n`);
  });
}

/** Where a listener takes no HTTP. */
const NO_HTTP = ["gateway/bastion.ts", "hosts/ssh-server.ts", "pihole/dns.ts", "core/server.ts"];

test("the table has each server of the lab", () => {
  const sources = fs.readdirSync(__dirname, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const listening = sources.filter((name) => /\bcreateServer\(|\bcreateHttps?\(|new Server\(/.test(fs.readFileSync(path.join(__dirname, name), "utf8")));
  expect(listening.filter((name) => !NO_HTTP.includes(name)).toSorted()).toEqual(Object.keys(servers).toSorted());
});

/**
 * By server the status of each target; `undecodable` is in the middle of a path that the server has. A real kube-apiserver 1.34.2 and a real
 * Vault 1.21.0 were asked. MinIO and Harbor refuse an escape as every server of Go's net/http does. Proxmox leaves what is no escape as it
 * is, and skips empty parts (PVE::APIServer::AnyEvent, PVE::RESTHandler).
 */
const EXPECTED: Readonly<Record<string, { good: [string, number]; undecodable: [string, number]; slashes: [string, number] }>> = {
  "proxmox/api.ts": { good: ["/api2/json/version", 200], undecodable: ["/api2/json/nodes/%ZZ/status", 500], slashes: ["/api2/json//version", 200] },
  "s3/index.ts": { good: ["/minio/health/live", 200], undecodable: ["/bucket/%ZZ", 400], slashes: ["//bucket", 400] },
  "vault/index.ts": { good: ["/v1/sys/seal-status", 200], undecodable: ["/v1/sys/%ZZ", 400], slashes: ["//v1/sys/seal-status", 307] },
  "harbor/index.ts": { good: ["/api/v2.0/health", 200], undecodable: ["/api/v2.0/projects/%ZZ", 400], slashes: ["//api/v2.0/health", 404] },
  "pihole/index.ts": { good: ["/admin/login", 200], undecodable: ["/api/config/%ZZ", 400], slashes: ["//api/auth", 404] },
  "comments/index.ts": { good: ["/user", 401], undecodable: ["/repos/owner/name/git/ref/heads/%ZZ", 400], slashes: ["//user", 401] },
  "kubernetes/api-server.ts": { good: ["/healthz", 200], undecodable: ["/api/v1/namespaces/%ZZ", 400], slashes: ["//api/v1/namespaces", 404] },
  "artefacts/index.ts": { good: [FILE, 200], undecodable: ["/%ZZ", 400], slashes: [`/${FILE}`, 404] },
  "controllers/ingress.ts": { good: ["/", 200], undecodable: ["/%ZZ", 200], slashes: ["//", 200] },
  "core/control.ts": { good: ["/status", 200], undecodable: ["/%ZZ", 404], slashes: ["//status", 404] },
  "gateway/connect-proxy.ts": { good: ["/", 400], undecodable: ["/%ZZ", 400], slashes: ["//", 400] },
};
/** Others that no server may fail at: escapes that are no UTF-8, a query without encoding, targets that are no path. */
const STRANGE = ["//", "///", "//[", "/%ff", "/%C3/%A9", "/%", "/?prefix=%ZZ", "/bucket?prefix=%ZZ", "*", "http://[", "http://"];

const ANSWERS = [200, 307, 400, 401, 403, 404, 422, 501];

test.each(Object.keys(EXPECTED))(
  "%s: undecodable and doubled slashes are answered as the real one does, and it goes on",
  async (name) => {
    const server = servers[name];
    const expected = EXPECTED[name];
    if (server === undefined || expected === undefined) throw new Error(name);
    for (const target of STRANGE) expect({ target, isAnswered: ANSWERS.includes(await ask(server, target)) }).toEqual({ target, isAnswered: true });
    const { good, undecodable, slashes } = expected;
    for (const [target, status] of [undecodable, slashes, good]) expect([target, await ask(server, target)]).toEqual([target, status]);
    expect(lab.ctx.unhandled.all().filter(({ what }) => /bug|the lab failed|Error/.test(what))).toEqual([]);
  },
  30_000,
);
