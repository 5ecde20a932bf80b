import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { openBucket } from "../../engine/backend/open-bucket";
import { parseS3Url } from "../../engine/backend/s3-url";
import { createContext, type OwnedContext } from "../../lab/core/context";
import { type S3Server, startS3 } from "../../lab/s3";
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
])("%s", (url, expected) => expect(parseS3Url(url)).toMatchObject(expected));

test.each([
  ["s3://b?ssetype=AES256", "the option ssetype of an s3:// backend is not supported"],
  ["s3://b?s3ForcePathStyle=perhaps", "takes true or false, not perhaps"],
  ["s3://b?awssdk=v1", "awssdk=v1"],
  ["s3:///prefix", "names no bucket"],
])("%s is refused", (url, why) => expect(() => parseS3Url(url)).toThrow(why));
