import { parse } from "yaml";
import { harborValues } from "../../components/platform/harbor/values";
import { lokiValues } from "../../components/platform/loki/values";
import { seaweedfsValues } from "../../components/platform/seaweedfs/values";
import { LabArtefacts, type Rendered } from "../../tests/support/lab-artefacts";
import { allCharts, type Chart, findChart, renderChart } from "./charts";

const lab = new LabArtefacts();
const { post, render } = lab;
beforeEach(lab.start);
afterEach(lab.stop);

const names = ({ manifests }: Rendered): string[] => manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);

const definitions = ({ manifests }: Rendered): string[] =>
  manifests.filter(({ kind }) => kind === "CustomResourceDefinition").map(({ metadata }) => metadata.name);

test("cert-manager: definitions only where they are wanted", async () => {
  const bare = await render("https://charts.jetstack.io", "cert-manager", "v1.21.1");
  expect(definitions(bare)).toEqual([]);
  const whole = await render("https://charts.jetstack.io/", "cert-manager", "1.21.1", { crds: { enabled: true }, extraArgs: ["--x"] });
  expect(whole.crds).toEqual([]);
  expect(definitions(whole)).toEqual([
    "certificaterequests.cert-manager.io",
    "certificates.cert-manager.io",
    "challenges.acme.cert-manager.io",
    "clusterissuers.cert-manager.io",
    "issuers.cert-manager.io",
    "orders.acme.cert-manager.io",
  ]);
  expect(names(whole).filter((name) => /^(Deployment|Service)\//.test(name))).toEqual([
    "Service/cert-manager",
    "Service/cert-manager-webhook",
    "Service/cert-manager-cainjector",
    "Deployment/cert-manager-cainjector",
    "Deployment/cert-manager",
    "Deployment/cert-manager-webhook",
  ]);
  expect(whole.chart).toEqual({ name: "cert-manager", version: "v1.21.1", appVersion: "v1.21.1" });
  expect(JSON.stringify(whole.manifests.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "cert-manager"))).toContain('"--x"');
});

test("hooks are not part of the release: their events, weights and deletion policies are read", async () => {
  const jetstack = ["https://charts.jetstack.io", "cert-manager", "v1.21.1"] as const;
  const { manifests, hooks } = await render(...jetstack, { startupapicheck: { timeout: "3m" } });
  const kept = { events: ["post-install"], deletePolicies: ["before-hook-creation", "hook-succeeded"] };
  expect(hooks.map(({ manifest, ...rest }) => [`${manifest.kind}/${manifest.metadata.name}`, rest])).toEqual([
    ["ServiceAccount/cert-manager-startupapicheck", { ...kept, weight: -5 }],
    ["Role/cert-manager-startupapicheck:create-cert", { ...kept, weight: -5 }],
    ["RoleBinding/cert-manager-startupapicheck:create-cert", { ...kept, weight: -5 }],
    ["Job/cert-manager-startupapicheck", { ...kept, weight: 1 }],
  ]);
  expect(JSON.stringify(hooks.at(-1))).toContain('"--wait=3m"');
  expect(JSON.stringify(manifests)).not.toContain("startupapicheck");
  expect((await render(...jetstack, { startupapicheck: { enabled: false } })).hooks).toEqual([]);
});

test("external-secrets", async () => {
  const rendered = await render("https://charts.external-secrets.io", "external-secrets", "2.9.0");
  expect([rendered.crds.length, definitions(rendered).length]).toEqual([0, 25]);
  expect(names(rendered).filter((name) => name.startsWith("Deployment/"))).toEqual([
    "Deployment/external-secrets-cert-controller",
    "Deployment/external-secrets",
    "Deployment/external-secrets-webhook",
  ]);
});

test("vault: claims, service and ingress follow the values", async () => {
  const repository = "https://helm.releases.hashicorp.com";
  const plain = await render(repository, "vault", "0.34.1", { injector: { enabled: false } });
  expect(names(plain)).toEqual([
    "ServiceAccount/vault",
    "ConfigMap/vault-config",
    "ClusterRoleBinding/vault-server-binding",
    "Service/vault-internal",
    "Service/vault",
    "StatefulSet/vault",
  ]);
  const ingress = {
    enabled: true,
    ingressClassName: "traefik",
    annotations: { a: "b" },
    hosts: [{ host: "vault.fullstack.pw", paths: [] }],
    tls: [{ secretName: "t", hosts: ["vault.fullstack.pw"] }],
  };
  const full = await render(repository, "vault", "0.34.1", {
    ui: { enabled: true },
    server: { ingress, auditStorage: { enabled: true, storageClass: "local-path" } },
  });
  expect(names(full)).toContain("Service/vault-ui");
  expect(names(full)).toContain("Deployment/vault-agent-injector");
  expect(full.manifests.find(({ kind }) => kind === "Ingress")).toMatchObject({
    metadata: { annotations: { a: "b" } },
    spec: {
      ingressClassName: "traefik",
      tls: [{ secretName: "t", hosts: ["vault.fullstack.pw"] }],
      rules: [
        { host: "vault.fullstack.pw", http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "vault", port: { number: 8200 } } } }] } },
      ],
    },
  });
  const set = full.manifests.find(({ kind }) => kind === "StatefulSet")?.["spec"] as {
    volumeClaimTemplates: { metadata: { name: string }; spec: { storageClassName?: string } }[];
  };
  expect(set.volumeClaimTemplates.map(({ metadata, spec }) => [metadata.name, spec.storageClassName])).toEqual([
    ["data", undefined],
    ["audit", "local-path"],
  ]);
});

