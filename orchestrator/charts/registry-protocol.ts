/**
 * What all registries speak (https://github.com/opencontainers/distribution-spec/blob/main/spec.md), for those who ask one as nobody in
 * particular. Pure: who asks says what a failure means.
 */
import { z } from "zod";
import type { HttpResponse } from "../../common/http";

/** For `accept`: a manifest, or the list of those of several platforms. */
export const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Where it really answers: Docker Hub's API is not at its name. */
export const answeringHost = (registry: string): string => (registry === "docker.io" ? "registry-1.docker.io" : registry);

/** The first value of a header; its name in lower case. */
export function headerOf({ headers }: Pick<HttpResponse, "headers">, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Where the registry gives a token to everybody (https://distribution.github.io/distribution/spec/auth/token).
 * @param challenge `www-authenticate` of a 401: `Bearer realm="…",service="…",scope="…"`
 * @returns undefined where it names no such place
 */
export function tokenAddress(challenge: string | undefined, repository: string): string | undefined {
  if (challenge === undefined || !/^bearer /i.test(challenge)) return undefined;
  const said = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]));
  const [realm, service] = [said.get("realm"), said.get("service")];
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const address = new URL(realm);
  if (service !== undefined) address.searchParams.set("service", service);
  address.searchParams.set("scope", said.get("scope") ?? `repository:${repository}:pull`);
  return address.href;
}

const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** Undefined for what is no answer of a registry, such as a proxy's page. */
export function tokenOf(body: string): string | undefined {
  try {
    const { token, access_token } = tokenSchema.parse(JSON.parse(body));
    return token ?? access_token;
  } catch {
    // The registry's own refusal, which asked for the token, is told then.
    return undefined;
  }
}
