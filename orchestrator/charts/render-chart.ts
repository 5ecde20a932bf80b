/** Renders a chart with its values, by the helm executable. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { spawn } from "../../common/children";
import { childEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { findOnPath } from "../../common/executables";
import { portableYaml } from "../../common/yaml";
import type { ChartUse } from "./verify-chart";

const LONGEST_MS = 120_000;

/** @throws HomelabError E_NO_HELM */
export function helmExecutable(): string {
  const helm = findOnPath("helm");
  if (helm === undefined)
    throw new HomelabError("E_NO_HELM", "no helm executable is on PATH", {
      hint: "install helm 3, or give --values-only to look at values and versions alone",
    });
  return helm;
}

/** @returns documents of YAML. @throws HomelabError E_CHART_RENDER in helm's words */
export async function renderChart(helm: string, archive: Buffer, { release, namespace, kubeVersion, values, chart, version }: ChartUse): Promise<string> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-chart-"));
  try {
    const file = path.join(folder, "chart.tgz");
    fs.writeFileSync(file, archive);
    const args = ["template", release, file, "--namespace", namespace, "--kube-version", kubeVersion, "--include-crds", "--values", "-"];
    return await new Promise<string>((resolve, reject) => {
      const env = childEnv({ HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder });
      const child = spawn(helm, args, { env, stdio: ["pipe", "pipe", "pipe"], timeout: LONGEST_MS });
      const [out, err]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
      child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
      child.on("error", reject);
      child.on("close", (code) => {
        if (code === 0) resolve(Buffer.concat(out).toString("utf8"));
        else
          reject(
            new HomelabError("E_CHART_RENDER", `chart ${chart} ${version}: ${Buffer.concat(err).toString("utf8").trim() || `helm ended with ${code}`}`, {
              subject: chart,
            }),
          );
      });
      // Helm may end without having read its input; its exit code says why.
      child.stdin.on("error", () => undefined);
      child.stdin.end(portableYaml(values));
    });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
