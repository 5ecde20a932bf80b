/**
 * The nightly backup as its image runs it: the script with the module's variables, age, rclone and pg_dump, between S3 servers. The test
 * opens the backup with the private key, which the script never gets.
 */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { stateBackupOptions } from "../../components/platform/state-backup/options";
import { keysSecret, settings } from "../../components/platform/state-backup/values";
import { createContext, type OwnedContext } from "../../lab/core/context";
import { type S3Server, startS3 } from "../../lab/s3";
import { openEncryptedCopy } from "../../orchestrator/state/encrypted-copies";
import { readCopy } from "../../orchestrator/state/state-copies";
import { ageDecryptFile, generateIdentity } from "../../secrets/age";
import { describeReal } from "../support/real-parts";
import { onFreePorts, startProcess, untilReady } from "../support/real-process";
import { runCommand } from "../support/run-command";

const SCRIPT = path.join(__dirname, "..", "..", "images", "state-backup", "backup.sh");
const KEYS = { accessKey: "user", secretKey: "s3cret/with+signs" };
const DATABASE = { host: "127.0.0.1", database: "postgres", user: "postgres", password: { path: "p", key: "k" } };

const optionsWith = (databases: object) =>
  stateBackupOptions.parse({
    states: { bucket: "pulumi-state", user: KEYS.accessKey, secretKey: { path: "p", key: "k" } },
    places: {
      here: { bucket: "backups", folder: "nightly", user: KEYS.accessKey, secretKey: { path: "p", key: "k" } },
      elsewhere: { endpoint: "https://s3.example.net", bucket: "homelab", user: { path: "p", key: "k" }, secretKey: { path: "p", key: "k" } },
    },
    databases,
  });

