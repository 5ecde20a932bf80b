import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { createContext, type OwnedContext } from "../core/context";
import { type S3Server, startS3 } from ".";
import { objectsToDelete } from "./xml";

const CREDENTIALS = { accessKey: "admin", secretKey: "s3cret/with+signs" };
let ctx: OwnedContext;
let server: S3Server;
let client: S3Client;

const clientOf = (secretAccessKey = CREDENTIALS.secretKey, accessKeyId = CREDENTIALS.accessKey): S3Client =>
  new S3Client({ endpoint: `http://127.0.0.1:${server.port}`, region: "main", forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
const put = (Key: string, Body = "x") => client.send(new PutObjectCommand({ Bucket: "states", Key, Body }));
const text = async (Key: string): Promise<string | undefined> => (await client.send(new GetObjectCommand({ Bucket: "states", Key }))).Body?.transformToString();

beforeEach(async () => {
  ctx = await createContext();
  server = await startS3("tools/minio/minio-0", ctx, { credentials: CREDENTIALS });
  server.makeBuckets([{ name: "states", versioning: false }]);
  client = clientOf();
});
afterEach(async () => {
  client.destroy();
  await server.stop();
});

test("objects: put, head, get, range, copy, delete, with any name", async () => {
  const Key = "a b/ü&<+>.json";
  await client.send(new PutObjectCommand({ Bucket: "states", Key, Body: '{"v":1}', ContentType: "application/json", Metadata: { owner: "me" } }));
  const head = await client.send(new HeadObjectCommand({ Bucket: "states", Key }));
  expect(head).toMatchObject({ ContentLength: 7, ContentType: "application/json", Metadata: { owner: "me" }, ETag: '"a191475ae2bf7db9c7e320f7da455bbb"' });
  expect(await text(Key)).toBe('{"v":1}');
  const part = await client.send(new GetObjectCommand({ Bucket: "states", Key, Range: "bytes=1-3" }));
  expect([part.ContentRange, await part.Body?.transformToString()]).toEqual(["bytes 1-3/7", '"v"']);
  await client.send(new CopyObjectCommand({ Bucket: "states", Key: "copy", CopySource: encodeURIComponent(`states/${Key}`) }));
  expect(await text("copy")).toBe('{"v":1}');
  await client.send(new DeleteObjectCommand({ Bucket: "states", Key }));
  await expect(text(Key)).rejects.toMatchObject({ name: "NoSuchKey", $metadata: { httpStatusCode: 404 } });
  expect(
    ctx.records
      .since()
      .filter(({ kind }) => kind === "write")
      .map(({ action }) => action),
  ).toEqual(["bucket-create states", `put states/${Key}`, "put states/copy", `delete states/${Key}`]);
  expect(ctx.unhandled.all()).toEqual([]);
});

test("a source of a copy that is no encoding is a name as any other, for each user", async () => {
  server.makeUsers({ reader: { secretKey: "reader-key", statements: [{ actions: ["s3:*"], resources: ["arn:aws:s3:::states/*"] }] } });
  const other = clientOf("reader-key", "reader");
  for (const each of [client, other])
    await expect(each.send(new CopyObjectCommand({ Bucket: "states", Key: "copy", CopySource: "states/%ZZ" }))).rejects.toMatchObject({ name: "NoSuchKey" });
  other.destroy();
  expect(ctx.unhandled.all()).toEqual([]);
});

test("lists with folders, in pages", async () => {
  for (const key of ["a", "b/1", "b/2", "c/d/e", "z"]) await put(key);
  const list = (more: object) => client.send(new ListObjectsV2Command({ Bucket: "states", ...more }));
  const all = await list({ Delimiter: "/" });
  expect([all.Contents?.map(({ Key }) => Key), all.CommonPrefixes?.map(({ Prefix }) => Prefix), all.KeyCount, all.IsTruncated]).toEqual([
    ["a", "z"],
    ["b/", "c/"],
    4,
    false,
  ]);
  const first = await list({ MaxKeys: 2 });
  expect([first.Contents?.map(({ Key }) => Key), first.IsTruncated]).toEqual([["a", "b/1"], true]);
  const second = await list({ MaxKeys: 2, ContinuationToken: first.NextContinuationToken });
  expect(second.Contents?.map(({ Key }) => Key)).toEqual(["b/2", "c/d/e"]);
  expect((await list({ Prefix: "b/" })).Contents?.map(({ Key }) => Key)).toEqual(["b/1", "b/2"]);
});

test("a bucket that was made with versioning reports it, and keeps it when the bucket is made again", async () => {
  server.makeBuckets([{ name: "versioned", versioning: true }]);
  const statusOf = async (Bucket: string) => (await client.send(new GetBucketVersioningCommand({ Bucket }))).Status;
  expect([await statusOf("states"), await statusOf("versioned")]).toEqual([undefined, "Enabled"]);
  server.makeBuckets([{ name: "versioned", versioning: false }]);
  expect(await statusOf("versioned")).toBe("Enabled");
});

test("several objects go at once", async () => {
  for (const key of ["a", "b"]) await put(key);
  const gone = await client.send(new DeleteObjectsCommand({ Bucket: "states", Delete: { Objects: [{ Key: "a" }, { Key: "none" }] } }));
  expect(gone.Deleted?.map(({ Key }) => Key)).toEqual(["a", "none"]);
  expect((await client.send(new ListObjectsV2Command({ Bucket: "states" }))).Contents?.map(({ Key }) => Key)).toEqual(["b"]);
});

test.each([
  [
    "as Go writes them",
    `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>it&#39;s &#34;q&#34; &amp;amp; 1</Key></Object></Delete>`,
    `it's "q" &amp; 1`,
  ],
  ["in a section of its own", "<Delete><!-- <Key>b</Key> --><Object><Key><![CDATA[a<b]]></Key></Object></Delete>", "a<b"],
  ["with a prefix", '<s3:Delete xmlns:s3="u"><s3:Object><s3:Key>0012 </s3:Key></s3:Object></s3:Delete>', "0012 "],
])("names of objects to delete are read %s", (_, xml, key) => {
  expect(objectsToDelete(xml)).toEqual({ keys: [key], quiet: false, versions: false });
});

test.each(["<Delete><Object><Key>a</Object></Delete>", "<Delete></Delete>", "", "<Delete><Object/></Delete>"])("a body %p is refused", (xml) => {
  expect(() => objectsToDelete(xml)).toThrow(expect.objectContaining({ status: 400, code: "MalformedXML" }));
});

test("buckets", async () => {
  await client.send(new CreateBucketCommand({ Bucket: "loki" }));
  await expect(client.send(new CreateBucketCommand({ Bucket: "loki" }))).rejects.toMatchObject({ name: "BucketAlreadyOwnedByYou" });
  expect((await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toEqual(["states", "loki"]);
  await client.send(new HeadBucketCommand({ Bucket: "loki" }));
  await put("a");
  await expect(client.send(new DeleteBucketCommand({ Bucket: "states" }))).rejects.toMatchObject({ name: "BucketNotEmpty" });
  await client.send(new DeleteBucketCommand({ Bucket: "loki" }));
  await expect(client.send(new HeadBucketCommand({ Bucket: "loki" }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
});

test("an object is written once only, where that is asked", async () => {
  const lock = () => client.send(new PutObjectCommand({ Bucket: "states", Key: "lock", Body: "me", IfNoneMatch: "*" }));
  await lock();
  await expect(lock()).rejects.toMatchObject({ name: "PreconditionFailed", $metadata: { httpStatusCode: 412 } });
});

test.each([
  ["another access key", "SomeoneElse", CREDENTIALS.secretKey, "InvalidAccessKeyId"],
  ["another secret key", CREDENTIALS.accessKey, "wrong", "SignatureDoesNotMatch"],
])("%s is refused", async (_, access, secret, name) => {
  const other = clientOf(secret, access);
  await expect(other.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } });
  other.destroy();
});

test("a user reaches what a statement of its policy names, and nothing else", async () => {
  const resources = ["arn:aws:s3:::states", "arn:aws:s3:::states/*"];
  const reads = ["s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject"];
  server.makeUsers({
    reader: { secretKey: "of-reader", statements: [{ actions: reads, resources }] },
    writer: { secretKey: "of-writer", statements: [{ actions: [...reads, "s3:PutObject", "s3:DeleteObject"], resources }] },
  });
  await client.send(new CreateBucketCommand({ Bucket: "loki" }));
  await put("a", "kept");
  const [reader, writer] = [clientOf("of-reader", "reader"), clientOf("of-writer", "writer")];
  const denied = { name: "AccessDenied", $metadata: { httpStatusCode: 403 } };
  const write = (by: typeof client, bucket: string) => by.send(new PutObjectCommand({ Bucket: bucket, Key: "b", Body: "x" }));
  expect((await reader.send(new ListObjectsV2Command({ Bucket: "states" }))).Contents?.map(({ Key }) => Key)).toEqual(["a"]);
  await write(writer, "states");
  await expect(write(reader, "states")).rejects.toMatchObject(denied);
  await expect(write(writer, "loki")).rejects.toMatchObject(denied);
  await expect(writer.send(new ListObjectsV2Command({ Bucket: "loki" }))).rejects.toMatchObject(denied);
  await expect(writer.send(new ListBucketsCommand({}))).rejects.toMatchObject(denied);
  await expect(writer.send(new CreateBucketCommand({ Bucket: "own" }))).rejects.toMatchObject(denied);
  reader.destroy();
  writer.destroy();
});

test("no signature at all is refused, but health may be asked", async () => {
  expect((await fetch(`http://127.0.0.1:${server.port}/states`)).status).toBe(403);
  expect((await fetch(`http://127.0.0.1:${server.port}/minio/health/live`)).status).toBe(200);
});

test.each<[string, () => Promise<unknown>]>([
  ["a large object in parts", () => client.send(new CreateMultipartUploadCommand({ Bucket: "states", Key: "a" }))],
  ["a retention", () => client.send(new PutObjectRetentionCommand({ Bucket: "states", Key: "a", Retention: { Mode: "GOVERNANCE" } }))],
  ["a legal hold", () => client.send(new PutObjectLegalHoldCommand({ Bucket: "states", Key: "a", LegalHold: { Status: "ON" } }))],
  ["tags", () => client.send(new PutObjectTaggingCommand({ Bucket: "states", Key: "a", Tagging: { TagSet: [] } }))],
  ["rights", () => client.send(new PutObjectAclCommand({ Bucket: "states", Key: "a", ACL: "public-read" }))],
  ["a class of storage", () => client.send(new PutObjectCommand({ Bucket: "states", Key: "a", Body: "y", StorageClass: "GLACIER" }))],
  ["an object's lock", () => client.send(new PutObjectCommand({ Bucket: "states", Key: "a", Body: "y", ObjectLockMode: "GOVERNANCE" }))],
  ["a version", () => client.send(new GetObjectCommand({ Bucket: "states", Key: "a", VersionId: "1" }))],
  ["a delete under a condition", () => client.send(new DeleteObjectCommand({ Bucket: "states", Key: "a", IfMatch: "x" }))],
  ["a bucket's versions", () => client.send(new PutBucketVersioningCommand({ Bucket: "states", VersioningConfiguration: { Status: "Enabled" } }))],
  ["one version as the source of a copy", () => client.send(new CopyObjectCommand({ Bucket: "states", Key: "b", CopySource: "states/a?versionId=1" }))],
  ["a condition on a digest", () => client.send(new PutObjectCommand({ Bucket: "states", Key: "b", Body: "x", IfNoneMatch: '"0"' }))],
  ["several ranges", () => client.send(new GetObjectCommand({ Bucket: "states", Key: "a", Range: "bytes=0-0,2-2" }))],
  ["a version among several that go", () => client.send(new DeleteObjectsCommand({ Bucket: "states", Delete: { Objects: [{ Key: "a", VersionId: "1" }] } }))],
  ["owners in a list", () => client.send(new ListObjectsV2Command({ Bucket: "states", FetchOwner: true }))],
])("%s: what is not modelled is refused and noted, and changes nothing", async (_, call) => {
  await put("a", "kept");
  await expect(call()).rejects.toMatchObject({ name: "NotImplemented", $metadata: { httpStatusCode: 501 } });
  expect(await text("a")).toBe("kept");
  expect(ctx.unhandled.all()).toHaveLength(1);
});

test("a body that did not arrive as it was sent is no object", async () => {
  const sent = client.send(new PutObjectCommand({ Bucket: "states", Key: "a", Body: "x", ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" }));
  await expect(sent).rejects.toMatchObject({ name: "BadDigest" });
  await expect(text("a")).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("state survives", async () => {
  await put("a", "kept");
  const saved: unknown = JSON.parse(JSON.stringify(server.save()));
  await server.stop();
  server = await startS3("tools/minio/minio-0", ctx, { credentials: CREDENTIALS, saved });
  client.destroy();
  client = clientOf();
  expect(await text("a")).toBe("kept");
});
