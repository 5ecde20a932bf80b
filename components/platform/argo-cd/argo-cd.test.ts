import { chartData, strangeValues } from "../../../tests/support/chart-data";
import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { skippedByName } from "../../../tests/support/skips";
import { argoCd } from "./module";
import { argoCdValues } from "./values";

const EXTERNAL_SECRET = "kubernetes:external-secrets.io/v1:ExternalSecret";

test("it is its pinned chart, after the Secrets that it would make up otherwise, behind its route", async () => {
  const registered = await builtModule(argoCd);
  const secrets = ["argo-cd-secrets-argocd-redis", "argo-cd-secrets-argocd-secret", "argo-cd-secrets-reader", "argo-cd-secrets-store"];
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace argo-cd-ns-namespace": "given-cluster",
    "kubernetes:core/v1:ServiceAccount argo-cd-secrets-reader": "given-cluster after argo-cd-ns-namespace",
    "kubernetes:external-secrets.io/v1:ClusterSecretStore argo-cd-secrets-store": "given-cluster after argo-cd-ns-namespace, argo-cd-secrets-reader",
    [`${EXTERNAL_SECRET} argo-cd-secrets-argocd-secret`]: "given-cluster after argo-cd-ns-namespace, argo-cd-secrets-store",
    [`${EXTERNAL_SECRET} argo-cd-secrets-argocd-redis`]: "given-cluster after argo-cd-ns-namespace, argo-cd-secrets-store",
    "kubernetes:helm.sh/v3:Release argo-cd-release": `given-cluster after argo-cd-ns-namespace, ${secrets.join(", ")}`,
    "kubernetes:networking.k8s.io/v1:Ingress argo-cd-ingress": "given-cluster after argo-cd-ns-namespace, argo-cd-release",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "argocd",
    namespace: "argocd",
    chart: "argo-cd",
    version: "10.1.1",
    repositoryOpts: { repo: "https://argoproj.github.io/argo-helm" },
    values: {
      crds: { install: true, keep: true },
      global: { domain: "dev.argocd.example.org", networkPolicy: { create: false } },
      configs: {
        cm: { "admin.enabled": true, "exec.enabled": false, "statusbadge.enabled": true },
        params: { "server.insecure": true, "application.namespaces": "*" },
        rbac: { "policy.default": "role:readonly" },
        secret: { createSecret: false },
      },
      redisSecretInit: { enabled: false },
      dex: { enabled: false },
      redis: {
        livenessProbe: { enabled: true },
        readinessProbe: { enabled: true },
        resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
      },
      server: { livenessProbe: { httpPath: "/healthz" }, resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } } },
      repoServer: { resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } } },
      controller: { resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: { memory: "1Gi" } } },
      applicationSet: {
        livenessProbe: { enabled: true },
        readinessProbe: { enabled: true },
        resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
      },
      notifications: {
        livenessProbe: { enabled: true },
        readinessProbe: { enabled: true },
        resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
      },
    },
  });
  expect(plain(only(registered, "kubernetes:networking.k8s.io/v1:Ingress").inputs)).toMatchObject({
    spec: { rules: [{ host: "dev.argocd.example.org", http: { paths: [{ backend: { service: { name: "argocd-server", port: { number: 80 } } } }] } }] },
  });
});

/** The ExternalSecrets by name. */
async function secretsWith(options: object): Promise<Record<string, unknown>> {
  const registered = await builtModule(argoCd, { options });
  return Object.fromEntries(
    registered.filter(({ type }) => type === EXTERNAL_SECRET).map(({ inputs }) => [(inputs["metadata"] as { name: string }).name, inputs["spec"]]),
  );
}

const keyOf = (property: string) => ({ key: "cluster-secret-store/secrets/ARGOCD", property });

test("its Secrets have the names, the keys and the label by which it finds them", async () => {
  expect(await secretsWith({})).toMatchObject({
    "argocd-secret": {
      target: { name: "argocd-secret", template: { metadata: { labels: { "app.kubernetes.io/part-of": "argocd" } } } },
      data: [
        { secretKey: "server.secretkey", remoteRef: keyOf("ARGOCD_SERVER_SECRET_KEY") },
        { secretKey: "admin.password", remoteRef: keyOf("ADMIN_PASSWORD_BCRYPT") },
      ],
    },
    "argocd-redis": { target: { name: "argocd-redis", creationPolicy: "Owner" }, data: [{ secretKey: "auth", remoteRef: keyOf("ARGOCD_REDIS_PASSWORD") }] },
  });
});

