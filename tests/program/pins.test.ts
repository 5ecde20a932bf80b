/** Charts have the versions that the notes beside the checkout chose (`shared/reference/charts.md`, section 1, which has the reasons). */
import * as fs from "node:fs";
import * as path from "node:path";
import { ARGO_CD_CHARTS } from "../../components/platform/argo-cd/values";
import { MODULES } from "../../components/platform/catalogue";
import type { Module } from "../../components/platform/module";
import { VAULT_IMAGE } from "../../components/platform/vault/values";
import { chartFolder } from "../support/chart-data";
import { describeWhere } from "../support/skips";

const notes = path.join(chartFolder() ?? "", "../reference/charts.md");
const there = chartFolder() !== undefined && fs.existsSync(notes);

/** The rows of the notes: the names of the charts, and the chosen version. */
function chosen(): { names: string[]; choice: string }[] {
  const [, section = ""] = fs.readFileSync(notes, "utf8").split(/^## .*$/m);
  return section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([, name = "", , , choice = ""]) => ({ names: name.replace(/\(-controller\)/, ", gha-runner-scale-set-controller").split(/[\s,/]+/), choice }));
}

const charts = (MODULES as readonly Module[]).flatMap(({ charts }) => Object.values(charts));
/** Charts whose version follows from something else than their row. */
const BY_OTHERS: Readonly<Record<string, string>> = {
  "teleport-kube-agent": "the version of the homelab's Teleport",
  "nginx-ingress": "the issue's own choice, after the notes",
  cni: "a chart of Istio, with the version of the others",
  seaweedfs: "the successor that the notes name, at the version that they have seen",
  traefik: "named in the row of the retired ingress-nginx",
};

describeWhere(there, "shared/reference/charts.md is not beside the checkout")("each chart is at the version that the notes chose", () => {
  const rows = there ? chosen() : [];
  test.each(charts.filter(({ name }) => BY_OTHERS[name] === undefined))("$name $version", ({ name, version }) => {
    const row = rows.find(({ names }) => names.includes(name));
    expect(
      row?.choice
        .replaceAll("*", "")
        .split(/[\s,/()]+/)
        .map((word) => word.replace(/^v/, "")),
    ).toContain(version.replace(/^v/, ""));
  });

  test("Vault's own version, Traefik's beside the chart that it stands for, and both of Argo CD", () => {
    const { version = "" } = charts.find(({ name }) => name === "traefik") ?? {};
    expect(fs.readFileSync(notes, "utf8")).toContain(`traefik ${version}`);
    expect(rows.find(({ names }) => names.includes("vault"))?.choice).toContain(VAULT_IMAGE.image.split(":")[1]);
    expect(Object.keys(ARGO_CD_CHARTS)).toEqual(["10.1.1", "7.7.12"]);
  });

  test("the notes are read: a row of several charts, and one with more than a version", () => {
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.find(({ names }) => names.includes("istiod"))?.choice).toBe("**1.30.3**");
    expect(rows.find(({ names }) => names.includes("cert-manager"))?.choice).toBe("**v1.21.1**");
  });
});
