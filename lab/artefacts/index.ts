/** The internet as far as the homelab downloads from it: files, Helm repositories, and the chart stand-ins for providers. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import type { LabSite } from "../../common/lab-site";
import { projectRoot } from "../../common/paths";
import { decodedPath } from "../core/decoded-path";
import { acceptedUrl } from "../core/request-url";
import { listenOn } from "../core/server";
import type { LabContext, Stoppable } from "../core/world";
import type { GitHost } from "../git";
import { allCharts, archiveUrl, type Chart, findChart, folderCrds, packageChart, renderChart, repositoryIndex } from "./charts";

const fileSchema = z.strictObject({
  url: z.string(),
  /** In place of `content`: name of a file in data/manifests. */
  file: z.string().optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  size: z.number().optional(),
  kind: z.string(),
  content: z.string().optional(),
});
type Artefact = Omit<z.infer<typeof fileSchema>, "content" | "file"> & { content: string };

const renderSchema = z.strictObject({
  repository: z.string(),
  chart: z.string(),
  version: z.string().optional(),
  releaseName: z.string(),
  namespace: z.string(),
  values: z.record(z.string(), z.unknown()).default({}),
  kubeVersion: z.string(),
});
const fileRequestSchema = z.strictObject({ url: z.string() });
const crdsSchema = renderSchema.pick({ repository: true, chart: true, version: true });

interface Answer {
  status: number;
  body: unknown;
}

const notUnderstood = (error: z.ZodError): Answer => ({ status: 400, body: { error: z.prettifyError(error) } });

export interface Artefacts extends Stoppable {
  /** URL of the chart stand-ins, for providers that have no helm. */
  chartStandIn: string;
  /** Replaces the images of operating systems that the homelab downloads. */
  setImages(images: LabSite["images"]): Promise<void>;
  /** Adds Git repositories to those that exist. */
  addRepositories(urls: readonly string[]): Promise<void>;
}

function readFiles(): Artefact[] {
  const data = path.join(projectRoot(), "lab", "artefacts", "data");
  const entries = z.array(fileSchema).parse(parse(fs.readFileSync(path.join(data, "files.yaml"), "utf8")));
  return entries.map(({ file, content, ...rest }) => ({
    ...rest,
    content: file === undefined ? (content ?? "") : fs.readFileSync(path.join(data, "manifests", file), "utf8"),
  }));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    // The caller's schema reports what is missing.
    return undefined;
  }
}

/** Typical size of an operating system's image, in bytes: Proxmox shows it. */
const IMAGE_SIZE = 612_000_000;

class Internet {
  readonly #downloads = readFiles();
  #images: readonly Artefact[] = [];

  constructor(
    private readonly ctx: LabContext,
    private readonly git: GitHost | undefined,
  ) {}

  set images(images: LabSite["images"]) {
    this.#images = images.map(({ url, sha256 }) => ({ url, sha256, size: IMAGE_SIZE, kind: "image", content: `lab stand-in: ${url}\n` }));
  }

  get #files(): readonly Artefact[] {
    return [...this.#images, ...this.#downloads];
  }

  get hosts(): string[] {
    const urls = [...this.#files.map(({ url }) => url), ...allCharts().map(({ repository }) => repository)];
    return [...new Set([...urls.map((url) => new URL(url).host), ...(this.git?.hosts ?? [])])];
  }

  /** Answers a download, or a request to a Git repository. */
  download(request: IncomingMessage, response: ServerResponse): void {
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    const asked = acceptedUrl(request, response);
    if (asked === undefined || this.git?.handle(request, response, host) === true) return;
    const url = `https://${host}${asked.pathname}${asked.search}`;
    const found = this.#find(url);
    const reads = request.method === "GET" || request.method === "HEAD";
    if (found === undefined || !reads) {
      this.ctx.unhandled.add({ system: "artefacts", target: host, what: `${request.method} ${url}` });
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
      response.end("Not Found\n");
      return;
    }
    this.ctx.records.add({ system: "artefacts", target: host, kind: "read", action: `download ${asked.pathname}` });
    response.writeHead(200, { ...found.headers, "content-length": found.body.length });
    response.end(request.method === "HEAD" ? undefined : found.body);
  }

  #find(url: string): { body: Buffer; headers: Record<string, string> } | undefined {
    // `%2B` and `+` are the same in a path.
    const file = this.#files.find((candidate) => decodedPath(candidate.url) === decodedPath(url));
    if (file !== undefined) {
      const published = file.sha256 === undefined ? {} : { "x-lab-published-sha256": file.sha256 };
      const size = file.size === undefined ? {} : { "x-lab-published-size": String(file.size) };
      return { body: Buffer.from(file.content), headers: { "content-type": "application/octet-stream", ...published, ...size } };
    }
    const index = repositoryIndex(url);
    if (index !== undefined) return { body: Buffer.from(stringify(index)), headers: { "content-type": "text/yaml" } };
    const chart = allCharts().find((candidate) => archiveUrl(candidate) === url);
    return chart && { body: packageChart(chart), headers: { "content-type": "application/gzip" } };
  }

