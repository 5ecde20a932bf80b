/** How the definitions of a chart are read with helm. A stand-in for helm records its arguments. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../../common/clock";
import { ENV } from "../../common/env";
import type { Chart } from "./chart";
import { applyCrds } from "./chart-crds";
import type { ClusterApi } from "./cluster-api";

const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.org
`;
const CHART = { repository: "https://charts.example.org", name: "app", version: "1.2.3" };

const before = { path: process.env["PATH"], standIn: process.env[ENV.chartStandIn] };
let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-helm-stand-in-"));
  process.env["PATH"] = `${folder}:/usr/bin:/bin`;
  delete process.env[ENV.chartStandIn];
});
afterEach(() => {
  process.env["PATH"] = before.path;
  if (before.standIn !== undefined) process.env[ENV.chartStandIn] = before.standIn;
  fs.rmSync(folder, { recursive: true });
});

/** @param ends shell commands that print its output and end it */
function helm(ends = `cat <<'EOF'\n${DEFINITION}EOF`): void {
  const homes = `printf '%s\\n' "$HELM_CACHE_HOME" "$HELM_CONFIG_HOME" "$HELM_DATA_HOME" > ${folder}/homes`;
  fs.writeFileSync(path.join(folder, "helm"), `#!/bin/sh\nprintf '%s\\n' "$@" > "${folder}/asked"\n${homes}\n${ends}\n`, { mode: 0o755 });
}
const lines = (file: string): string[] => fs.readFileSync(path.join(folder, file), "utf8").trim().split("\n");

/** A cluster that establishes whatever is applied. */
function cluster(): ClusterApi & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    request: async (method, url) => {
      asked.push(`${method} ${url}`);
      return { status: 200, message: "", body: { status: { conditions: [{ type: "Established", status: "True" }] } } };
    },
    pathOf: async () => undefined,
    close: async () => undefined,
  };
}
const apply = (chart: Chart = CHART, api: ClusterApi = cluster()) => applyCrds(api, { chart, budgetSeconds: 10 }, systemClock);

test.each<[string, Chart, string[]]>([
  ["a repository", CHART, ["show", "crds", "app", "--version", "1.2.3", "--repo", "https://charts.example.org"]],
  [
    "a registry",
    { ...CHART, repository: "oci://registry.example.org/charts" },
    ["show", "crds", "oci://registry.example.org/charts/app", "--version", "1.2.3"],
  ],
])("helm is asked for the definitions of a chart of %s, and what it shows is applied", async (_, chart, asked) => {
  helm();
  const api = cluster();
  expect(await apply(chart, api)).toEqual(["things.example.org"]);
  expect(lines("asked")).toEqual(asked);
  const definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.org";
  expect(api.asked).toEqual([`PATCH ${definition}?fieldManager=homelab-crds&force=true`, `GET ${definition}`]);
});

test("helm sees none of this user's repositories, and leaves nothing behind", async () => {
  helm();
  await apply();
  const [home = "", ...others] = lines("homes");
  expect([path.dirname(home), others, fs.existsSync(home)]).toEqual([os.tmpdir(), [home, home], false]);
});

test("that helm fails is said in its own words", async () => {
  helm('echo \'Error: chart "app" version "1.2.3" not found\' >&2; exit 1');
  await expect(apply()).rejects.toMatchObject({
    code: "E_CHART_CRDS",
    message: 'definitions of chart app 1.2.3: helm show crds failed: Error: chart "app" version "1.2.3" not found',
  });
});

test("where there is no helm, that is said, and what to do", async () => {
  process.env["PATH"] = folder;
  await expect(apply()).rejects.toMatchObject({
    code: "E_CHART_CRDS",
    message: "definitions of chart app 1.2.3: no helm executable is on PATH to read them",
    hint: "install helm 3",
  });
});
