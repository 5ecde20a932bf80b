/** Prometheus' and Alertmanager's own tools accept the configuration of the module kube-prometheus-stack. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stringify } from "yaml";
import { scrapeConfigs } from "../../components/platform/box/scrape";
import { alertmanagerConfig } from "../../components/platform/kube-prometheus-stack/alerting";
import { DASHBOARDS } from "../../components/platform/kube-prometheus-stack/dashboards";
import { describeReal } from "../support/real-parts";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "monitoring-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function written(name: string, content: unknown): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, stringify(content));
  return file;
}

describeReal(["amtool"], "Alertmanager", (pathOf) => {
  const run = (...args: string[]): string => execFileSync(pathOf("amtool"), args, { encoding: "utf8" });

  test("it accepts the configuration", () => {
    expect(run("check-config", written("alertmanager.yaml", alertmanagerConfig()))).toContain("SUCCESS");
  });

  test.each([
    [["alertname=KubePodCrashLooping", "severity=warning", "namespace=minio"], "people"],
    [["alertname=NodeFilesystemAlmostOutOfSpace", "severity=critical"], "people"],
    [["alertname=NobodyThoughtOfIt"], "people"],
    [["alertname=Watchdog", "severity=none"], "heartbeat"],
    [["alertname=InfoInhibitor", "severity=none", "namespace=minio"], "nobody"],
  ])("%j goes to %s", (labels, receiver) => {
    const file = written("alertmanager.yaml", alertmanagerConfig());
    expect(run("config", "routes", "test", `--config.file=${file}`, ...labels).trim()).toBe(receiver);
  });
});

describeReal(["promtool"], "Prometheus", (pathOf) => {
  const rules = (queries: readonly string[]) => ({
    groups: [{ name: "panels", rules: queries.map((expr, index) => ({ record: `panel:${index}`, expr })) }],
  });
  const check = (queries: readonly string[]): string =>
    execFileSync(pathOf("promtool"), ["check", "rules", written("rules.yaml", rules(queries))], { encoding: "utf8" });

  test("it parses the query of every panel", () => {
    const queries = Object.values(DASHBOARDS).flatMap(({ panels }) =>
      panels.flatMap(({ targets }) => targets.flatMap((target) => ("expr" in target && target.datasource.type === "prometheus" ? [target.expr] : []))),
    );
    expect(queries.length).toBeGreaterThan(30);
    expect(check(queries)).toContain(`SUCCESS: ${queries.length} rules found`);
  });

  test("it takes what the agent of a box measures", () => {
    const token = path.join(folder, "token");
    fs.writeFileSync(token, "t0ken");
    const scrape = { postgres: { namespace: "postgres", port: 9187, path: "/metrics", labels: { "cnpg.io/podRole": "instance" } } };
    // The collector replaces its variables, and `$$` by `$`.
    const text = stringify({ scrape_configs: scrapeConfigs(scrape) })
      .replaceAll(/\$\{env:\w+\}/g, "10.0.0.1")
      .replaceAll("$$", "$")
      .replace("/var/run/secrets/kubernetes.io/serviceaccount/token", token);
    const file = path.join(folder, "prometheus.yaml");
    fs.writeFileSync(file, text);
    expect(execFileSync(pathOf("promtool"), ["check", "config", file], { encoding: "utf8" })).toContain("SUCCESS");
  });

  test("it refuses a query that is invalid", () => {
    expect(() => check(["sum by (instance (up)"])).toThrow();
  });
});
