/** What a user who is not the root user may do: what a statement of its policy allows, and nothing else. */
import type { IncomingMessage } from "node:http";
import { decodedPath } from "../core/decoded-path";
import { denied } from "./signature";
import type { User } from "./state";

/** The action that an operation needs, as policies name it. */
function actionOf({ method, headers }: IncomingMessage, url: URL, key: string): string {
  if (key !== "") {
    if (method === "PUT") return "s3:PutObject";
    if (method === "DELETE") return "s3:DeleteObject";
    return headers["x-amz-copy-source"] === undefined ? "s3:GetObject" : "s3:PutObject";
  }
  if (method === "PUT") return "s3:CreateBucket";
  if (method === "DELETE") return "s3:DeleteBucket";
  if (method === "POST") return "s3:DeleteObject";
  if (url.searchParams.has("location")) return "s3:GetBucketLocation";
  return url.searchParams.has("versioning") ? "s3:GetBucketVersioning" : "s3:ListBucket";
}

const covers = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  ).test(text);

/** @throws S3Error 403 */
export function checkUser(user: User | undefined, request: IncomingMessage, url: URL): void {
  const [bucket = "", ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
  const key = rest.join("/");
  const action = bucket === "" ? "s3:ListAllMyBuckets" : actionOf(request, url, key);
  // DeleteObjects is a request on the bucket, and needs the permission on its objects.
  const within = request.method === "POST" ? "/*" : key === "" ? "" : `/${key}`;
  const needed = [`arn:aws:s3:::${bucket}${within}`, ...copied(request)];
  const allowed = (resource: string, wanted: string): boolean =>
    user?.statements.some(({ actions, resources }) => actions.some((one) => covers(one, wanted)) && resources.some((one) => covers(one, resource))) ?? false;
  const [target = "", ...sources] = needed;
  if (!allowed(target, action) || !sources.every((source) => allowed(source, "s3:GetObject"))) throw denied();
}

/** What is read for a copy. */
function copied({ headers }: IncomingMessage): string[] {
  const source = headers["x-amz-copy-source"];
  return typeof source === "string" ? [`arn:aws:s3:::${(decodedPath(source) ?? source).replace(/^\//, "")}`] : [];
}
