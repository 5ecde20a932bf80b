/** Values of the chart gitlab-runner. Jobs run in a namespace of their own, without privileges and without any Secret of the homelab. */
import { CREDENTIALS_ANNOTATION } from "../credentials-annotation";
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import type { GitlabRunnerOptions } from "./options";

export const GITLAB_RUNNER_CHART = {
  repository: "https://charts.gitlab.io",
  name: "gitlab-runner",
  version: "0.86.0",
  why: "GitLab Runner 18.9.0; takes authentication tokens (glrt-) only, as GitLab does from 18 on",
} as const satisfies ChartPin;

export const GITLAB_RUNNER_NAMESPACE = "gitlab-runner";
/** Where jobs run. */
export const JOBS_NAMESPACE = "gitlab-jobs";
/** Secret with the runner's token. */
export const TOKEN_SECRET = "gitlab-runner-token";

/** One table of TOML, its keys in the order given. */
const table = (name: string, values: Readonly<Record<string, string | number | boolean>>): string =>
  [`[${name}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)].join("\n");

/** How jobs run (https://docs.gitlab.com/runner/executors/kubernetes/). A helper clones, and runs beside each job. */
function runnerConfig({ image, cpu, memory, memoryLimit }: Pick<GitlabRunnerOptions, "image" | "cpu" | "memory" | "memoryLimit">): string {
  return [
    "[[runners]]",
    table("runners.kubernetes", {
      namespace: JOBS_NAMESPACE,
      image,
      privileged: false,
      allow_privilege_escalation: false,
      automount_service_account_token: false,
      poll_timeout: 600,
      cpu_request: cpu,
      memory_request: memory,
      memory_limit: memoryLimit,
      helper_cpu_request: "50m",
      helper_memory_request: "64Mi",
      helper_memory_limit: "256Mi",
    }),
  ]
    .join("\n")
    .concat("\n");
}

/** The rights that the executor needs for its jobs, and no more. */
const RULES = [
  { apiGroups: [""], resources: ["pods", "secrets", "configmaps", "services"], verbs: ["create", "delete", "get", "list", "watch", "update", "patch"] },
  { apiGroups: [""], resources: ["pods/attach", "pods/exec"], verbs: ["create", "delete", "get", "patch"] },
  { apiGroups: [""], resources: ["pods/log"], verbs: ["get", "list"] },
  { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["get"] },
  { apiGroups: [""], resources: ["events"], verbs: ["list", "watch"] },
];

/** @typeParam T text, or an output of one */
export function gitlabRunnerValues<T>(options: Omit<GitlabRunnerOptions, "token">, credentialMark: T) {
  return {
    gitlabUrl: options.url,
    concurrent: options.concurrent,
    checkInterval: 30,
    // A runner that ends waits for its jobs. With an authentication token it stays registered.
    unregisterRunners: false,
    rbac: { create: true, rules: RULES },
    serviceAccount: { create: true },
    runners: { secret: TOKEN_SECRET, jobNamespace: JOBS_NAMESPACE, executor: "kubernetes", config: runnerConfig(options) },
    podAnnotations: { [CREDENTIALS_ANNOTATION]: credentialMark },
    podSecurityContext: { runAsUser: 100, fsGroup: 65533, seccompProfile: { type: "RuntimeDefault" } },
    resources: sized("50m", "128Mi", "256Mi"),
  };
}