test("minio: buckets, credentials, consoles; a mode without a stand-in is refused", async () => {
  const repository = "https://charts.min.io";
  const values = {
    mode: "standalone",
    existingSecret: "root",
    users: [],
    buckets: [{ name: "states", policy: "none", versioning: true }],
    ingress: { enabled: true, hosts: ["s3.fullstack.pw"] },
  };
  const rendered = await render(repository, "minio", "5.4.0", values);
  expect(names(rendered)).toEqual([
    "ServiceAccount/minio-sa",
    "ConfigMap/minio",
    "PersistentVolumeClaim/minio",
    "Service/minio",
    "Service/minio-console",
    "Deployment/minio",
    "Ingress/minio",
  ]);
  expect(rendered.hooks.map(({ manifest, ...rest }) => [`${manifest.kind}/${manifest.metadata.name}`, rest])).toEqual([
    ["Job/minio-post-job", { events: ["post-install", "post-upgrade"], weight: 0, deletePolicies: ["hook-succeeded", "before-hook-creation"] }],
  ]);
  expect(rendered.manifests.find(({ kind }) => kind === "ConfigMap")?.["data"]).toEqual({
    initialize: '#!/bin/sh\ncreateBucket states "none" false true false',
  });
  const refused = await post({ repository, chart: "minio", version: "5.4.0", releaseName: "minio", namespace: "minio", values: {}, kubeVersion: "v1.36.2" });
  expect([refused.status, await refused.json()]).toEqual([
    422,
    { error: "chart minio 5.4.0: the lab's stand-in for the chart minio has the mode standalone only" },
  ]);
});

test("external-dns, with its definition in crds/", async () => {
  const rendered = await render("https://kubernetes-sigs.github.io/external-dns", "external-dns", "1.21.1", {
    sources: ["ingress"],
    provider: { name: "pihole" },
  });
  expect(rendered.crds.map(({ metadata }) => metadata.name)).toEqual(["dnsendpoints.externaldns.k8s.io"]);
  expect(JSON.stringify(rendered.manifests)).toContain('"--source=ingress","--policy=upsert-only","--registry=txt","--provider=pihole"');
});

const OFF = { enabled: false };
/** Values without which a stand-in cannot be rendered. */
const NEEDED: Readonly<Record<string, object>> = {
  harbor: harborValues({ host: "registry.example.org", storageClass: "local-path", size: "1Gi", scan: true, database: "registry", credentialMark: "1" }),
  seaweedfs: seaweedfsValues({ storageClass: "local-path", size: "1Gi", buckets: [{ name: "state" }], credentialMark: "1" }),
  minio: { mode: "standalone", existingSecret: "s", users: [] },
  valkey: { auth: { enabled: true, usersExistingSecret: "s", aclConfig: "user default off" } },
  "gha-runner-scale-set": { githubConfigUrl: "https://github.com/example", githubConfigSecret: "token", maxRunners: 1 },
  "gha-runner-scale-set-controller": { serviceAccount: { name: "arc" } },
  "gitlab-runner": { runners: { secret: "token" }, rbac: { create: true } },
  "teleport-kube-agent": { podSecurityPolicy: { enabled: false }, proxyAddr: "t.example.org:443", kubeClusterName: "a", joinTokenSecret: { create: false } },
  loki: lokiValues({ storageClass: "local-path", size: "1Gi", retentionDays: 1 }),
  metallb: { frrk8s: OFF },
  "opentelemetry-collector": {
    mode: "deployment",
    fullnameOverride: "c",
    image: { repository: "r.example.org/c" },
    alternateConfig: { extensions: { health_check: { endpoint: "0.0.0.0:13133" } } },
  },
  istiod: { autoscaleEnabled: false },
  gateway: { autoscaling: OFF },
  nats: { reloader: OFF, natsBox: OFF, config: { merge: { accounts: { a: {} } } } },
};

/** Release names of stand-ins that accept only one. */
const RELEASE_OF: Readonly<Record<string, string>> = { gateway: "istio-ingressgateway" };

