/** A bucket of S3 or of what speaks its protocol (MinIO). Loaded only for `s3://`, since the client is large. */
import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { setOwnEnv } from "../../common/env";
import { CliError } from "../errors";
import type { Bucket } from "./bucket";
import { S3Transport } from "./s3-transport";
import type { Encryption, S3Location } from "./s3-url";

const named = (thrown: unknown): string => (thrown instanceof Error ? thrown.name : "");

export class S3Bucket implements Bucket {
  readonly #client: S3Client;

  constructor(private readonly location: S3Location) {
    const { endpoint, region, pathStyle, profile, dualStack, fips, accelerate, anonymous } = location;
    // Servers other than AWS may not know the newer checksums.
    const checksums = endpoint === undefined ? "WHEN_SUPPORTED" : "WHEN_REQUIRED";
    // Otherwise the SDK warns at each command that a later version of it will need a newer Node.
    setOwnEnv("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true");
    this.#client = new S3Client({
      forcePathStyle: pathStyle,
      requestHandler: new S3Transport(),
      requestChecksumCalculation: location.requestChecksums ?? checksums,
      responseChecksumValidation: location.responseChecksums ?? checksums,
      ...(dualStack ? { useDualstackEndpoint: true } : {}),
      ...(fips ? { useFipsEndpoint: true } : {}),
      ...(accelerate ? { useAccelerateEndpoint: true } : {}),
      ...(anonymous ? { signer: { sign: async (request) => request }, credentials: { accessKeyId: "", secretAccessKey: "" } } : {}),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(profile === undefined ? {} : { profile }),
    });
  }

  get #where(): string {
    return `bucket ${this.location.bucket} at ${this.location.endpoint ?? "AWS"}`;
  }

  /** Adds bucket and server to an error. @param absent gives the result where the key does not exist */
  async #send<T>(what: string, request: Promise<T>, absent?: () => T): Promise<T> {
    try {
      return await request;
    } catch (cause) {
      if (absent !== undefined && ["NoSuchKey", "NotFound"].includes(named(cause))) return absent();
      if (named(cause) === "NoSuchBucket") throw new CliError(`there is no ${this.#where}: create it first, the engine does not`, 1, { cause });
      throw new CliError(`${this.#where}: ${what} failed`, 1, { cause });
    }
  }

  get #encryption(): { ServerSideEncryption?: Encryption; SSEKMSKeyId?: string } {
    const { encryption, kmsKeyId } = this.location;
    return { ...(encryption === undefined ? {} : { ServerSideEncryption: encryption }), ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }) };
  }

  #name(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.location.bucket, Key: `${this.location.prefix}${key}` };
  }

  async read(key: string): Promise<string | undefined> {
    const get = async (): Promise<string | undefined> => (await this.#client.send(new GetObjectCommand(this.#name(key)))).Body?.transformToString("utf8");
    return this.#send(`reading ${key}`, get(), () => undefined);
  }

  async write(key: string, content: string): Promise<void> {
    await this.#send(
      `writing ${key}`,
      this.#client.send(new PutObjectCommand({ ...this.#name(key), ...this.#encryption, Body: content, ContentType: "text/plain; charset=utf-8" })),
    );
  }

  async remove(key: string): Promise<void> {
    await this.#send(`deleting ${key}`, this.#client.send(new DeleteObjectCommand(this.#name(key))));
  }

  async copy(from: string, to: string): Promise<void> {
    const source = this.#name(from);
    const CopySource = [source.Bucket, ...source.Key.split("/")].map(encodeURIComponent).join("/");
    await this.#send(`copying ${from}`, this.#client.send(new CopyObjectCommand({ ...this.#name(to), ...this.#encryption, CopySource })));
  }

  async list(folder: string): Promise<string[]> {
    const { Bucket, Key } = this.#name(folder);
    const Prefix = `${Key}/`;
    const names: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#send(
        `listing ${folder}`,
        this.#client.send(new ListObjectsV2Command({ Bucket, Prefix, Delimiter: "/", ...(ContinuationToken === undefined ? {} : { ContinuationToken }) })),
      );
      for (const { Prefix: inner = "" } of page.CommonPrefixes ?? []) names.push(inner.slice(Prefix.length, -1));
      for (const { Key: found = "" } of page.Contents ?? []) names.push(found.slice(Prefix.length));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return names.filter((name) => name !== "").sort();
  }

  url(key: string): string {
    return `s3://${this.location.bucket}/${this.location.prefix}${key}`;
  }

  /** Objects cannot be appended to. */
  file(): undefined {
    return undefined;
  }
}
