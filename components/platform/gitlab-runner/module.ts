import { defineModule } from "../module";
import { gitlabRunnerOptions } from "./options";
import { GITLAB_RUNNER_CHART, GITLAB_RUNNER_NAMESPACE, gitlabRunnerValues, JOBS_NAMESPACE } from "./values";

export const gitlabRunner = defineModule({
  name: "gitlab-runner",
  summary: "runs jobs of GitLab, each in a pod of its own, without privileges and without Secrets of the homelab",
  charts: { "gitlab-runner": GITLAB_RUNNER_CHART },
  options: gitlabRunnerOptions,
  exceptions: [{ rule: "read-only-root", why: "its start writes its configuration into its home" }],
  parts: ({ token, ...options }) => ({
    namespaces: [GITLAB_RUNNER_NAMESPACE, JOBS_NAMESPACE],
    // A job's container may start as root, but gets no privileges.
    podSecurity: { [JOBS_NAMESPACE]: "baseline" },
    programSecrets: [{ ...token, why: "the Secret of the runner" }],
    flows: [
      { direction: "out", peer: "cluster", port: 6443, why: "makes the pods of jobs, and reads their output" },
      { direction: "out", peer: options.url, port: 443, why: "asks for jobs" },
      { direction: "out", of: JOBS_NAMESPACE, peer: options.url, port: 443, why: "jobs clone, and hand over what they made" },
      { direction: "out", of: JOBS_NAMESPACE, peer: "https://registry.npmjs.org", port: 443, why: "jobs fetch what they build with" },
    ],
    workloads: [
      { name: "runner", cpu: "50m", memory: "128Mi" },
      { name: "job", namespace: JOBS_NAMESPACE, replicas: options.concurrent, cpu: options.cpu, memory: options.memory, onDemand: true },
    ],
    values: { "gitlab-runner": gitlabRunnerValues(options, "<digest of the token>") },
  }),
  build: () => (require("./gitlab-runner") as typeof import("./gitlab-runner")).buildGitlabRunner,
});
