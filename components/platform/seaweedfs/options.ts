import { minioOptions } from "../minio/options";

/** The options of MinIO, so that one can replace the other. */
export const seaweedfsOptions = minioOptions;
export type { MinioOptions as SeaweedfsOptions } from "../minio/options";