test("every namespaced object says its namespace, and every chart renders with its defaults or says why not", async () => {
  const webhooks = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
  const clusterWide = new Set([
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "PriorityClass",
    "StorageClass",
    ...webhooks,
  ]);
  for (const { repository, name, version } of allCharts()) {
    const { manifests, hooks } = await render(repository, name, version, NEEDED[name] ?? {}, "somewhere", RELEASE_OF[name]);
    for (const { kind, metadata } of [...manifests, ...hooks.map(({ manifest }) => manifest)])
      expect([name, kind, metadata.namespace]).toEqual([name, kind, clusterWide.has(kind) ? undefined : "somewhere"]);
  }
});

test("minio with the chart's default user, whose password everybody knows, is refused", async () => {
  const response = await post({
    repository: "https://charts.min.io",
    chart: "minio",
    version: "5.4.0",
    releaseName: "a",
    namespace: "b",
    values: { mode: "standalone" },
    kubeVersion: "v1.36.2",
  });
  expect([response.status, await response.text()]).toEqual([422, expect.stringContaining("default user console")]);
});

/** Paths of all maps in values that are not empty. */
const mapsOf = (values: unknown, at: string[] = []): string[][] =>
  typeof values !== "object" || values === null || Array.isArray(values) || Object.keys(values).length === 0
    ? []
    : [at, ...Object.entries(values).flatMap(([key, value]) => mapsOf(value, [...at, key]))];

test("every chart refuses, at every level of its values, a value that its stand-in does not know, in Helm's words, and it is noted", async () => {
  for (const { repository, name, version, files } of allCharts()) {
    const extra = (files.get("known-values.txt") ?? "").split("\n");
    for (const at of mapsOf(parse(files.get("values.yaml") ?? ""))) {
      if (extra.some((known) => known !== "" && at.join(".").startsWith(known))) continue;
      const values = at.reduceRight<unknown>((inner, key) => ({ [key]: inner }), { noSuchValue: true });
      const before = lab.ctx.unhandled.all().length;
      const response = await post({ repository, chart: name, version, releaseName: name, namespace: name, values, kubeVersion: "v1.36.2" });
      const where = at.map((part) => `/${part}`).join("");
      expect([name, where, response.status, await response.json()]).toEqual([
        name,
        where,
        422,
        {
          error: `chart ${name} ${version}: values don't meet the specifications of the schema(s) in the following chart(s):\n${name}:\n- at '${where}': additional properties 'noSuchValue' not allowed`,
        },
      ]);
      expect(lab.ctx.unhandled.all()).toHaveLength(before + 1);
    }
  }
});

test("a value of another kind is refused; null removes a key; below an empty map any key is accepted", async () => {
  const ask = async (values: object) =>
    (
      await post({
        repository: "https://kubernetes-sigs.github.io/external-dns",
        chart: "external-dns",
        version: "1.21.1",
        releaseName: "a",
        namespace: "b",
        values,
        kubeVersion: "v1.36.2",
      })
    ).status;
  expect([await ask({ sources: "ingress" }), await ask({ provider: ["pihole"] }), await ask({ resources: "much" })]).toEqual([422, 422, 422]);
  expect([await ask({ resources: { limits: { memory: "1Gi" } } }), await ask({ securityContext: { runAsUser: null } })]).toEqual([200, 200]);
});

test("a chart is refused by a cluster outside its range of versions, and its templates see the cluster's version", () => {
  const chart: Chart = {
    ...{
      apiVersion: "v2",
      name: "c",
      version: "1.0.0",
      appVersion: "1",
      description: "",
      repository: "https://charts.example.org",
      kubeVersion: ">= 1.30.0-0",
    },
    files: new Map([
      [
        "templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {v: {{ .Capabilities.KubeVersion.Version | quote }}, m: {{ .Capabilities.KubeVersion.Minor | quote }}}\n",
      ],
    ]),
  };
  const at = (kubeVersion: string) => renderChart(chart, { name: "c", namespace: "c", values: {}, kubeVersion });
  expect(at("v1.36.2+k3s1").manifests).toEqual([expect.objectContaining({ data: { v: "v1.36.2+k3s1", m: "36" } })]);
  expect(at("v1.30.0-rc1+k3s1").manifests).toHaveLength(1);
  expect(() => at("v1.29.9+k3s1")).toThrow("chart requires kubeVersion: >= 1.30.0-0 which is incompatible with Kubernetes v1.29.9+k3s1");
});

test("a chart of a registry is found by its whole address", () => {
  const [found] = allCharts();
  if (found === undefined) throw new Error("no chart");
  expect(findChart("", `${found.repository.replace("https://", "oci://")}/${found.name}`, found.version)).toBe(found);
});
