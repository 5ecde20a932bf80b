/**
 * Which digest a registry has for an image, by the protocol that all registries speak
 * (https://github.com/opencontainers/distribution-spec/blob/main/spec.md). Nothing is pulled.
 */
import { HomelabError } from "../../common/errors";
import { createHttpClient, type HttpResponse } from "../../common/http";
import type { ImageReference } from "../../common/image-reference";
import { withDigest } from "../charts/image-reference";
import { answeringHost, headerOf, MANIFEST_TYPES, tokenAddress, tokenOf } from "../charts/registry-protocol";

/** For the whole answer: one that comes byte by byte is none. */
const TIMEOUT_MS = 20_000;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Registries on this machine are asked without TLS, as Docker does. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost)(:\d+)?$/;

async function ask(method: string, url: string, headers: Record<string, string>): Promise<HttpResponse> {
  const { origin } = new URL(url);
  const client = createHttpClient(origin);
  try {
    return await client.request({ method, url, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (cause) {
    throw new HomelabError("E_REGISTRY", `the registry ${origin} does not answer`, {
      cause,
      subject: origin,
      hint: "see whether it is up, then run it again: nothing was changed",
    });
  } finally {
    await client.close();
  }
}

/** Undefined where the registry gives no token without a login. */
async function anonymousToken(challenge: string | undefined, repository: string): Promise<string | undefined> {
  const address = tokenAddress(challenge, repository);
  if (address === undefined) return undefined;
  const { status, body } = await ask("GET", address, {});
  return status === 200 ? tokenOf(body) : undefined;
}

/**
 * @returns the digest that the registry has for the image
 * @throws HomelabError E_REGISTRY where it does not answer, or wants a login; E_IMAGE_UNKNOWN where it has no such image
 */
async function digestOf(image: ImageReference): Promise<string> {
  const { registry, repository, tag, digest } = image;
  const scheme = LOOPBACK.test(registry) ? "http" : "https";
  const url = `${scheme}://${answeringHost(registry)}/v2/${repository}/manifests/${digest ?? tag}`;
  let answer = await ask("HEAD", url, { accept: MANIFEST_TYPES });
  if (answer.status === 401) {
    const token = await anonymousToken(headerOf(answer, "www-authenticate"), repository);
    if (token !== undefined) answer = await ask("HEAD", url, { accept: MANIFEST_TYPES, authorization: `Bearer ${token}` });
  }
  const name = `${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
  if (answer.status === 404)
    throw new HomelabError("E_IMAGE_UNKNOWN", `the registry ${registry} has no ${name}`, { subject: name, hint: "push it there, or name another one" });
  if (answer.status === 401 || answer.status === 403)
    throw new HomelabError("E_REGISTRY", `the registry ${registry} gives ${repository} to nobody without a login (${answer.status})`, {
      subject: registry,
      hint: "a login at a registry is not implemented: let it be read without one, or write the digest into the image yourself",
    });
  const found = headerOf(answer, "docker-content-digest");
  if (answer.status !== 200 || found === undefined || !DIGEST.test(found))
    throw new HomelabError("E_REGISTRY", `the registry ${registry} answered ${answer.status} for ${name}, without a digest`, {
      subject: registry,
      hint: "see its log",
    });
  if (digest !== undefined && found !== digest)
    throw new HomelabError("E_REGISTRY", `the registry ${registry} answered ${found} when asked for ${name}`, { subject: registry, hint: "see its log" });
  return found;
}

/** The image by its digest. @throws HomelabError as {@link digestOf} */
export const pinned = async (image: ImageReference): Promise<string> => withDigest(image, await digestOf(image));
