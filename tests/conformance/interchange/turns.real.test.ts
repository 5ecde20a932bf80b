/** One engine continues what the other built, live: on a folder, on the lab's S3 and on MinIO, with secrets in state and configuration. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createContext, type OwnedContext } from "../../../lab/core/context";
import { type S3Server, startS3 } from "../../../lab/s3";
import { EMBEDDED } from "../../support/real-cli";
import { MINIO_CREDENTIALS, type RealMinio, startMinio } from "../../support/real-minio";
import { describeReal } from "../../support/real-parts";
import type { Json } from "../engine/normalise";
import { CaseRun } from "../engine/recorded-case";

const PROGRAM: Json = [
  { n: "group", comp: true },
  { n: "a", a: { name: "a", pw: "hunter2" }, secret: ["pw"], out: true },
  { n: "b", a: { name: "b", rname: "b" }, refs: { v: "a.out" }, o: { parent: "group" } },
];
const CHANGED: Json = [
  { n: "group", comp: true },
  { n: "a", a: { name: "a", pw: "hunter3" }, secret: ["pw"], out: true },
  { n: "b", a: { name: "b", rname: "other" }, refs: { v: "a.out" }, o: { parent: "group" } },
];

/** One engine does a step, the other goes on, in turns; at the end nothing is left. */
async function takeTurns(first: string, second: string, backend: () => Record<string, string>): Promise<void> {
  const run = new CaseRun(first);
  const env = backend();
  const does = async (pulumi: string, args: string[], spec: Json = PROGRAM) =>
    expect({ args, ...(await run.call([...args, "--stack", "dev"], { ...env, SPEC: JSON.stringify(spec), CFG: "token" }, pulumi)) }).toMatchObject({
      args,
      status: 0,
    });
  try {
    await does(first, ["stack", "init"]);
    await does(first, ["config", "set", "--secret", "token", "hush"]);
    await does(first, ["up", "--yes", "--skip-preview"]);
    await does(second, ["preview", "--expect-no-changes"]);
    expect((await run.call(["config", "get", "token", "--stack", "dev"], env, second)).stdout).toBe("hush\n");
    await does(second, ["up", "--yes", "--skip-preview"], CHANGED);
    await does(first, ["preview", "--expect-no-changes"], CHANGED);
    await does(first, ["refresh", "--yes", "--skip-preview"], CHANGED);
    await does(second, ["up", "--yes", "--skip-preview", "--expect-no-changes"], CHANGED);
    await does(second, ["destroy", "--yes", "--skip-preview"]);
    await does(first, ["stack", "rm", "--yes"]);
  } finally {
    run.close();
  }
}

const pairs = (cli: string): [string, string, string][] => [
  ["the CLI first", cli, EMBEDDED],
  ["the embedded engine first", EMBEDDED, cli],
];
const ORDERS = [0, 1] as const;
const orderOf = (order: number): string => pairs("")[order]?.[0] ?? "";

function inTurns(cli: string, order: number, backend: () => Record<string, string>): Promise<void> {
  const [, first = "", second = ""] = pairs(cli)[order] ?? [];
  return takeTurns(first, second, backend);
}

const onBucket = (bucket: string, port: number, keys: { accessKeyId: string; secretAccessKey: string }, region: string): Record<string, string> => ({
  PULUMI_BACKEND_URL: `s3://${bucket}/states?endpoint=127.0.0.1:${port}&region=${region}&s3ForcePathStyle=true&disableSSL=true`,
  AWS_ACCESS_KEY_ID: keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
});

describeReal(["pulumi"], "the two engines in turns", (pathOf) => {
  test.each(ORDERS.map((order) => [orderOf(order), order] as const))("in a folder, %s", (_name, order) => inTurns(pathOf("pulumi"), order, () => ({})));

  describe("in a bucket of the lab", () => {
    const credentials = { accessKey: "admin", secretKey: "s3cret-of-the-bucket" };
    const keys = { accessKeyId: credentials.accessKey, secretAccessKey: credentials.secretKey };
    let ctx: OwnedContext;
    let server: S3Server;
    beforeAll(async () => {
      ctx = await createContext();
      server = await startS3("tools/minio/minio-0", ctx, { credentials });
    });
    afterAll(() => server.stop());

    test.each(ORDERS.map((order) => [orderOf(order), order] as const))("%s", async (_name, order) => {
      const Bucket = `turns-${order}`;
      const client = new S3Client({ endpoint: `http://127.0.0.1:${server.port}`, region: "main", forcePathStyle: true, credentials: keys });
      await client.send(new CreateBucketCommand({ Bucket }));
      client.destroy();
      await inTurns(pathOf("pulumi"), order, () => onBucket(Bucket, server.port, keys, "main"));
    });
  });
});

describeReal(["pulumi", "minio"], "the two engines in turns, on MinIO", (pathOf) => {
  let minio: RealMinio;
  beforeAll(async () => {
    minio = await startMinio(pathOf("minio"));
  });
  afterAll(() => minio.stop());

  test.each(ORDERS.map((order) => [orderOf(order), order] as const))("%s", async (_name, order) => {
    await minio.createBucket(`turns-${order}`);
    await inTurns(pathOf("pulumi"), order, () => onBucket(`turns-${order}`, minio.port, MINIO_CREDENTIALS, "us-east-1"));
  });
});
