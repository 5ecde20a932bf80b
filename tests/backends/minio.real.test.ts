import { MINIO_CREDENTIALS, type RealMinio, startMinio } from "../support/real-minio";
import { describeReal } from "../support/real-parts";
import { backendContract } from "./contract";

describeReal(["minio"], "MinIO", (pathOf) => {
  let minio: RealMinio;
  let count = 0;

  beforeAll(async () => {
    minio = await startMinio(pathOf("minio"));
    process.env["AWS_ACCESS_KEY_ID"] = MINIO_CREDENTIALS.accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = MINIO_CREDENTIALS.secretAccessKey;
  });
  afterAll(() => minio.stop());

  backendContract(async () => {
    const bucket = `states-${count++}`;
    await minio.createBucket(bucket);
    return `s3://${bucket}/p?endpoint=127.0.0.1:${minio.port}&region=us-east-1&use_path_style=true&disable_https=true`;
  });
});
