/** The homelab's own policy pack, by the command line: what it refuses, and its exceptions. */
import * as path from "node:path";
import { AutomationSite } from "./site";

jest.setTimeout(240_000);

const PACK = path.join(__dirname, "..", "..", "policy");
const site = new AutomationSite({ oneProcess: true });
afterAll(() => site.remove());

/** Objects as the program registers them; a component has no provider that would have to reach a cluster. */
const PROGRAM = `const pulumi = require("@pulumi/pulumi");
const good = {
  name: "shop", image: "registry.example.org/shop:1",
  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "128Mi" } },
  readinessProbe: { httpGet: { path: "/ready", port: 80 } }, livenessProbe: { tcpSocket: { port: 80 } },
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: { drop: ["ALL"] }, seccompProfile: { type: "RuntimeDefault" } },
};
const deployment = (name, namespace, container, replicas = 1) => {
  const object = {
    kind: "Deployment", metadata: { name, namespace },
    spec: { replicas, template: { metadata: { labels: { app: name } }, spec: { containers: [{ ...good, ...container }], topologySpreadConstraints: [{ maxSkew: 1 }] } } },
  };
  // A policy of the stack judges outputs.
  new pulumi.ComponentResource("kubernetes:apps/v1:Deployment", name, object).registerOutputs(object);
};
const config = new pulumi.Config();
const latest = { image: "registry.example.org/shop:latest" };
if (config.get("case") === "good") deployment("shop", "shop", {});
if (config.get("case") === "excused") deployment("gitlab-runner", "gitlab-runner", { securityContext: { ...good.securityContext, readOnlyRootFilesystem: false } });
if (config.get("case") === "elsewhere") deployment("gitlab-runner", "shop", { securityContext: { ...good.securityContext, readOnlyRootFilesystem: false } });
if (config.get("case") === "bad") deployment("shop", "shop", latest);
if (config.get("case") === "replicas") deployment("shop", "shop", {}, 2);
if (config.get("case") === "release") new pulumi.ComponentResource("kubernetes:helm.sh/v3:Release", "shop", { chart: "shop", namespace: "shop", values: { harborAdminPassword: "Harbor12345" } });
`;

beforeAll(async () => {
  await site.pulumi(["stack", "init", "dev"]);
  site.write("index.js", PROGRAM);
});

const run = (which: string, command: readonly string[] = ["preview"]) => site.pulumi([...command, "-c", `case=${which}`, "--policy-pack", PACK]);

test.each(["good", "excused"])("%s: nothing is said", async (which) => {
  expect(await run(which)).toMatchObject({ code: 0, stderr: "" });
});

test.each([
  ["bad", "image-version", "shop, container shop: has the image registry.example.org/shop:latest"],
  ["elsewhere", "read-only-root", "gitlab-runner, container shop: may write to it"],
  ["release", "default-credentials", "shop: harborAdminPassword is the default of harbor"],
])("%s: the rule %s holds it back", async (which, rule, text) => {
  const tried = await run(which);
  expect(tried.code).toBe(1);
  expect(tried.stdout).toContain(`[mandatory]  ${rule}`);
  expect(tried.stdout).toContain(text);
});

test("replicas without a budget are seen beside all others, by an update", async () => {
  const tried = await run("replicas", ["up", "--yes", "--skip-preview"]);
  expect(tried.code).toBe(1);
  expect(tried.stdout).toContain("[mandatory]  disruption-budget");
  expect(tried.stdout).toContain("shop: has 2 replicas, and no PodDisruptionBudget");
});
