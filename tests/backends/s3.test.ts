import { execFile } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { openBucket } from "../../engine/backend/open-bucket";
import { parseS3Url } from "../../engine/backend/s3-url";
import { createContext, type OwnedContext } from "../../lab/core/context";
import { type S3Server, startS3 } from "../../lab/s3";
import { ENGINE_ROOT } from "../automation/site";
import { backendContract } from "./contract";

const CREDENTIALS = { accessKey: "admin", secretKey: "s3cret/with+signs" };
let ctx: OwnedContext;
let server: S3Server;
let count = 0;

beforeAll(async () => {
  ctx = await createContext();
  server = await startS3("tools/minio/minio-0", ctx, { credentials: CREDENTIALS });
  process.env["AWS_ACCESS_KEY_ID"] = CREDENTIALS.accessKey;
  process.env["AWS_SECRET_ACCESS_KEY"] = CREDENTIALS.secretKey;
});
afterAll(async () => {
  expect(ctx.unhandled.all()).toEqual([]);
  await server.stop();
});

async function makeBucket(): Promise<string> {
  const Bucket = `states-${count++}`;
  const credentials = { accessKeyId: CREDENTIALS.accessKey, secretAccessKey: CREDENTIALS.secretKey };
  const client = new S3Client({ endpoint: `http://127.0.0.1:${server.port}`, region: "main", forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
  return Bucket;
}

describe("the lab's S3 server", () =>
  backendContract(
    async () => `s3://${await makeBucket()}/some/prefix?endpoint=127.0.0.1:${server.port}&region=main&s3ForcePathStyle=true&disableSSL=true&awssdk=v2`,
  ));

test("a write that is refused is reported with its reason, and what was there stays; a clock that is wrong is made good", async () => {
  const bucket = await openBucket(`s3://${await makeBucket()}?endpoint=http://127.0.0.1:${server.port}&region=main&use_path_style=true`, "/");
  await bucket.write("state.json", "before");
  // The client does not try again after this status.
  ctx.faults.queue({ name: "s3.write-refused" });
  await expect(bucket.write("state.json", "after")).rejects.toThrow(/writing state\.json failed/);
  expect([await bucket.read("state.json"), ctx.faults.waiting()]).toEqual(["before", []]);
  ctx.faults.queue({ name: "s3.clock-skew" });
  await bucket.write("state.json", "after");
  expect([await bucket.read("state.json"), ctx.faults.waiting()]).toEqual(["after", []]);
});

test("a bucket that is not there, and wrong keys, are named", async () => {
  const options = `endpoint=http://127.0.0.1:${server.port}&region=main&use_path_style=true`;
  const missing = await openBucket(`s3://none?${options}`, "/");
  await expect(missing.read("x")).rejects.toThrow(`there is no bucket none at http://127.0.0.1:${server.port}`);
  const bucket = await makeBucket();
  process.env["AWS_SECRET_ACCESS_KEY"] = "wrong";
  const denied = await openBucket(`s3://${bucket}?${options}`, "/");
  await expect(denied.read("x")).rejects.toThrow(`bucket ${bucket} at http://127.0.0.1:${server.port}: reading x failed`);
  process.env["AWS_SECRET_ACCESS_KEY"] = CREDENTIALS.secretKey;
});

test.each([
  ["s3://b", { bucket: "b", prefix: "", endpoint: undefined, region: undefined, pathStyle: false, profile: undefined }],
  [
    "s3://b/a/c/?region=r&endpoint=minio.local:9000&s3ForcePathStyle=true&profile=p&awssdk=v2",
    { bucket: "b", prefix: "a/c/", endpoint: "https://minio.local:9000", region: "r", pathStyle: true, profile: "p" },
  ],
  ["s3://b?endpoint=m:9&disableSSL=true", { endpoint: "http://m:9" }],
  ["s3://b?endpoint=m:9&disable_https=true&use_path_style=true", { endpoint: "http://m:9", pathStyle: true }],
  ["s3://b?endpoint=https://m&disableSSL=true", { endpoint: "https://m" }],
  // As the guides of Cloudflare R2, Backblaze B2 and MinIO have it.
  [
    "s3://b?region=auto&endpoint=https://id.r2.cloudflarestorage.com&request_checksum_calculation=when_required&response_checksum_validation=when_required",
    { region: "auto", requestChecksums: "WHEN_REQUIRED", responseChecksums: "WHEN_REQUIRED" },
  ],
  ["s3://b?endpoint=s3.us-west-004.backblazeb2.com&request_checksum_calculation=WHEN_SUPPORTED", { requestChecksums: "WHEN_SUPPORTED" }],
  ["s3://b?endpoint=m:9&hostname_immutable=true&dualstack=false&fips=0&anonymous=T", { pathStyle: true, dualStack: false, fips: false, anonymous: true }],
  ["s3://b?endpoint=s3.eu-central-1.wasabisys.com&region=eu-central-1", { endpoint: "https://s3.eu-central-1.wasabisys.com", pathStyle: false }],
  [
    "s3://b/homelab?endpoint=http://garage.lan:3900&region=garage&s3ForcePathStyle=1",
    { endpoint: "http://garage.lan:3900", region: "garage", prefix: "homelab/" },
  ],
  ["s3://b?prefix=team-a/", { prefix: "team-a/" }],
  ["s3://b/c/d?prefix=team-a%2F", { prefix: "team-a/c/d/" }],
  ["s3://b?prefix=a-", { prefix: "a-" }],
  ["s3://b?ssetype=aws:kms&kmskeyid=k&accelerate=true", { encryption: "aws:kms", kmsKeyId: "k", accelerate: true }],
])("%s", (url, expected) => expect(parseS3Url(url)).toMatchObject(expected));

test.each([
  ["s3://b?role=arn:aws:iam::1:role/x", "the option role of an s3:// backend is not supported"],
  ["s3://b?rate_limiter_capacity=5", "the option rate_limiter_capacity of an s3:// backend is not supported"],
  ["s3://b?key=one", "the option key of an s3:// backend is not supported"],
  ["s3://b?ssetype=ROT13", "ssetype takes aes256, aws:kms, aws:kms:dsse, not ROT13"],
  ["s3://b?request_checksum_calculation=never", "takes when_supported, when_required, not never"],
  ["s3://b?s3ForcePathStyle=perhaps", "takes true or false, not perhaps"],
  ["s3://b?awssdk=v1", "awssdk=v1"],
  ["s3:///prefix", "names no bucket"],
])("%s is refused", (url, why) => expect(() => parseS3Url(url)).toThrow(why));

test("with the options that people write, states are written and read, and no command prints the SDK's warning about Node's version", async () => {
  const options = `endpoint=127.0.0.1:${server.port}&region=main&use_path_style=true&disable_https=true&request_checksum_calculation=when_required&response_checksum_validation=when_required`;
  const url = `s3://${await makeBucket()}?${options}`;
  const bucket = await openBucket(url, "/");
  await bucket.write("a/b", "content");
  await bucket.copy("a/b", "a/c");
  expect([await bucket.read("a/c"), await bucket.list("a")]).toEqual(["content", ["b", "c"]]);
  const ran = await promisify(execFile)(path.join(ENGINE_ROOT, "bin/pulumi"), ["stack", "ls", "--all"], { env: { ...process.env, PULUMI_BACKEND_URL: url } });
  expect(ran).toEqual({ stdout: "NAME  LAST UPDATE  RESOURCE COUNT\n", stderr: "" });
});
