/** Each generated credential has one owner, one place, and strong values; nothing else in the program makes or reads one. */
import * as fs from "node:fs";
import * as path from "node:path";
import { compare } from "bcryptjs";
import { modulesOf } from "../stacks/stack-list";
import { HOMELAB_SECRETS, loadHomelab } from "../tests/support/homelab";
import { credentialOf, credentialsOf } from "./credentials";
import { entryKeys } from "./load";

const root = path.join(__dirname, "..");
const { stacks } = loadHomelab();
const matrix = stacks.map((stack) => ({ name: stack.name, modules: modulesOf(stack) }));
const CREDENTIALS = credentialsOf(matrix);

function sources(folder: string): string[] {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true }).flatMap((entry) => {
    const name = path.join(path.relative(root, entry.parentPath), entry.name);
    return entry.isFile() && name.endsWith(".ts") && !name.endsWith(".test.ts") ? [name] : [];
  });
}

/** The program with the site of the tests. What other sites read is not checked here. */
const program = ["stacks", "components", "tests/homelab/site"]
  .flatMap(sources)
  .map((name) => ({ name: name.replace("tests/homelab/", ""), text: fs.readFileSync(path.join(root, name), "utf8") }));

/** By name: the entry, the keys that are made, the file of the program that reads it. Written down here on purpose. */
const TABLE: Record<string, { entry: string; keys: string[]; readBy: string[] }> = {
  minio: { entry: "MINIO", keys: ["rootPassword"], readBy: ["components/platform/minio/options.ts"] },
  postgres: { entry: "POSTGRES", keys: ["POSTGRES_PASSWORD"], readBy: ["components/platform/postgres/options.ts", "site/stacks.ts"] },
  "postgres-dev": { entry: "POSTGRES_DEV", keys: ["POSTGRES_DEV_PASSWORD"], readBy: ["site/stacks.ts"] },
  "minio-users": {
    entry: "MINIO_USERS",
    keys: ["postgres-backups", "state-reader", "state-backup"],
    readBy: ["components/platform/postgres/options.ts", "components/platform/state-backup/options.ts", "site/stacks.ts"],
  },
  redis: { entry: "REDIS", keys: ["REDIS_PASSWORD"], readBy: ["components/platform/valkey/options.ts"] },
  immich: { entry: "IMMICH", keys: ["DB_PASSWORD", "VALKEY_PASSWORD"], readBy: ["components/platform/immich/options.ts"] },
  "harbor-first": { entry: "HARBOR_FIRST", keys: ["HARBOR_ADMIN_PASSWORD", "HARBOR_SECRET_KEY"], readBy: ["components/platform/harbor/options.ts"] },
  harbor: {
    entry: "HARBOR",
    keys: [
      "HARBOR_REGISTRY_PASSWORD",
      "HARBOR_CORE_SECRET",
      "HARBOR_XSRF_KEY",
      "HARBOR_JOBSERVICE_SECRET",
      "HARBOR_REGISTRY_SECRET",
      "HARBOR_REGISTRY_HTPASSWD",
      "HARBOR_DB_PASSWORD",
      "HARBOR_VALKEY_PASSWORD",
    ],
    readBy: ["components/platform/harbor/options.ts"],
  },
  "harbor-robot": { entry: "HARBOR_KEY", keys: ["HARBOR_KEY"], readBy: ["components/platform/harbor/options.ts"] },
  nats: { entry: "NATS", keys: ["NATS_PASSWORD"], readBy: ["components/platform/nats/options.ts"] },
  argocd: { entry: "ARGOCD", keys: ["ADMIN_PASSWORD", "ADMIN_PASSWORD_BCRYPT"], readBy: ["components/platform/argo-cd/options.ts"] },
  ...Object.fromEntries(
    ["TOOLS", "OBSERVABILITY", "HOME", "SANDBOXY", "DEV", "STG", "PROD"].map((name) => [
      `box-${name.toLowerCase()}`,
      { entry: `BOX_${name}`, keys: [`BOX_${name}_PASSWORD`], readBy: ["site/stacks.ts"] },
    ]),
  ),
  grafana: { entry: "GRAFANA", keys: ["GRAFANA_PASSWORD"], readBy: ["components/platform/kube-prometheus-stack/options.ts"] },
};

test("the table has each credential once, each in an entry of its own", () => {
  expect(CREDENTIALS.map(({ name }) => name).toSorted()).toEqual(Object.keys(TABLE).toSorted());
  expect(new Set(CREDENTIALS.map(({ entry }) => entry)).size).toBe(CREDENTIALS.length);
});

