import { defineModule } from "../module";
import { githubRunnersOptions } from "./options";
import {
  CONTROLLER_CHART,
  CONTROLLER_NAMESPACE,
  CONTROLLER_RELEASE,
  controllerValues,
  RUNNERS_NAMESPACE,
  SET_CHART,
  setRelease,
  setSecrets,
  setValues,
} from "./values";

const KINDS = ["autoscalinglisteners", "autoscalingrunnersets", "ephemeralrunners", "ephemeralrunnersets"];

export const githubRunners = defineModule({
  name: "github-runners",
  summary:
    "runs jobs of GitHub Actions: each set grows with its jobs, and a runner takes one job and goes, without privileges and without Secrets of the homelab",
  charts: { [CONTROLLER_RELEASE]: CONTROLLER_CHART },
  options: githubRunnersOptions,
  crds: KINDS.map((kind) => `${kind}.actions.github.com`),
  exceptions: (["readiness", "liveness"] as const).map((rule) => ({
    rule,
    why: "the chart has no probes; nobody asks it anything, and it ends when it loses its lead",
  })),
  parts: (options) => {
    const sets = Object.entries(options.sets);
    const urls = [...new Set(sets.map(([, { url }]) => new URL(url).origin))];
    return {
      namespaces: [CONTROLLER_NAMESPACE, RUNNERS_NAMESPACE],
      charts: Object.fromEntries(sets.map(([set]) => [setRelease(set), SET_CHART])),
      needs: ["external-secrets", "cluster-access"],
      namespaceSecrets: [{ namespace: RUNNERS_NAMESPACE, wanted: setSecrets(options) }],
      flows: [
        { direction: "out", peer: "cluster", port: 6443, why: "makes runners, one for each job" },
        ...urls.flatMap((peer) => [
          { direction: "out" as const, peer, port: 443, why: "asks for jobs" },
          { direction: "out" as const, of: RUNNERS_NAMESPACE, peer, port: 443, why: "jobs: what they clone, fetch and hand over" },
        ]),
      ],
      workloads: [
        { name: "controller", cpu: "20m", memory: "64Mi" },
        ...sets.flatMap(([set, { max, cpu, memory }]) => [
          { name: `listener of ${set}`, cpu: "10m", memory: "64Mi", onDemand: true as const },
          { name: `runner of ${set}`, namespace: RUNNERS_NAMESPACE, replicas: max, cpu, memory, onDemand: true as const },
        ]),
      ],
      values: { [CONTROLLER_RELEASE]: controllerValues(), ...Object.fromEntries(sets.map(([set, given]) => [setRelease(set), setValues(set, given)])) },
    };
  },
  build: () => (require("./github-runners") as typeof import("./github-runners")).buildGithubRunners,
});
