/** Faults that hit a whole server, as its clients meet them. Faults of a role or of a kind of object are tested beside their simulator. */

import * as fs from "node:fs";
import * as https from "node:https";
import * as path from "node:path";
import { Agent, ProxyAgent, request } from "undici";
import { parse } from "yaml";
import { LabWorld, type WorldCluster } from "../tests/support/lab-world";
import { createContext, type OwnedContext } from "./core/context";
import { FAULTS } from "./core/faults";
import { listenOn } from "./core/server";
import { startConnectProxy } from "./gateway";
import { startS3 } from "./s3";
import { startVault } from "./vault";

let ctx: OwnedContext;
beforeEach(async () => {
  ctx = await createContext();
});

test("docs/lab.md has every fault, and no other", () => {
  const page = fs.readFileSync(path.join(__dirname, "..", "docs", "lab.md"), "utf8");
  const section = /## Faults\n([\s\S]*?)\n## /.exec(page)?.[1] ?? "";
  expect([...section.matchAll(/^\| `([a-z0-9.-]+)` \|/gm)].map(([, name]) => name).toSorted()).toEqual(Object.keys(FAULTS).toSorted());
});

test("a fault strikes its target alone, as often as it is asked for, and lets as many chances pass as are wanted", () => {
  const { faults } = ctx;
  faults.queue({ name: "disk.full", target: "a", times: 2, after: 2 });
  const struck = ["a", "b", "a", "a", "a", "a"].map((target) => faults.take("disk.full", target) !== undefined);
  expect([struck, faults.waiting(), faults.chances()]).toEqual([[false, false, false, true, true, false], [], { "disk.full": 6 }]);
});

test("the proxy: a name that is not looked up, and a certificate that ended, each once", async () => {
  const server = https.createServer(await ctx.tls.issue(["vault.example.org"]), (_request, response) => response.end("here"));
  ctx.network.listen("vault.example.org", 443, { port: await listenOn(server, 0) });
  const proxy = await startConnectProxy(ctx, 0);
  const ask = async (): Promise<string> => {
    const agent = new ProxyAgent({ uri: `http://127.0.0.1:${proxy.port}`, requestTls: { ca: ctx.tls.caPem } });
    try {
      return await (await request("https://vault.example.org/", { dispatcher: agent })).body.text();
    } catch (thrown) {
      return String(thrown);
    } finally {
      await agent.close();
    }
  };
  try {
    ctx.faults.queue({ name: "tls.expired", target: "vault.example.org" });
    expect([await ask(), await ask()]).toEqual(["Error: certificate has expired", "here"]);
    ctx.faults.queue({ name: "dns.failed" });
    expect([await ask(), await ask()]).toEqual([expect.stringContaining("Proxy response (502)"), "here"]);
  } finally {
    await proxy.stop();
    server.closeAllConnections();
    server.close();
  }
});

