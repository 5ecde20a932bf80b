/** Values of the charts of GitHub's runner sets: the controller, and one release for each set. */
import type { WantedSecret } from "../namespace-grants";
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import type { GithubRunnersOptions, RunnerSet } from "./options";

const PIN = {
  repository: "oci://ghcr.io/actions/actions-runner-controller-charts",
  version: "0.14.2",
  why: "controller and sets are of one version: a controller deletes sets of another one",
} as const;
export const CONTROLLER_CHART = { ...PIN, name: "gha-runner-scale-set-controller", crdsFolder: "apply" } as const satisfies ChartPin;
export const SET_CHART = { ...PIN, name: "gha-runner-scale-set" } as const satisfies ChartPin;

export const CONTROLLER_NAMESPACE = "arc-system";
/** Namespace of the runners. */
export const RUNNERS_NAMESPACE = "github-runners";
export const CONTROLLER_RELEASE = "arc";
/** Service account of the controller. The sets give it the right to make their runners. */
const CONTROLLER_ACCOUNT = "arc-controller";

export const setRelease = (set: string): string => `github-${set}`;
const tokenSecret = (set: string): string => `${set}-token`;

const CONTAINER_RIGHTS = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };
const POD_RIGHTS = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };

export const controllerValues = () => ({
  serviceAccount: { create: true, name: CONTROLLER_ACCOUNT },
  podSecurityContext: { ...POD_RIGHTS, runAsUser: 65532 },
  securityContext: CONTAINER_RIGHTS,
  resources: sized("20m", "64Mi", "256Mi"),
  flags: { logLevel: "info", logFormat: "json", updateStrategy: "eventual" },
});

/** A Secret for each set, with the key that its chart reads. */
export const setSecrets = ({ sets }: GithubRunnersOptions): WantedSecret[] =>
  Object.entries(sets).map(([set, { token }]) => ({ name: tokenSecret(set), data: { github_token: token } }));

/** The pod that asks GitHub for jobs, one for each set. */
const listener = {
  spec: {
    securityContext: { ...POD_RIGHTS, runAsUser: 65532 },
    containers: [{ name: "listener", securityContext: CONTAINER_RIGHTS, resources: sized("10m", "64Mi", "128Mi") }],
  },
};

/**
 * Runners without Docker and without privileges. Jobs build images with tools that need neither (buildah, kaniko). Secrets of a job come
 * from GitHub; it gets none of the homelab.
 */
export function setValues(set: string, { url, min, max, image, cpu, memory, memoryLimit }: RunnerSet) {
  return {
    githubConfigUrl: url,
    githubConfigSecret: tokenSecret(set),
    runnerScaleSetName: set,
    minRunners: min,
    maxRunners: max,
    controllerServiceAccount: { namespace: CONTROLLER_NAMESPACE, name: CONTROLLER_ACCOUNT },
    listenerTemplate: listener,
    template: {
      spec: {
        automountServiceAccountToken: false,
        securityContext: { ...POD_RIGHTS, runAsUser: 1001, fsGroup: 1001 },
        containers: [
          {
            name: "runner",
            image,
            command: ["/home/runner/run.sh"],
            // The runner writes into its home, which is part of the image.
            securityContext: { ...CONTAINER_RIGHTS, readOnlyRootFilesystem: false },
            resources: sized(cpu, memory, memoryLimit),
          },
        ],
      },
    },
  };
}
