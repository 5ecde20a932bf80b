/**
 * The protocol of all registries (https://github.com/opencontainers/distribution-spec/blob/main/spec.md), as far as requests without a login need
 * it. Pure: the caller decides what a failure means.
 */
import { z } from "zod";
import type { HttpResponse } from "../../common/http";

/** For `accept`: a manifest, or the index of the manifests of several platforms. */
export const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** The host of the registry's API. That of Docker Hub differs from its name. */
export const answeringHost = (registry: string): string => (registry === "docker.io" ? "registry-1.docker.io" : registry);

/** The first value of a header; its name in lower case. */
export function headerOf({ headers }: Pick<HttpResponse, "headers">, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Where the registry gives a token without a login (https://distribution.github.io/distribution/spec/auth/token).
 * @param challenge `www-authenticate` of a 401: `Bearer realm="…",service="…",scope="…"`
 * @returns undefined where it names no such place
 */
export function tokenAddress(challenge: string | undefined, repository: string): string | undefined {
  if (challenge === undefined || !/^bearer /i.test(challenge)) return undefined;
  const said = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]));
  const [realm, service] = [said.get("realm"), said.get("service")];
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const address = new URL(realm);
  if (address.protocol !== "https:" && address.protocol !== "http:") return undefined;
  if (service !== undefined) address.searchParams.set("service", service);
  address.searchParams.set("scope", said.get("scope") ?? `repository:${repository}:pull`);
  return address.href;
}

const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** Undefined for text that is not a registry's answer, such as a proxy's page. */
export function tokenOf(body: string): string | undefined {
  try {
    const { token, access_token } = tokenSchema.parse(JSON.parse(body));
    return token ?? access_token;
  } catch {
    // The caller then reports the 401 of the registry, which asked for the token.
    return undefined;
  }
}
