/** The proofs of a rehearsal against servers of the test: what is broken makes its own proof fail, and no other. */
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import { createAuthority } from "../../lab/core/tls";
import { StackGraph } from "../target/graph";
import { type ProvenLab, proveServices } from "./services";

type Authority = Awaited<ReturnType<typeof createAuthority>>;
type Issued = Awaited<ReturnType<Authority["issue"]>>;

const VAULT = "vault.example.org";
const PAGE = "page.example.org";
const API = "k8s.example.org";
const TOKEN = "a-root-token-of-the-test";

/** What the homelab is like. Each case breaks one thing. */
interface World {
  certificates: Record<string, Issued>;
  /** Hosts that the proxy does not reach. */
  away: string[];
  /** Status of the page. */
  page: number;
  /** Entries of Vault by their path. */
  entries: Record<string, Record<string, string>>;
  nodes: object[];
  /** Exit codes of `homelab` by their first two words. */
  codes: Record<string, number>;
}

let ours: Authority;
let another: Authority;
let dir: string;
let proxy: http.Server;
let server: https.Server;
let world: World;
const words: string[] = [];
const streams = new Set<Duplex>();

const portOf = (listening: net.Server): number => (listening.address() as net.AddressInfo).port;
const listen = (listening: net.Server): Promise<void> => new Promise((resolve) => listening.listen(0, "127.0.0.1", resolve));

function answered(request: http.IncomingMessage): [status: number, body?: object] {
  const [host, route = ""] = [request.headers.host, request.url];
  if (host === PAGE) return [world.page];
  if (host?.startsWith(API)) return (request.socket as tls.TLSSocket).authorized ? [200, { items: world.nodes }] : [401];
  if (route === "/v1/sys/health") return [200];
  if (request.headers["x-vault-token"] !== TOKEN) return [403];
  const data = world.entries[route.replace("/v1/kv/data/", "")];
  return data === undefined ? [404] : [200, { data: { data } }];
}

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const [status, body = {}] = answered(request);
  response.writeHead(status).end(JSON.stringify(body));
}

async function kubeconfig(signer: Authority): Promise<Record<string, string>> {
  const user = await signer.issueClient("admin", ["system:masters"]);
  const base64 = (pem: string): string => Buffer.from(pem).toString("base64");
  const cluster = { server: `https://${API}:6443`, "certificate-authority-data": base64(ours.caPem) };
  const config = { clusters: [{ cluster }], users: [{ user: { "client-certificate-data": base64(user.cert), "client-key-data": base64(user.key) } }] };
  return { kubeconfig: JSON.stringify(config) };
}

const OUTPUTS: Readonly<Record<string, object>> = { "vault status": { address: `https://${VAULT}` }, "vault root": { token: TOKEN } };

const ended = async (...line: string[]): ReturnType<ProvenLab["homelab"]> => {
  const name = line.slice(0, 2).join(" ");
  words.push(name);
  const code = world.codes[name] ?? 0;
  return { code, stdout: code === 0 ? JSON.stringify(OUTPUTS[name] ?? {}) : "", stderr: code === 0 ? "" : `error: ${name} failed\n`, report: undefined };
};

