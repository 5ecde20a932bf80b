import { builtModule, PLACE } from "../../../tests/support/module-build";
import { plain } from "../../../tests/support/pulumi-mocks";
import { agentConfig, otlpConfig } from "./config";
import { box } from "./module";
import { boxValues } from "./values";

const CREDENTIAL = { path: "store/BOX", key: "BOX_PASSWORD" };
const HUB = { host: "otel-collector.example.org", user: "dev", authority: undefined };
const RELEASE = "kubernetes:helm.sh/v3:Release";
const options = (given: object = {}) => box.options.parse({ credential: CREDENTIAL, ...given });
const partsOf = (given: object = {}, place: object = {}) => box.parts(options(given), { ...PLACE, ...place });

test("it is four releases, each after the Secret with its password", async () => {
  const registered = await builtModule(box, { options: { credential: CREDENTIAL } });
  const releases = registered.filter(({ type }) => type === RELEASE);
  expect(releases.map(({ inputs }) => ["name", "chart", "version", "namespace"].map((key) => inputs[key]).join(" ")).toSorted()).toEqual([
    "agent opentelemetry-collector 0.170.0 box",
    "collector opentelemetry-collector 0.170.0 box",
    "kube-state-metrics kube-state-metrics 8.4.0 box",
    "node-exporter prometheus-node-exporter 4.56.1 box",
  ]);
  for (const { dependencies } of releases) expect(dependencies.map((urn) => urn.split("::").at(-1))).toContain("box-secrets-hub-credential");
  const secret = registered.find(({ name }) => name === "box-secrets-hub-credential");
  expect((plain(secret?.inputs) as { spec: { data: unknown } }).spec.data).toEqual([
    { secretKey: "password", remoteRef: { key: "store/BOX", property: "BOX_PASSWORD" } },
  ]);
});

test("what is built is what the plan says, but for the digest of the password", async () => {
  const registered = await builtModule(box, { options: { credential: CREDENTIAL } });
  const planned = partsOf().values;
  const built = Object.fromEntries(registered.filter(({ type }) => type === RELEASE).map(({ inputs }) => [String(inputs["name"]), plain(inputs["values"])]));
  const mark = expect.stringMatching(/^[0-9a-f]{24}$/);
  expect(built).toEqual(JSON.parse(JSON.stringify(planned), (_, value) => (value === "<digest of the password>" ? mark : value)));
});

test("it sends with its own name and password over TLS, and gives up nothing while the hub is gone", () => {
  const { extensions, exporters } = otlpConfig(HUB);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the collector's own variable
  expect(extensions["basicauth/hub"]).toEqual({ client_auth: { username: "dev", password: "${env:HUB_PASSWORD}" } });
  expect(exporters["otlp_http/hub"]).toEqual({
    endpoint: "https://otel-collector.example.org",
    auth: { authenticator: "basicauth/hub" },
    retry_on_failure: { max_elapsed_time: "0s" },
    sending_queue: { queue_size: 5000 },
  });
  expect(agentConfig(HUB, options()).exporters["otlp_http/hub"].sending_queue).toEqual({ queue_size: 5000, storage: "file_storage" });
});

test("where the homelab signs its certificates itself, it trusts that authority too", () => {
  const given = boxValues({ options: options(), hub: { ...HUB, authority: "PEM" }, credentialMark: "m" });
  expect(JSON.stringify(given["agent"])).toContain('"tls":{"ca_pem":"PEM","include_system_ca_certs_pool":true}');
  expect(JSON.stringify(partsOf({}, { vaultByOwnAuthority: true }).values["collector"])).toContain("<certificate of the homelab's own authority>");
  expect(JSON.stringify(partsOf().values["collector"])).not.toContain("ca_pem");
});

test("logs are read in containerd's format, from where it was left, and not those of the box itself", () => {
  const { receivers, extensions } = agentConfig(HUB, options());
  expect(receivers.file_log).toMatchObject({
    include: ["/var/log/pods/*/*/*.log"],
    exclude: ["/var/log/pods/box_*/*/*.log"],
    storage: "file_storage",
    include_file_path: true,
    preserve_trailing_whitespaces: true,
    operators: [{ type: "container", format: "containerd" }],
  });
  expect(extensions.file_storage).toEqual({ directory: "/var/lib/otelcol", create_directory: true });
});

test("without metrics there are no exporters and no way to the API; without OTLP no collector for applications", () => {
  const logsOnly = partsOf({ metrics: false, otlp: false });
  expect(Object.keys(logsOnly.values)).toEqual(["agent"]);
  expect(Object.keys(logsOnly.charts)).toEqual(["agent"]);
  expect(logsOnly.flows.map(({ peer }) => peer)).toEqual(["https://otel-collector.example.org"]);
  expect(Object.keys(agentConfig(HUB, options({ metrics: false })).service.pipelines)).toEqual(["logs"]);
  expect(logsOnly.workloads.map(({ name }) => name)).toEqual(["agent"]);
});

test("more pods are measured by an option, on their own machine, with a flow to them", () => {
  const postgres = { namespace: "postgres", port: 9187, labels: { "cnpg.io/podRole": "instance" } };
  const given = options({ scrape: { postgres } });
  expect(partsOf({ scrape: { postgres } }).flows.at(-1)).toEqual({ direction: "out", peer: "postgres", port: 9187, why: "the agent measures postgres" });
  const { receivers } = agentConfig(HUB, given);
  const jobs = (receivers as { prometheus: { config: { scrape_configs: { job_name: string; kubernetes_sd_configs?: object[] }[] } } }).prometheus.config
    .scrape_configs;
  expect(jobs.map(({ job_name }) => job_name)).toEqual(["kubelet", "node-exporter", "kube-state-metrics", "postgres"]);
  expect(jobs.at(-1)?.kubernetes_sd_configs).toEqual([
    {
      role: "pod",
      namespaces: { names: ["postgres"] },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the collector's own variable
      selectors: [{ role: "pod", field: "spec.nodeName=${env:K8S_NODE_NAME}", label: "cnpg.io/podRole=instance" }],
    },
  ]);
});

test("several that take what applications send have a budget and are spread; the agent is one on each machine", () => {
  const values = boxValues({ options: options({ replicas: 2 }), hub: HUB, credentialMark: "m" });
  expect(values["collector"]).toMatchObject({ mode: "deployment", replicaCount: 2, podDisruptionBudget: { enabled: true, minAvailable: 1 } });
  expect(values["agent"]).toMatchObject({ mode: "daemonset" });
  expect(values["agent"]).not.toHaveProperty("replicaCount");
});