test("a repository that is not public: its login comes by Vault under the label by which Argo CD looks for it, and secrets/ must have it", async () => {
  const repository = "https://git.example.org/homelab.git";
  const login = { username: "argo-cd", path: "store/A", key: "one" };
  const options = { applications: { repository, login } };
  expect((await secretsWith(options))["repository-applications"]).toMatchObject({
    target: {
      template: {
        metadata: { labels: { "argocd.argoproj.io/secret-type": "repository" } },
        data: { type: "git", url: repository, username: "argo-cd", password: "{{ .password }}" },
      },
    },
    data: [{ secretKey: "password", remoteRef: { key: "store/A", property: "one" } }],
  });
  const { namespaceSecrets } = argoCd.parts(argoCd.options.parse(options), PLACE);
  expect(namespaceSecrets.flatMap(({ wanted }) => wanted.map(({ name }) => name))).toContain("repository-applications");
  expect(Object.keys(await secretsWith({ applications: { repository } }))).not.toContain("repository-applications");
});

test("clusters of other stacks: each has a root, and a Secret of the account's token that can name no other address and no program to run", async () => {
  const applications = { repository: "https://git.example.org/homelab.git" };
  const stg = { stack: "stg", server: "https://10.0.0.13:6443", namespaces: ["shop", "writer"] };
  const registered = await builtModule(argoCd, { options: { applications }, place: { deliversTo: [stg] } });
  const access = (property: string) => ({ key: "clusters/stg/argo-cd", property });
  expect(only(registered, EXTERNAL_SECRET, "argo-cd-secrets-cluster-stg").inputs).toMatchObject({
    spec: {
      target: {
        name: "cluster-stg",
        deletionPolicy: "Delete",
        template: {
          metadata: { labels: { "argocd.argoproj.io/secret-type": "cluster" } },
          data: {
            name: "stg",
            server: "https://10.0.0.13:6443",
            namespaces: "shop,writer",
            clusterResources: "false",
            config: '{"bearerToken":{{ .token | quote }},"tlsClientConfig":{"caData":{{ .caData | quote }}}}',
          },
        },
      },
      data: [
        { secretKey: "token", remoteRef: access("token") },
        { secretKey: "caData", remoteRef: access("caData") },
      ],
    },
  });
  expect(releaseOf(registered)["values"]).toMatchObject({ configs: { cm: { "resource.respectRBAC": "normal" } } });
  const roots = registered.filter(({ type }) => type === "kubernetes:argoproj.io/v1alpha1:Application").map(({ name }) => name);
  expect(roots).toEqual(["argo-cd-root", "argo-cd-stg-root"]);
  const { namespaceSecrets, flows } = argoCd.parts(argoCd.options.parse({ applications }), { ...PLACE, deliversTo: [stg] });
  expect(namespaceSecrets.flatMap(({ wanted }) => wanted.map(({ name }) => name))).toContain("cluster-stg");
  expect(flows.filter(({ peer }) => peer === stg.server)).toMatchObject([{ direction: "out", port: 6443 }]);
});

test("without the user admin there is no password of it, and nobody may log in by it", async () => {
  expect(await secretsWith({ admin: false })).toMatchObject({ "argocd-secret": { data: [{ secretKey: "server.secretkey" }] } });
  const values = releaseOf(await builtModule(argoCd, { options: { admin: false, exec: true } }))["values"];
  expect(values).toMatchObject({ configs: { cm: { "admin.enabled": false, "exec.enabled": true } } });
});

test("the version of the original system is one option, in the plan as in the release", async () => {
  const options = argoCd.options.parse({ version: "7.7.12", host: "argocd" });
  const registered = await builtModule(argoCd, { options });
  expect(releaseOf(registered)).toMatchObject({ chart: "argo-cd", version: "7.7.12" });
  const parts = argoCd.parts(options, PLACE);
  expect(parts.charts["argocd"]?.version).toBe("7.7.12");
  expect(parts.values["argocd"]).toEqual(releaseOf(registered)["values"]);
  expect(parts.hosts.map(({ name }) => name)).toEqual(["argocd.example.org"]);
});

const versions = argoCd.options.shape.version.unwrap().options.flatMap((version) => {
  const data = chartData("argo-cd", version);
  return data === undefined ? [] : [{ version, data }];
});
if (versions.length > 0)
  test.each(versions)("the chart $version knows every value", ({ version, data }) => {
    const values = argoCdValues({ version, host: "a.example.org", admin: false, exec: true, elsewhere: true });
    expect(strangeValues(data, values)).toEqual([]);
  });
else skippedByName("the chart knows every value", "the charts' data is not beside the checkout");
