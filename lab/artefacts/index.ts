/** The internet as far as the homelab downloads from it: files, Helm repositories, and the chart stand-ins for providers. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { projectRoot } from "../../common/paths";
import type { LabContext } from "../core/world";
import { allCharts, type Chart, crdManifests, findChart, manifests } from "./charts";
import { tar } from "./tar";

const filesSchema = z.array(z.strictObject({ url: z.string(), sha256: z.string().length(64), size: z.number(), content: z.string() }));
type Artefact = z.infer<typeof filesSchema>[number];

const renderSchema = z.looseObject({
  repository: z.string(),
  chart: z.string(),
  version: z.string().optional(),
  releaseName: z.string(),
  namespace: z.string(),
});

export interface Artefacts {
  /** URL of the chart stand-ins, for providers that have no helm. */
  chartStandIn: string;
  /** The stand-in of a file, with the digest that was published for the real one. */
  find(url: string): { sha256: string; size: number; content: string } | undefined;
  stop(): Promise<void>;
}

const listen = (server: Server | ReturnType<typeof createHttps>): Promise<number> =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** A chart that a real helm installs: the same manifests, with helm's own placeholders. */
function package_(chart: Chart): Buffer {
  const files: Record<string, string> = {
    [`${chart.name}/Chart.yaml`]: stringify({
      apiVersion: "v2",
      name: chart.name,
      version: chart.version,
      appVersion: chart.appVersion,
      description: "lab stand-in",
    }),
    [`${chart.name}/values.yaml`]: "{}\n",
  };
  for (const [i, crd] of crdManifests(chart).entries()) files[`${chart.name}/crds/${i}.yaml`] = stringify(crd);
  for (const [i, manifest] of manifests(chart, "{{ .Release.Name }}", "{{ .Release.Namespace }}").entries())
    files[`${chart.name}/templates/${i}.yaml`] = stringify(manifest);
  return gzipSync(tar(files));
}

export async function startArtefacts(ctx: LabContext): Promise<Artefacts> {
  const artefacts = filesSchema.parse(parse(fs.readFileSync(path.join(projectRoot(), "lab", "artefacts", "data", "files.yaml"), "utf8")));
  const normal = (url: string): string => decodeURIComponent(url);
  const find = (url: string): Artefact | undefined => artefacts.find((artefact) => normal(artefact.url) === normal(url));
  const hosts = new Set([...artefacts.map(({ url }) => new URL(url).host), ...allCharts().map(({ repository }) => new URL(repository).host)]);

  const index = (host: string, url: string): string | undefined => {
    const found = allCharts().filter(({ repository }) => new URL(repository).host === host && `${repository}/index.yaml` === url);
    if (found.length === 0) return undefined;
    const entries = Object.fromEntries(
      found.map((chart) => [
        chart.name,
        [
          {
            apiVersion: "v2",
            name: chart.name,
            version: chart.version,
            appVersion: chart.appVersion,
            created: "2025-01-01T00:00:00Z",
            digest: createHash("sha256").update(package_(chart)).digest("hex"),
            urls: [`${chart.repository}/${chart.name}-${chart.version}.tgz`],
          },
        ],
      ]),
    );
    return stringify({ apiVersion: "v1", entries, generated: "2025-01-01T00:00:00Z" });
  };

  const download = (request: IncomingMessage, response: ServerResponse): void => {
    const host = request.headers.host?.replace(/:\d+$/, "") ?? "";
    const url = `https://${host}${request.url ?? "/"}`;
    const record = (what: string): void => ctx.records.add({ system: "artefacts", target: host, kind: "read", action: what });
    const artefact = find(url);
    if (artefact !== undefined) {
      record(`download ${request.url}`);
      response.writeHead(200, {
        "content-type": "application/octet-stream",
        "content-length": Buffer.byteLength(artefact.content),
        "x-lab-published-sha256": artefact.sha256,
        "x-lab-published-size": String(artefact.size),
      });
      response.end(request.method === "HEAD" ? undefined : artefact.content);
      return;
    }
    const text = index(host, url);
    const chart = allCharts().find(({ repository, name, version }) => `${repository}/${name}-${version}.tgz` === url);
    if (text !== undefined || chart !== undefined) {
      record(`chart ${request.url}`);
      response.writeHead(200, { "content-type": chart ? "application/gzip" : "text/yaml" });
      response.end(chart ? package_(chart) : text);
      return;
    }
    ctx.unhandled.add({ system: "artefacts", target: host, what: `${request.method} ${url}` });
    response.writeHead(404, { "content-type": "text/plain" });
    response.end("Not Found\n");
  };

  const render = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (request.method !== "POST" || request.url !== "/render") return answer(404, { error: "POST /render" });
    const parsed = renderSchema.safeParse(JSON.parse(await bodyOf(request)));
    if (!parsed.success) return answer(400, { error: z.prettifyError(parsed.error) });
    const { repository, chart: name, version, releaseName, namespace } = parsed.data;
    const chart = findChart(repository, name, version);
    if (chart === undefined) {
      ctx.unhandled.add({ system: "artefacts", target: repository, what: `chart ${name} ${version ?? "(any version)"}` });
      return answer(404, {
        error: `the lab has no stand-in for chart ${name} ${version ?? ""} of ${repository}; known: ${allCharts()
          .map((c) => `${c.name} ${c.version}`)
          .join(", ")}`,
      });
    }
    ctx.records.add({ system: "artefacts", target: new URL(repository).host, kind: "read", action: `render ${name} ${chart.version}` });
    return answer(200, {
      manifests: manifests(chart, releaseName, namespace),
      crds: crdManifests(chart),
      chart: { name: chart.name, version: chart.version, appVersion: chart.appVersion },
    });
  };

  const pair = await ctx.tls.issue([...hosts]);
  const internet = createHttps({ key: pair.key, cert: pair.cert }, download);
  const standIn = createHttp((request, response) => {
    render(request, response).catch((thrown: unknown) => {
      response.writeHead(500);
      response.end(String(thrown));
    });
  });
  const [port, standInPort] = await Promise.all([listen(internet), listen(standIn)]);
  for (const host of hosts) ctx.network.listen(host, 443, { port });
  return {
    chartStandIn: `http://127.0.0.1:${standInPort}`,
    find,
    stop: async () => {
      for (const host of hosts) ctx.network.unlisten(host, 443);
      for (const server of [internet, standIn]) {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      }
    },
  };
}