test("owners and readers are named with the stacks that the matrix has them in", () => {
  const saidOf = (name: string, of = matrix) => {
    const { owner, consumers, built } = credentialOf(name, of);
    return { owner, consumers, built };
  };
  expect(saidOf("minio-users")).toEqual({
    owner: "MinIO (stack tools; the Job of its release gives each user the new key)",
    consumers: ["backups of Postgres (stacks tools and dev)", "the nightly backup of states (stack tools)"],
    built: true,
  });
  expect(saidOf("postgres").owner).toBe("PostgreSQL (stack tools; its operator gives the role the new password)");
  expect(saidOf("postgres-dev").owner).toBe("PostgreSQL (stack dev; its operator gives the role the new password)");
  expect(saidOf("box-stg").owner).toBe("the hub's collector (stack observability; its pods restart)");

  const entry = (name: string) => `cluster-secret-store/secrets/${name}`;
  const other = [
    { name: "core", modules: [{ name: "valkey", entries: [] }] },
    {
      name: "my-web",
      modules: [
        { name: "valkey", entries: [] },
        { name: "box", entries: [entry("BOX_MY_WEB")] },
        { name: "postgres", entries: [entry("POSTGRES_MY_WEB")] },
      ],
    },
  ];
  expect(saidOf("redis", other)).toMatchObject({ owner: "Valkey (stacks core and my-web; its pod restarts)", built: true });
  expect(saidOf("nats", other)).toMatchObject({ owner: "NATS (no stack has it yet)", built: false });
  expect(saidOf("postgres", other)).toMatchObject({ built: false });
  expect(saidOf("box-my-web", other)).toMatchObject({ consumers: ["the box of my-web (its pods restart)"], built: false });
  expect(credentialOf("postgres-my-web", other).entry).toBe(entry("POSTGRES_MY_WEB"));
  expect(JSON.stringify(credentialsOf(other))).not.toMatch(/\b(tools|observability|sandboxy|dev|stg|prod)\b/);
  for (const name of ["box-core", "box-dev", "postgres-core"]) expect(() => credentialOf(name, other)).toThrow("is not a credential that homelab generates");
});

describe.each(Object.entries(TABLE))("%s", (name, { entry, keys, readBy }) => {
  const credential = credentialOf(name, matrix);

  test("is in its entry only: no other entry has a key of its name", () => {
    expect(credential.entry).toBe(`cluster-secret-store/secrets/${entry}`);
    const places = [...entryKeys("cluster-secret-store/secrets", HOMELAB_SECRETS)];
    const elsewhere = places.filter(([at, there]) => at !== credential.entry && there.some((key) => keys.includes(key)));
    expect(elsewhere).toEqual([]);
  });

  test("is read by its owner in the program, and by nothing else there", () => {
    const readers = program.filter(({ text }) => text.includes(`secrets/${entry}"`) || text.includes(`storePath("${entry}")`)).map(({ name: file }) => file);
    expect(readers).toEqual(readBy);
    expect(credential.built).toBe(readBy.length > 0);
    expect(credential.owner).not.toBe("");
  });

  test("is made anew each time, of 192 random bits, without a character that needs quoting", async () => {
    const [one, two] = [await credential.make(), await credential.make()];
    expect(Object.keys(one)).toEqual(keys);
    for (const key of keys) expect(one[key]).not.toBe(two[key]);
    const secret = keys.find((key) => !key.endsWith("_BCRYPT")) ?? "";
    expect(one[secret]).toMatch(/^[\w-]{32}$/);
  });
});

test("Harbor takes its account's secret, and its registry the line of its password", async () => {
  for (let i = 0; i < 200; i++) expect((await credentialOf("harbor-robot", matrix).make())["HARBOR_KEY"]).toMatch(/^(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[\w-]{32}$/);
  const made = await credentialOf("harbor", matrix).make();
  const [user, hash = ""] = (made["HARBOR_REGISTRY_HTPASSWD"] ?? "").split(":");
  expect(user).toBe("harbor_registry_user");
  expect(await compare(made["HARBOR_REGISTRY_PASSWORD"] ?? "", hash)).toBe(true);
  expect([made["HARBOR_CORE_SECRET"]?.length, made["HARBOR_XSRF_KEY"]?.length]).toEqual([16, 32]);
});

test("Argo CD's hash is that of its password", async () => {
  const made = await credentialOf("argocd", matrix).make();
  expect(await compare(made["ADMIN_PASSWORD"] ?? "", made["ADMIN_PASSWORD_BCRYPT"] ?? "")).toBe(true);
  expect(await compare("another", made["ADMIN_PASSWORD_BCRYPT"] ?? "")).toBe(false);
});

test("nothing else in the program makes a credential", () => {
  expect(program.filter(({ text }) => /RandomPassword|RandomString|randomBytes|randomUUID|Math\.random/.test(text)).map(({ name }) => name)).toEqual([]);
});
