/** What one engine built, the other goes on with. Without a Pulumi CLI, the states that it built when the cases were recorded stand in for it. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createContext, type OwnedContext } from "../../../lab/core/context";
import { type S3Server, startS3 } from "../../../lab/s3";
import type { Entry, Json } from "../engine/normalise";
import { CaseRun } from "../engine/recorded-case";
import { exportOf, recordedCase } from "./recorded-state";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

const EMBEDDED = fs.realpathSync(path.join(__dirname, "../../../engine/bin/pulumi"));

/** Cases whose step `at` is an `up` that succeeded: its program on its state changes nothing. */
const BUILT: [name: string, at: number][] = [
  ["create-same-update", 2],
  ["component-and-children", 0],
  ["secret-inputs-and-outputs", 1],
  ["explicit-provider", 2],
  ["nulls-and-nesting", 0],
  ["read-resource", 0],
  ["additional-secret-outputs", 0],
];

describe("states that the CLI built", () => {
  const file = path.join(os.tmpdir(), `interchange-${process.pid}.json`);
  let run: CaseRun;
  beforeAll(async () => {
    run = new CaseRun(EMBEDDED);
    expect(await run.call(["stack", "init", "dev"])).toMatchObject({ status: 0 });
  });
  afterAll(() => {
    fs.rmSync(file, { force: true });
    run.close();
  });

  test.each(BUILT)("%s: no changes, no call that changes anything, and the export is what came in", async (name, at) => {
    const step = recordedCase(name).steps[at];
    const text = exportOf(step?.expect["state"] ?? null);
    fs.writeFileSync(file, text);
    expect(await run.call(["stack", "import", "--file", file, "--stack", "dev"])).toMatchObject({ status: 0 });
    const { seen } = await run.step({ op: "preview", spec: step?.spec ?? [], args: ["--expect-no-changes"], expect: {} });
    expect([seen["exitCode"], seen["errors"]]).toEqual([0, []]);
    const changing = (seen["calls"] as Entry[]).filter(({ method }) => ["Create", "Update", "Delete"].includes(method ?? ""));
    expect(changing).toEqual([]);
    const exported: { deployment: { resources: Json } } = JSON.parse((await run.call(["stack", "export", "--show-secrets", "--stack", "dev"])).stdout);
    expect(exported.deployment.resources).toEqual(JSON.parse(text).deployment.resources);
  });
});

function realPulumi(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => path.join(folder, "pulumi")).find((candidate) => fs.existsSync(candidate) && fs.realpathSync(candidate) !== EMBEDDED);
}

const CLI = realPulumi();
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

const title = "the two engines in turns";
const turns = CLI === undefined ? describe.skip : describe;
turns(CLI === undefined ? `${title} [skipped: no Pulumi CLI on PATH]` : title, () => {
  const pairs: [string, string, string][] = [
    ["the CLI first", CLI ?? "", EMBEDDED],
    ["the embedded engine first", EMBEDDED, CLI ?? ""],
  ];
  test.each(pairs)("in a folder, %s", (_name, first, second) => takeTurns(first, second, () => ({})));

  describe("in a bucket", () => {
    const credentials = { accessKey: "admin", secretKey: "s3cret-of-the-bucket" };
    let ctx: OwnedContext;
    let server: S3Server;
    let count = 0;
    beforeAll(async () => {
      ctx = await createContext();
      server = await startS3("tools/minio/minio-0", ctx, { credentials });
    });
    afterAll(() => server.stop());

    test.each(pairs)("%s", async (_name, first, second) => {
      const Bucket = `turns-${count++}`;
      const keys = { accessKeyId: credentials.accessKey, secretAccessKey: credentials.secretKey };
      const client = new S3Client({ endpoint: `http://127.0.0.1:${server.port}`, region: "main", forcePathStyle: true, credentials: keys });
      await client.send(new CreateBucketCommand({ Bucket }));
      client.destroy();
      await takeTurns(first, second, () => ({
        PULUMI_BACKEND_URL: `s3://${Bucket}/states?endpoint=127.0.0.1:${server.port}&region=main&s3ForcePathStyle=true&disableSSL=true`,
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      }));
    });
  });
});
