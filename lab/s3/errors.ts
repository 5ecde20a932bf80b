/** An answer that is no success, as S3 gives it. */
export class S3Error extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "S3Error";
  }
}

export const noSuchKey = (): S3Error => new S3Error(404, "NoSuchKey", "The specified key does not exist.");
export const noSuchBucket = (): S3Error => new S3Error(404, "NoSuchBucket", "The specified bucket does not exist");
