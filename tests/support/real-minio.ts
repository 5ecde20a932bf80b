/** MinIO, the part, as a process on 127.0.0.1. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { takePort } from "./ports";

export const MINIO_CREDENTIALS = { accessKeyId: "homelab-test", secretAccessKey: "homelab-test-secret" };

export interface RealMinio {
  port: number;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts MinIO on a free port. If another process takes the port before that, the next one is tried. @param program path of the part */
export async function startMinio(program: string): Promise<RealMinio> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOn(program, await takePort());
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

async function startOn(program: string, port: number): Promise<RealMinio> {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), "minio-"));
  const env = { ...process.env, MINIO_ROOT_USER: MINIO_CREDENTIALS.accessKeyId, MINIO_ROOT_PASSWORD: MINIO_CREDENTIALS.secretAccessKey };
  const child = spawn(program, ["server", data, "--address", `127.0.0.1:${port}`, "--quiet"], { env, stdio: "ignore" });
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: MINIO_CREDENTIALS,
    maxAttempts: 10,
  });
  const stop = async (): Promise<void> => {
    client.destroy();
    await ended(child);
    fs.rmSync(data, { recursive: true, force: true });
  };
  try {
    await untilReady(child, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    createBucket: async (Bucket) => {
      await client.send(new CreateBucketCommand({ Bucket }));
    },
    stop,
  };
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`MinIO ended with ${child.exitCode ?? child.signalCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/minio/health/ready`).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("MinIO is not ready after a minute");
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  await end;
}