  /**
   * Answers requests for stand-ins: POST /render gives the objects of a release, POST /crds the output of `helm show crds`, POST /file the
   * stand-in for a published file with the published digest.
   */
  async answer(request: IncomingMessage): Promise<Answer> {
    const asked = `${request.method} ${request.url}`;
    if (asked === "POST /render") return this.#render(renderSchema.safeParse(await bodyOf(request)));
    if (asked === "POST /crds") return this.#crds(crdsSchema.safeParse(await bodyOf(request)));
    if (asked === "POST /file") return this.#file(fileRequestSchema.safeParse(await bodyOf(request)));
    return { status: 404, body: { error: `${asked}: there is only POST /render, POST /crds and POST /file` } };
  }

  #file(asked: z.ZodSafeParseResult<z.output<typeof fileRequestSchema>>): Answer {
    if (!asked.success) return notUnderstood(asked.error);
    const { url } = asked.data;
    const { host, pathname } = new URL(url);
    const found = this.#files.find((candidate) => candidate.url === url);
    if (found === undefined) {
      this.ctx.unhandled.add({ system: "artefacts", target: host, what: `POST /file ${url}` });
      return { status: 404, body: { error: `the lab has no stand-in for ${url}` } };
    }
    this.ctx.records.add({ system: "artefacts", target: host, kind: "read", action: `download ${pathname}` });
    return { status: 200, body: { content: found.content, sha256: found.sha256 ?? createHash("sha256").update(found.content).digest("hex") } };
  }

  #chart({ repository, chart: name, version }: z.output<typeof crdsSchema>): { chart: Chart } | { missing: Answer } {
    const chart = findChart(repository, name, version);
    if (chart !== undefined) return { chart };
    this.ctx.unhandled.add({ system: "artefacts", target: repository, what: `chart ${name} ${version ?? "(any version)"}` });
    const known = allCharts().map((candidate) => `${candidate.name} ${candidate.version}`);
    const error = `the lab has no stand-in for chart ${name} ${version ?? ""} of ${repository}; it has: ${known.join(", ")}`;
    return { missing: { status: 404, body: { error } } };
  }

  #noted(chart: Chart, action: string): void {
    this.ctx.records.add({ system: "artefacts", target: new URL(chart.repository).host, kind: "read", action: `${action} ${chart.name} ${chart.version}` });
  }

  #crds(asked: z.ZodSafeParseResult<z.output<typeof crdsSchema>>): Answer {
    if (!asked.success) return notUnderstood(asked.error);
    const found = this.#chart(asked.data);
    if ("missing" in found) return found.missing;
    this.#noted(found.chart, "show the definitions of");
    return { status: 200, body: { crds: folderCrds(found.chart) } };
  }

  #render(asked: z.ZodSafeParseResult<z.output<typeof renderSchema>>): Answer {
    if (!asked.success) return notUnderstood(asked.error);
    const found = this.#chart(asked.data);
    if ("missing" in found) return found.missing;
    const { chart } = found;
    const { releaseName, namespace, values, kubeVersion, repository } = asked.data;
    try {
      const rendered = renderChart(chart, { name: releaseName, namespace, values, kubeVersion });
      this.#noted(chart, "render");
      return { status: 200, body: { ...rendered, chart: { name: chart.name, version: chart.version, appVersion: chart.appVersion } } };
    } catch (thrown) {
      if (!(thrown instanceof HomelabError)) throw thrown;
      const what = `chart ${chart.name} ${chart.version}: ${thrown.message}`;
      if (thrown.code === "E_CHART_VALUES") this.ctx.unhandled.add({ system: "artefacts", target: repository, what: what.replaceAll("\n", " ") });
      return { status: 422, body: { error: what } };
    }
  }
}

/** @param git without it there are no Git repositories */
export async function startArtefacts(ctx: LabContext, git?: GitHost): Promise<Artefacts> {
  const internet = new Internet(ctx, git);
  let hosts: string[] = [];
  const downloads = createHttps((request, response) => internet.download(request, response));
  const standIn = createHttp((request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    internet.answer(request).then(
      ({ status, body }) => answer(status, body),
      (thrown: unknown) => {
        ctx.unhandled.add({ system: "artefacts", target: "chart stand-ins", what: `bug: ${thrown instanceof Error ? thrown.stack : String(thrown)}` });
        answer(500, { error: String(thrown) });
      },
    );
  });
  const port = await listenOn(downloads, 0);
  const chartPort = await listenOn(standIn, 0);
  const forget = (): void => {
    for (const host of hosts) ctx.network.unlisten(host, 443);
  };
  const listen = async (): Promise<void> => {
    downloads.setSecureContext(await ctx.tls.issue(internet.hosts));
    forget();
    hosts = internet.hosts;
    for (const host of hosts) ctx.network.listen(host, 443, { port });
  };
  await listen();
  return {
    setImages: async (images) => {
      internet.images = images;
      await listen();
    },
    addRepositories: async (urls) => {
      if (git === undefined) throw new Error("this lab has no Git host");
      await git.add(urls);
      await listen();
    },
    chartStandIn: `http://127.0.0.1:${chartPort}`,
    stop: async () => {
      forget();
      for (const server of [downloads, standIn]) {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      }
    },
  };
}
