/** `s3://bucket/prefix?option=…`, with the options of the CLI's URLs in both spellings. */
import { CliError, EXIT_CODE, unsupported } from "../cli/cli-error";

export interface S3Location {
  bucket: string;
  /** "" or `a/b/`. */
  prefix: string;
  /** With its scheme; undefined = AWS. */
  endpoint: string | undefined;
  region: string | undefined;
  /** The bucket is in the path, not in the host's name: what MinIO needs. */
  pathStyle: boolean;
  profile: string | undefined;
}

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
};

function truth(name: string, value: string | undefined): boolean {
  if (value === undefined || value === "false" || value === "0") return false;
  if (value === "true" || value === "1") return true;
  throw new CliError(`the backend's option ${name} takes true or false, not ${value}`, EXIT_CODE.usage);
}

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
    prefix: prefix === "" ? "" : `${prefix}/`,
    endpoint: endpoint === undefined || endpoint === "" || /^https?:\/\//.test(endpoint) ? endpoint || undefined : `${plain ? "http" : "https"}://${endpoint}`,
    region: options["region"],
    pathStyle: truth("s3ForcePathStyle", options["pathStyle"]),
    profile: options["profile"],
  };
}
