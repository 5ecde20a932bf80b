/**
 * From a file in Git to a Secret in a namespace, in a lab of its own, through the same commands that an owner types. Takes
 * minutes, so it runs where HOMELAB_TEST_LAB=1 asks for it (`npm run test:lab-secrets`).
 */
import { spawn } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Agent, ProxyAgent, request } from "undici";
import { parse } from "yaml";
import { isWorthHiding } from "../../common/redact-worth";
import { loadSecrets } from "../../secrets/load";

const root = path.join(__dirname, "../..");
const asked = process.env["HOMELAB_TEST_LAB"] === "1";
const suite = asked ? describe : describe.skip;
const MINUTE = 60_000;

suite(asked ? "secrets in the lab" : "secrets in the lab [skipped: HOMELAB_TEST_LAB=1 was not asked for; npm run test:lab-secrets]", () => {
  /** A lab that runs already is used and left; otherwise one is started, and stopped. */
  const given = process.env["HOMELAB_TEST_LAB_DIR"];
  const dir = given ?? fs.mkdtempSync(path.join(os.tmpdir(), "homelab-lab-"));
  const secretsDir = path.join(dir, "test-secrets");
  const env = { ...process.env, HOMELAB_LAB_DIR: dir, HOMELAB_SECRETS_DIR: secretsDir, SOPS_AGE_KEY_FILE: path.join(root, "secrets/lab-only.agekey") };
  const PIHOLE = "cluster-secret-store/secrets/EXTERNAL_DNS_PIHOLE_PASSWORD";
  let said = "";

  function homelab(args: readonly string[], input = ""): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [path.join(root, "orchestrator/bin/homelab"), ...args], { env, cwd: root, stdio: ["pipe", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (err += chunk));
    child.stdin.end(input);
    return new Promise((resolve) =>
      child.on("close", (code) => {
        said += out + err;
        resolve({ code, out, err });
      }),
    );
  }

  async function succeed(args: readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await homelab(args, input);
    expect([code, code === 0 ? "" : err + out]).toEqual([0, ""]);
    return out;
  }

  /** The cluster dev, as its administrator. */
  async function kubernetes(method: "GET" | "POST", url: string, body?: object): Promise<{ status: number; body: Record<string, never> }> {
    const config = parse(fs.readFileSync(path.join(dir, "kubeconfig"), "utf8"));
    const cluster = config.clusters.find((c: { name: string }) => c.name === "dev").cluster;
    const { user } = config.users.find((u: { name: string }) => u.name === "dev");
    const pem = (text: string) => Buffer.from(text, "base64").toString("utf8");
    const requestTls = { ca: pem(cluster["certificate-authority-data"]), cert: pem(user["client-certificate-data"]), key: pem(user["client-key-data"]) };
    return ask(new ProxyAgent({ uri: cluster["proxy-url"], requestTls, proxyTunnel: true }), method, `${cluster.server}${url}`, body);
  }

  async function vault(method: "GET" | "POST", url: string, token?: string, body?: object) {
    const lab = JSON.parse(fs.readFileSync(path.join(dir, "lab.json"), "utf8"));
    const agent = new ProxyAgent({ uri: lab.proxy, requestTls: { ca: fs.readFileSync(lab.caFile, "utf8") }, proxyTunnel: true });
    return ask(agent, method, `https://vault.fullstack.pw/v1/${url}`, body, token === undefined ? {} : { "x-vault-token": token });
  }

  async function ask(dispatcher: Agent | ProxyAgent, method: "GET" | "POST", url: string, body?: object, headers: Record<string, string> = {}) {
    try {
      const answer = await request(url, {
        dispatcher,
        method,
        headers: { ...headers, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.body.text();
      return { status: answer.statusCode, body: (text === "" ? {} : JSON.parse(text)) as Record<string, never> };
    } finally {
      await dispatcher.close();
    }
  }

  const secretInDev = async (): Promise<string[]> => {
    const { body } = await kubernetes("GET", "/api/v1/namespaces/external-dns/secrets");
    const items = (body["items"] ?? []) as { metadata: { name: string }; data?: Record<string, string> }[];
    return items.flatMap(({ data }) => Object.values(data ?? {}).map((value) => Buffer.from(value, "base64").toString("utf8")));
  };

  beforeAll(async () => {
    fs.rmSync(secretsDir, { recursive: true, force: true });
    fs.cpSync(path.join(root, "secrets/common"), path.join(secretsDir, "common"), { recursive: true });
    if (given === undefined) await succeed(["lab", "start", "--latency", "zero"]);
    await succeed(["up", "tools", "dev", "--lab", "--plain"]);
  }, 15 * MINUTE);
  afterAll(async () => {
    if (given !== undefined) return;
    await homelab(["lab", "stop"]);
    fs.rmSync(dir, { recursive: true, force: true });
  }, MINUTE);

  test(
    "a value that is changed in Git is in the namespace's Secret after `homelab up tools`",
    async () => {
      const value = crypto.randomBytes(18).toString("base64url");
      await succeed(["secrets", "set", PIHOLE, "PIHOLE_PASSWORD"], value);
      await succeed(["up", "tools", "--only", "--lab", "--plain"]);
      let seen: string[] = [];
      // External Secrets looks once a minute.
      for (let tries = 0; tries < 150 && !seen.includes(value); tries++) {
        seen = await secretInDev();
        if (!seen.includes(value)) await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      expect(seen).toContain(value);
      expect(said).not.toContain(value);
    },
    10 * MINUTE,
  );

  test(
    "a namespace reads its own entry and no other: Vault says no",
    async () => {
      const { body } = await kubernetes("POST", "/api/v1/namespaces/external-dns/serviceaccounts/vault-reader/token", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { expirationSeconds: 600 },
      });
      const jwt = (body["status"] as unknown as { token: string }).token;
      const login = await vault("POST", "auth/kubernetes-dev/login", undefined, { role: "external-dns", jwt });
      const token = (login.body["auth"] as unknown as { client_token: string }).client_token;
      expect((await vault("GET", `kv/data/${PIHOLE}`, token)).status).toBe(200);
      expect((await vault("GET", "kv/data/cloudflare", token)).status).toBe(403);
      expect((await vault("GET", "kv/metadata/?list=true", token)).status).toBe(403);
      expect((await vault("POST", "auth/kubernetes-dev/login", undefined, { role: "external-dns", jwt: "x.y.z" })).status).not.toBe(200);
    },
    MINUTE,
  );

  test(
    "no state file holds a decrypted value, in plain or in base64",
    async () => {
      process.env["SOPS_AGE_KEY_FILE"] = env.SOPS_AGE_KEY_FILE;
      const values = [...(await loadSecrets({ root: secretsDir })).values()].flatMap((entry) => Object.values(entry)).filter(isWorthHiding);
      const files = fs.readdirSync(path.join(dir, "state"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      const found = files.flatMap((entry) => {
        const text = fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8");
        const shown = values.filter((v) => [v, JSON.stringify(v).slice(1, -1), Buffer.from(v).toString("base64")].some((form) => text.includes(form)));
        return shown.map((value) => `${entry.name}: ${value.slice(0, 4)}…`);
      });
      expect(found).toEqual([]);
      expect(files.length).toBeGreaterThan(3);
      expect(values.filter((value) => said.includes(value))).toEqual([]);
    },
    MINUTE,
  );

  test(
    "an entry that Git no longer has stays in Vault, is told, and goes when it is named",
    async () => {
      await succeed(["secrets", "new", "passing/entry", "key"], "some-passing-value");
      await succeed(["up", "tools", "--only", "--lab", "--plain"]);
      fs.rmSync(path.join(secretsDir, "common/passing"), { recursive: true });
      await succeed(["up", "tools", "--only", "--lab", "--plain"]);
      expect(await homelab(["vault", "orphans", "--lab"])).toMatchObject({ code: 3, out: "in Vault and not in Git:\n  passing/entry\n" });
      expect(await homelab(["vault", "delete", "cloudflare", "--lab"])).toMatchObject({ code: 1, err: expect.stringContaining('"cloudflare" is in Git') });
      expect(await succeed(["vault", "delete", "passing/entry", "--lab"])).toBe("deleted: passing/entry\n");
      expect(await succeed(["vault", "orphans", "--lab"])).toBe("Vault holds nothing that Git has not\n");
    },
    10 * MINUTE,
  );
});
