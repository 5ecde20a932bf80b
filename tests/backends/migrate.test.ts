/** Stacks move from a folder to S3 and back, by the executable of the engine, as `homelab state migrate` does it. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { Stack } from "@pulumi/pulumi/automation";
import { createContext, type OwnedContext } from "../../lab/core/context";
import { type S3Server, startS3 } from "../../lab/s3";
import { StateMigration } from "../../orchestrator/state/state-migration";
import { engineRunner } from "../../orchestrator/target/engine";
import { AutomationSite, ENGINE_ROOT } from "../automation/site";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

const KEYS = { accessKey: "admin", secretKey: "migration" };
const site = new AutomationSite();
let ctx: OwnedContext;
let server: S3Server;
let to: string;
const from = site.env["PULUMI_BACKEND_URL"] ?? "";

beforeAll(async () => {
  ctx = await createContext();
  server = await startS3("tools/minio/minio-0", ctx, { credentials: KEYS });
  Object.assign(site.env, { AWS_ACCESS_KEY_ID: KEYS.accessKey, AWS_SECRET_ACCESS_KEY: KEYS.secretKey });
  const credentials = { accessKeyId: KEYS.accessKey, secretAccessKey: KEYS.secretKey };
  const client = new S3Client({ endpoint: `http://127.0.0.1:${server.port}`, region: "main", forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: "states" }));
  client.destroy();
  to = `s3://states/homelab?endpoint=http://127.0.0.1:${server.port}&region=main&s3ForcePathStyle=true`;
});
afterAll(async () => {
  await server.stop();
  site.remove();
});

async function stackOn(backend: string): Promise<Stack> {
  site.env["PULUMI_BACKEND_URL"] = backend;
  return Stack.select("dev", await site.workspace());
}

test("a stack moves, previews with no changes there, goes on there, and comes back with what was done", async () => {
  const said: string[] = [];
  const engine = engineRunner(ENGINE_ROOT, site.workDir);
  const run = (backend: string, args: readonly string[]): Promise<string> => engine(args, { ...site.env, PULUMI_BACKEND_URL: backend });
  const migration = new StateMigration(run, (line) => said.push(line));
  await (await Stack.create("dev", await site.workspace())).up();

  await expect(migration.migrate(from, to, ["none"])).rejects.toThrow(`stack none is not in ${from}`);
  const record = await migration.migrate(from, to, []);
  expect(record).toMatchObject({ version: 1, from, to, stacks: { dev: { resources: 3 } } });
  // A second time everything is there already.
  expect(await migration.migrate(from, to, ["dev"])).toEqual(record);
  const there = await stackOn(to);
  expect((await there.preview({ expectNoChanges: true })).changeSummary).toEqual({ same: 2 });
  await there.setConfig("count", { value: "2" });
  await there.up();
  expect(site.things()).toEqual(["thing-0", "thing-1"]);
  await expect(migration.migrate(from, to, ["dev"])).rejects.toThrow(`stack dev is in ${to} already, with another state (4 resources)`);

  await migration.back(record);
  const back = await stackOn(from);
  expect((await back.preview({ expectNoChanges: true })).changeSummary).toEqual({ same: 3 });
  expect(JSON.parse(await run(to, ["stack", "ls", "--json"]))).toEqual([]);
  expect(said).toEqual([
    expect.stringMatching(/^dev: 3 resources, sha256 [0-9a-f]{16}, the same/),
    expect.stringMatching(/^dev: 3 resources/),
    `dev: 4 resources are back in ${from}`,
  ]);
  expect(ctx.unhandled.all()).toEqual([]);
});
