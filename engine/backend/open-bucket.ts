/** From a backend's URL to its store (engine-contract A9, G1). */
import * as os from "node:os";
import * as path from "node:path";
import { backendFolder } from "../../common/backend-folder";
import { readEnv } from "../../common/env";
import { CliError, EXIT_CODE, unsupported } from "../errors";
import { currentLogin } from "../workspace/pulumi-home";
import type { Bucket } from "./bucket";
import { FileBucket } from "./file-bucket";
import { parseS3Url } from "./s3-url";

/** The backend's URL: environment, project, login. */
export function backendUrl(projectUrl: string | undefined): string {
  const url = readEnv("PULUMI_BACKEND_URL") ?? projectUrl ?? currentLogin();
  if (url === undefined) throw new CliError("no backend is set: PULUMI_BACKEND_URL must be set, or `pulumi login file://<folder>` run");
  return url;
}

/** `file:///abs`, `file://~/in/home`, `file://./beside/the/project`. @param base folder that a relative URL starts from @throws HomelabError E_BACKEND_URL */
function folderOf(url: string, base: string): string {
  const folder = backendFolder(url);
  return folder === "~" || folder.startsWith("~/") ? path.join(os.homedir(), folder.slice(1)) : path.resolve(base, folder);
}

/** @throws CliError for a kind of backend that only the CLI has; HomelabError E_BACKEND_URL */
export async function openBucket(url: string, base: string): Promise<Bucket> {
  const scheme = /^([a-z0-9]+):\/\//.exec(url)?.[1];
  if (scheme === "file") return new FileBucket(folderOf(url, base));
  if (scheme === "s3") {
    const location = parseS3Url(url);
    const { S3Bucket } = await import("./s3-bucket");
    return new S3Bucket(location);
  }
  if (scheme === undefined) throw new CliError(`${url} is no backend: write file://<folder> or s3://<bucket>/<prefix>`, EXIT_CODE.usage);
  throw unsupported(`the backend ${scheme}://`);
}
