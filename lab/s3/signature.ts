/** AWS Signature Version 4 in the Authorization header: who signed, and whether with the right key. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { S3Error } from "./errors";

export interface Credentials {
  accessKey: string;
  secretKey: string;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const encode = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([key, value]) => [encode(key), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join("&");
}

export const denied = (): S3Error => new S3Error(403, "AccessDenied", "Access Denied.");

/**
 * Checks the signature of the request's head. It does not check that the body has the signed digest.
 * @param keyOf the secret key of an access key; undefined for an unknown one
 * @returns the access key that signed
 * @throws S3Error 403
 */
export function checkSignature(request: IncomingMessage, url: URL, keyOf: (accessKey: string) => string | undefined): string {
  const given = /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(
    request.headers.authorization ?? "",
  );
  if (given === null) throw denied();
  const [, access = "", day = "", region = "", names = "", signature = ""] = given;
  const secretKey = keyOf(access);
  if (secretKey === undefined) throw new S3Error(403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.");
  const headers = names.split(";").map(
    (name) =>
      `${name}:${String(request.headers[name] ?? "")
        .trim()
        .replace(/ +/g, " ")}\n`,
  );
  const path = url.pathname
    .split("/")
    .map((part) => encode(decodeURIComponent(part)))
    .join("/");
  const payload = String(request.headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD");
  const canonical = [request.method, path, canonicalQuery(url), headers.join(""), names, payload].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", String(request.headers["x-amz-date"] ?? ""), scope, sha256(canonical)].join("\n");
  const key = hmac(hmac(hmac(hmac(`AWS4${secretKey}`, day), region), "s3"), "aws4_request");
  if (!timingSafeEqual(hmac(key, text), Buffer.from(signature, "hex")))
    throw new S3Error(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  return access;
}

/** Streamed uploads wrap the content in chunks, each with its size in front. */
export function unwrapChunks(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf("\r\n", at);
    const size = end < 0 ? 0 : Number.parseInt(body.subarray(at, end).toString("latin1"), 16);
    if (!(size > 0)) break;
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
