import { builtModule, graphOf, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { gitlabRunner } from "./module";

const CONFIG = `[[runners]]
[runners.kubernetes]
namespace = "gitlab-jobs"
image = "docker.io/library/alpine:3.22.1"
privileged = false
allow_privilege_escalation = false
automount_service_account_token = false
poll_timeout = 600
cpu_request = "200m"
memory_request = "512Mi"
memory_limit = "2Gi"
helper_cpu_request = "50m"
helper_memory_request = "64Mi"
helper_memory_limit = "256Mi"
`;

test("it is its pinned chart after its token and the namespace of its jobs, which run without privileges", async () => {
  const registered = await builtModule(gitlabRunner);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace gitlab-runner-ns-namespace": "given-cluster",
    "kubernetes:core/v1:Namespace gitlab-runner-jobs-ns-namespace": "given-cluster",
    "kubernetes:core/v1:Secret gitlab-runner-token-secret": "given-cluster after gitlab-runner-ns-namespace",
    "kubernetes:helm.sh/v3:Release gitlab-runner-release":
      "given-cluster after gitlab-runner-jobs-ns-namespace, gitlab-runner-ns-namespace, gitlab-runner-token-secret",
  });
  expect(plain(only(registered, "kubernetes:core/v1:Secret").inputs)).toMatchObject({
    metadata: { name: "gitlab-runner-token", namespace: "gitlab-runner" },
    stringData: { "runner-token": "cluster-secret-store/secrets/GITLAB_TOKEN GITLAB_TOKEN", "runner-registration-token": "" },
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "gitlab-runner",
    namespace: "gitlab-runner",
    chart: "gitlab-runner",
    version: "0.86.0",
    repositoryOpts: { repo: "https://charts.gitlab.io" },
    values: {
      gitlabUrl: "https://gitlab.com",
      concurrent: 4,
      checkInterval: 30,
      unregisterRunners: false,
      rbac: {
        create: true,
        rules: [
          { apiGroups: [""], resources: ["pods", "secrets", "configmaps", "services"], verbs: ["create", "delete", "get", "list", "watch", "update", "patch"] },
          { apiGroups: [""], resources: ["pods/attach", "pods/exec"], verbs: ["create", "delete", "get", "patch"] },
          { apiGroups: [""], resources: ["pods/log"], verbs: ["get", "list"] },
          { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["get"] },
          { apiGroups: [""], resources: ["events"], verbs: ["list", "watch"] },
        ],
      },
      serviceAccount: { create: true },
      runners: { secret: "gitlab-runner-token", jobNamespace: "gitlab-jobs", executor: "kubernetes", config: CONFIG },
      podAnnotations: { "homelab/credentials": expect.stringMatching(/^[0-9a-f]{24}$/) },
      podSecurityContext: { runAsUser: 100, fsGroup: 65533, seccompProfile: { type: "RuntimeDefault" } },
      resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    },
  });
});

test("what would end its text in the configuration is no image", () => {
  expect(gitlabRunner.options.safeParse({ image: 'registry.example.org/a"b:1' }).error?.issues).toMatchObject([{ path: ["image"] }]);
});