beforeAll(async () => {
  [ours, another] = [await createAuthority("ours"), await createAuthority("another")];
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-proofs-"));
  fs.writeFileSync(path.join(dir, "trusted.pem"), ours.caPem);
  const contexts = (name: string, done: (error: Error | null, context?: tls.SecureContext) => void): void =>
    done(null, tls.createSecureContext({ ...world.certificates[name], ca: ours.caPem }));
  server = https.createServer({ SNICallback: contexts, ca: ours.caPem, requestCert: true, rejectUnauthorized: false }, answer);
  server.on("connection", (socket) => streams.add(socket));
  await listen(server);
  proxy = http.createServer();
  proxy.on("connect", ({ url = "" }: http.IncomingMessage, client: Duplex) => {
    streams.add(client.on("error", () => undefined));
    if (world.away.includes(url.split(":")[0] ?? "")) {
      client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      return;
    }
    const target = net.connect(portOf(server), "127.0.0.1", () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
    client.pipe(target.on("error", () => client.destroy())).pipe(client);
  });
  await listen(proxy);
});
afterAll(() => {
  for (const stream of streams) stream.destroy();
  server.close();
  proxy.close();
  fs.rmSync(dir, { recursive: true });
});
beforeEach(async () => {
  words.length = 0;
  const certificates: Record<string, Issued> = {};
  for (const host of [VAULT, PAGE, API]) certificates[host] = await ours.issue([host]);
  world = { certificates, away: [], page: 200, entries: { "clusters/tools/kubeconfig": await kubeconfig(ours) }, nodes: [{}], codes: {} };
});

const routes = [VAULT, PAGE].map((host) => ({ host, owner: host.split(".")[0] ?? "", stack: "tools" }));
async function proofs(): Promise<Record<string, string>> {
  const lab: ProvenLab = {
    dir,
    files: { proxy: `http://127.0.0.1:${portOf(proxy)}` },
    homelab: ended,
    homelabWith: (_, ...line) => ended(...line),
    settle: async () => undefined,
  };
  const found = await proveServices(lab, { graph: new StackGraph([{ name: "tools", description: "", needs: [] }]), routes });
  return Object.fromEntries(found.map(({ what, ok, says }) => [what, `${ok ? "ok" : "broken"}: ${says}`]));
}

const ROUTE = `https://${PAGE}`;
const KUBECONFIG = "kubeconfig of tools, read from Vault";
const COPY = "copy of all states, restored";
const WELL = {
  [`https://${VAULT}`]: "ok: answered 200",
  [ROUTE]: "ok: answered 200",
  [KUBECONFIG]: `ok: https://${API}:6443: 1 node`,
  [COPY]: "ok: restored; a preview after it has no changes",
};

test("what works is proved, and the token of the proofs is revoked", async () => {
  expect(await proofs()).toEqual(WELL);
  expect(words).toEqual(["vault status", "vault root", "vault revoke", "state backup", "state restore", "preview --lab"]);
});

const withCertificate = (host: string, issued: Issued): Partial<World> => ({ certificates: { ...world.certificates, [host]: issued } });
const withEntry = (data: Record<string, string>): Partial<World> => ({ entries: { "clusters/tools/kubeconfig": data } });
/** What is broken, the proof that finds it, what that says, and what is different then. */
type Case = [string, what: string, says: RegExp, () => Partial<World> | Promise<Partial<World>>];

describe("what is broken makes its own proof fail, and no other", () => {
  test.each<Case>([
    ["a certificate of another authority", ROUTE, /certificate/, async () => withCertificate(PAGE, await another.issue([PAGE]))],
    ["a certificate of another name", ROUTE, /altnames/, async () => withCertificate(PAGE, await ours.issue(["other.example.org"]))],
    ["a certificate that has expired", ROUTE, /expired/, async () => withCertificate(PAGE, await ours.issue([PAGE], { expired: true }))],
    ["a route that the gateway does not know", ROUTE, /^broken: answered 404$/, () => ({ page: 404 })],
    ["a route without a service", ROUTE, /^broken: answered 503$/, () => ({ page: 503 })],
    ["a host that is not reached", ROUTE, /502/, () => ({ away: [PAGE] })],
    ["a secret that is missing", KUBECONFIG, /^broken: Vault answered 404$/, () => ({ entries: {} })],
    ["a secret that is no kubeconfig", KUBECONFIG, /^broken: /, () => withEntry({ kubeconfig: "{}" })],
    ["a kubeconfig of another authority", KUBECONFIG, /^broken: its API answered 401$/, async () => withEntry(await kubeconfig(another))],
    ["a kubeconfig of a server that is gone", KUBECONFIG, /502/, () => ({ away: [API] })],
    ["a cluster without nodes", KUBECONFIG, /^broken: /, () => ({ nodes: [] })],
    ["states that cannot be copied", COPY, /^broken: homelab state backup .* ended with 1: error: state backup/, () => ({ codes: { "state backup": 1 } })],
    ["a copy that cannot be restored", COPY, /^broken: homelab state restore .* ended with 1/, () => ({ codes: { "state restore": 1 } })],
    ["a copy of other states", COPY, /^broken: homelab preview .* ended with 3/, () => ({ codes: { "preview --lab": 3 } })],
  ])("%s: %s is broken", async (_, what, says, different) => {
    Object.assign(world, await different());
    const found = await proofs();
    expect(found[what]).toMatch(says);
    expect({ ...found, [what]: "" }).toEqual({ ...WELL, [what]: "" });
    expect(words).toContain("vault revoke");
  });
});

test("a Vault that gives no token, and a token that stays valid, are told", async () => {
  world.codes = { "vault root": 1 };
  expect(await proofs()).toMatchObject({ Vault: "broken: error: vault root failed" });
  world.codes = { "vault revoke": 1 };
  expect(await proofs()).toMatchObject({ Vault: "broken: the token of these proofs is still valid: error: vault revoke failed" });
});
