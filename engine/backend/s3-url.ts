/** `s3://bucket/prefix?option=…`, with the options of the CLI's URLs in both spellings. */
import { CliError, EXIT_CODE, unsupported } from "../errors";

export interface S3Location {
  bucket: string;
  /** Stands before each key: "", `a/b/`, or the option `prefix` unchanged. */
  prefix: string;
  /** With its scheme; undefined = AWS. */
  endpoint: string | undefined;
  region: string | undefined;
  /** The bucket is in the path, not in the host's name: what MinIO needs. */
  pathStyle: boolean;
  profile: string | undefined;
  /** When requests carry checksums and answers are checked. Undefined: always for AWS, only where required for another endpoint. */
  requestChecksums: ChecksumMode | undefined;
  responseChecksums: ChecksumMode | undefined;
  dualStack: boolean;
  fips: boolean;
  accelerate: boolean;
  /** Without credentials. */
  anonymous: boolean;
  /** Server-side encryption of what is written. */
  encryption: Encryption | undefined;
  kmsKeyId: string | undefined;
}

export type ChecksumMode = "WHEN_SUPPORTED" | "WHEN_REQUIRED";
export type Encryption = "AES256" | "aws:kms" | "aws:kms:dsse";

/** Names that mean the same. */
const SPELLINGS: Record<string, string> = {
  endpoint: "endpoint",
  region: "region",
  profile: "profile",
  awssdk: "awssdk",
  s3forcepathstyle: "pathStyle",
  use_path_style: "pathStyle",
  disablessl: "plain",
  disable_https: "plain",
  // A host name that must not change cannot take the bucket's name.
  hostname_immutable: "pathStyle",
  request_checksum_calculation: "requestChecksums",
  response_checksum_validation: "responseChecksums",
  dualstack: "dualStack",
  fips: "fips",
  accelerate: "accelerate",
  anonymous: "anonymous",
  ssetype: "encryption",
  kmskeyid: "kmsKeyId",
  // The CLI takes this option for every kind of bucket.
  prefix: "prefix",
};

function truth(name: string, value: string | undefined): boolean {
  if (value === undefined || ["0", "f", "false"].includes(value.toLowerCase())) return false;
  if (["1", "t", "true"].includes(value.toLowerCase())) return true;
  throw new CliError(`the backend's option ${name} takes true or false, not ${value}`, EXIT_CODE.usage);
}

const oneOf = <T extends string>(name: string, value: string | undefined, known: Readonly<Record<string, T>>): T | undefined => {
  if (value === undefined) return undefined;
  const found = known[value.toLowerCase()];
  if (found === undefined) throw new CliError(`the backend's option ${name} takes ${Object.keys(known).join(", ")}, not ${value}`, EXIT_CODE.usage);
  return found;
};
const CHECKSUM_MODES = { when_supported: "WHEN_SUPPORTED", when_required: "WHEN_REQUIRED" } as const;
const ENCRYPTIONS = { aes256: "AES256", "aws:kms": "aws:kms", "aws:kms:dsse": "aws:kms:dsse" } as const;

/** @throws CliError for an option that is not known, or that has no such value */
export function parseS3Url(text: string): S3Location {
  const url = new URL(text);
  const options: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    const option = SPELLINGS[name.toLowerCase()];
    if (option === undefined) throw unsupported(`the option ${name} of an s3:// backend`);
    options[option] = value;
  }
  if (url.hostname === "") throw new CliError(`the backend ${text} names no bucket: s3://<bucket>/<prefix>`, EXIT_CODE.usage);
  if (options["awssdk"] !== undefined && options["awssdk"] !== "v2") throw unsupported(`awssdk=${options["awssdk"]} of an s3:// backend`);
  const plain = truth("disableSSL", options["plain"]);
  const { endpoint } = options;
  const prefix = decodeURIComponent(url.pathname)
    .split("/")
    .filter((part) => part !== "")
    .join("/");
  return {
    bucket: url.hostname,
    prefix: `${options["prefix"] ?? ""}${prefix === "" ? "" : `${prefix}/`}`,
    endpoint: endpoint === undefined || endpoint === "" || /^https?:\/\//.test(endpoint) ? endpoint || undefined : `${plain ? "http" : "https"}://${endpoint}`,
    region: options["region"],
    pathStyle: truth("s3ForcePathStyle", options["pathStyle"]),
    profile: options["profile"],
    requestChecksums: oneOf("request_checksum_calculation", options["requestChecksums"], CHECKSUM_MODES),
    responseChecksums: oneOf("response_checksum_validation", options["responseChecksums"], CHECKSUM_MODES),
    dualStack: truth("dualstack", options["dualStack"]),
    fips: truth("fips", options["fips"]),
    accelerate: truth("accelerate", options["accelerate"]),
    anonymous: truth("anonymous", options["anonymous"]),
    encryption: oneOf("ssetype", options["encryption"], ENCRYPTIONS),
    kmsKeyId: options["kmsKeyId"],
  };
}
