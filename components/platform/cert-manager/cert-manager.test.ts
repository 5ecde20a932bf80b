import { findChart, renderChart } from "../../../lab/artefacts/charts";
import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { certManager } from "./module";
import { CERT_MANAGER_CHART, certManagerValues } from "./values";

test("it is its pinned chart with CRDs that stay, the token as a secret, and the issuer that uses it once both are there", async () => {
  const registered = await builtModule(certManager);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace cert-manager-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release cert-manager-release": "given-cluster after cert-manager-ns-namespace",
    "kubernetes:core/v1:Secret cert-manager-cloudflare": "given-cluster after cert-manager-ns-namespace",
    "command:local:Command cert-manager-admission": "given-command after cert-manager-release",
    "kubernetes:cert-manager.io/v1:ClusterIssuer cert-manager-issuer":
      "given-cluster after cert-manager-admission, cert-manager-cloudflare, cert-manager-release",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "cert-manager",
    namespace: "cert-manager",
    chart: "cert-manager",
    version: "v1.21.1",
    repositoryOpts: { repo: "https://charts.jetstack.io" },
    values: {
      crds: { enabled: true, keep: true },
      resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
      dns01RecursiveNameservers: "1.1.1.1:53,8.8.8.8:53",
      dns01RecursiveNameserversOnly: true,
    },
  });
  const secret = only(registered, "kubernetes:core/v1:Secret").inputs;
  expect(JSON.stringify(secret["stringData"])).toContain("1b47061264138c4ac30d75fd1eb44270");
  expect(plain(secret)).toMatchObject({
    metadata: { name: "cloudflare-api-token", namespace: "cert-manager" },
    stringData: { "api-token": "cloudflare api-token" },
  });
  expect(only(registered, "kubernetes:cert-manager.io/v1:ClusterIssuer").inputs).toEqual({
    apiVersion: "cert-manager.io/v1",
    kind: "ClusterIssuer",
    metadata: { name: "letsencrypt-prod" },
    spec: {
      acme: {
        server: "https://acme-v02.api.letsencrypt.org/directory",
        email: "a@example.org",
        privateKeySecretRef: { name: "letsencrypt-prod" },
        solvers: [
          { selector: { dnsZones: ["example.org"] }, dns01: { cloudflare: { apiTokenSecretRef: { name: "cloudflare-api-token", key: "api-token" } } } },
        ],
      },
    },
  });
});

test("it owns the definitions that its chart brings, all of them and no other", () => {
  const { repository, name, version } = CERT_MANAGER_CHART;
  const chart = findChart(repository, name, version);
  if (chart === undefined) throw new Error(`the lab has no chart ${name} ${version}`);
  const values = certManagerValues({ nameservers: [] });
  const { manifests } = renderChart(chart, { name, namespace: "cert-manager", values, kubeVersion: "v1.36.2+k3s1" });
  const definitions = manifests.filter(({ kind }) => kind === "CustomResourceDefinition").map(({ metadata }) => (metadata as { name: string }).name);
  expect(definitions.toSorted()).toEqual(certManager.crds.toSorted());
});

test("mail address and resolvers are options", async () => {
  const registered = await builtModule(certManager, { options: { email: "other@example.org", nameservers: ["9.9.9.9:53"] } });
  expect(releaseOf(registered)).toMatchObject({ values: { dns01RecursiveNameservers: "9.9.9.9:53" } });
  expect(only(registered, "kubernetes:cert-manager.io/v1:ClusterIssuer").inputs).toMatchObject({ spec: { acme: { email: "other@example.org" } } });
});

test("for trials it orders at Let's Encrypt's staging, and reaches no other", async () => {
  const registered = await builtModule(certManager, { options: { issuer: "letsencrypt-staging" } });
  expect(only(registered, "kubernetes:cert-manager.io/v1:ClusterIssuer").inputs).toMatchObject({
    metadata: { name: "letsencrypt-staging" },
    spec: { acme: { server: "https://acme-staging-v02.api.letsencrypt.org/directory", privateKeySecretRef: { name: "letsencrypt-staging" } } },
  });
  const peers = certManager.parts(certManager.options.parse({ issuer: "letsencrypt-staging" }), PLACE).flows.map(({ peer }) => peer);
  expect(peers).toContain("https://acme-staging-v02.api.letsencrypt.org");
  expect(peers).not.toContain("https://acme-v02.api.letsencrypt.org");
});

test("with an authority of one's own it signs by that, and asks nobody outside", async () => {
  const registered = await builtModule(certManager, { options: { issuer: "own-authority" } });
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace cert-manager-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release cert-manager-release": "given-cluster after cert-manager-ns-namespace",
    "kubernetes:core/v1:Secret cert-manager-authority": "given-cluster after cert-manager-ns-namespace",
    "command:local:Command cert-manager-admission": "given-command after cert-manager-release",
    "kubernetes:cert-manager.io/v1:ClusterIssuer cert-manager-issuer":
      "given-cluster after cert-manager-admission, cert-manager-authority, cert-manager-release",
  });
  expect(releaseOf(registered)["values"]).toEqual({
    crds: { enabled: true, keep: true },
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
  });
  expect(plain(only(registered, "kubernetes:core/v1:Secret").inputs)).toMatchObject({
    metadata: { name: "certificate-authority", namespace: "cert-manager" },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": "certificate-authority tls.crt", "tls.key": "certificate-authority tls.key" },
  });
  expect(only(registered, "kubernetes:cert-manager.io/v1:ClusterIssuer").inputs).toMatchObject({
    metadata: { name: "own-authority" },
    spec: { ca: { secretName: "certificate-authority" } },
  });
  const { programSecrets, flows } = certManager.parts(certManager.options.parse({ issuer: "own-authority" }), PLACE);
  expect(programSecrets.map(({ path, key }) => `${path} ${key}`)).toEqual(["certificate-authority tls.crt", "certificate-authority tls.key"]);
  expect(flows.map(({ direction, peer }) => `${direction} ${peer}`)).toEqual(["out cluster", "in cluster"]);
});
