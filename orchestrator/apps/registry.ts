/**
 * Which digest a registry has for an image, by the protocol that all registries speak
 * (https://github.com/opencontainers/distribution-spec/blob/main/spec.md). Nothing is pulled.
 */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { createHttpClient, type HttpResponse } from "../../common/http";
import { type ImageReference, withDigest } from "./image-reference";

const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const TIMEOUT_MS = 20_000;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Registries on this machine speak without TLS, as Docker has it. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost)(:\d+)?$/;
/** Of Docker Hub, whose API is not at its name. */
const HOSTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

const header = ({ headers }: Pick<HttpResponse, "headers">, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

async function ask(method: string, url: string, headers: Record<string, string>): Promise<HttpResponse> {
  const { origin } = new URL(url);
  const client = createHttpClient(origin);
  try {
    return await client.request({ method, url, headers, timeoutMs: TIMEOUT_MS });
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

const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** Undefined for what is no answer of a registry, such as a proxy's page. */
function tokenOf(body: string): string | undefined {
  try {
    const { token, access_token } = tokenSchema.parse(JSON.parse(body));
    return token ?? access_token;
  } catch {
    // The registry's own refusal, which asked for the token, is told then.
    return undefined;
  }
}

/** A token that everybody gets, where the registry asks for one: `Bearer realm="…",service="…",scope="…"`. */
async function anonymousToken(challenge: string): Promise<string | undefined> {
  const parts = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]));
  const { realm, ...query } = parts;
  if (!/^bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm)) return undefined;
  const { status, body } = await ask("GET", `${realm}?${new URLSearchParams(query)}`, {});
  if (status !== 200) return undefined;
  return tokenOf(body);
}

/**
 * @returns the digest that the registry has for the image
 * @throws HomelabError E_REGISTRY where it does not answer, or wants a login; E_IMAGE_UNKNOWN where it has no such image
 */
async function digestOf(image: ImageReference): Promise<string> {
  const { registry, repository, tag, digest } = image;
  const scheme = LOOPBACK.test(registry) ? "http" : "https";
  const url = `${scheme}://${HOSTS[registry] ?? registry}/v2/${repository}/manifests/${digest ?? tag}`;
  let answer = await ask("HEAD", url, { accept: ACCEPT });
  if (answer.status === 401) {
    const token = await anonymousToken(header(answer, "www-authenticate") ?? "");
    if (token !== undefined) answer = await ask("HEAD", url, { accept: ACCEPT, authorization: `Bearer ${token}` });
  }
  const name = `${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
  if (answer.status === 404)
    throw new HomelabError("E_IMAGE_UNKNOWN", `the registry ${registry} has no ${name}`, { subject: name, hint: "push it there, or name another one" });
  if (answer.status === 401 || answer.status === 403)
    throw new HomelabError("E_REGISTRY", `the registry ${registry} gives ${repository} to nobody without a login (${answer.status})`, {
      subject: registry,
      hint: "a login at a registry is not implemented: let it be read without one, or write the digest into the image yourself",
    });
  const found = header(answer, "docker-content-digest");
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
