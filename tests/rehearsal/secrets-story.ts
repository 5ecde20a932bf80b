/**
 * From a file in Git to a Secret in a namespace, in a lab in which everything is built, by the commands that an owner
 * types. These are the last tests of rebuild.test.ts; they depend on each other and run in order.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { isWorthHiding } from "../../common/redact-worth";
import { loadSecrets } from "../../secrets/load";
import type { Finished, Rehearsal } from "../support/rehearsal";

const STORE = "cluster-secret-store/secrets";
const PIHOLE = `${STORE}/EXTERNAL_DNS_PIHOLE_PASSWORD`;
const KEY = "PIHOLE_PASSWORD";
const NAMESPACE = "external-dns";
const LAB_KEY = path.join(__dirname, "..", "..", "secrets", "lab-only.agekey");
const MINUTE = 60_000;
/** Keys of the second place of backups whose values are no secrets: site/stacks.ts has them in plain, too, as parts of its address. */
const OF_AN_ADDRESS: readonly string[] = ["region", "namespace", "bucket"];
const PATCH = { "content-type": "application/merge-patch+json" };

const secretsSchema = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }), data: z.record(z.string(), z.string()).optional() })) });
const externalsSchema = z.object({ items: z.array(z.object({ apiVersion: z.string(), metadata: z.object({ name: z.string() }) })) });
const podsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional(), annotations: z.record(z.string(), z.string()).optional() }),
      status: z.object({ phase: z.string().optional() }),
    }),
  ),
});
const tokenSchema = z.object({ status: z.object({ token: z.string() }) });
const loginSchema = z.object({ auth: z.object({ client_token: z.string() }) });
const entrySchema = z.object({ data: z.object({ data: z.record(z.string(), z.string()), metadata: z.object({ version: z.number() }) }) });

const randomValue = (): string => crypto.randomBytes(18).toString("base64url");

