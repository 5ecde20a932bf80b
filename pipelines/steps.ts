/** What the steps of several jobs have in common. */
import type { ActionStep, Job, Step } from "./model";

export const NODE_VERSION = 20;
/** Names of jobs and of their artefacts: the preview for the comment, the drift for the issue, and the plan that `up` must match. */
export const PREVIEW = "preview";
export const DRIFT = "drift";
export const PLAN = "plan";
export const UP = "up";
export const IMAGES_LIST = "images-list";
/** Child pipelines on GitLab, which one job writes and another job runs. Paths below the checkout. */
export const CHILD_OF = { images: "image-jobs/pipeline.yml", plan: "plan/pipeline.yml" } as const;
export const INSTALL: Step = { run: "make bin/.built" };
/** On our own runner the folder still has the files of the previous run. */
export const CLEAN: Step = { run: "make clean-reports" };

export const checkout = (more: ActionStep["with"] = {}): ActionStep => ({ uses: "actions/checkout", with: { "persist-credentials": false, ...more } });
/** Inputs of a checkout of the homelab, in a workflow that an application's repository calls. */
export const HOMELAB_MAIN = { repository: "${{ inputs.homelab }}", ref: "main", token: "${{ secrets.homelab-token }}" };
/** Without a cache, so that no run reads what a fork's run wrote. */
export const NODE: ActionStep = { uses: "actions/setup-node", with: { "node-version": NODE_VERSION, "package-manager-cache": false } };

/** What a run on the real homelab needs; no token of Vault is among them: each stack's is in the state, encrypted. */
const HOMELAB_SECRETS = ["SOPS_AGE_KEY", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/** A job on the real homelab, with the approval and the secrets of an environment. */
export const onHomelab = (environment: string) =>
  ({
    permissions: { contents: "read" },
    runner: "homelab",
    environment: { github: environment, gitlab: environment },
    secrets: { github: HOMELAB_SECRETS, gitlab: HOMELAB_SECRETS },
    outside: true,
  }) as const satisfies Partial<Job>;

/** What runs on the homelab's own runner keeps `.homelab` there, which says what earlier runs left in doubt. */
export const ON_OUR_RUNNER = [checkout({ clean: false }), NODE];
