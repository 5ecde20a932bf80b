/**
 * Where charts and images are published: repositories of charts (an index.yaml and archives beside it, https://helm.sh/docs/topics/chart_repository),
 * and registries by the distribution protocol of OCI (https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
 */
import { createHash } from "node:crypto";
import { parse } from "yaml";
import { z } from "zod";
import { answered } from "../../common/answer";
import { HomelabError } from "../../common/errors";
import { imageOf } from "./image-reference";
import { type Exchanged, overRedirects } from "./over-redirects";
import { answeringHost, headerOf, MANIFEST_TYPES, tokenAddress, tokenOf } from "./registry-protocol";

const PAGES = 50;
const LARGEST_BYTES = 64 * 2 ** 20;
const CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

type Answer = Exchanged<Buffer>;

const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

async function whole(body: AsyncIterable<Uint8Array>, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > LARGEST_BYTES) throw new HomelabError("E_CHART_SOURCE", `${url} is larger than ${LARGEST_BYTES / 2 ** 20} MiB`, { subject: url });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const ask = (url: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> =>
  overRedirects({ method, url, headers, timeoutMs: 30_000 }, "E_CHART_SOURCE", whole);

function expectOk({ status, url }: Answer, what: string): void {
  if (status === 200) return;
  throw new HomelabError("E_CHART_SOURCE", `${what}: ${new URL(url).host} answers ${status}`, {
    subject: what,
    hint: status === 404 ? "there is no such thing: look at its name and version" : "try again later, or look at the address",
  });
}

function checkDigest(data: Buffer, digest: string, what: string): void {
  const found = sha256(data);
  if (digest.replace(/^sha256:/, "") === found) return;
  throw new HomelabError("E_CHART_DIGEST", `${what} has the digest ${found}, and not ${digest}`, {
    subject: what,
    hint: "it was changed on its way, or after it was published: do not use it",
  });
}

const indexSchema = z.object({
  entries: z.record(z.string(), z.array(z.looseObject({ version: z.string(), urls: z.array(z.string()).default([]), digest: z.string().optional() }))),
});
type Index = z.output<typeof indexSchema>;

/** What was asked once is not asked again, unless it failed. */
class Answers<T> {
  readonly #known = new Map<string, Promise<T>>();

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const asked = ask();
    this.#known.set(key, asked);
    asked.catch(() => this.#known.delete(key));
    return asked;
  }
}

/** Undefined for text that is not YAML, such as a proxy's page: every schema refuses it. */
function yamlOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

const registryAnswer = <T>(schema: z.ZodType<T>, { url, body }: Answer, what: string): T =>
  answered(schema, body.toString("utf8"), {
    from: `${what} of ${new URL(url).host}`,
    code: "E_CHART_SOURCE",
    subject: what,
    hint: "look at the address: what answers there is no registry",
  });

/** A repository of charts. Its index is fetched once. */
class ChartRepository {
  readonly #indexes = new Answers<Index>();

  #index(repository: string): Promise<Index> {
    return this.#indexes.get(repository, async () => {
      const url = `${repository.replace(/\/+$/, "")}/index.yaml`;
      const answer = await ask(url);
      expectOk(answer, url);
      const parsed = indexSchema.safeParse(yamlOf(answer.body.toString("utf8")));
      if (!parsed.success) throw new HomelabError("E_CHART_SOURCE", `${url} is no index of charts: ${z.prettifyError(parsed.error)}`, { subject: url });
      return parsed.data;
    });
  }

  async versions(repository: string, chart: string): Promise<string[]> {
    const entries = (await this.#index(repository)).entries[chart];
    if (entries === undefined) throw new HomelabError("E_CHART_SOURCE", `${repository} has no chart ${chart}`, { subject: chart, hint: "look at its name" });
    return entries.map(({ version }) => version);
  }

  async pull(repository: string, chart: string, version: string): Promise<Buffer> {
    const plain = (text: string): string => text.replace(/^v/, "");
    const entry = (await this.#index(repository)).entries[chart]?.find((one) => plain(one.version) === plain(version));
    const [url] = entry?.urls ?? [];
    if (entry === undefined || url === undefined)
      throw new HomelabError("E_CHART_SOURCE", `${repository} has no chart ${chart} ${version}`, {
        subject: chart,
        hint: "`homelab upgrades` lists what it has",
      });
    const answer = await ask(new URL(url, `${repository.replace(/\/+$/, "")}/`).href);
    expectOk(answer, `${chart} ${version}`);
    if (entry.digest !== undefined) checkDigest(answer.body, entry.digest, `${chart} ${version}`);
    return answer.body;
  }
}

const tagsSchema = z.object({ tags: z.array(z.string()).nullable() });
const manifestSchema = z.looseObject({ layers: z.array(z.looseObject({ mediaType: z.string(), digest: z.string() })).optional() });

/** A registry, asked without a login: only for what everybody may pull. */
class Registry {
  readonly #tokens = new Map<string, string>();

  /** @param insecure hosts that speak HTTP */
  constructor(private readonly insecure: ReadonlySet<string>) {}

  #base(host: string): string {
    return `${this.insecure.has(host) ? "http" : "https"}://${host}`;
  }

  async #ask(host: string, repository: string, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
    const url = new URL(path, this.#base(host)).href;
    const key = `${host}/${repository}`;
    const withToken = (): Record<string, string> => {
      const token = this.#tokens.get(key);
      return token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
    };
    const first = await ask(url, withToken(), method);
    const address = first.status === 401 ? tokenAddress(headerOf(first, "www-authenticate"), repository) : undefined;
    if (address === undefined) return first;
    const answer = await ask(address);
    expectOk(answer, `a token for ${key}`);
    const token = tokenOf(answer.body.toString("utf8"));
    if (token === undefined) return first;
    this.#tokens.set(key, token);
    return ask(url, withToken(), method);
  }

  /** @throws HomelabError E_CHART_SOURCE for a page at another origin: a token goes only to the registry that it was given for */
  #nextPage(host: string, link: string | undefined, what: string): string | undefined {
    const target = /<([^>]+)>;\s*rel="?next"?/.exec(link ?? "")?.[1];
    if (target === undefined) return undefined;
    const base = this.#base(host);
    const url = URL.canParse(target, base) ? new URL(target, base) : undefined;
    if (url?.origin !== new URL(base).origin)
      throw new HomelabError("E_CHART_SOURCE", `${what}: the registry says that they go on at ${target}, which is not its own address`, {
        subject: what,
        hint: "name the registry under the address at which it really answers",
      });
    return `${url.pathname}${url.search}`;
  }

  async tags(host: string, repository: string): Promise<string[]> {
    const tags: string[] = [];
    let path: string | undefined = `/v2/${repository}/tags/list?n=1000`;
    for (let page = 0; path !== undefined && page < PAGES; page++) {
      const answer: Answer = await this.#ask(host, repository, path);
      expectOk(answer, `the versions of ${host}/${repository}`);
      tags.push(...(registryAnswer(tagsSchema, answer, `the versions of ${host}/${repository}`).tags ?? []));
      path = this.#nextPage(host, headerOf(answer, "link"), `the versions of ${host}/${repository}`);
    }
    return tags;
  }

  async #manifest(host: string, repository: string, reference: string, method: "GET" | "HEAD"): Promise<Answer> {
    const answer = await this.#ask(host, repository, `/v2/${repository}/manifests/${reference}`, { accept: MANIFEST_TYPES }, method);
    expectOk(answer, `${host}/${repository}:${reference}`);
    return answer;
  }

  async digest(host: string, repository: string, reference: string): Promise<string> {
    const found = headerOf(await this.#manifest(host, repository, reference, "HEAD"), "docker-content-digest");
    if (found !== undefined) return found;
    return `sha256:${sha256((await this.#manifest(host, repository, reference, "GET")).body)}`;
  }

  async chart(host: string, repository: string, tag: string): Promise<Buffer> {
    const what = `${host}/${repository}:${tag}`;
    const { layers = [] } = registryAnswer(manifestSchema, await this.#manifest(host, repository, tag, "GET"), what);
    const layer = layers.find(({ mediaType }) => mediaType === CHART_LAYER);
    if (layer === undefined) throw new HomelabError("E_CHART_SOURCE", `${what} is no chart of Helm`, { subject: what });
    const blob = await this.#ask(host, repository, `/v2/${repository}/blobs/${layer.digest}`);
    expectOk(blob, what);
    checkDigest(blob.body, layer.digest, what);
    return blob.body;
  }
}

export class ChartSources {
  readonly #repositories = new ChartRepository();
  readonly #registry: Registry;
  /** Many stacks take the same chart, and many charts the same image. */
  readonly #archives = new Answers<Buffer>();
  readonly #digests = new Answers<string>();

  /** @param insecure hosts of registries that speak HTTP; for tests */
  constructor(insecure: readonly string[] = []) {
    this.#registry = new Registry(new Set(insecure));
  }

  #oci(repository: string, chart: string): { host: string; path: string } {
    const [host = "", ...rest] = repository
      .replace(/^oci:\/\//, "")
      .replace(/\/+$/, "")
      .split("/");
    return { host, path: [...rest, chart].join("/") };
  }

  /** @throws HomelabError E_CHART_SOURCE, E_HTTP */
  async versions(repository: string, chart: string): Promise<string[]> {
    if (!repository.startsWith("oci://")) return this.#repositories.versions(repository, chart);
    const { host, path } = this.#oci(repository, chart);
    // A tag cannot contain a plus: Helm writes an underscore instead.
    return (await this.#registry.tags(host, path)).map((tag) => tag.replaceAll("_", "+"));
  }

  /** The archive. @throws HomelabError E_CHART_SOURCE, E_CHART_DIGEST, E_HTTP */
  pull(repository: string, chart: string, version: string): Promise<Buffer> {
    return this.#archives.get(`${repository} ${chart} ${version}`, async () => {
      if (!repository.startsWith("oci://")) return this.#repositories.pull(repository, chart, version);
      const { host, path } = this.#oci(repository, chart);
      return this.#registry.chart(host, path, version.replaceAll("+", "_"));
    });
  }

  /** The digest that the image's reference has, or else the one that its tag names now. @throws HomelabError E_CHART_SOURCE, E_HTTP */
  async imageDigest(image: string): Promise<string> {
    const { registry, repository, tag = "latest", digest } = imageOf(image);
    return digest ?? this.#digests.get(image, () => this.#registry.digest(answeringHost(registry), repository, tag));
  }

  async imageTags(image: string): Promise<string[]> {
    const { registry, repository } = imageOf(image);
    return this.#registry.tags(answeringHost(registry), repository);
  }
}