export function secretsStory(lab: () => Rehearsal): void {
  /** The output of all commands of these tests. */
  let said = "";
  /** A root token, generated from the unseal keys for these tests. */
  let token = "";
  let checkout = "";
  const values: string[] = [];

  async function homelab(...args: string[]): Promise<Finished> {
    const finished = await lab().start(args, checkout === "" ? {} : { checkout }).done;
    said += finished.stdout + finished.stderr;
    return finished;
  }

  async function succeed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await homelab(...args);
    expect([code, code === 0 ? "" : stderr + stdout]).toEqual([0, ""]);
    return stdout;
  }

  async function put(verb: "set" | "new", entry: string, key: string, value: string, ...more: string[]): Promise<void> {
    const { code, stdout, stderr } = await lab().secrets([verb, entry, key, ...more], value);
    said += stdout + stderr;
    expect([code, stderr]).toEqual([0, ""]);
  }

  /** A new secret value, which must not appear in any output. */
  function secretValue(): string {
    const value = randomValue();
    values.push(value);
    return value;
  }

  async function entry(at: string): Promise<{ data: Record<string, string>; metadata: { version: number } }> {
    return entrySchema.parse((await lab().vault(`kv/data/${at}`, token)).body).data;
  }

  /** Keys and values of the Secrets of a namespace, by the Secret's name. */
  async function secretsOf(stack: string, namespace: string): Promise<Map<string, Record<string, string>>> {
    const { body } = await lab().kubernetes(stack, `/api/v1/namespaces/${namespace}/secrets`);
    const plain = (data: Record<string, string>) =>
      Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
    return new Map(secretsSchema.parse(body).items.map(({ metadata, data }) => [metadata.name, plain(data ?? {})]));
  }

  /** Values of all Secrets of external-dns. */
  const valuesIn = async (stack: string): Promise<string[]> => [...(await secretsOf(stack, NAMESPACE)).values()].flatMap((data) => Object.values(data));

  /** External Secrets polls once a minute; by its documentation, this annotation makes it refresh now. */
  async function refreshSecrets(stack: string): Promise<void> {
    const route = `/apis/external-secrets.io/v1/namespaces/${NAMESPACE}/externalsecrets`;
    const { items } = externalsSchema.parse((await lab().kubernetes(stack, route)).body);
    expect(items).not.toEqual([]);
    for (const { metadata } of items) {
      const body = { metadata: { annotations: { "force-sync": randomValue() } } };
      expect((await lab().kubernetes(stack, `${route}/${metadata.name}`, { method: "PATCH", headers: PATCH, body })).status).toBe(200);
    }
  }

  async function eventually<T>(look: () => Promise<T>, fits: (seen: T) => boolean): Promise<T> {
    for (let tries = 0; ; tries++) {
      const seen = await look();
      if (fits(seen) || tries >= 300) return seen;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Logs in to Vault as a namespace's reader, as External Secrets does. @returns the token */
  async function readerOf(stack: string): Promise<string> {
    const asked = await lab().kubernetes(stack, `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/vault-reader/token`, {
      method: "POST",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600, audiences: ["vault"] } },
    });
    const jwt = tokenSchema.parse(asked.body).status.token;
    const login = await lab().vault(`auth/kubernetes/${stack}/login`, undefined, { method: "POST", body: { role: NAMESPACE, jwt } });
    return loginSchema.parse(login.body).auth.client_token;
  }

  /** Running pods of MinIO, with the mark of the credential with which each started. */
  async function minioPods(): Promise<{ name: string; mark: string }[]> {
    const { items } = podsSchema.parse((await lab().kubernetes("tools", "/api/v1/namespaces/minio/pods")).body);
    const running = items.filter(({ status, metadata }) => status.phase === "Running" && metadata.deletionTimestamp === undefined);
    return running.map(({ metadata }) => ({ name: metadata.name, mark: metadata.annotations?.["homelab/root-credential"] ?? "" }));
  }

  /** Asserts that Git, Vault and MinIO's Secret have the same new credential, and that MinIO has restarted with it. */
  async function assertRotated(old: { name: string; mark: string } | undefined, since: number): Promise<void> {
    const { stdout: password } = await lab().secrets(["get", `${STORE}/MINIO`, "rootPassword"]);
    values.push(password);
    expect((await entry(`${STORE}/MINIO`)).data["rootPassword"]).toBe(password);
    expect((await secretsOf("tools", "minio")).get("minio-root")?.["rootPassword"]).toBe(password);
    const now = await eventually(minioPods, (pods) => pods.length === 1 && pods[0]?.name !== old?.name);
    expect(now).toHaveLength(1);
    expect([now[0]?.name === old?.name, now[0]?.mark === old?.mark, old?.mark === ""]).toEqual([false, false, false]);
    const restarted = (await lab().writes(since)).filter(({ system, action }) => system === "kubernetes" && /deployments/i.test(action));
    expect(restarted.map(({ action }) => action.includes("minio"))).toEqual(restarted.map(() => true));
  }

  const statusesFor = async (reader: string, paths: readonly string[]): Promise<number[]> =>
    Promise.all(paths.map(async (at) => (await lab().vault(at, reader)).status));

  let value = "";

  test(
    "a Vault entry that somebody changed by hand is left as it is, and up says so; after a refresh up writes what Git says",
    async () => {
      // This prints the token, so its output is not searched for secrets.
      token = (await lab().homelab("vault", "root", "--lab")).stdout.trim();
      expect(token).toMatch(/^hvs\./);
      values.push(token);
      const { version } = (await entry(PIHOLE)).metadata;
      const byHand = { data: { [KEY]: "put in by hand" }, options: { cas: version } };
      expect((await lab().vault(`kv/data/${PIHOLE}`, token, { method: "POST", body: byHand })).status).toBe(200);

      value = secretValue();
      await put("set", PIHOLE, KEY, value);
      await put("new", "passing/entry", "key", secretValue());
      const refused = await homelab("up", "tools", "--only", "--lab");
      expect(refused.code).toBe(1);
      const text = refused.stdout + refused.stderr;
      expect(text).toContain(`Vault: kv/data/${PIHOLE} was written by somebody else; it was left as it is`);
      expect(text).toContain("`homelab refresh`");
      expect(await entry(PIHOLE)).toMatchObject({ data: { [KEY]: "put in by hand" }, metadata: { version: version + 1 } });

      await succeed("refresh", "tools", "--only", "--lab");
      const before = await lab().lastSeq();
      await succeed("up", "tools", "--only", "--lab");
      // Only that entry was written. The new entry was written either by the first run, before it stopped, or now.
      const written = (await lab().writes(before)).map(({ system, action }) => `${system} ${action}`);
      expect(written.filter((action) => action !== "vault kv-put passing/entry")).toEqual([`vault kv-put ${PIHOLE}`]);
      expect(await entry(PIHOLE)).toMatchObject({ data: { [KEY]: value }, metadata: { version: version + 2 } });
      expect((await entry("passing/entry")).data).toEqual({ key: values.at(-1) });
    },
    5 * MINUTE,
  );

  test(
    "the value that was changed in Git is in the namespace's Secret; the namespace reads no other entry, Vault says no",
    async () => {
      await refreshSecrets("dev");
      expect(
        await eventually(
          () => valuesIn("dev"),
          (seen) => seen.includes(value),
        ),
      ).toContain(value);

      const reader = await readerOf("dev");
      expect(await statusesFor(reader, [`kv/data/${PIHOLE}`, "kv/data/cloudflare", `kv/data/${STORE}/MINIO`, "kv/metadata/?list=true"])).toEqual([
        200, 403, 403, 403,
      ]);
      const forged = await lab().vault("auth/kubernetes/dev/login", undefined, { method: "POST", body: { role: NAMESPACE, jwt: "x.y.z" } });
      expect(forged.status).not.toBe(200);
    },
    MINUTE,
  );

  test(
    "a key that two entries of the shared Secret have stops the preview and names both",
    async () => {
      checkout = lab().copyCheckout();
      fs.appendFileSync(path.join(checkout, "Pulumi.dev.yaml"), "  homelab:sharedSecrets: true\n");
      await put("new", `${STORE}/CACHE`, "REDIS_PASSWORD", secretValue());
      const before = await lab().lastSeq();
      const { code, stdout, stderr } = await homelab("preview", "dev", "--only", "--lab");
      expect(code).toBe(1);
      expect(stdout + stderr).toContain(`"REDIS_PASSWORD" is a key of ${STORE}/CACHE and of ${STORE}/REDIS: cluster-secrets can hold one of them`);
      expect(await lab().writes(before)).toEqual([]);
      fs.rmSync(path.join(lab().secretsDir, "common", STORE, "CACHE.yaml"));
    },
    MINUTE,
  );

  test(
    "a value of dev's own wins in dev, in no other environment, and no other can read it; the shared Secret is in labelled namespaces only; MinIO starts anew with a new credential",
    async () => {
      const own = secretValue();
      await put("new", PIHOLE, KEY, own, "--env", "dev");
      fs.rmSync(path.join(lab().secretsDir, "common", "passing"), { recursive: true });
      const { code, stdout } = await lab().secrets(["generate", "minio"]);
      expect([code, stdout]).toEqual([0, expect.stringContaining("owner: MinIO (stack tools; its Deployment restarts)")]);
      const [old] = await minioPods();
      const before = await lab().lastSeq();
      await succeed("up", "tools", "dev", "--only", "--lab");
      await assertRotated(old, before);
      expect((await entry(PIHOLE)).data).toEqual({ [KEY]: value });
      expect((await entry(`environments/dev/${PIHOLE}`)).data).toEqual({ [KEY]: own });

      await Promise.all([refreshSecrets("dev"), refreshSecrets("stg")]);
      expect(
        await eventually(
          () => valuesIn("dev"),
          (seen) => seen.includes(own),
        ),
      ).toEqual(expect.arrayContaining([own]));
      expect(
        await eventually(
          () => valuesIn("stg"),
          (seen) => seen.includes(value),
        ),
      ).toEqual(expect.arrayContaining([value]));
      expect([await valuesIn("dev"), await valuesIn("stg")].map((seen) => [seen.includes(value), seen.includes(own)])).toEqual([
        [false, true],
        [true, false],
      ]);
      const both = [`kv/data/${PIHOLE}`, `kv/data/environments/dev/${PIHOLE}`];
      expect(await statusesFor(await readerOf("dev"), both)).toEqual([403, 200]);
      expect(await statusesFor(await readerOf("stg"), both)).toEqual([200, 403]);

      const label = { metadata: { labels: { "cluster-secrets": "true" } } };
      expect((await lab().kubernetes("dev", "/api/v1/namespaces/ascii-frontend", { method: "PATCH", headers: PATCH, body: label })).status).toBe(200);
      const shared = await eventually(
        () => secretsOf("dev", "ascii-frontend"),
        (seen) => seen.has("cluster-secrets"),
      );
      const inGit = [...(await loadSecrets({ root: lab().secretsDir, environment: "dev", ageKeyFile: LAB_KEY }))].filter(([at]) => at.startsWith(`${STORE}/`));
      expect(shared.get("cluster-secrets")).toEqual(Object.assign({}, ...inGit.map(([, keys]) => keys)));
      expect([...(await secretsOf("dev", NAMESPACE)).keys()]).not.toContain("cluster-secrets");
    },
    5 * MINUTE,
  );

  test(
    "an entry that Git no longer has stays in Vault, is told, and goes when it is named",
    async () => {
      expect(await homelab("vault", "orphans", "--lab")).toMatchObject({ code: 3, stdout: "in Vault and not in Git:\n  passing/entry\n" });
      expect(await succeed("vault", "delete", "passing/entry", "--lab")).toBe("deleted: passing/entry\n");
      expect(await statusesFor(token, ["kv/data/passing/entry", "kv/metadata/passing/entry"])).toEqual([404, 404]);
      const revoked = await lab().start(["vault", "revoke", "--lab"], { input: token }).done;
      expect([revoked.code, revoked.stdout]).toEqual([0, "revoked\n"]);
      expect(await statusesFor(token, ["auth/token/lookup-self"])).toEqual([403]);
    },
    2 * MINUTE,
  );

  test("no state file, report or log of the lab, and nothing that a command said holds a decrypted value", async () => {
    const decrypted = [...(await loadSecrets({ root: lab().secretsDir, environment: "dev", ageKeyFile: LAB_KEY }))].flatMap(([entry, keys]) =>
      Object.entries(keys).flatMap(([key, value]) => (entry.endsWith("/ORACLE_CLOUD") && OF_AN_ADDRESS.includes(key) ? [] : [value])),
    );
    const hidden = [...values, ...decrypted].filter(isWorthHiding);
    const below = (folder: string) => fs.readdirSync(path.join(lab().dir, folder), { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const logs = fs.readdirSync(lab().dir, { withFileTypes: true }).filter(({ name }) => name.endsWith(".log"));
    const [states, reports] = [below("state"), below("runs")];
    const files = [...states, ...reports, ...logs];
    const texts = [
      { name: "what was said", text: said },
      { name: "the lab's records", text: JSON.stringify([await lab().records(), await lab().unhandled()]) },
      ...files.map((file) => ({ name: file.name, text: fs.readFileSync(path.join(file.parentPath, file.name), "utf8") })),
    ];
    const forms = (of: string): string[] => [of, JSON.stringify(of).slice(1, -1), Buffer.from(of).toString("base64")];
    const found = texts.flatMap(({ name, text }) =>
      hidden.filter((of) => forms(of).some((form) => text.includes(form))).map((of) => `${name}: ${of.slice(0, 4)}…`),
    );
    expect(found).toEqual([]);
    expect([states.length > 7, reports.length > 5, logs.length > 0, hidden.length > 20, said.length > 1000]).toEqual([true, true, true, true, true]);
  });
}
