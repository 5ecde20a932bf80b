/** The backend for the states of a rebuilt homelab, and whether the homelab itself serves it. */
import { readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import type { Program } from "../target/program";

/** The host in a backend's URL; undefined for a folder, and for S3 without an endpoint of its own. */
export function hostOf(backend: string): string | undefined {
  if (!backend.startsWith("s3://")) return undefined;
  const endpoint = new URLSearchParams(backend.split("?")[1] ?? "").get("endpoint");
  if (endpoint === null || endpoint === "") return undefined;
  const url = /^https?:\/\//.test(endpoint) ? endpoint : `https://${endpoint}`;
  if (!URL.canParse(url))
    throw new HomelabError("E_USAGE", `${backend}: its endpoint is no address`, { hint: "s3://<bucket>?endpoint=https://s3.example.org" });
  return new URL(url).hostname;
}

/** The stack that serves the backend, where this homelab does. */
export function servingStack(backend: string, { routes = [] }: Pick<Program, "routes">): string | undefined {
  const host = hostOf(backend);
  return routes.find((route) => route.host === host)?.stack;
}

/** @throws HomelabError E_USAGE where the credentials of a bucket are missing: otherwise this would fail when half is built */
export function requireCredentials(backend: string, env: Readonly<Record<string, string | undefined>>): void {
  if (!backend.startsWith("s3://") || /[?&](anonymous=true|profile=)/.test(backend)) return;
  const missing = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].filter((name) => (env[name] ?? readEnv(name)) === undefined);
  if (missing.length === 0 || readEnv("AWS_PROFILE") !== undefined) return;
  throw new HomelabError("E_USAGE", `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not set, and the states are to be in ${backend}`, {
    hint: "set both, as for every run on that backend",
  });
}
