import { builtModule, graphOf, releaseDefaults } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { githubRunners } from "./module";

const REPOSITORY = "oci://ghcr.io/actions/actions-runner-controller-charts";
const RELEASE = "kubernetes:helm.sh/v3:Release";
const RIGHTS = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };
const set = { url: "https://github.com/example", min: 1, max: 4 };

test("without sets it is the controller alone, with the definitions of its version", async () => {
  const registered = await builtModule(githubRunners);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace github-runners-ns-namespace": "given-cluster",
    "command:local:Command github-runners-crds": "given-command",
    [`${RELEASE} github-runners-release`]: "given-cluster after github-runners-crds, github-runners-ns-namespace",
    "kubernetes:core/v1:Namespace github-runners-runners-ns-namespace": "given-cluster after github-runners-crds, github-runners-release",
  });
  expect(only(registered, RELEASE).inputs).toEqual({
    ...releaseDefaults,
    skipCrds: true,
    name: "arc",
    namespace: "arc-system",
    chart: `${REPOSITORY}/gha-runner-scale-set-controller`,
    version: "0.14.2",
    values: {
      serviceAccount: { create: true, name: "arc-controller" },
      podSecurityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
      securityContext: RIGHTS,
      resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "256Mi" } },
      flags: { logLevel: "info", logFormat: "json", updateStrategy: "eventual" },
    },
  });
});

test("a set comes after the controller and its token, in a namespace that goes before the controller does", async () => {
  const registered = await builtModule(githubRunners, { options: { sets: { "self-hosted": set } } });
  const graph = graphOf(registered);
  expect(graph["kubernetes:core/v1:Namespace github-runners-runners-ns-namespace"]).toContain("github-runners-release");
  expect(graph[`${RELEASE} github-runners-self-hosted-release`]).toMatch(
    /github-runners-release.*github-runners-runners-ns-namespace.*github-runners-secrets-self-hosted-token/,
  );
  expect(only(registered, "kubernetes:external-secrets.io/v1:ExternalSecret").inputs).toMatchObject({
    metadata: { name: "self-hosted-token", namespace: "github-runners" },
    spec: { data: [{ secretKey: "github_token", remoteRef: { key: "cluster-secret-store/secrets/github_token", property: "github_token" } }] },
  });
  expect(plain(only(registered, RELEASE, "github-runners-self-hosted-release").inputs)).toEqual({
    ...releaseDefaults,
    name: "github-self-hosted",
    namespace: "github-runners",
    chart: `${REPOSITORY}/gha-runner-scale-set`,
    version: "0.14.2",
    values: {
      githubConfigUrl: "https://github.com/example",
      githubConfigSecret: "self-hosted-token",
      runnerScaleSetName: "self-hosted",
      minRunners: 1,
      maxRunners: 4,
      controllerServiceAccount: { namespace: "arc-system", name: "arc-controller" },
      listenerTemplate: {
        spec: {
          securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
          containers: [{ name: "listener", securityContext: RIGHTS, resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "128Mi" } } }],
        },
      },
      template: {
        spec: {
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, runAsUser: 1001, fsGroup: 1001, seccompProfile: { type: "RuntimeDefault" } },
          containers: [
            {
              name: "runner",
              image: "ghcr.io/actions/actions-runner:2.330.0",
              command: ["/home/runner/run.sh"],
              securityContext: { ...RIGHTS, readOnlyRootFilesystem: false },
              resources: { requests: { cpu: "250m", memory: "512Mi" }, limits: { memory: "2Gi" } },
            },
          ],
        },
      },
    },
  });
});

test.each([
  ["more at least than at most", { "self-hosted": { ...set, min: 5 } }, /at least as many runners at most/],
  ["an image of no version", { "self-hosted": { ...set, image: "ghcr.io/actions/actions-runner:latest" } }, /must not be the tag latest/],
  ["a name that is none", { "Self Hosted": set }, /as jobs name it/],
])("%s is refused", (_, sets, message) => {
  expect(JSON.stringify(githubRunners.options.safeParse({ sets }).error?.issues)).toMatch(message);
});