test("Vault: closed until it is unsealed, away for one call, and an answer that is lost after the write", async () => {
  const vault = await startVault("tools/vault/vault-0", ctx);
  const call = async (method: string, route: string, body?: object, token = ""): Promise<[number, Record<string, unknown>]> => {
    const answer = await request(`http://127.0.0.1:${vault.port}/v1/${route}`, {
      method: method as "GET",
      headers: { "x-vault-token": token, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return [answer.statusCode, text === "" ? {} : JSON.parse(text)];
  };
  try {
    const [, made] = await call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 });
    const unseal = () => call("PUT", "sys/unseal", { key: (made["keys"] as string[])[0] });
    await unseal();
    const root = String(made["root_token"]);
    ctx.faults.queue({ name: "vault.unavailable", parameters: { status: 500 } });
    expect([(await call("GET", "sys/mounts", undefined, root))[0], (await call("GET", "sys/mounts", undefined, root))[0]]).toEqual([500, 200]);
    ctx.faults.queue({ name: "vault.sealed", target: "tools/vault/vault-0" });
    expect([(await call("GET", "sys/mounts", undefined, root))[0], (await call("GET", "sys/mounts", undefined, root))[0], vault.sealed]).toEqual([
      503,
      503,
      true,
    ]);
    await unseal();
    ctx.faults.queue({ name: "vault.reply-lost" });
    await expect(call("PUT", "sys/policies/acl/p", { policy: 'path "a" { capabilities = ["read"] }' }, root)).rejects.toThrow(/other side closed|socket/);
    expect((await call("GET", "sys/policies/acl/p", undefined, root))[0]).toBe(200);
  } finally {
    await vault.stop();
  }
});

test("MinIO: a write that is refused, a clock that is wrong; neither changes anything", async () => {
  const server = await startS3("tools/minio/minio-0", ctx, { credentials: { accessKey: "a", secretKey: "b" } });
  const ask = async (method: "GET" | "PUT"): Promise<[number, string | undefined]> => {
    const answer = await request(`http://127.0.0.1:${server.port}/bucket`, { method });
    return [answer.statusCode, /<Code>(.*)<\/Code>/.exec(await answer.body.text())?.[1]];
  };
  try {
    ctx.faults.queue({ name: "s3.write-refused" });
    expect([await ask("GET"), await ask("PUT")]).toEqual([
      [403, "AccessDenied"],
      [507, "XMinioStorageFull"],
    ]);
    ctx.faults.queue({ name: "s3.clock-skew" });
    expect([await ask("GET"), await ask("GET")]).toEqual([
      [403, "RequestTimeTooSkewed"],
      [403, "AccessDenied"],
    ]);
    expect(ctx.records.since().filter(({ kind }) => kind === "write")).toEqual([]);
  } finally {
    await server.stop();
  }
});

describe("a cluster's API", () => {
  let world: LabWorld;
  let cluster: WorldCluster;
  beforeEach(async () => {
    world = await LabWorld.start();
    cluster = await world.cluster("dev", "192.168.1.12");
    await cluster.namespace("app");
  });
  afterEach(() => world.stop());

  function asAdministrator(): Agent {
    const config = parse(cluster.cluster.adminKubeconfig()) as { users: { user: Record<string, string> }[] };
    const pem = (key: string): string => Buffer.from(config.users[0]?.user[key] ?? "", "base64").toString();
    return new Agent({ connect: { rejectUnauthorized: false, cert: pem("client-certificate-data"), key: pem("client-key-data") } });
  }

  test("kubernetes.watch-cut: one watch breaks off", async () => {
    const agent = asAdministrator();
    const port = world.ctx.network.resolve("192.168.1.12", 6443)?.port;
    const watch = async (): Promise<string> => {
      const answer = await request(`https://127.0.0.1:${port}/api/v1/namespaces/app/configmaps?watch=true&timeoutSeconds=1`, { dispatcher: agent });
      return answer.body.text().then(
        () => "ended in order",
        () => "cut",
      );
    };
    try {
      world.ctx.faults.queue({ name: "kubernetes.watch-cut", target: "dev" });
      expect([await watch(), await watch()]).toEqual(["cut", "ended in order"]);
    } finally {
      await agent.close();
    }
  });

  test.each([
    ["kubernetes.unavailable", { status: 429 }, 429, false],
    ["kubernetes.unavailable", {}, 503, false],
    ["kubernetes.conflict", {}, 409, false],
    ["kubernetes.reply-lost", {}, "cut", true],
  ] as const)("%s %j", async (name, parameters, expected, written) => {
    const agent = asAdministrator();
    const port = world.ctx.network.resolve("192.168.1.12", 6443)?.port;
    const ask = async (method: "GET" | "PATCH"): Promise<number | "cut"> => {
      const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { a: "1" } });
      const headers = { "content-type": "application/apply-patch+yaml" };
      const route = `/api/v1/namespaces/app/configmaps/a${method === "GET" ? "" : "?fieldManager=test"}`;
      return request(`https://127.0.0.1:${port}${route}`, { method, dispatcher: agent, ...(method === "GET" ? {} : { body, headers }) }).then(
        async ({ statusCode, body: answer }) => {
          await answer.dump();
          return statusCode;
        },
        () => "cut" as const,
      );
    };
    try {
      world.ctx.faults.queue({ name, target: "dev", parameters });
      expect([await ask("PATCH"), await ask("GET")]).toEqual([expected, written ? 200 : 404]);
      expect(await ask("PATCH")).toBe(written ? 200 : 201);
    } finally {
      await agent.close();
    }
  });
});
