import { gunzipSync } from "node:zlib";
import { parse } from "yaml";
import { LabArtefacts, type Rendered } from "../../tests/support/lab-artefacts";

const lab = new LabArtefacts();
const { get, post } = lab;
beforeEach(lab.start);
afterEach(lab.stop);

describe("files", () => {
  const K3S = "https://github.com/k3s-io/k3s/releases/download/v1.36.2%2Bk3s1/k3s";

  test.each([K3S, K3S.replace("%2B", "+")])("%s: a stand-in with the digest of the published file", async (url) => {
    const { status, headers, body } = await get(url);
    expect([status, headers["x-lab-published-sha256"]]).toEqual([200, "65a55ec56c24eab44383086166ec620a491952b7e23941a49ddca6e8a4c4b4de"]);
    expect(body.toString()).toBe('#!/bin/sh\nlab-binary k3s v1.36.2+k3s1 "$@"\n');
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test("the published checksums name the same digest", async () => {
    expect((await get(K3S.replace(/k3s$/, "sha256sum-amd64.txt"))).body.toString()).toBe(
      "65a55ec56c24eab44383086166ec620a491952b7e23941a49ddca6e8a4c4b4de  k3s\n",
    );
  });

  test("an unknown file is 404, and noted", async () => {
    expect((await get("https://github.com/k3s-io/k3s/releases/download/v9/k3s")).status).toBe(404);
    expect(lab.ctx.unhandled.all().map(({ what }) => what)).toEqual(["GET https://github.com/k3s-io/k3s/releases/download/v9/k3s"]);
  });
});

describe("charts", () => {
  test("a repository as helm reads it: index and archives, with their digests", async () => {
    const index = parse((await get("https://charts.jetstack.io/index.yaml")).body.toString()) as {
      entries: Record<string, { version: string; digest: string; urls: string[] }[]>;
    };
    const [entry] = index.entries["cert-manager"] ?? [];
    expect(entry).toMatchObject({ version: "v1.21.1", urls: ["https://charts.jetstack.io/cert-manager-v1.21.1.tgz"] });
    const { body } = await get(entry?.urls[0] ?? "");
    const { createHash } = await import("node:crypto");
    expect(createHash("sha256").update(body).digest("hex")).toBe(entry?.digest);
    const tar = gunzipSync(body).toString("latin1");
    expect(tar.slice(0, 26)).toBe("cert-manager/Chart.yaml\0\0\0");
    expect(tar).toContain("cert-manager/templates/webhook.yaml");
  });

  test("a repository below a path", async () => {
    expect((await get("https://kubernetes-sigs.github.io/external-dns/index.yaml")).status).toBe(200);
    expect((await get("https://kubernetes-sigs.github.io/index.yaml")).status).toBe(404);
  });

  test("an unknown chart or version is 404 with what there is, and noted", async () => {
    const response = await post({
      repository: "https://charts.jetstack.io",
      chart: "cert-manager",
      version: "v9",
      releaseName: "a",
      namespace: "b",
      kubeVersion: "v1.36.2",
    });
    expect(response.status).toBe(404);
    expect(((await response.json()) as { error: string }).error).toMatch(
      /^the lab has no stand-in for chart cert-manager v9 of https:\/\/charts\.jetstack\.io; it has: .*vault 0\.34\.1/,
    );
    expect(lab.ctx.unhandled.all().map(({ what }) => what)).toEqual(["chart cert-manager v9"]);
  });

  test("the definitions of a chart's folder, as helm shows them", async () => {
    const show = (body: object) => fetch(`${lab.chartStandIn}/crds`, { method: "POST", body: JSON.stringify(body) });
    const shown = await show({ repository: "https://kubernetes-sigs.github.io/external-dns", chart: "external-dns", version: "1.21.1" });
    expect(((await shown.json()) as Rendered).crds.map(({ metadata }) => metadata.name)).toEqual(["dnsendpoints.externaldns.k8s.io"]);
    const none = await show({ repository: "https://charts.jetstack.io", chart: "cert-manager", version: "v1.21.1" });
    expect(await none.json()).toEqual({ crds: [] });
    expect((await show({ repository: "https://charts.jetstack.io", chart: "other" })).status).toBe(404);
  });

  test("a malformed request and an unknown path are refused", async () => {
    expect((await post({ chart: 1 })).status).toBe(400);
    expect((await fetch(`${lab.chartStandIn}/other`)).status).toBe(404);
  });
});
