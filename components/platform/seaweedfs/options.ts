import { minioOptions } from "../minio/options";

/** As MinIO's: one takes the place of the other. */
export const seaweedfsOptions = minioOptions;
export type { MinioOptions as SeaweedfsOptions } from "../minio/options";