describeReal(["age", "rclone", "postgres"], "the nightly backup", () => {
  const identity = generateIdentity();
  const second = generateIdentity();
  let folder: string;
  let ctx: OwnedContext;
  let here: S3Server;
  let elsewhere: S3Server;

  const clientOf = ({ port }: S3Server) =>
    new S3Client({
      endpoint: `http://127.0.0.1:${port}`,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: KEYS.accessKey, secretAccessKey: KEYS.secretKey },
    });
  const put = (Key: string, body: object | string) =>
    clientOf(here).send(new PutObjectCommand({ Bucket: "pulumi-state", Key, Body: typeof body === "string" ? body : JSON.stringify(body) }));
  const names = async (server: S3Server, Bucket: string): Promise<string[]> =>
    ((await clientOf(server).send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key = "" }) => Key);

  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "state-backup-"));
    ctx = await createContext();
    here = await startS3("here", ctx, { credentials: KEYS });
    elsewhere = await startS3("elsewhere", ctx, { credentials: KEYS });
    here.makeBuckets(["pulumi-state", "backups"].map((name) => ({ name, versioning: false })));
    elsewhere.makeBuckets([{ name: "homelab", versioning: false }]);
    fs.writeFileSync(path.join(folder, "recipients.txt"), `${identity.recipient}\n${second.recipient}\n`);
  });
  afterEach(async () => {
    await Promise.all([here.stop(), elsewhere.stop()]);
    fs.rmSync(folder, { recursive: true });
  });

  function run(databases: object, more: Record<string, string> = {}) {
    const options = optionsWith(databases);
    const secrets = Object.keys(keysSecret(options).data).map((name) => [name, name.endsWith("ACCESS_KEY_ID") ? KEYS.accessKey : KEYS.secretKey] as const);
    const env = {
      PATH: process.env["PATH"],
      HOME: folder,
      ...settings(options, { domain: "example.org" }),
      ...Object.fromEntries(secrets),
      BACKUP_WORK: path.join(folder, "work"),
      BACKUP_MEMORY: path.join(folder, "memory"),
      BACKUP_RECIPIENTS: path.join(folder, "recipients.txt"),
      RCLONE_CONFIG: path.join(folder, "rclone.conf"),
      RCLONE_CACHE_DIR: path.join(folder, "cache"),
      RCLONE_CONFIG_STATES_ENDPOINT: `http://127.0.0.1:${here.port}`,
      RCLONE_CONFIG_HERE_ENDPOINT: `http://127.0.0.1:${here.port}`,
      RCLONE_CONFIG_ELSEWHERE_ENDPOINT: `http://127.0.0.1:${elsewhere.port}`,
      RCLONE_RETRIES: "1",
      RCLONE_LOW_LEVEL_RETRIES: "1",
      ...more,
    };
    // Not synchronously, since the S3 servers run in this process.
    return runCommand(spawn("bash", [SCRIPT], { env }));
  }

  const STATE = { version: 3, checkpoint: { stack: "organization/homelab/tools", latest: { resources: [{ urn: "urn:pulumi:tools::homelab::a:b:C::d" }] } } };

  async function putStates(): Promise<void> {
    await put(".pulumi/meta.yaml", "version: 1\n");
    await put(".pulumi/stacks/homelab/tools.json", STATE);
    await put(".pulumi/stacks/homelab/dev.json", { version: 3, checkpoint: { latest: { resources: [] } } });
    await put(".pulumi/stacks/homelab/tools.json.bak", "{}");
    await put(".pulumi/locks/organization/homelab/tools/1.json", "{}");
  }

  /** Downloads a backup, as a person does by `rclone copy <place>:<bucket>/<time> <folder>`. */
  async function download(server: S3Server, bucket: string, prefix: string): Promise<string> {
    const keys = (await names(server, bucket)).filter((key) => key.startsWith(prefix));
    const [first = ""] = keys;
    const root = first.slice(0, first.indexOf("Z/") + 2);
    const target = path.join(folder, "fetched");
    for (const key of keys) {
      const file = path.join(target, key.slice(root.length));
      fs.mkdirSync(path.dirname(file), { recursive: true });
      const { Body } = await clientOf(server).send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      fs.writeFileSync(file, (await Body?.transformToByteArray()) ?? "");
    }
    return target;
  }

  test("both places have each state, encrypted, and one of them with either key is enough for a restore", async () => {
    await putStates();
    const { code, out, err } = await run({});
    expect([code, code === 0 ? "" : out + err]).toEqual([0, ""]);
    expect(out).toMatch(/^2 states\nhere has \S+Z\nelsewhere has \S+Z\n$/);
    const files = ["backup.json", "SHA256SUMS", "states/dev.json.age", "states/tools.json.age"];
    const inPlace = async (server: S3Server, bucket: string) => (await names(server, bucket)).map((key) => key.replace(/^.*?Z\//, "")).toSorted();
    expect(await inPlace(here, "backups")).toEqual(files.toSorted());
    expect(await inPlace(elsewhere, "homelab")).toEqual(files.toSorted());
    expect((await names(here, "backups")).every((key) => key.startsWith("nightly/"))).toBe(true);
    const fetched = await download(elsewhere, "homelab", "");
    expect(fs.readFileSync(path.join(fetched, "states/tools.json.age")).includes("urn:pulumi")).toBe(false);
    for (const [index, key] of [identity, second].entries()) {
      const opened = path.join(folder, `opened-${index}`);
      openEncryptedCopy(fetched, [key], opened, "real");
      expect(readCopy(opened, ["tools", "dev"])).toMatchObject({ site: "example.org", stacks: { tools: { resources: 1 } } });
      expect(JSON.parse(fs.readFileSync(path.join(opened, "tools.json"), "utf8"))).toEqual({ version: 3, deployment: STATE.checkpoint.latest });
    }
    // The script left nothing where it ran.
    expect(fs.readdirSync(path.join(folder, "work"))).toEqual([]);
    expect(fs.readdirSync(path.join(folder, "memory"))).toEqual([]);
  });

  test("a place that is down fails the Job, and the other one has its backup all the same", async () => {
    await putStates();
    const { code, err } = await run({}, { RCLONE_CONFIG_HERE_SECRET_ACCESS_KEY: "another" });
    expect([code, err]).toEqual([1, expect.stringContaining("the backup failed at: here\n")]);
    expect(await names(here, "backups")).toEqual([]);
    expect((await names(elsewhere, "homelab")).length).toBe(4);
  });

  test("backups that are old enough go, and nothing else that lies in the bucket", async () => {
    await putStates();
    const old = { mtime: "1600000000" };
    const keys = ["2025-01-02T02-00-00Z/backup.json", "2025-01-02T02-00-00Z/states/tools.json.age", "photos/2025-01-02T02-00-00Z/a.jpg", "other.txt"];
    for (const Key of keys) await clientOf(elsewhere).send(new PutObjectCommand({ Bucket: "homelab", Key, Body: "x", Metadata: old }));
    const { code, out, err } = await run({});
    expect([code, code === 0 ? "" : out + err]).toEqual([0, ""]);
    expect((await names(elsewhere, "homelab")).filter((key) => keys.includes(key)).toSorted()).toEqual(["other.txt", "photos/2025-01-02T02-00-00Z/a.jpg"]);
  });

  test("a bucket without states is an error, and no empty backup", async () => {
    const { code, err } = await run({});
    expect([code, err]).toEqual([1, expect.stringContaining("there is no state in pulumi-state/.pulumi/stacks")]);
    expect(await names(elsewhere, "homelab")).toEqual([]);
  });

  test("two projects with a stack of the same name are refused: one file of the backup would overwrite the other", async () => {
    await putStates();
    await put(".pulumi/stacks/another/tools.json", STATE);
    const { code, err } = await run({});
    expect([code, err]).toEqual([1, expect.stringContaining("two projects in pulumi-state have tools.json")]);
    expect(await names(elsewhere, "homelab")).toEqual([]);
  });

  test("a database that cannot be dumped ends it before anything is written", async () => {
    await putStates();
    const { code, err } = await run({ apps: { ...DATABASE, host: "127.0.0.1" } }, { PGPORT: "1", PGCONNECT_TIMEOUT: "5" });
    expect([code, err]).toEqual([1, expect.stringContaining("connection to server")]);
    expect(await names(here, "backups")).toEqual([]);
  });

  test("a dump of a database is restored into another one, and has what was there", async () => {
    await putStates();
    await withServer(folder, async (port, sql) => {
      sql("postgres", "CREATE TABLE messages (id int PRIMARY KEY, text text); INSERT INTO messages VALUES (1, 'one'), (2, 'zwei: ü')");
      const { code, out, err } = await run({ apps: DATABASE }, { PGPORT: String(port), BACKUP_SSLMODE: "disable" });
      expect([code, code === 0 ? "" : out + err]).toEqual([0, ""]);
      const fetched = await download(here, "backups", "nightly/");
      const dump = ageDecryptFile(fs.readFileSync(path.join(fetched, "postgres/apps.dump.age")), identity);
      sql("postgres", "CREATE DATABASE restored");
      const restored = spawnSync("pg_restore", ["--host", "127.0.0.1", "--port", String(port), "--username", "postgres", "--dbname", "restored"], {
        input: dump,
      });
      expect([restored.status, restored.stderr.toString()]).toEqual([0, ""]);
      expect(sql("restored", "SELECT id, text FROM messages ORDER BY id")).toBe("1|one\n2|zwei: ü\n");
    });
  });
});

