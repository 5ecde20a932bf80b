/** What Prometheus' and Alertmanager's own tools say of the configuration that the module kube-prometheus-stack gives them. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stringify } from "yaml";
import { alertmanagerConfig } from "../../components/platform/kube-prometheus-stack/alerting";
import { overviewDashboard } from "../../components/platform/kube-prometheus-stack/dashboards";
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
    const queries = overviewDashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(check(queries)).toContain(`SUCCESS: ${queries.length} rules found`);
  });

  test("it says so of a query that is none", () => {
    expect(() => check(["sum by (instance (up)"])).toThrow();
  });
});
