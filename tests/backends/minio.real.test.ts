import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { takePort } from "../support/ports";
import { describeReal } from "../support/real-parts";
import { backendContract } from "./contract";

const credentials = { accessKeyId: "homelab-test", secretAccessKey: "homelab-test-secret" };

describeReal(["minio"], "MinIO", (pathOf) => {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), "minio-"));
  let minio: ChildProcess;
  let client: S3Client;
  let port = 0;
  let count = 0;

  beforeAll(async () => {
    port = await takePort();
    const env = { ...process.env, MINIO_ROOT_USER: credentials.accessKeyId, MINIO_ROOT_PASSWORD: credentials.secretAccessKey };
    minio = spawn(pathOf("minio"), ["server", data, "--address", `127.0.0.1:${port}`, "--quiet"], { env, stdio: "ignore" });
    client = new S3Client({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", forcePathStyle: true, credentials, maxAttempts: 10 });
    process.env["AWS_ACCESS_KEY_ID"] = credentials.accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = credentials.secretAccessKey;
  });
  afterAll(async () => {
    client.destroy();
    const ended = new Promise((resolve) => minio.once("close", resolve));
    minio.kill("SIGTERM");
    await ended;
    fs.rmSync(data, { recursive: true, force: true });
  });

  backendContract(async () => {
    const Bucket = `states-${count++}`;
    await client.send(new CreateBucketCommand({ Bucket }));
    return `s3://${Bucket}/p?endpoint=127.0.0.1:${port}&region=us-east-1&use_path_style=true&disable_https=true`;
  });
});