/** The folder of the newest installed Postgres. */
function serverFolder(): string {
  const root = "/usr/lib/postgresql";
  const newest = fs.readdirSync(root).toSorted((a, b) => Number(b) - Number(a))[0] ?? "";
  return path.join(root, newest, "bin");
}

/** Postgres refuses to run as root. */
const AS_POSTGRES = process.getuid?.() === 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : ["env"];

/** Runs a Postgres for one test. */
async function withServer(folder: string, act: (port: number, sql: (database: string, text: string) => string) => Promise<void>): Promise<void> {
  const bin = serverFolder();
  const [first = "", ...words] = AS_POSTGRES;
  const data = path.join(folder, "pg");
  fs.chmodSync(folder, 0o755);
  fs.mkdirSync(data);
  if (first === "setpriv") spawnSync("chown", ["postgres:postgres", data]);
  const options = ["--pgdata", data, "--auth", "trust", "--username", "postgres", "--no-sync"];
  const made = spawnSync(first, [...words, path.join(bin, "initdb"), ...options], { encoding: "utf8", cwd: "/" });
  expect([made.status, made.status === 0 ? "" : made.stderr]).toEqual([0, ""]);
  await onFreePorts(1, async ([port = 0]) => {
    const listens = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", data, "-F"];
    const server = await startProcess("postgres", first, [...words, path.join(bin, "postgres"), ...listens], { folder });
    const sql = (database: string, text: string): string => {
      const where = ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "-d", database];
      const { status, stdout, stderr } = spawnSync("psql", [...where, "-qAt", "-c", text], { encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
      return stdout;
    };
    try {
      await untilReady(server, "it answers", async () => sql("postgres", "SELECT 1") === "1\n");
      await act(port, sql);
    } finally {
      await server.stop();
    }
  });
}
